#include "bench/measure.h"

#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

namespace gradus::bench {
namespace {

/// The clock tick at which this process was started, counted since the machine was: field 22 of proc(5)'s stat.
double start_tick() {
  std::ifstream file("/proc/self/stat");
  std::string text{std::istreambuf_iterator<char>(file), {}};
  std::istringstream fields(text.substr(text.rfind(')') + 1));  // the name before may hold anything
  std::string field;
  for (int i = 3; i <= 22; ++i) fields >> field;
  return std::strtod(field.c_str(), nullptr);
}

double seconds(const timespec& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

double rounded(double value, int digits) {
  const double unit = std::pow(10, digits);
  return std::round(value * unit) / unit;
}

}  // namespace

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

double seconds_since_start() {
  timespec time{};
  clock_gettime(CLOCK_BOOTTIME, &time);
  if (const char* begin = std::getenv("GRADUS_BENCH_BEGIN")) return seconds(time) - std::strtod(begin, nullptr) * 1e-9;
  return seconds(time) - start_tick() / static_cast<double>(sysconf(_SC_CLK_TCK));
}

double peak_rss_mb() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

ProcessorTime processor_time() {
  std::ifstream file("/proc/stat");
  std::string name;
  double ticks[8] = {};  // user, nice, system, idle, iowait, irq, softirq, steal
  file >> name;
  for (double& value : ticks) file >> value;
  const double all = ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6] + ticks[7];
  timespec own{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &own);
  const auto tick = static_cast<double>(sysconf(_SC_CLK_TCK));
  return {all / tick, ticks[7] / tick, seconds(own)};
}

void Stopwatch::report(nlohmann::ordered_json& line) const {
  const double wall = elapsed();
  const ProcessorTime after = processor_time();
  const double own = after.own - before_.own, stolen = after.stolen - before_.stolen;
  std::vector<double> sorted = milliseconds_;
  std::sort(sorted.begin(), sorted.end());
  const std::size_t count = sorted.size();
  const double median = (sorted[(count - 1) / 2] + sorted[count / 2]) / 2;
  line["step_ms_median"] = rounded(median, 5);
  line["step_ms_p90"] = rounded(sorted[std::min(count - 1, count * 9 / 10)], 5);
  line["step_ms_min"] = rounded(sorted[0], 5);
  line["steps"] = count;
  line["step_cpu_ms"] = rounded(own / static_cast<double>(count) * 1e3, 5);
  line["own_cores"] = rounded(own / wall, 2);
  line["foreign_cores"] = rounded((after.busy - before_.busy - stolen - own) / wall, 2);
  line["steal_cores"] = rounded(stolen / wall, 2);
}

}  // namespace gradus::bench
