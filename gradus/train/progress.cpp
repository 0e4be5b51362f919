#include "gradus/train/progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace gradus::train {

std::string duration_text(double seconds) {
  const auto total = static_cast<std::int64_t>(std::llround(std::clamp(seconds, 0.0, 3.6e8)));
  const std::int64_t hours = total / 3600, minutes = total / 60 % 60;
  return hours > 0 ? fmt::format("{}:{:02}:{:02}", hours, minutes, total % 60)
                   : fmt::format("{}:{:02}", minutes, total % 60);
}

std::string bar_text(const StepReport& r, std::size_t width) {
  const double done = r.batches > 0 ? static_cast<double>(r.batch) / static_cast<double>(r.batches) : 0;
  constexpr int cells = 20;
  const int full = static_cast<int>(done * cells);
  std::string bar(static_cast<std::size_t>(full), '=');
  if (full < cells) bar += '>';
  bar.resize(cells, ' ');
  std::string text = fmt::format("epoch {}/{} [{}] {:3.0f}%  {:.0f} samples/s  loss {:.4f}", r.epoch, r.epochs, bar,
                                 100 * done, r.samples_per_s, r.loss);
  if (!std::isnan(r.accuracy)) text += fmt::format("  accuracy {:.4f}", r.accuracy);
  if (r.seconds_left >= 0) text += fmt::format("  time left {}", duration_text(r.seconds_left));
  return text.substr(0, width);
}

std::string fit_text(const Fit& fit) {
  return fmt::format("R2 {:.4f} MAE {:.4g} RMSE {:.4g}", fit.r2, fit.mae, fit.rmse);
}

std::string epoch_text(const EpochMetrics& m, std::int64_t epochs) {
  if (m.val_fit) {
    return fmt::format("epoch {}/{}  train loss {:.4f}  validation loss {:.4f} {}  {:.0f} samples/s  {:.1f} s", m.epoch,
                       epochs, m.train_loss, m.val_loss, fit_text(*m.val_fit), m.samples_per_s, m.seconds);
  }
  std::string text = fmt::format(
      "epoch {}/{}  train loss {:.4f} accuracy {:.4f}  validation loss {:.4f} accuracy {:.4f}  {:.0f} samples/s  "
      "{:.1f} s",
      m.epoch, epochs, m.train_loss, m.train_accuracy, m.val_loss, m.val_accuracy, m.samples_per_s, m.seconds);
  return text;
}

void Progress::on_step(const StepReport& report) {
  if (!terminal_) return;
  const auto now = std::chrono::steady_clock::now();
  if (report.batch < report.batches && now - last_draw_ < std::chrono::milliseconds(100)) return;
  last_draw_ = now;
  std::string text = bar_text(report);
  const std::size_t width = text.size();
  text.resize(std::max(width, drawn_), ' ');  // cover what an earlier, longer bar left
  drawn_ = width;
  fmt::print(out_, "\r{}", text);
  std::fflush(out_);
}

void Progress::clear_bar() {
  if (drawn_ > 0) fmt::print(out_, "\r{}\r", std::string(drawn_, ' '));
  drawn_ = 0;
}

void Progress::on_epoch(const EpochMetrics& metrics, std::int64_t epochs) {
  clear_bar();
  fmt::print(out_, "{}\n", epoch_text(metrics, epochs));
  std::fflush(out_);
}

void Progress::on_note(std::string_view text) {
  clear_bar();
  fmt::print(out_, "{}\n", text);
  std::fflush(out_);
}

}  // namespace gradus::train
