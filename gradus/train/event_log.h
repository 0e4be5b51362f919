// The event files of a training run, for TensorBoard.
#pragma once

#include "gradus/io/event_file.h"
#include "gradus/models/any_model.h"
#include "gradus/train/metrics.h"
#include "gradus/train/observer.h"
#include "gradus/train/record/instruments.h"
#include "gradus/train/run_folder.h"

namespace gradus::train {

class EventLog {
 public:
  /// `step`: done before; what earlier files of the run say of later steps is void. Throws Error(io).
  EventLog(const RunFolder& run, const Recipe& recipe, std::int64_t step);

  /// Scalars of single steps, every log.every_steps of them.
  void step(const StepReport& report, double loss);
  /// Scalars of an epoch, and a histogram of each parameter.
  void epoch(const EpochMetrics& metrics, const models::AnyModel& model);
  /// What train.record found at a step, under "gradients/", "activations/", "updates/", "losses/" and "noise/".
  void inside(const StepRecord& record);
  /// And at the end of an epoch, under "inside/".
  void inside(const EpochRecord& record);

 private:
  io::EventWriter writer_;
  std::int64_t every_steps_;
};

}  // namespace gradus::train
