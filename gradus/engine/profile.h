// Where the time of evaluation goes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace gradus::engine {

struct Plan;
struct Step;

/// One line of a profile: all calls of one operation, or of one module.
struct ProfileRow {
  std::string name;  ///< operation with its implementation, or a module's path
  std::int64_t calls = 0;
  double seconds = 0;
  double flops = 0;  ///< arithmetic operations
  double bytes = 0;  ///< read and written at least
};

struct Profile {
  std::vector<ProfileRow> by_operation, by_module;  ///< slowest first
  std::vector<ProfileRow> missed_fusions;           ///< "writer -> readers": values between regions; most bytes first
  double seconds = 0;                               ///< inside kernels

  /// Tables of time, share, GFLOP/s and GB/s by operation and by module; and what went from region to region through memory.
  std::string str() const;
};

/// Starts (or restarts, from zero) and stops the measurement of every kernel call of this process.
void start_profile();
Profile stop_profile();
bool is_profiling();

/// Records every single kernel call besides, until stop_trace(): the first `most_calls` of them.
void start_trace(std::size_t most_calls = 1'000'000);
/// What was recorded, in the trace event format of Chrome (open it at chrome://tracing or ui.perfetto.dev): per call its
/// operation, thread, start and duration in microseconds, parameter path, arithmetic operations and bytes. A last event
/// says how many calls were left out, if any.
std::string stop_trace();

/// For the runner: a clock in seconds, and a call that began at `start` on this clock and ends now.
double profile_clock();
void profile_step(const Step& step, double start) noexcept;
/// For the runner: all of a plan is going to run.
void profile_plan(const Plan& plan) noexcept;

}  // namespace gradus::engine
