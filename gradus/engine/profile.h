// Where the time of evaluation goes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace gradus::engine {

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
  double seconds = 0;                               ///< inside kernels

  /// Two tables: time, share, GFLOP/s and GB/s by operation and by module.
  std::string str() const;
};

/// Starts (or restarts, from zero) and stops the measurement of every kernel call of this process.
void start_profile();
Profile stop_profile();
bool is_profiling();

/// For the runner.
double profile_clock();
void profile_step(const Step& step, double seconds) noexcept;

}  // namespace gradus::engine
