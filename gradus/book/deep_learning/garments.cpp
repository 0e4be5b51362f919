#include "gradus/book/deep_learning/garments.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "gradus/base/error.h"
#include "gradus/book/rivals.h"
#include "gradus/data/fashion_mnist.h"
#include "gradus/insight/compare/held_out.h"

namespace gradus::book {
namespace {

using insight::HeldOutPoint;

/// Test accuracies that scikit-learn and PyTorch 1.13 reached on two cores with draws of their own: each of 100, 1,000 and 10,000
/// images.
const struct {
  const char* name;
  std::vector<std::vector<double>> scores;
} reference[] = {
    {"logistic regression", {{.722, .689, .718}, {.794, .787}, {.832}}},
    {"nearest neighbours", {{.652, .629, .609}, {.755, .751}, {.820}}},
    {"random forest", {{.691, .673, .693}, {.798, .799}, {.850}}},
    {"RBF SVM", {{.706, .690, .704}, {.814, .811}, {.868}}},
    {"convolutional network", {{.749, .713, .741}, {.821, .836}, {.872}}},
};

const data::Dataset& garments(data::Split split) {
  static const data::Dataset train = data::fashion_mnist(data::Split::train),
                             test = data::fashion_mnist(data::Split::test);
  return split == data::Split::train ? train : test;
}

void curve_figure(Notebook& notebook, const std::vector<HeldOutPoint>& curve) {
  train::LinePlot plot{.title = "Test accuracy, Fashion-MNIST", .x_label = "images to train on", .series = {}};
  plot.log_x = true;
  for (const auto& standing : curve.back().standings) {
    train::PlotSeries line;
    line.name = standing.name;
    line.points = true;
    for (const HeldOutPoint& point : curve) {
      const auto& at = point.of(standing.name);
      line.x.push_back(static_cast<double>(point.rows));
      line.y.push_back(at.mean);
      line.low.push_back(at.interval.low);
      line.high.push_back(at.interval.high);
    }
    plot.series.push_back(line);
  }
  std::string caption = "Garments, 28 x 28 pixels, as they are, nothing tuned.";
  for (const HeldOutPoint& point : curve)
    caption += fmt::format(" With {}: {}", point.rows, insight::verdict_of(point).sentence);
  if (!has_svm()) caption += std::string(" The RBF SVM was left out: ") + without_svm;
  notebook.figures.push_back({"garments", caption, plot});
}

void agreement_figure(Notebook& notebook, const std::vector<HeldOutPoint>& curve) {
  train::LinePlot plot{.title = "Accuracy here", .x_label = "accuracy elsewhere", .series = {}};
  double furthest = 0;
  std::string where;
  for (const auto& each : reference) {
    train::PlotSeries line;
    line.name = each.name;
    line.points = true;
    for (std::size_t i = 0; i < curve.size(); ++i) {
      const auto& all = curve[i].standings;
      const auto found = std::find_if(all.begin(), all.end(), [&](const auto& s) { return s.name == each.name; });
      if (found == all.end()) continue;
      line.x.push_back(insight::mean_of(each.scores[i]));
      line.y.push_back(found->mean);
      if (std::abs(line.y.back() - line.x.back()) <= std::abs(furthest)) continue;
      furthest = line.y.back() - line.x.back();
      where = fmt::format("{} with {} images", each.name, curve[i].rows);
    }
    if (!line.x.empty()) plot.series.push_back(line);
  }
  train::PlotSeries same;
  same.name = "the same";
  same.dashed = true;
  same.x = same.y = {0.6, 0.9};
  plot.series.push_back(same);
  notebook.figures.push_back({"agreement",
                              fmt::format("The same learners in scikit-learn and PyTorch, on draws of their own. The "
                                          "largest difference is {:+.3f}, {}.",
                                          furthest, where),
                              plot});
}

}  // namespace

bool has_garments() {
  try {
    garments(data::Split::train);
    return true;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::io) throw;
    return false;
  }
}

std::map<std::string, std::string> deep_learning_left_out(Effort effort, bool svm, bool has_images) {
  std::map<std::string, std::string> left_out;
  if (!svm) left_out["deep-learning-is-more-accurate"] = left_out["images-need-convolutions"] = without_svm;
  std::string why;
  if (effort != Effort::full) {
    why =
        "it takes minutes, and is measured by gradus explain deep-learning --full and by gradus compare fashion-mnist.";
  } else if (!has_images) {
    why =
        "it reads Fashion-MNIST, which is not there: apt-get install dataset-fashion-mnist, or gradus data fetch "
        "fashion-mnist.";
  }
  if (!why.empty()) left_out["garments"] = left_out["agreement"] = left_out["images-need-convolutions"] = why;
  return left_out;
}

insight::Pair convolutions_and_kernels(std::uint64_t seed) {
  const data::Dataset& train = garments(data::Split::train);
  std::vector<insight::Contender> both;
  for (insight::Contender& each : insight::image_contenders(train))
    if (each.network || each.name == "RBF SVM") both.push_back(std::move(each));
  const HeldOutPoint found = insight::held_out_curve(train, garments(data::Split::test), both, {{1000, 1}},
                                                     {.test_rows = 2000, .seed = seed})[0];
  return {found.of("convolutional network").mean, found.of("RBF SVM").mean};
}

void garments_figures(Notebook& notebook, Effort effort) {
  if (deep_learning_left_out(effort, true, effort == Effort::full && has_garments()).contains("garments")) return;
  const data::Dataset& train = garments(data::Split::train);
  const std::vector<HeldOutPoint> curve = insight::held_out_curve(
      train, garments(data::Split::test), insight::image_contenders(train), {{100, 3}, {1000, 2}, {10000, 1}});
  curve_figure(notebook, curve);
  agreement_figure(notebook, curve);
}

}  // namespace gradus::book
