#include "gradus/book/deep_learning/measure.h"

#include <fmt/format.h>

#include <cmath>
#include <numbers>

#include "gradus/base/random.h"
#include "gradus/book/deep_learning/garments.h"
#include "gradus/book/deep_learning/language.h"
#include "gradus/book/lab.h"
#include "gradus/classic/linear.h"
#include "gradus/data/embedded/embedded.h"
#include "gradus/data/embedded/friedman.h"
#include "gradus/engine/eval.h"
#include "gradus/ops/ops.h"

namespace gradus::book {
namespace {

using train::PlotSeries;

PlotSeries series(std::string name) {
  PlotSeries line;
  line.name = std::move(name);
  line.points = true;
  return line;
}

/// Mean test score over the first seeds.
double mean_score(const classic::Learner& learner, const data::Dataset& data, std::uint64_t seeds,
                  std::int64_t examples = 0) {
  double sum = 0;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) sum += test_score(learner, data, seed, examples);
  return sum / static_cast<double>(seeds);
}

void digits_figure(Notebook& notebook, std::uint64_t seeds) {
  train::LinePlot plot{.title = "Test accuracy, digits", .x_label = "log10 of the training examples", .series = {}};
  const data::Dataset digits = data::digits();
  std::vector<std::pair<const char*, classic::Learner>> rivals = {
      {"network", network()}, {"logistic regression", logistic()}, {"random forest", forest()}};
  if (has_svm()) rivals.insert(rivals.begin() + 2, {"RBF SVM", svm()});
  for (const auto& [name, learner] : rivals) {
    PlotSeries line = series(name);
    for (const std::int64_t examples : {30, 60, 120, 250, 500, 1250}) {
      line.x.push_back(std::log10(static_cast<double>(examples)));
      line.y.push_back(mean_score(learner, digits, seeds, examples));
      notebook.values[fmt::format("{}_{}", std::string(name).substr(0, 3), examples)] =
          fmt::format("{:.3f}", line.y.back());
    }
    plot.series.push_back(line);
  }
  std::string caption =
      "Learners on more and more digits. Each point is the mean over the same splits for all. Nobody is ahead "
      "everywhere.";
  if (!has_svm()) caption += std::string(" The RBF SVM was left out: ") + without_svm;
  notebook.figures.push_back({"digits", caption, plot});
}

void friedman_figure(Notebook& notebook, std::uint64_t seeds) {
  train::LinePlot plot{.title = "Test R2, Friedman's table", .x_label = "log10 of the training examples", .series = {}};
  const struct {
    const char* name;
    classic::Learner learner;
    const data::Dataset& data;
  } rows[] = {{"network", network(), friedman_plain()},
              {"linear, ten columns", linear_regression(), friedman_plain()},
              {"linear, columns made by hand", linear_regression(), friedman_by_hand()},
              {"random forest", forest(), friedman_plain()}};
  for (const auto& row : rows) {
    PlotSeries line = series(row.name);
    for (const std::int64_t examples : {50, 100, 200, 400, 700}) {
      line.x.push_back(std::log10(static_cast<double>(examples)));
      line.y.push_back(mean_score(row.learner, row.data, seeds, examples));
    }
    plot.series.push_back(line);
  }
  plot.y_range = {0.0, 1.0};
  notebook.figures.push_back(
      {"friedman",
       "What a formula costs that nobody knows. The linear model with the right columns is the best "
       "from the first row on; the network finds something like them, when there are rows enough.",
       plot});
}

void width_figure(Notebook& notebook) {
  train::LinePlot plot{
      .title = "Test accuracy, digits", .x_label = "log2 of the hidden units", .series = {}, .whole_x = true};
  PlotSeries trained = series("trained"), drawn = series("drawn at random");
  const data::Dataset digits = data::digits();
  for (const std::int64_t width : {4, 8, 16, 32, 64, 128}) {
    for (PlotSeries* line : {&trained, &drawn}) line->x.push_back(std::log2(static_cast<double>(width)));
    trained.y.push_back(test_score(network({width}), digits, 1));
    drawn.y.push_back(test_score(logistic(), random_features(digits, width, 1), 1));
  }
  plot.series = {trained, drawn};
  notebook.figures.push_back(
      {"width",
       "A linear classifier on a hidden layer that was trained with it, and on one with random weights. Training makes "
       "few features do the work of many.",
       plot});
}

void depth_figure(Notebook& notebook, std::uint64_t seeds) {
  train::LinePlot plot{.title = "Test accuracy", .x_label = "hidden layers", .series = {}, .whole_x = true};
  const data::Dataset digits = data::digits();
  for (const bool table : {false, true}) {
    PlotSeries line = series(table ? "German credit" : "digits");
    for (std::size_t depth = 0; depth <= 5; ++depth) {
      line.x.push_back(static_cast<double>(depth));
      line.y.push_back(mean_score(network(std::vector<std::int64_t>(depth, 64)), table ? credit() : digits, seeds));
    }
    plot.series.push_back(line);
  }
  notebook.figures.push_back(
      {"depth", "Networks with 64 units in each layer. The first hidden layer helps the digits, the others do not.",
       plot});
}

/// XOR: no line parts it, two hidden units or one column made by hand do.
void worked_example(Notebook& notebook) {
  const Tensor x = tensor({{0.0, 0.0}, {0.0, 1.0}, {1.0, 0.0}, {1.0, 1.0}});
  const Tensor hidden = relu(matmul(x, tensor({{1.0, 1.0}, {1.0, 1.0}})) + tensor({0.0, -1.0}));
  const Tensor y = matmul(hidden, tensor({{1.0}, {-2.0}}));
  const std::vector<double> h = hidden.to_vector<double>(), out = y.to_vector<double>();
  for (std::size_t i = 0; i < 4; ++i) {
    notebook.values[fmt::format("h{}", 2 * i + 1)] = fmt::format("{:g}", h[2 * i]);
    notebook.values[fmt::format("h{}", 2 * i + 2)] = fmt::format("{:g}", h[2 * i + 1]);
    notebook.values[fmt::format("y{}", i + 1)] = fmt::format("{:g}", out[i]);
  }
}

}  // namespace

data::Dataset random_features(const data::Dataset& dataset, std::int64_t width, std::uint64_t seed) {
  const Tensor x = standard(dataset).examples();
  const double scale = 1 / std::sqrt(static_cast<double>(x.size(1)));
  const Tensor features = relu(matmul(x, scale * normal({x.size(1), width}, {}, Key{seed}.fold(31))));
  eval(features);
  data::DatasetOptions options = dataset.options();
  options.scaling = {};
  return {dataset.name(), features, dataset.labels(), options};
}

const data::Dataset& friedman_plain() {
  static const data::Dataset table = data::friedman(data::Split::train);
  return table;
}

const data::Dataset& friedman_by_hand() {
  static const data::Dataset made = [] {
    const Tensor x = whole(friedman_plain()).inputs;
    const Tensor product = sin(std::numbers::pi * slice(x, 1, 0, 1) * slice(x, 1, 1, 2));
    const Tensor all = concat({x, product, square(slice(x, 1, 2, 3) - 0.5)}, 1);
    eval(all);
    return data::Dataset("friedman, by hand", all, friedman_plain().labels());
  }();
  return made;
}

classic::Learner linear_regression() { return classic::standardised(classic::ridge()); }

void measure_deep_learning(Notebook& notebook, Effort effort) {
  const std::uint64_t seeds = effort == Effort::quick ? 2 : effort == Effort::standard ? 4 : 10;
  digits_figure(notebook, seeds);
  friedman_figure(notebook, seeds);
  width_figure(notebook);
  depth_figure(notebook, seeds);
  language_figure(notebook, effort);
  garments_figures(notebook, effort);
  worked_example(notebook);
}

}  // namespace gradus::book
