// What is measured of a run besides its numbers: wall time of each step, processors, memory, start-up.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <vector>

namespace gradus::bench {

/// Seconds of a monotonic clock.
double now();
/// Seconds since this process was started; since $GRADUS_BENCH_BEGIN (nanoseconds of CLOCK_BOOTTIME), which the runner sets,
/// when it is there: the kernel's own record has a resolution of 10 ms.
double seconds_since_start();
/// The largest amount of memory that this process has had, in MiB.
double peak_rss_mb();

/// Processor seconds: of all processors together, stolen by the hypervisor, of this process.
struct ProcessorTime {
  double busy = 0, stolen = 0, own = 0;
};
ProcessorTime processor_time();

/// Times steps, and looks how many cores others used meanwhile.
class Stopwatch {
 public:
  Stopwatch() : begin_(now()), before_(processor_time()) {}

  void step(double begin) { milliseconds_.push_back((now() - begin) * 1e3); }
  double elapsed() const { return now() - begin_; }
  /// step_ms_median, step_ms_p90, step_ms_min, steps, step_cpu_ms (mean processor time), own_cores, foreign_cores, steal_cores.
  void report(nlohmann::ordered_json& line) const;

 private:
  double begin_;
  ProcessorTime before_;
  std::vector<double> milliseconds_;
};

}  // namespace gradus::bench
