#include "gradus/book/limits/measure.h"

#include <fmt/format.h>

#include <cmath>

#include "gradus/base/random.h"
#include "gradus/book/lab.h"
#include "gradus/classic/linear.h"
#include "gradus/data/embedded/embedded.h"
#include "gradus/data/loader.h"
#include "gradus/engine/eval.h"
#include "gradus/insight/compare/protocol.h"
#include "gradus/nn/losses.h"
#include "gradus/ops/ops.h"
#include "gradus/optim/adam.h"

namespace gradus::book {
namespace {

using train::PlotSeries;

PlotSeries series(std::string name, bool points = true) {
  PlotSeries line;
  line.name = std::move(name);
  line.points = points;
  return line;
}

const data::Dataset& digits_set() {
  static const data::Dataset all = data::digits();
  return all;
}

void credit_figure(Notebook& notebook, std::uint64_t seeds) {
  train::LinePlot plot{.title = "Test accuracy, German credit", .x_label = "log10 of the training rows", .series = {}};
  for (const auto& [name, learner] : {std::pair("network", network()), std::pair("logistic regression", logistic()),
                                      std::pair("random forest", forest())}) {
    PlotSeries line = series(name);
    for (const std::int64_t rows : {50, 100, 200, 400, 700}) {
      double sum = 0;
      for (std::uint64_t seed = 1; seed <= seeds; ++seed) sum += test_score(learner, credit(), seed, rows);
      line.x.push_back(std::log10(static_cast<double>(rows)));
      line.y.push_back(sum / static_cast<double>(seeds));
    }
    plot.series.push_back(line);
  }
  PlotSeries majority = series("always \"good\"", false);
  majority.dashed = true;
  majority.x = {std::log10(50.0), std::log10(700.0)};
  majority.y = {0.7, 0.7};
  plot.series.push_back(majority);
  notebook.figures.push_back(
      {"credit",
       "A table of the kind that banks keep. The dashed line is what one gets for giving everybody the credit.", plot});
}

void noise_figure(Notebook& notebook, std::uint64_t seeds) {
  train::LinePlot plot{.title = "Accuracy lost, German credit", .x_label = "columns of noise", .series = {}};
  for (const auto& [name, learner] : {std::pair("network", network()), std::pair("logistic regression", logistic()),
                                      std::pair("random forest", forest())}) {
    PlotSeries line = series(name);
    for (const std::int64_t columns : {0, 20, 50, 100}) {
      double sum = 0;
      for (std::uint64_t seed = 1; seed <= seeds; ++seed)
        sum += columns == 0 ? 0 : loss_by_noise(learner, columns, seed);
      line.x.push_back(static_cast<double>(columns));
      line.y.push_back(sum / static_cast<double>(seeds));
    }
    plot.series.push_back(line);
  }
  notebook.figures.push_back({"noise", "Columns that say nothing, beside the 61 that say something.", plot});
}

void shift_figure(Notebook& notebook) {
  train::LinePlot plot{.title = "Test accuracy", .x_label = "pixels to the right", .series = {}, .whole_x = true};
  std::vector<std::pair<const char*, classic::Learner>> rivals = {{"network", network()}, {"random forest", forest()}};
  if (has_svm()) rivals.insert(rivals.begin() + 1, {"RBF SVM", svm()});
  for (const auto& [name, learner] : rivals) {
    PlotSeries line = series(name);
    for (const std::int64_t pixels : {0, 1, 2, 3}) {
      line.x.push_back(static_cast<double>(pixels));
      line.y.push_back(shifted_score(learner, pixels, 1));
    }
    plot.series.push_back(line);
  }
  std::string caption = "Digits of the test, moved by a few of their eight pixels. To a reader nothing has happened.";
  if (!has_svm()) caption += std::string(" The support vector machine was left out: ") + without_svm;
  notebook.figures.push_back({"shift", caption, plot});
}

void sine_figure(Notebook& notebook) {
  train::LinePlot plot{.title = "What was learned", .x_label = "x (examples from -3 to 3)", .series = {}};
  const data::Dataset train = sine(1);
  std::vector<float> grid;
  for (int i = -60; i <= 60; ++i) grid.push_back(static_cast<float>(i) / 10);
  const Tensor asked = leaf<float>({static_cast<std::int64_t>(grid.size()), 1}, std::span<const float>(grid));
  PlotSeries truth = series("truth", false);
  truth.dashed = true;
  for (const float x : grid) {
    truth.x.push_back(x);
    truth.y.push_back(std::sin(2 * static_cast<double>(x)));
  }
  for (const auto& [name, learner] : {std::pair("network", network({64}, 150)), std::pair("random forest", forest())}) {
    PlotSeries line = series(name, false);
    line.x = truth.x;
    line.y = learner.fit(train, 1).predict(asked).to_vector<double>();
    plot.series.push_back(line);
  }
  const auto put = [&](const char* name, const classic::Learner& learner, double low, double high) {
    notebook.values[name] = fmt::format("{:.2f}", sine_error(learner, low, high, 1));
  };
  put("sine_inside", network({64}, 150), -3, 3);
  put("sine_outside", network({64}, 150), 3, 6);
  put("forest_inside", forest(), -3, 3);
  put("forest_outside", forest(), 3, 6);
  plot.series.push_back(truth);
  plot.y_range = {-4.0, 4.0};
  notebook.figures.push_back(
      {"sine",
       "Two hundred examples between -3 and 3. Beyond them the forest repeats its last answer and the "
       "network goes straight on: neither knows that it knows nothing there.",
       plot});
}

void forgetting_figure(Notebook& notebook) {
  const Forgetting found = forgetting(1, 10);
  train::LinePlot plot{.title = "Test accuracy", .x_label = "epoch", .series = {}, .whole_x = true};
  for (const bool old_ones : {true, false}) {
    PlotSeries line = series(old_ones ? "0 to 4" : "5 to 9");
    line.y = old_ones ? found.old_digits : found.new_digits;
    for (std::size_t i = 0; i < line.y.size(); ++i) line.x.push_back(static_cast<double>(i + 1));
    plot.series.push_back(line);
  }
  notebook.figures.push_back({"forgetting", "Ten epochs with the digits 0 to 4, then ten with 5 to 9.", plot});
}

/// Logistic regression against the network on five splits, with the test that allows for their overlap, by hand.
void worked_example(Notebook& notebook) {
  const insight::Comparison found =
      insight::compare(insight::problem_of(credit()),
                       {insight::contender({network()}), insight::contender({logistic()})}, {.folds = 5, .repeats = 1});
  const std::vector<double>&a = found.of("logistic regression").scores, &b = found.of("neural network").scores;
  std::vector<double> d;
  for (std::size_t i = 0; i < a.size(); ++i) {
    d.push_back(a[i] - b[i]);
    notebook.values[fmt::format("a{}", i + 1)] = fmt::format("{:.3f}", a[i]);
    notebook.values[fmt::format("b{}", i + 1)] = fmt::format("{:.3f}", b[i]);
    notebook.values[fmt::format("d{}", i + 1)] = fmt::format("{:.3f}", d.back());
  }
  const double deviation = insight::deviation_of(d), naive = deviation * std::sqrt(1.0 / 5),
               corrected = deviation * std::sqrt(1.0 / 5 + 1.0 / 4), t = insight::student_t_quantile(0.975, 4);
  const auto put = [&](const char* name, double value) { notebook.values[name] = fmt::format("{:.4f}", value); };
  put("mean", insight::mean_of(d));
  put("deviation", deviation);
  put("naive", naive);
  put("corrected", corrected);
  put("t", t);
  put("naive_half", t * naive);
  put("corrected_half", t * corrected);
}

}  // namespace

double loss_by_noise(const classic::Learner& learner, std::int64_t columns, std::uint64_t seed) {
  static const data::Dataset plain = standard(credit());
  return test_score(learner, plain, seed) - test_score(learner, with_noise(plain, columns, seed), seed);
}

double shifted_score(const classic::Learner& learner, std::int64_t pixels, std::uint64_t seed) {
  const Parts parts = parts_of(digits_set(), seed);
  const classic::Model model = learner.fit(parts.train, seed);
  const data::Batch test = whole(parts.test);
  Tensor x = test.inputs;
  if (pixels > 0) x = concat({zeros({x.size(0), 1, 8, pixels}), slice(x, 3, 0, 8 - pixels)}, 3);
  return mean(cast(equal(model.predict(x), test.labels), DType::f32)).item<float>();
}

data::Dataset sine(std::uint64_t seed) {
  std::vector<float> x(200), noise(200), y;
  fill_uniform(std::span<float>(x), Key{seed}.fold(41), -3, 3);
  fill_normal(std::span<float>(noise), Key{seed}.fold(42), 0, 0.1);
  for (std::size_t i = 0; i < x.size(); ++i) y.push_back(std::sin(2 * x[i]) + noise[i]);
  return {"sine", leaf<float>({200, 1}, std::span<const float>(x)), leaf<float>({200}, std::span<const float>(y))};
}

double sine_error(const classic::Learner& learner, double low, double high, std::uint64_t seed) {
  std::vector<float> grid;
  for (int i = 0; i < 100; ++i) grid.push_back(static_cast<float>(low + (high - low) * i / 99));
  const std::vector<double> y =
      learner.fit(sine(seed), seed).predict(leaf<float>({100, 1}, std::span<const float>(grid))).to_vector<double>();
  double squares = 0;
  for (std::size_t i = 0; i < y.size(); ++i) {
    const double miss = y[i] - std::sin(2 * static_cast<double>(grid[i]));
    squares += miss * miss;
  }
  return std::sqrt(squares / 100);
}

Forgetting forgetting(std::uint64_t seed, std::int64_t epochs) {
  const auto of_half = [](const data::Dataset& all, bool old_ones) {
    std::vector<std::int64_t> rows;
    const auto labels = all.labels().data<std::int64_t>();
    for (std::size_t i = 0; i < labels.size(); ++i)
      if ((labels[i] < 5) == old_ones) rows.push_back(static_cast<std::int64_t>(i));
    return all.subset(rows);
  };
  manual_seed(seed);
  Net model(NetOptions{.hidden = {64}});
  optim::Adam optimizer(model, {.lr = 0.003});
  const data::Batch old_test = whole(of_half(digits().test, true)), new_test = whole(of_half(digits().test, false));
  Forgetting found;
  for (std::int64_t epoch = 0; epoch < 2 * epochs; ++epoch) {
    const data::Dataset train = of_half(digits().train, epoch < epochs);
    for (const auto& [inputs, labels] :
         data::loader(train, {.batch_size = 32, .shuffle = true, .seed = seed, .epoch = epoch}))
      optimizer.minimize(cross_entropy(model(inputs), labels));
    found.old_digits.push_back(accuracy(model, old_test));
    found.new_digits.push_back(accuracy(model, new_test));
  }
  return found;
}

void measure_limits(Notebook& notebook, Effort effort) {
  const std::uint64_t seeds = effort == Effort::quick ? 2 : effort == Effort::standard ? 4 : 10;
  credit_figure(notebook, seeds);
  noise_figure(notebook, seeds);
  shift_figure(notebook);
  sine_figure(notebook);
  forgetting_figure(notebook);
  worked_example(notebook);
}

}  // namespace gradus::book
