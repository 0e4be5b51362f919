#include "gradus/train/report/numbers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "gradus/train/report/figure.h"
#include "gradus/train/report/inside.h"
#include "gradus/train/report/parts.h"

namespace gradus::train {
namespace {

struct Pair {
  std::size_t row = 0;
  double truth = 0, predicted = 0;
  double error() const { return predicted - truth; }
};

std::vector<Pair> pairs_of(const data::Dataset& test, const std::vector<double>& predicted) {
  std::vector<Pair> pairs;
  for (const float truth : test.labels().data<float>())
    pairs.push_back({pairs.size(), static_cast<double>(truth), predicted.at(pairs.size())});
  return pairs;
}

/// Root mean squared error of what always answers with the mean of the truths.
double error_of_the_mean(const std::vector<Pair>& pairs) {
  const double n = static_cast<double>(pairs.size());
  double mean = 0, squares = 0;
  for (const Pair& pair : pairs) mean += pair.truth / n;
  for (const Pair& pair : pairs) squares += (pair.truth - mean) * (pair.truth - mean);
  return std::sqrt(squares / n);
}

std::string verdict(const ReportInput& input, const std::vector<Pair>& pairs) {
  const Fit fit = input.history.back().test_fit.value_or(Fit{});
  std::string out = "<div class=\"tiles\">";
  out += tile(fmt::format("{:.4g}", fit.rmse), "test root mean squared error (RMSE)");
  out += tile(fmt::format("{:.4g}", error_of_the_mean(pairs)), "baseline: always the mean");
  out += tile(fmt::format("{:.4f}", fit.r2), "test R2: share of the variance that is explained");
  out += tile(fmt::format("{:.4g}", fit.mae), "test mean absolute error (MAE)");
  return out + run_tiles(input) + "</div>\n";
}

/// At most 1,000 rows, evenly taken, so that the page stays small.
std::string scatter(const std::vector<Pair>& pairs) {
  PlotSeries measured{.name = "test examples", .x = {}, .y = {}, .points = true};
  const std::size_t every = std::max<std::size_t>(1, (pairs.size() + 999) / 1000);
  double low = pairs.front().truth, high = low;
  for (std::size_t i = 0; i < pairs.size(); i += every) {
    const Pair& pair = pairs[i];
    // Each point is a line of its own: what lies between two of them means nothing.
    for (const double x : {pair.truth, std::nan("")}) measured.x.push_back(x);
    for (const double y : {pair.predicted, std::nan("")}) measured.y.push_back(y);
    low = std::min({low, pair.truth, pair.predicted});
    high = std::max({high, pair.truth, pair.predicted});
  }
  const PlotSeries ideal{.name = "ideal", .x = {low, high}, .y = {low, high}, .points = false, .dashed = true};
  return "<figure class=\"card\">" + figure_html({"Prediction by truth", "truth", {measured, ideal}}) + "</figure>";
}

std::string error_table(std::vector<Pair> pairs) {
  std::sort(pairs.begin(), pairs.end(), [](const Pair& a, const Pair& b) { return a.error() < b.error(); });
  std::string out =
      "<div class=\"card scroll\"><table><tr><th>share of the examples</th><th class=\"n\">error at most</th></tr>\n";
  for (const int percent : {1, 5, 25, 50, 75, 95, 99}) {
    const auto at = static_cast<std::size_t>(std::floor(percent / 100.0 * static_cast<double>(pairs.size() - 1)));
    out += fmt::format("<tr><td>{} %</td><td class=\"n\">{:+.4g}</td></tr>\n", percent, pairs[at].error());
  }
  return out + "</table></div>";
}

std::string largest_errors(std::vector<Pair> pairs) {
  std::stable_sort(pairs.begin(), pairs.end(),
                   [](const Pair& a, const Pair& b) { return std::abs(a.error()) > std::abs(b.error()); });
  pairs.resize(std::min<std::size_t>(pairs.size(), 20));
  std::string out =
      "<h2>The largest errors</h2>\n<div class=\"card scroll\"><table><tr><th>test example</th><th "
      "class=\"n\">truth</th><th class=\"n\">prediction</th><th class=\"n\">error</th></tr>\n";
  for (const Pair& pair : pairs) {
    out += fmt::format(
        "<tr><td>{}</td><td class=\"n\">{:.6g}</td><td class=\"n\">{:.6g}</td><td class=\"n\">{:+.4g}</td></tr>\n",
        pair.row, pair.truth, pair.predicted, pair.error());
  }
  return out + "</table></div>\n";
}

}  // namespace

std::string report_of_numbers(const ReportInput& input, const data::Dataset& test,
                              const std::vector<double>& predicted) {
  const std::vector<Pair> pairs = pairs_of(test, predicted);
  std::string out = page_head(input, test.size());
  out += verdict(input, pairs) + curves(input.history) + inside(input.instruments);
  out += "<h2>How far off is it?</h2>\n<div class=\"two\">" + scatter(pairs) + error_table(pairs) + "</div>\n";
  return out + largest_errors(pairs) + origin(input) + page_end();
}

}  // namespace gradus::train
