// One run of the training loop: what `start` and `resume` share.
#pragma once

#include <chrono>
#include <memory>
#include <vector>

#include "gradus/data/dataset.h"
#include "gradus/models/registry.h"
#include "gradus/optim/optimizer.h"
#include "gradus/train/evaluate.h"
#include "gradus/train/run_folder.h"
#include "gradus/train/trainer.h"

namespace gradus::train::detail {

class Loop {
 public:
  /// Loads the data and makes model and optimizer; writes nothing.
  Loop(const Recipe& recipe, const TrainOptions& options);

  /// Takes over the state of a checkpoint and the records before it.
  void restore(const RunFolder& run);
  TrainResult run(const RunFolder& run);
  const LoopState& state() const { return state_; }

 private:
  using Clock = std::chrono::steady_clock;

  /// Both return false when the run was asked to stop.
  bool train_epoch(const RunFolder& run);
  bool asked_to_stop() const { return options_.stop && options_.stop(); }

  void step(const RunFolder& run, const Tensor& images, const Tensor& labels);
  [[noreturn]] void fail_nonfinite(const RunFolder& run, const Tensor& images, const Tensor& labels);
  void finish_epoch(const RunFolder& run);
  void report();
  void save(const RunFolder& run, const std::string& which) const;
  Evaluation evaluate_best(const data::Dataset& dataset) const;
  double next_lr() const;

  Recipe recipe_;
  TrainOptions options_;
  data::TrainValidation data_;
  data::Dataset test_;
  models::AnyModel model_;
  std::unique_ptr<optim::Optimizer> optimizer_;
  std::int64_t batches_ = 0;  ///< of an epoch
  LoopState state_;
  std::vector<EpochMetrics> history_;
  NamedTensors best_weights_;
  double step_seconds_ = 0;  ///< spent in this process ...
  std::int64_t steps_ = 0;   ///< ... on this many steps
};

}  // namespace gradus::train::detail
