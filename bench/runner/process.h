// Programs that print one line of JSON.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace gradus::bench {

/// Runs a program to its end and returns its line. When it fails, or takes longer than `most_seconds`, the answer is
/// {"available": false, "failed": true, "reason": ...}. It finds the time of its start in $GRADUS_BENCH_BEGIN and the number of
/// threads in $OMP_NUM_THREADS.
nlohmann::ordered_json run_program(const std::vector<std::string>& words, int threads, unsigned most_seconds);

}  // namespace gradus::bench
