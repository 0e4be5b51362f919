// The schedules of the learning rate that recipes can name: one row of a table each.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "gradus/optim/plateau.h"
#include "gradus/optim/schedule.h"
#include "gradus/train/settings/settings.h"

namespace gradus::train {

const std::vector<Choice>& schedule_choices();

/// What a learning rate depends on.
struct LearningRateOptions {
  std::string schedule = "constant";
  Settings settings = {};         ///< of the schedule
  double lr = 1e-3;               ///< the highest rate; of "cyclic" the lowest
  std::int64_t warmup_steps = 0;  ///< of a linear rise, after which the schedule starts
  std::int64_t epochs = 1, epoch_steps = 1;
  optim::Better better = optim::Better::less;  ///< of the metric that "reduce-on-plateau" watches
};

/// The learning rate of a run, step by step. Nothing is saved of it: the rate follows from the number of the step and the metrics
/// of the epochs before.
class LearningRate {
 public:
  /// Throws Error(config) for an unknown schedule, and Error(value) for settings out of range.
  explicit LearningRate(const LearningRateOptions& options);

  /// Of step number `step` (from 0).
  double operator()(std::int64_t step) const;
  /// Takes the metric of the epoch that has ended.
  void end_epoch(double metric);

 private:
  std::optional<optim::Schedule> schedule_;
  std::optional<optim::ReduceOnPlateau> plateau_;
  std::int64_t warmup_, unit_ = 1;  ///< steps; steps of what the schedule counts in
};

}  // namespace gradus::train
