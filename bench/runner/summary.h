// From the lines of all rounds to what they say.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

namespace gradus::bench {

/// Median and range over the rounds.
struct Spread {
  double median = 0, low = 0, high = 0;
};
/// Of at least one number.
Spread spread(std::vector<double> values);

/// What one contender did.
struct Outcome {
  std::string name;
  std::string reason;   ///< why there are no figures; "" when there are
  bool failed = false;  ///< it should have run
  Spread step_ms;
  double cpu_ms = 0;      ///< processor time of a step, of all threads: median; others on the machine change it little
  double peak_mb = 0;     ///< the largest of the rounds
  double startup_ms = 0;  ///< median, to the end of the first step, without the reading of data
  double foreign_cores = 0;  ///< mean; what others used of the machine meanwhile
  /// How many times as long as Gradus's its step took, from pairs of the same round; of Gradus itself nothing.
  std::optional<Spread> ratio;
  std::string disagreement;  ///< with Gradus's numbers; "" when they agree
};

/// One workload in one type with one number of threads.
struct Comparison {
  std::string workload, dtype;
  int threads = 1;
  std::vector<Outcome> outcomes;  ///< the first is Gradus's
  double gflops = 0;              ///< Gradus's rate of arithmetic
  double product_share = 0;       ///< of the best product that oneDNN reached just before; 0: unknown
  double memory_share = 0;        ///< parameters moved in a step, of what the memory could move in its time

  /// The fastest peer, or nullptr without any.
  const Outcome* best_peer() const;
};

/// Whether two contenders computed the same thing: parameters, losses of the steps both took, or the answer of an
/// inference. Rounding makes training runs diverge, faster with bf16: the relative difference may be 2e-4 step^2 (bf16: 1e-2
/// step), at most 0.1 (0.2). Returns "" or what disagrees.
std::string disagreement(const nlohmann::ordered_json& gradus, const nlohmann::ordered_json& peer, bool bf16);

/// All comparisons of a measurement (see rounds.h).
std::vector<Comparison> summarize(const nlohmann::ordered_json& measurement);

}  // namespace gradus::bench
