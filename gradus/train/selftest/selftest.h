// Exact oracles: results that are known in closed form, computed by this program on this machine.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace gradus::train {

/// One figure with its known value.
struct Oracle {
  std::string_view name;   ///< "ridge regression = L2"
  std::string_view about;  ///< what is compared, in one line
  double expected = 0;
  double tolerance = 0;  ///< of |found - expected|
  std::function<double()> find;
};

struct OracleResult {
  std::string name, about;
  double expected = 0, found = 0, tolerance = 0;
  bool passed = false;
  std::string error;  ///< what was thrown in place of an answer
};

/// All oracles, in the order in which they are run.
std::vector<Oracle> oracles();

/// Runs them; whatever one throws is its result. Takes a few seconds.
std::vector<OracleResult> selftest();
OracleResult run_oracle(const Oracle& oracle);

namespace detail {
std::vector<Oracle> derivative_oracles();
std::vector<Oracle> activation_oracles();
std::vector<Oracle> descent_oracles();
std::vector<Oracle> regularisation_oracles();
std::vector<Oracle> structure_oracles();
std::vector<Oracle> system_oracles();
}  // namespace detail

}  // namespace gradus::train
