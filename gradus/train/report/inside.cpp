#include "gradus/train/report/inside.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "gradus/train/report/figure.h"

namespace gradus::train {
namespace {

constexpr std::size_t most_lines = 6;  // colours of the style

/// `count` positions of `all`, spread evenly, with the first and the last.
std::vector<std::size_t> spread_evenly(const std::vector<std::size_t>& all, std::size_t count) {
  if (all.size() <= count) return all;
  std::vector<std::size_t> some;
  for (std::size_t i = 0; i < count; ++i) some.push_back(all[i * (all.size() - 1) / (count - 1)]);
  return some;
}

std::string card(const std::string& title, std::vector<PlotSeries> series, const char* x_label, bool log_y = false) {
  for (PlotSeries& line : series) line.points = line.x.size() < 12;
  LinePlot plot;
  plot.title = title;
  plot.x_label = x_label;
  plot.series = std::move(series);
  plot.whole_x = true;
  plot.log_y = log_y;
  plot.width = 330;
  plot.height = 250;
  return "<figure class=\"card\">" + figure_html(plot) + "</figure>";
}

/// One line for each of some items of the step records' list, over the steps.
template <class Record>
std::string by_layer(const std::string& title, const std::vector<StepRecord>& steps,
                     std::vector<Record> StepRecord::*list, const std::function<bool(const Record&)>& wanted,
                     const std::function<double(const Record&)>& value, bool log_y = false) {
  std::vector<std::size_t> positions;
  for (const StepRecord& step : steps) {
    if (!positions.empty()) break;
    for (std::size_t i = 0; i < (step.*list).size(); ++i) {
      if (wanted((step.*list)[i])) positions.push_back(i);
    }
  }
  if (positions.empty()) return "";
  std::vector<PlotSeries> series;
  for (const std::size_t i : spread_evenly(positions, most_lines)) {
    PlotSeries& line = series.emplace_back();
    for (const StepRecord& step : steps) {
      if (i >= (step.*list).size()) continue;  // the step that failed has no updates
      if (line.name.empty()) line.name = (step.*list)[i].name;
      line.x.push_back(static_cast<double>(step.step));
      line.y.push_back(value((step.*list)[i]));
    }
  }
  const std::size_t shown = series.size();
  return card(shown < positions.size() ? fmt::format("{} ({} of {})", title, shown, positions.size()) : title,
              std::move(series), "step", log_y);
}

bool is_weight(const std::string& name) { return !name.ends_with("bias"); }

std::string of_steps(const std::vector<StepRecord>& steps) {
  std::string out = by_layer<GradientRecord>(
      "Norm of the gradient", steps, &StepRecord::gradients, [](const GradientRecord& g) { return is_weight(g.name); },
      [](const GradientRecord& g) { return g.spread.norm; }, true);
  out += by_layer<UpdateRecord>(
      "Update over weight", steps, &StepRecord::updates, [](const UpdateRecord& u) { return is_weight(u.name); },
      [](const UpdateRecord& u) { return u.ratio(); }, true);
  out += by_layer<ActivationRecord>(
      "Share of dead units", steps, &StepRecord::activations,
      [](const ActivationRecord& a) { return a.function != "output"; },
      [](const ActivationRecord& a) { return a.dead; });
  out += by_layer<ActivationRecord>(
      "Share of saturated elements", steps, &StepRecord::activations,
      [](const ActivationRecord& a) { return std::isfinite(a.saturated); },
      [](const ActivationRecord& a) { return a.saturated; });
  return out;
}

std::string of_epochs(const std::vector<EpochRecord>& epochs) {
  PlotSeries gap, sharp, error;
  gap.name = "validation loss - training loss";
  sharp.name = "largest eigenvalue of the Hessian";
  error.name = "expected calibration error";
  for (const EpochRecord& e : epochs) {
    const auto add = [&](PlotSeries& line, double value) {
      line.x.push_back(static_cast<double>(e.epoch));
      line.y.push_back(value);
    };
    if (e.generalisation) add(gap, e.generalisation->gap());
    if (e.sharpness) add(sharp, e.sharpness->eigenvalue);
    if (e.calibration) add(error, e.calibration->error);
  }
  std::string out;
  if (!gap.x.empty()) out += card("Generalisation gap", {gap}, "epoch");
  if (!sharp.x.empty()) out += card("Sharpness", {sharp}, "epoch");
  if (!error.x.empty()) out += card("Calibration of the validation", {error}, "epoch");
  return out;
}

std::string in_words(const Instruments& seen) {
  std::string out;
  std::int64_t odd = 0;
  for (const StepRecord& step : seen.steps) {
    for (const GradientRecord& g : step.gradients) odd += g.spread.nans + g.spread.infinities;
    for (const ActivationRecord& a : step.activations) odd += a.spread.nans + a.spread.infinities;
  }
  if (!seen.steps.empty()) out += fmt::format("{} steps were looked at", seen.steps.size());
  if (odd > 0) out += fmt::format("; {} numbers in them were not finite", odd);
  if (const double scale = noise_scale(seen.steps); std::isfinite(scale))
    out += fmt::format("; gradient noise scale {:.3g} examples over the whole run", scale);
  return out.empty() ? "" : "<p class=\"soft\">" + out + ".</p>\n";
}

}  // namespace

std::string inside(const Instruments& instruments) {
  if (instruments.empty()) return "";
  return "<h2>Inside the network</h2>\n" + in_words(instruments) + "<div class=\"plots\">" +
         of_steps(instruments.steps) + of_epochs(instruments.epochs) + "</div>\n";
}

}  // namespace gradus::train
