// Progress for people: a bar that redraws itself on a terminal, one line per epoch elsewhere.
#pragma once

#include <chrono>
#include <cstdio>
#include <string>

#include "gradus/train/observer.h"

namespace gradus::train {

class Progress : public Observer {
 public:
  /// `terminal`: redraw one line (with carriage returns) as steps go by.
  Progress(std::FILE* out, bool terminal) : out_(out), terminal_(terminal) {}

  void on_step(const StepReport& report) override;
  void on_epoch(const EpochMetrics& metrics, std::int64_t epochs) override;
  void on_note(std::string_view text) override;

 private:
  void clear_bar();

  std::FILE* out_;
  bool terminal_;
  std::size_t drawn_ = 0;  ///< width of the bar that is on the screen
  std::chrono::steady_clock::time_point last_draw_{};
};

/// "epoch 2/8 [=====>    ]  52%  12345 samples/s  loss 0.4321  accuracy 0.8512  time left 0:41", at most `width` wide.
std::string bar_text(const StepReport& report, std::size_t width = 110);
/// "R2 0.9123 MAE 1.23 RMSE 1.6"
std::string fit_text(const Fit& fit);
/// "epoch 2/8  train loss 0.4321 accuracy 0.8512  validation loss ... accuracy ...  12345 samples/s  9.8 s"
std::string epoch_text(const EpochMetrics& metrics, std::int64_t epochs);
/// "0:41", "12:05", "3:00:00"
std::string duration_text(double seconds);

}  // namespace gradus::train
