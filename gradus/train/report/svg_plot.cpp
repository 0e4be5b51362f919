#include "gradus/train/report/svg_plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace gradus::train {
namespace {

constexpr double left = 56, right = 14, top = 34, bottom = 44;

struct Axis {
  double low = 0, high = 1;  ///< in data
  double from = 0, to = 1;   ///< on the page

  double at(double value) const { return from + (value - low) / (high - low) * (to - from); }
};

std::pair<double, double> range_of(const LinePlot& plot, std::vector<double> PlotSeries::*values) {
  double low = INFINITY, high = -INFINITY;
  for (const PlotSeries& series : plot.series) {
    for (const double value : series.*values) {
      if (!std::isfinite(value)) continue;
      low = std::min(low, value);
      high = std::max(high, value);
    }
  }
  if (low > high) return {0, 1};
  if (low == high) return {low - std::max(0.5, std::abs(low) * 0.1), high + std::max(0.5, std::abs(low) * 0.1)};
  return {low, high};
}

/// Some room above and below what is measured.
std::pair<double, double> padded(std::pair<double, double> range) {
  const double room = 0.06 * (range.second - range.first);
  const bool from_zero = range.first >= 0 && range.first - room < 0;
  return {from_zero ? 0 : range.first - room, range.second + room};
}

std::string number_text(double value) { return fmt::format("{:.6g}", value); }

std::string frame(const LinePlot& plot, const Axis& x, const Axis& y) {
  std::string out;
  for (const double tick : round_ticks(y.low, y.high, 6)) {
    out += fmt::format(R"(<line class="grid" x1="{0}" x2="{1}" y1="{2:.1f}" y2="{2:.1f}"/>)", left, x.to, y.at(tick));
    out += fmt::format(R"(<text class="label" x="{}" y="{:.1f}" text-anchor="end">{}</text>)", left - 8, y.at(tick) + 4,
                       number_text(tick));
  }
  for (const double tick : round_ticks(x.low, x.high, plot.width / 50)) {
    if (plot.whole_x && tick != std::floor(tick)) continue;
    out += fmt::format(R"(<line class="axis" x1="{0:.1f}" x2="{0:.1f}" y1="{1}" y2="{2}"/>)", x.at(tick), y.from,
                       y.from + 4);
    out += fmt::format(R"(<text class="label" x="{:.1f}" y="{}" text-anchor="middle">{}</text>)", x.at(tick),
                       y.from + 18, number_text(tick));
  }
  out += fmt::format(R"(<line class="axis" x1="{0}" x2="{1}" y1="{2}" y2="{2}"/>)", left, x.to, y.from);
  out += fmt::format(R"(<text class="label" x="{}" y="{}" text-anchor="middle">{}</text>)", (x.from + x.to) / 2,
                     plot.height - 6, escaped(plot.x_label));
  return out;
}

std::string line_of(const PlotSeries& series, std::size_t number, const Axis& x, const Axis& y) {
  std::string path, marks;
  bool pen_down = false;
  std::size_t drawn = 0;
  for (std::size_t i = 0; i < std::min(series.x.size(), series.y.size()); ++i) {
    if (!std::isfinite(series.x[i]) || !std::isfinite(series.y[i])) {
      pen_down = false;
      continue;
    }
    path += fmt::format("{}{:.1f} {:.1f}", pen_down ? "L" : "M", x.at(series.x[i]), y.at(series.y[i]));
    marks +=
        fmt::format(R"(<circle class="dot s{}" cx="{:.1f}" cy="{:.1f}" r="3"><title>{}: {}</title></circle>)", number,
                    x.at(series.x[i]), y.at(series.y[i]), number_text(series.x[i]), number_text(series.y[i]));
    pen_down = true;
    ++drawn;
  }
  std::string out = fmt::format(R"(<path class="line s{}{}" d="{}"/>)", number, series.dashed ? " dashed" : "", path);
  return series.points || drawn == 1 ? out + marks : out;
}

}  // namespace

std::vector<double> round_ticks(double low, double high, int count) {
  const double rough = (high - low) / std::max(count, 1);
  if (!(rough > 0) || !std::isfinite(rough)) return {};
  const double power = std::pow(10, std::floor(std::log10(rough)));
  double step = 10 * power;
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= rough * (1 - 1e-9)) {
      step = factor * power;
      break;
    }
  }
  std::vector<double> ticks;
  for (double i = std::ceil(low / step - 1e-9); i * step <= high + 1e-9 * step && ticks.size() < 100; ++i) {
    ticks.push_back(i == 0 ? 0 : i * step);  // never -0
  }
  return ticks;
}

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      default: out += c;
    }
  }
  return out;
}

std::string svg(const LinePlot& plot) {
  const auto x_range = plot.x_range.value_or(range_of(plot, &PlotSeries::x));
  const auto y_range = plot.y_range.value_or(padded(range_of(plot, &PlotSeries::y)));
  const Axis x{x_range.first, x_range.second, left, plot.width - right};
  const Axis y{y_range.first, y_range.second, plot.height - bottom, top};
  std::string out = fmt::format(R"(<svg viewBox="0 0 {} {}" role="img" aria-label="{}">)", plot.width, plot.height,
                                escaped(plot.title));
  out += fmt::format(R"(<text class="title" x="{}" y="16">{}</text>)", left - 40, escaped(plot.title));
  out += frame(plot, x, y);
  double legend = x.to;
  for (std::size_t i = plot.series.size(); i-- > 0;) {  // from the right
    if (plot.series[i].name.empty()) continue;
    legend -= 7.0 * static_cast<double>(plot.series[i].name.size()) + 6;
    out += fmt::format(R"(<text class="label" x="{:.0f}" y="16">{}</text>)", legend, escaped(plot.series[i].name));
    out += fmt::format(R"(<path class="line s{}{}" d="M{:.0f} 12h16"/>)", i, plot.series[i].dashed ? " dashed" : "",
                       legend - 21);
    legend -= 32;
  }
  for (std::size_t i = 0; i < plot.series.size(); ++i) out += line_of(plot.series[i], i, x, y);
  return out + "</svg>";
}

}  // namespace gradus::train
