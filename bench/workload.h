// The workloads of the bench, and one measured run of one of them.
//
//   nlohmann::ordered_json line = bench::run({.workload = "lenet", .threads = 2});
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <string_view>

#include "bench/work.h"

namespace gradus::bench {

struct Settings {
  std::string workload = {};
  std::string dtype = "f32";  ///< or "bf16": mixed precision; "int8": quantised linear layers, of inference
  int threads = 1;
  int steps = 0;            ///< timed ones; 0: what the workload says
  int warmup = 0;           ///< steps before, the first included; 0: what the workload says
  double max_seconds = 60;  ///< the timed part ends after this
  bool profile = false;     ///< print where the time of the timed steps went to stderr
  std::string trace = {};   ///< write every kernel call of the timed steps to this file, unless empty
};

/// What is repeated and measured.
class Task {
 public:
  virtual ~Task() = default;
  /// One training step, evaluated; its loss. Inference: one answer, evaluated; NaN.
  virtual double step() = 0;
  virtual std::int64_t parameters() const = 0;
  /// Of inference, the sum of the last answer; NaN of training.
  virtual double output_sum() const;
  /// Seconds that reading the data took. They do not count as start-up.
  double data_seconds = 0;
};

struct Workload {
  std::string_view name = {};
  std::string_view unit = {};  ///< of what a step handles: "samples", "tokens"
  std::int64_t per_step = 1;
  bool training = true;
  int warmup = 1, steps = 1;
  Work work = {};
  double parameter_bytes =
      0;  ///< that a step moves for each parameter at least: weight, gradient, state of the optimizer
  std::function<std::unique_ptr<Task>()> make = {};
};

/// All of them.
std::span<const Workload> workloads();

/// One run, as one line of facts: the keys are those of torch_bench.py. Where Gradus cannot run it, {"available": false} with
/// the "reason". Throws Error(value) for an unknown workload or type, and what the workload throws.
nlohmann::ordered_json run(const Settings& settings);

}  // namespace gradus::bench
