#include "gradus/book/overfitting/measure.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "gradus/base/random.h"
#include "gradus/ops/linalg/linalg.h"
#include "gradus/ops/ops.h"

namespace gradus::book {
namespace {

using train::PlotSeries;

PlotSeries over_epochs(std::string name, const std::vector<double>& values) {
  PlotSeries line;
  line.name = std::move(name);
  line.y = values;
  for (std::size_t i = 0; i < values.size(); ++i) line.x.push_back(static_cast<double>(i + 1));
  return line;
}

void curves_figure(Notebook& notebook, std::int64_t epochs) {
  train::LinePlot plot{.title = "Loss", .x_label = "epoch", .series = {}, .whole_x = true};
  FitOptions options = large_fit(1);
  options.label_noise = 0.3;
  options.epochs = epochs;
  options.watch = true;
  const Fit fitted = fit(options);
  plot.series = {over_epochs("training", fitted.loss), over_epochs("validation", fitted.validation_losses)};
  const auto best = std::min_element(fitted.validation_losses.begin(), fitted.validation_losses.end());
  notebook.values["best_epoch"] = fmt::format("{}", best - fitted.validation_losses.begin() + 1);
  notebook.values["best_loss"] = fmt::format("{:.2f}", *best);
  notebook.values["last_loss"] = fmt::format("{:.2f}", fitted.validation_losses.back());
  notebook.values["last_training_loss"] = fmt::format("{:.3f}", fitted.loss.back());
  notebook.figures.push_back(
      {"curves",
       "A network of 256 hidden units and 300 digits, three tenths of whose training labels were replaced by random "
       "ones. From some epoch on, what is learned about the training examples is of no use for others.",
       plot});
}

void examples_figure(Notebook& notebook) {
  train::LinePlot plot{.title = "Accuracy", .x_label = "training examples", .series = {}, .log_x = true};
  PlotSeries training, test;
  training.name = "training";
  test.name = "test";
  training.points = test.points = true;
  for (const std::int64_t examples : {50, 100, 200, 400, 800, 1238}) {
    FitOptions options = large_fit(1);
    options.examples = examples;
    options.epochs = 12000 / examples;  // about the same number of steps
    const Fit fitted = fit(options);
    for (PlotSeries* line : {&training, &test}) line->x.push_back(static_cast<double>(examples));
    training.y.push_back(fitted.train_accuracy);
    test.y.push_back(fitted.test_accuracy);
  }
  plot.series = {training, test};
  notebook.figures.push_back(
      {"examples", "The gap between the two lines is what overfitting means. More examples close it.", plot});
}

void width_figure(Notebook& notebook) {
  train::LinePlot plot{.title = "Test accuracy", .x_label = "hidden units", .series = {}, .log_x = true};
  for (const double noise : {0.0, 0.3}) {
    PlotSeries line;
    line.name = noise == 0 ? "true labels" : "three tenths random";
    line.points = true;
    for (const std::int64_t width : {2, 4, 8, 16, 32, 64, 128, 256, 512}) {
      FitOptions options = large_fit(1);
      options.net.hidden = {width};
      options.label_noise = noise;
      options.epochs = 40;
      line.x.push_back(static_cast<double>(width));
      line.y.push_back(fit(options).test_accuracy);
    }
    plot.series.push_back(line);
  }
  notebook.figures.push_back(
      {"width",
       "300 digits, 40 epochs. A network of 512 units has more than 38,000 weights, over a hundred for each example.",
       plot});
}

void descent_figure(Notebook& notebook, int draws) {
  train::LinePlot plot{.title = "Risk", .x_label = "features for each example", .series = {}, .log_y = true};
  PlotSeries measured, theory;
  measured.name = "measured";
  measured.points = true;
  theory.name = "theory";
  theory.dashed = true;
  constexpr std::int64_t examples = 40;
  for (const std::int64_t features : {4, 10, 20, 28, 34, 38, 40, 42, 46, 56, 80, 120, 200}) {
    measured.x.push_back(static_cast<double>(features) / examples);
    measured.y.push_back(minimum_norm_risk(examples, features, 0.25, draws, 1));
  }
  for (int i = 2; i <= 100; ++i) {  // Hastie and others, for many examples and features
    const double g = i / 20.0;
    theory.x.push_back(g);
    theory.y.push_back(g == 1 ? NAN : g < 1 ? 0.25 * g / (1 - g) : 1 - 1 / g + 0.25 / (g - 1));
  }
  plot.series = {measured, theory};
  plot.y_range = {0.01, 300};
  notebook.figures.push_back({"double-descent",
                              "Least squares with 40 examples and more and more random features; beyond 40 the "
                              "solution of smallest norm. The theory is for infinitely many "
                              "of both.",
                              plot});
}

/// Three points on a line with one that is off, and two models.
void worked_example(Notebook& notebook) {
  const Tensor x = tensor({{0.0}, {1.0}, {2.0}}), y = tensor({{0.0}, {1.5}, {2.0}});
  const Tensor line = concat({ones({3, 1}, DType::f64), x}, 1);
  const Tensor parabola = concat({line, square(x)}, 1);
  const std::vector<double> a = linalg::lstsq(line, y).to_vector<double>();
  const std::vector<double> b = linalg::lstsq(parabola, y).to_vector<double>();
  const auto put = [&](const char* name, double value) { notebook.values[name] = fmt::format("{:.3f}", value); };
  put("a0", a[0]);
  put("a1", a[1]);
  put("b0", std::abs(b[0]) < 1e-9 ? 0 : b[0]);
  put("b1", b[1]);
  put("b2", b[2]);
  put("line_error", (sum(square(matmul(line, tensor({{a[0]}, {a[1]}})) - y)) / 3).item<double>());
  put("line_at_3", a[0] + 3 * a[1]);
  put("parabola_at_3", b[0] + 3 * b[1] + 9 * b[2]);
}

}  // namespace

FitOptions large_fit(std::uint64_t seed) {
  return {.optimizer = "adam",
          .settings = {{"lr", 0.003}},
          .net = {.hidden = {256}},
          .batch_size = 50,
          .epochs = 60,
          .seed = seed,
          .examples = 300};
}

double minimum_norm_risk(std::int64_t examples, std::int64_t features, double noise, int draws, std::uint64_t seed) {
  constexpr NormalOptions f64{.dtype = DType::f64};
  double total = 0;
  for (int draw = 0; draw < draws; ++draw) {
    const Key key = Key{seed}.fold(static_cast<std::uint64_t>(features)).fold(static_cast<std::uint64_t>(draw));
    const Tensor x = normal({examples, features}, f64, key.fold(1));
    const Tensor direction = normal({features, 1}, f64, key.fold(2));
    const Tensor truth = direction / sqrt(sum(square(direction)));
    const Tensor y = matmul(x, truth) + std::sqrt(noise) * normal({examples, 1}, f64, key.fold(3));
    total += sum(square(matmul(linalg::pinv(x), y) - truth)).item<double>();
  }
  return total / draws;
}

void measure_overfitting(Notebook& notebook, Effort effort) {
  const bool quick = effort == Effort::quick;
  curves_figure(notebook, 150);
  examples_figure(notebook);
  width_figure(notebook);
  descent_figure(notebook, quick ? 20 : 100);
  worked_example(notebook);
}

}  // namespace gradus::book
