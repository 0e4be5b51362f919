#include "gradus/train/report/figure.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "gradus/train/report/script.h"

namespace gradus::train {
namespace {

std::string number(double value) { return std::isfinite(value) ? fmt::format("{:.6g}", value) : "none"; }

/// A number and its interval, if it has one.
std::string cell(const PlotSeries& series, std::size_t i) {
  std::string text = number(series.y[i]);
  if (i < series.low.size() && i < series.high.size())
    text += fmt::format(" [{}, {}]", number(series.low[i]), number(series.high[i]));
  return fmt::format("<td class=\"n\">{}</td>", text);
}

/// Whether a value of x stands for one row.
bool has_rows(const LinePlot& plot) {
  return std::all_of(plot.series.begin(), plot.series.end(), [](const PlotSeries& series) {
    return std::all_of(series.x.begin(), series.x.end(), [](double x) { return std::isfinite(x); }) &&
           std::is_sorted(series.x.begin(), series.x.end(), [](double a, double b) { return a <= b; });
  });
}

/// One row for each x, one column for each line.
std::string wide_table(const LinePlot& plot) {
  std::string out = fmt::format("<thead><tr><th scope=\"col\" class=\"n\">{}</th>", escaped(plot.x_label));
  std::set<double> rows;
  for (const PlotSeries& series : plot.series) {
    out +=
        fmt::format("<th scope=\"col\" class=\"n\">{}</th>", escaped(series.name.empty() ? plot.title : series.name));
    rows.insert(series.x.begin(), series.x.end());
  }
  out += "</tr></thead><tbody>\n";
  std::vector<std::size_t> at(plot.series.size(), 0);
  for (const double x : rows) {
    out += fmt::format("<tr><th scope=\"row\" class=\"n\">{}</th>", number(x));
    for (std::size_t s = 0; s < plot.series.size(); ++s) {
      const PlotSeries& series = plot.series[s];
      const bool here = at[s] < series.x.size() && series.x[at[s]] == x;
      out += here ? cell(series, at[s]++) : "<td></td>";
    }
    out += "</tr>\n";
  }
  return out + "</tbody>";
}

/// One row for each point.
std::string long_table(const LinePlot& plot) {
  std::string out = fmt::format(
      "<thead><tr><th scope=\"col\">line</th><th scope=\"col\" class=\"n\">{}</th><th scope=\"col\" "
      "class=\"n\">{}</th></tr></thead><tbody>\n",
      escaped(plot.x_label), escaped(plot.title));
  for (const PlotSeries& series : plot.series) {
    for (std::size_t i = 0; i < series.x.size(); ++i) {
      if (!std::isfinite(series.x[i])) continue;
      out += fmt::format("<tr><th scope=\"row\">{}</th><td class=\"n\">{}</td>{}</tr>\n", escaped(series.name),
                         number(series.x[i]), cell(series, i));
    }
  }
  return out + "</tbody>";
}

/// What the script draws from. Numbers that are not finite are null.
std::string data_of(const LinePlot& plot) {
  nlohmann::ordered_json lines = nlohmann::ordered_json::array();
  for (const PlotSeries& series : plot.series) {
    lines.push_back({{"name", series.name},
                     {"x", series.x},
                     {"y", series.y},
                     {"points", series.points},
                     {"dashed", series.dashed}});
    if (!series.low.empty()) lines.back()["low"] = series.low;
    if (!series.high.empty()) lines.back()["high"] = series.high;
  }
  nlohmann::ordered_json data = {{"title", plot.title}, {"x_label", plot.x_label}, {"log_x", plot.log_x},
                                 {"log_y", plot.log_y}, {"whole_x", plot.whole_x}, {"series", lines}};
  if (plot.x_range) data["x_range"] = {plot.x_range->first, plot.x_range->second};
  if (plot.y_range) data["y_range"] = {plot.y_range->first, plot.y_range->second};
  std::string text = data.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace), safe;
  for (const char c : text) safe += c == '<' ? std::string("\\u003c") : std::string(1, c);  // never "</script>"
  return safe;
}

}  // namespace

std::string figure_html(const LinePlot& plot, const std::string& caption) {
  return fmt::format(
      "<div class=\"chart\">{}<script type=\"application/json\">{}</script></div>\n{}<details><summary>The "
      "numbers</summary><div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"numbers of {}\"><table "
      "class=\"numbers\">{}</table></div></details>\n",
      svg(plot), data_of(plot), caption, escaped(plot.title), has_rows(plot) ? wide_table(plot) : long_table(plot));
}

std::string page_script() {
  const std::span<const unsigned char> script = detail::charts_script();
  if (script.empty()) return "";
  return fmt::format("<script>{}</script>\n",
                     std::string_view(reinterpret_cast<const char*>(script.data()), script.size()));
}

std::string chart_library() { return GRADUS_CHART_LIBRARY; }

std::string page_credit() {
  return chart_library().empty()
             ? ""
             : " Charts are drawn by D3 (Mike Bostock; BSD 3-Clause and ISC licences, in the source of this page).";
}

std::string page_policy() {
  return "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
         "script-src 'unsafe-inline'; img-src data:\">";
}

}  // namespace gradus::train
