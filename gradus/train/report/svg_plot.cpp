#include "gradus/train/report/svg_plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace gradus::train {
namespace {

constexpr double left = 56, right = 14, bottom = 44, row_height = 19;
constexpr std::size_t colours = 6;  ///< .s0 to .s5

struct Axis {
  double low = 0, high = 1;  ///< in data
  double from = 0, to = 1;   ///< on the page
  bool log = false;

  bool takes(double value) const { return std::isfinite(value) && (!log || value > 0); }
  double at(double value) const {
    const double share = log ? std::log(value / low) / std::log(high / low) : (value - low) / (high - low);
    return from + share * (to - from);
  }
};

struct Range {
  double low = INFINITY, high = -INFINITY;

  void take(double value, bool log) {
    if (!std::isfinite(value) || (log && value <= 0)) return;
    low = std::min(low, value);
    high = std::max(high, value);
  }
  /// Neither empty nor a point.
  std::pair<double, double> whole(bool log) const {
    if (low > high) return {log ? 0.1 : 0, 1};
    if (low < high) return {low, high};
    if (log) return {low / 2, high * 2};
    const double room = std::max(0.5, std::abs(low) * 0.1);
    return {low - room, high + room};
  }
};

std::pair<double, double> x_range_of(const LinePlot& plot) {
  Range range;
  for (const PlotSeries& series : plot.series)
    for (const double x : series.x) range.take(x, plot.log_x);
  return range.whole(plot.log_x);
}

/// With some room above and below what is measured.
std::pair<double, double> y_range_of(const LinePlot& plot) {
  Range range;
  for (const PlotSeries& series : plot.series)
    for (const std::vector<double>* values : {&series.y, &series.low, &series.high})
      for (const double y : *values) range.take(y, plot.log_y);
  const auto [low, high] = range.whole(plot.log_y);
  if (plot.log_y) {
    const double room = std::pow(high / low, 0.06);
    return {low / room, high * room};
  }
  const double room = 0.06 * (high - low);
  return {low >= 0 && low - room < 0 ? 0 : low - room, high + room};
}

std::string number_text(double value) { return fmt::format("{:.6g}", value); }

/// 0.05, 1e-05 as 10 with a raised -5.
std::string tick_text(double value) {
  const double size = std::abs(value);
  if (size == 0 || (size >= 1e-3 && size < 1e6)) return number_text(value);
  const std::string text = fmt::format("{:e}", value);
  const std::size_t e = text.find('e');
  const std::string factor = number_text(std::stod(text.substr(0, e)));
  return fmt::format(R"({}10<tspan dy="-4" font-size="9">{}</tspan>)", factor == "1" ? "" : factor + "\u00d7",
                     std::stoi(text.substr(e + 1)));
}

std::vector<double> ticks_of(const Axis& axis, int count) {
  return axis.log ? log_ticks(axis.low, axis.high, count) : round_ticks(axis.low, axis.high, count);
}

std::string frame(const LinePlot& plot, const Axis& x, const Axis& y) {
  std::string out;
  for (const double tick : ticks_of(y, 6)) {
    out += fmt::format(R"(<line class="grid" x1="{0}" x2="{1}" y1="{2:.1f}" y2="{2:.1f}"/>)", left, x.to, y.at(tick));
    out += fmt::format(R"(<text class="label" x="{}" y="{:.1f}" text-anchor="end">{}</text>)", left - 8, y.at(tick) + 4,
                       tick_text(tick));
  }
  for (const double tick : ticks_of(x, plot.width / 50)) {
    if (plot.whole_x && tick != std::floor(tick)) continue;
    out += fmt::format(R"(<line class="axis" x1="{0:.1f}" x2="{0:.1f}" y1="{1}" y2="{2}"/>)", x.at(tick), y.from,
                       y.from + 4);
    out += fmt::format(R"(<text class="label" x="{:.1f}" y="{}" text-anchor="middle">{}</text>)", x.at(tick),
                       y.from + 18, tick_text(tick));
  }
  out += fmt::format(R"(<line class="axis" x1="{0}" x2="{1}" y1="{2}" y2="{2}"/>)", left, x.to, y.from);
  out += fmt::format(R"(<text class="label" x="{}" y="{}" text-anchor="middle">{}</text>)", (x.from + x.to) / 2,
                     plot.height - 6, escaped(plot.x_label));
  return out;
}

/// The mark of a line, around 0: lines differ by shape, too, for those who do not see the colours.
const char* mark_of(std::size_t number) {
  constexpr const char* shapes[] = {"M-3 0a3 3 0 1 0 6 0a3 3 0 1 0-6 0z",
                                    "M-3-3h6v6h-6z",
                                    "M0-4L4 3H-4z",
                                    "M0-4.5L3.5 0L0 4.5L-3.5 0z",
                                    "M-4-1.3h2.7v-2.7h2.6v2.7h2.7v2.6h-2.7v2.7h-2.6v-2.7h-2.7z",
                                    "M0 4L4-3H-4z"};
  return shapes[number % std::size(shapes)];
}

std::string mark_at(std::size_t number, double x, double y, const std::string& what) {
  return fmt::format(
      R"svg(<path class="dot s{}" transform="translate({:.1f},{:.1f})" d="{}"><title>{}</title></path>)svg",
      number % colours, x, y, mark_of(number), what);
}

std::string bar_at(const PlotSeries& series, std::size_t i, std::size_t number, const Axis& x, const Axis& y) {
  if (i >= series.low.size() || i >= series.high.size() || !y.takes(series.low[i]) || !y.takes(series.high[i]))
    return "";
  return fmt::format(R"(<path class="interval s{}" d="M{:.1f} {:.1f}V{:.1f}"/>)", number % colours, x.at(series.x[i]),
                     y.at(series.low[i]), y.at(series.high[i]));
}

std::string line_of(const PlotSeries& series, std::size_t number, bool alone, const Axis& x, const Axis& y) {
  std::string path, marks, bars;
  bool pen_down = false;
  const std::size_t count = std::min(series.x.size(), series.y.size());
  const std::size_t every = series.points ? 1 : std::max<std::size_t>(1, count / 6);
  std::size_t drawn = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (!x.takes(series.x[i]) || !y.takes(series.y[i])) {
      pen_down = false;
      continue;
    }
    const double px = x.at(series.x[i]), py = y.at(series.y[i]);
    path += fmt::format("{}{:.1f} {:.1f}", pen_down ? "L" : "M", px, py);
    if (i % every == every / 2)
      marks += mark_at(number, px, py, fmt::format("{}: {}", number_text(series.x[i]), number_text(series.y[i])));
    bars += bar_at(series, i, number, x, y);
    pen_down = true;
    ++drawn;
  }
  const bool plain = series.dashed || (alone && drawn > 1);  // needs no marks
  return fmt::format(R"(<path class="line s{}{}" d="{}"/>)", number % colours, series.dashed ? " dashed" : "", path) +
         bars + (series.points || !plain ? marks : "");
}

/// Names and samples of the lines in rows below the title, and where the last row ends.
std::string legend(const LinePlot& plot, double& bottom_of_rows) {
  std::string out;
  double x = left, y = bottom_of_rows;
  for (std::size_t i = 0; i < plot.series.size(); ++i) {
    const PlotSeries& series = plot.series[i];
    if (series.name.empty()) continue;
    const double width = 30 + 6.7 * static_cast<double>(series.name.size());
    if (x > left && x + width > plot.width - right) x = left, y += row_height;
    out += fmt::format(R"(<path class="line s{}{}" d="M{:.0f} {:.0f}h20"/>)", i % colours,
                       series.dashed ? " dashed" : "", x, y + 8);
    if (!series.dashed) out += mark_at(i, x + 10, y + 8, "");
    out += fmt::format(R"(<text class="label" x="{:.0f}" y="{:.0f}">{}</text>)", x + 26, y + 12, escaped(series.name));
    x += width + 14;
    bottom_of_rows = y + row_height;
  }
  return out;
}

}  // namespace

std::vector<double> log_ticks(double low, double high, int count) {
  const double first = std::floor(std::log10(low) + 1e-9), last = std::ceil(std::log10(high) - 1e-9);
  if (!std::isfinite(first) || !std::isfinite(last)) return {};
  const double decades = std::log10(high / low);
  if (decades < 0.5) return round_ticks(low, high, count);
  const double step = std::max(1.0, std::ceil(decades / std::max(count, 1)));
  const std::vector<double> factors = decades < 1   ? std::vector<double>{1, 2, 3, 5, 7}
                                      : decades < 3 ? std::vector<double>{1, 2, 5}
                                                    : std::vector<double>{1};
  std::vector<double> ticks;
  for (double power = first; power <= last; power += step) {
    for (const double factor : factors) {
      const double tick = factor * std::pow(10, power);
      if (tick >= low * (1 - 1e-9) && tick <= high * (1 + 1e-9)) ticks.push_back(tick);
    }
  }
  return ticks;
}

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
  double top = 24;
  const std::string names = legend(plot, top);
  const auto x_range = plot.x_range.value_or(x_range_of(plot));
  const auto y_range = plot.y_range.value_or(y_range_of(plot));
  const Axis x{x_range.first, x_range.second, left, plot.width - right, plot.log_x};
  const Axis y{y_range.first, y_range.second, plot.height - bottom, top + 10, plot.log_y};
  std::string out = fmt::format(R"(<svg viewBox="0 0 {} {}" role="img" aria-label="{}">)", plot.width, plot.height,
                                escaped(plot.title));
  out += fmt::format(R"(<text class="title" x="{}" y="16">{}</text>)", left - 40, escaped(plot.title));
  out += names + frame(plot, x, y);
  const bool alone =
      std::count_if(plot.series.begin(), plot.series.end(), [](const auto& each) { return !each.dashed; }) < 2;
  // What leaves the frame, with room for a mark on its edge, is not seen.
  constexpr double room = 7;
  out += fmt::format(
      R"(<svg aria-hidden="true" x="{0}" y="{1}" width="{2}" height="{3}" viewBox="{0} {1} {2} {3}" style="width:{2}px;height:{3}px;overflow:hidden">)",
      left - room, y.to - room, x.to - left + 2 * room, y.from - y.to + 2 * room);
  for (std::size_t i = 0; i < plot.series.size(); ++i) out += line_of(plot.series[i], i, alone, x, y);
  return out + "</svg></svg>";
}

}  // namespace gradus::train
