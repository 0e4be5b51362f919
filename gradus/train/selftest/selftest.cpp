#include "gradus/train/selftest/selftest.h"

#include <cmath>
#include <exception>
#include <limits>

namespace gradus::train {

std::vector<Oracle> oracles() {
  std::vector<Oracle> all = detail::derivative_oracles();
  for (auto family : {detail::structure_oracles, detail::activation_oracles, detail::descent_oracles,
                      detail::regularisation_oracles, detail::system_oracles}) {
    for (Oracle& oracle : family()) all.push_back(std::move(oracle));
  }
  return all;
}

OracleResult run_oracle(const Oracle& oracle) {
  OracleResult result{std::string(oracle.name),
                      std::string(oracle.about),
                      oracle.expected,
                      std::numeric_limits<double>::quiet_NaN(),
                      oracle.tolerance,
                      false,
                      {}};
  try {
    result.found = oracle.find();
    result.passed = std::abs(result.found - oracle.expected) <= oracle.tolerance;
  } catch (const std::exception& error) {
    result.error = error.what();
  }
  return result;
}

std::vector<OracleResult> selftest() {
  std::vector<OracleResult> results;
  for (const Oracle& oracle : oracles()) results.push_back(run_oracle(oracle));
  return results;
}

}  // namespace gradus::train
