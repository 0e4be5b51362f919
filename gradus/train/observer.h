// What a training loop tells while it runs.
#pragma once

#include <cstdint>
#include <string_view>

#include "gradus/train/metrics.h"

namespace gradus::train {

/// Figures of the epoch under way.
struct StepReport {
  std::int64_t epoch = 1, epochs = 1;   ///< from 1
  std::int64_t batch = 0, batches = 0;  ///< done in this epoch, and in all of it
  std::int64_t step = 0;                ///< done since the start of the run
  double loss = 0, accuracy = 0;        ///< means over the epoch so far
  double lr = 0;
  double samples_per_s = 0;
  double seconds_left = -1;  ///< of the whole run, estimated; negative while unknown
};

class Observer {
 public:
  virtual ~Observer() = default;
  virtual void on_step(const StepReport&) {}
  virtual void on_epoch(const EpochMetrics&, std::int64_t epochs) { (void)epochs; }
  /// Something that a user should know: resumed, saved, stopped.
  virtual void on_note(std::string_view) {}
};

}  // namespace gradus::train
