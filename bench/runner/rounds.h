// Contenders in turn: A B C, A B C, ... so that a machine whose clock drifts, or that others use, is the same for all.
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace gradus::bench {

/// What to measure: every workload in every type with every number of threads.
struct Plan {
  std::vector<std::string> workloads = {}, dtypes = {"f32", "bf16"};
  std::vector<int> threads = {2};
  std::vector<std::string> peers = {};  ///< "torch", "torch-compile", "torch-tuned"
  int rounds = 5;
  int steps = 0;  ///< timed ones in each round; 0: as many as the workload says
  unsigned most_seconds = 300;
  std::string programs;          ///< folder of gradus_bench and gradus_bench_limits
  std::string python;            ///< with torch; needed for peers
  std::string torch_bench = {};  ///< the script
};

/// The names of all peers.
std::vector<std::string_view> peer_names();

/// Runs everything and tells the progress on stderr. The answer holds, for each workload, type and number of threads, the limits
/// measured right before and every line of every contender:
///   {"machine": {...}, "rounds": 5, "results": [{"workload", "dtype", "threads", "limits", "contenders": [{"name", "runs"}]}]}
/// `so_far` is called with what there is after each result: a measurement takes long, and may be stopped.
nlohmann::ordered_json measure(const Plan& plan, const std::function<void(const nlohmann::ordered_json&)>& so_far = {});

}  // namespace gradus::bench
