// One run of the training loop: what `start` and `resume` share.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <vector>

#include "gradus/data/dataset.h"
#include "gradus/models/registry.h"
#include "gradus/optim/averaging.h"
#include "gradus/optim/optimizer.h"
#include "gradus/train/evaluate.h"
#include "gradus/train/event_log.h"
#include "gradus/train/objective.h"
#include "gradus/train/record/recorder.h"
#include "gradus/train/run_folder.h"
#include "gradus/train/settings/schedules.h"
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

  /// One batch: a step, or a part of one when gradients accumulate.
  void step(const RunFolder& run, const Tensor& images, const Tensor& labels);
  /// The parts of step(): everything in one plan, or with gradients at hand. False: the loss or a gradient is not finite.
  /// `sample` may be null.
  bool plain_step(const Tensor& loss, const Tensor& predicted, const Sample* sample);
  bool gathered_step(const Tensor& loss, const Tensor& predicted, std::int64_t examples, Sample* sample);
  /// Writes what the step under way was found to be like.
  void record(const Sample& sample, double loss, bool failed = false);
  void record_failure(const Tensor& images, const Tensor& labels);
  void count_loss(double loss);
  void remember_group_start();
  /// Examples that take part in the step that the batch under way belongs to.
  std::int64_t group_examples() const;
  /// Whether the batch under way ends its step.
  bool ends_group() const { return (state_.batch + 1) % recipe_.train.accumulate == 0 || state_.batch + 1 == batches_; }
  bool within_group() const { return state_.batch % recipe_.train.accumulate != 0 && state_.batch < batches_; }
  [[noreturn]] void fail_nonfinite(const RunFolder& run, const Tensor& images, const Tensor& labels);
  void finish_epoch(const RunFolder& run);
  void report(double loss);
  /// Whether an epoch is better than all before by train.monitor.
  bool is_best(const EpochMetrics& record) const;
  /// True when train.patience ran out, or the run was ended by an observer.
  bool ended_early() const;
  void write_report(const RunFolder& run, Observer& observer) const;
  /// What train.monitor names, and the same so that more is better.
  double metric(const EpochMetrics& record) const;
  double monitored(const EpochMetrics& record) const;
  void save(const RunFolder& run, const std::string& which) const;
  /// The average of the weights where there is one, else the model.
  models::AnyModel& measured();
  const models::AnyModel& measured() const { return const_cast<Loop*>(this)->measured(); }
  double next_lr() const;
  Evaluation evaluate_best(const data::Dataset& dataset) const;

  Recipe recipe_;
  TrainOptions options_;
  data::TrainValidation data_;
  data::Dataset test_;
  models::AnyModel model_;
  std::unique_ptr<optim::Optimizer> optimizer_;
  NumberTask numbers_;  ///< where the model predicts numbers
  Objective objective_;
  std::unique_ptr<optim::AveragedModel<models::AnyModel>> average_;
  std::optional<LearningRate> learning_rate_;
  std::int64_t batches_ = 0;                  ///< of an epoch
  std::optional<models::AnyModel> gathered_;  ///< gradients of the batches of the step under way
  std::unique_ptr<EventLog> events_;
  std::optional<Recorder> recorder_;  ///< with train.record
  LoopState state_, group_start_;     ///< now, and before the batches of the step under way
  std::vector<EpochMetrics> history_;
  std::vector<nn::FieldRef> buffers_;  ///< of the model: running statistics, which a batch changes when it is looked at
  Tensors buffers_at_start_;           ///< their values where group_start_ is
  NamedTensors best_weights_;
  double step_seconds_ = 0;  ///< spent in this process ...
  std::int64_t steps_ = 0;   ///< ... on this many batches
  double last_loss_ = 0;     ///< of the last batch
};

}  // namespace gradus::train::detail
