#include "bench/workload.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <numeric>
#include <vector>

#include "bench/measure.h"
#include "bench/workloads/workloads.h"
#include "gradus/base/error.h"
#include "gradus/base/parallel.h"
#include "gradus/base/version.h"
#include "gradus/engine/plan_cache.h"
#include "gradus/engine/precision.h"
#include "gradus/engine/profile.h"
#include "gradus/io/atomic_file.h"

namespace gradus::bench {
namespace {

const Workload& find(const std::string& name) {
  for (const Workload& workload : workloads()) {
    if (workload.name == name) return workload;
  }
  std::string names;
  for (const Workload& workload : workloads()) names += fmt::format(" {}", workload.name);
  throw Error(ErrorKind::value, "bench", fmt::format("there is no workload \"{}\"", name)).hint("there are:" + names);
}

/// Losses of the steps that are compared between contenders, by the number of the step from the start.
bool is_compared(int step) {
  for (int power = 1; power <= step; power *= 10) {
    if (step == power || step == 2 * power || step == 5 * power) return true;
  }
  return false;
}

/// The steps of a run: the first, those that warm up, the timed ones.
class Run {
 public:
  Run(const Workload& workload, const Settings& settings) : workload_(workload), settings_(settings) {}

  void execute(nlohmann::ordered_json& line) {
    task_ = workload_.make();
    const double rss_before = peak_rss_mb();
    const int warmup = settings_.warmup > 0 ? settings_.warmup : workload_.warmup;
    const double first = step();
    const double startup = seconds_since_start() - task_->data_seconds;
    for (int i = 1; i < warmup; ++i) step();
    timed_steps(line);
    line["peak_rss_mb"] = std::round(peak_rss_mb() * 10) / 10;
    line["rss_before_training_mb"] = std::round(rss_before * 10) / 10;
    line["startup_s"] = std::round(startup * 1e4) / 1e4;
    line["data_s"] = std::round(task_->data_seconds * 1e4) / 1e4;
    if (workload_.training) {
      line["first_loss"] = first;
      line["final_loss"] = final_loss();
      line["losses"] = losses_;
    } else {
      line["output_sum"] = task_->output_sum();
    }
    line["parameters"] = task_->parameters();
    line["gflop"] = flops(workload_.work, workload_.training) / 1e9;
    line["parameter_mb"] = static_cast<double>(task_->parameters()) * workload_.parameter_bytes / 1e6;
    line["plans"] = engine::compile_count();
  }

 private:
  double step() {
    const double loss = task_->step();
    if (is_compared(++steps_)) losses_.push_back({steps_, loss});
    return loss;
  }

  void timed_steps(nlohmann::ordered_json& line) {
    const int steps = settings_.steps > 0 ? settings_.steps : workload_.steps;
    timed_losses_.reserve(static_cast<std::size_t>(steps));
    if (settings_.profile) engine::start_profile();
    if (!settings_.trace.empty()) engine::start_trace();
    Stopwatch stopwatch;
    for (int i = 0; i < steps && (i == 0 || stopwatch.elapsed() < settings_.max_seconds); ++i) {
      const double begin = now();
      timed_losses_.push_back(step());
      stopwatch.step(begin);
    }
    stopwatch.report(line);
    line[fmt::format("{}_per_s", workload_.unit)] =
        std::round(static_cast<double>(workload_.per_step) / line["step_ms_median"].get<double>() * 1e5) / 100;
    if (!settings_.trace.empty()) io::write_file(settings_.trace, engine::stop_trace());
    if (settings_.profile) fmt::print(stderr, "{}\n", engine::stop_profile().str());
  }

  /// Mean over the last tenth of the timed steps.
  double final_loss() const {
    const std::size_t count = std::max<std::size_t>(1, timed_losses_.size() / 10);
    return std::accumulate(timed_losses_.end() - static_cast<std::ptrdiff_t>(count), timed_losses_.end(), 0.0) /
           static_cast<double>(count);
  }

  const Workload& workload_;
  const Settings& settings_;
  std::unique_ptr<Task> task_;
  int steps_ = 0;
  std::vector<std::pair<int, double>> losses_;
  std::vector<double> timed_losses_;
};

}  // namespace

double Task::output_sum() const { return std::nan(""); }

std::span<const Workload> workloads() {
  static const std::vector<Workload> all = {
      mlp(), lenet(), resnet18(), lstm(), gpt(), bert(), tiny(), lenet_inference(), gpt_decode(),
  };
  return all;
}

nlohmann::ordered_json run(const Settings& settings) {
  const Workload& workload = find(settings.workload);
  if (settings.dtype != "f32" && settings.dtype != "bf16" && settings.dtype != "int8") {
    throw Error(ErrorKind::value, "bench", fmt::format("dtype is \"{}\", must be f32, bf16 or int8", settings.dtype));
  }
  nlohmann::ordered_json line = {{"workload", workload.name}, {"framework", "gradus"},       {"version", version},
                                 {"dtype", settings.dtype},   {"threads", settings.threads}, {"available", true}};
  const Precision wanted = settings.dtype == "bf16"   ? precision::bf16
                           : settings.dtype == "int8" ? precision::int8
                                                      : precision::f32;
  const precision::Scope scope(wanted);
  if (precision::current() != wanted || (wanted == precision::int8 && workload.training)) {
    line["available"] = false;
    line["reason"] = precision::current() == wanted
                         ? "int8 is for inference"
                         : fmt::format("{} is not faster than f32 on this CPU", settings.dtype);
    return line;
  }
  set_num_threads(settings.threads);
  Run(workload, settings).execute(line);
  return line;
}

}  // namespace gradus::bench
