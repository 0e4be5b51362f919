// What a training loop tells while it runs.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "gradus/train/metrics.h"

namespace gradus::train {

/// Figures of the epoch under way.
struct StepReport {
  std::int64_t epoch = 1, epochs = 1;   ///< from 1
  std::int64_t batch = 0, batches = 0;  ///< done in this epoch, and in all of it
  std::int64_t step = 0;                ///< done since the start of the run
  double loss = 0, accuracy = 0;        ///< means over the epoch so far; the accuracy of numbers is NaN
  double lr = 0;
  double samples_per_s = 0;
  double seconds_left = -1;  ///< of the whole run, estimated; negative while unknown
};

/// Callbacks of a training run, all of them optional.
class Observer {
 public:
  virtual ~Observer() = default;
  /// Before the first step of this process; `epoch`: done before, in an earlier part of the run.
  virtual void on_train_begin(std::int64_t epoch, std::int64_t epochs) { (void)epoch, (void)epochs; }
  /// Before the first batch of epoch number `epoch` (from 1).
  virtual void on_epoch_begin(std::int64_t epoch) { (void)epoch; }
  virtual void on_step(const StepReport&) {}
  /// Asked when an epoch is validated: true ends the training with it, as if it had been the last.
  virtual bool wants_stop(const EpochMetrics&) { return false; }
  virtual void on_epoch(const EpochMetrics&, std::int64_t epochs) { (void)epochs; }
  /// Something that a user should know: resumed, saved, stopped.
  virtual void on_note(std::string_view) {}
  /// After the last step of this process, also when the run was only interrupted (`finished` is false).
  virtual void on_train_end(bool finished) { (void)finished; }
};

/// Several observers as one, asked in order. It refers to them; null pointers are passed by.
class ObserverList : public Observer {
 public:
  explicit ObserverList(std::vector<Observer*> observers) : observers_(std::move(observers)) {}
  void on_train_begin(std::int64_t epoch, std::int64_t epochs) override;
  void on_epoch_begin(std::int64_t epoch) override;
  void on_step(const StepReport& report) override;
  bool wants_stop(const EpochMetrics& metrics) override;
  void on_epoch(const EpochMetrics& metrics, std::int64_t epochs) override;
  void on_note(std::string_view text) override;
  void on_train_end(bool finished) override;

 private:
  std::vector<Observer*> observers_;
};

}  // namespace gradus::train
