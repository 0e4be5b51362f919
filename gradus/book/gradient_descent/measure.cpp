#include "gradus/book/gradient_descent/measure.h"

#include <fmt/format.h>

#include <cmath>

#include "gradus/base/random.h"
#include "gradus/data/loader.h"
#include "gradus/engine/eval.h"
#include "gradus/nn/gradients.h"
#include "gradus/nn/losses.h"
#include "gradus/ops/ops.h"
#include "gradus/optim/sgd.h"

namespace gradus::book {
namespace {

using train::PlotSeries;

PlotSeries series(std::string name) {
  PlotSeries out;
  out.name = std::move(name);
  return out;
}

/// A path's distances, at most about 200 of them.
PlotSeries path_series(std::string name, const Path& path) {
  PlotSeries out = series(std::move(name));
  const std::size_t every = 1 + path.distance.size() / 200;
  for (std::size_t i = 0; i < path.distance.size(); i += every) {
    out.x.push_back(static_cast<double>(i));
    out.y.push_back(path.distance[i]);
  }
  return out;
}

void limit_figure(Notebook& notebook) {
  const LeastSquares& problem = least_squares();
  train::LinePlot plot{.title = "Distance from the optimum", .x_label = "step", .series = {}, .log_y = true};
  for (const double share : {0.25, 0.98, 1.02}) {
    plot.series.push_back(path_series(fmt::format("{:.2f} x 2/L", share),
                                      descend(problem, 1, {{"lr", share * 2 / problem.steepest}}, 300)));
  }
  notebook.figures.push_back(
      {"limit",
       "Gradient descent on the least-squares problem with three learning rates. Below 2/L every component of the "
       "error shrinks; above it the steepest one grows by the same factor in every step and soon is all there is.",
       plot});
}

/// x^2 / 2 + 20 y^2 / 2, with the best constants of both methods.
void zigzag_figure(Notebook& notebook) {
  train::LinePlot plot{.title = "Two paths to the middle", .x_label = "flat direction", .series = {}};
  constexpr double k = 20;
  const double root = std::sqrt(k), r = (root - 1) / (root + 1);
  const struct {
    const char* name;
    optim::SGDOptions options;
  } methods[] = {{"gradient descent", {.lr = 2 / (1 + k)}},
                 {"heavy ball", {.lr = 4 / ((1 + root) * (1 + root)), .momentum = r * r}}};
  for (const auto& method : methods) {
    Weights model{tensor({-10.0, 1.0})};
    optim::SGD optimizer(model, method.options);
    PlotSeries line = series(method.name);
    line.points = true;
    for (int step = 0; step <= 25; ++step) {
      const std::vector<double> at = model.w.tensor().to_vector<double>();
      line.x.push_back(at[0]);
      line.y.push_back(at[1]);
      optimizer.minimize(0.5 * sum(tensor({1.0, k}) * square(model.w)));
    }
    plot.series.push_back(line);
  }
  notebook.figures.push_back({"zigzag",
                              "Twenty-five steps in a valley that is twenty times steeper across (upwards in the "
                              "picture) than along. Plain descent must keep its rate small for the steep walls and "
                              "jumps from one to the other; the heavy ball averages the jumps out.",
                              plot});
}

void momentum_figure(Notebook& notebook) {
  const LeastSquares& problem = least_squares();
  train::LinePlot plot{.title = "Distance from the optimum", .x_label = "step", .series = {}, .log_y = true};
  const Path plain = descend(problem, 1, best_descent(problem), 20000, 0.01);
  const Path ball = descend(problem, 1, best_heavy_ball(problem), 20000, 0.01);
  plot.series.push_back(path_series("gradient descent", plain));
  plot.series.push_back(path_series("heavy ball", ball));
  notebook.figures.push_back({"momentum",
                              "The same starting point, the best constants of each method, until a hundredth of the "
                              "distance is left.",
                              plot});
  notebook.values["descent_steps"] = fmt::format("{}", plain.steps());
  notebook.values["ball_steps"] = fmt::format("{}", ball.steps());
  notebook.values["L"] = fmt::format("{:.2f}", problem.steepest);
  notebook.values["m"] = fmt::format("{:.4f}", problem.flattest);
  notebook.values["k"] = fmt::format("{:.0f}", problem.condition());
  notebook.values["limit_rate"] = fmt::format("{:.4f}", 2 / problem.steepest);
  const double root = std::sqrt(problem.condition());
  notebook.values["descent_factor"] = fmt::format("{:.5f}", (problem.condition() - 1) / (problem.condition() + 1));
  notebook.values["ball_factor"] = fmt::format("{:.4f}", (root - 1) / (root + 1));
}

void batches_figure(Notebook& notebook, std::int64_t epochs) {
  train::LinePlot plot{.title = "Validation accuracy", .x_label = "epoch", .series = {}, .whole_x = true};
  const struct {
    const char* name;
    std::int64_t batch;
    double rate;
  } rows[] = {{"batch 8", 8, 0.1}, {"batch 32", 32, 0.3}, {"all 1,238", 0, 1}};
  for (const auto& row : rows) {
    const Fit fitted = fit({.settings = {{"lr", row.rate}}, .batch_size = row.batch, .epochs = epochs, .seed = 1});
    PlotSeries line = series(row.name);
    line.points = true;
    for (std::size_t i = 0; i < fitted.accuracy.size(); ++i) {
      line.x.push_back(static_cast<double>(i + 1));
      line.y.push_back(fitted.accuracy[i]);
    }
    plot.series.push_back(line);
  }
  notebook.figures.push_back({"batches",
                              "A network of 32 hidden units on the digits. In one epoch the batches of 8 make 154 "
                              "steps and the whole data set makes one: both have looked at every example once.",
                              plot});
}

void noise_figure(Notebook& notebook, int draws) {
  const Noise noise = noise_by_batch(1, draws);
  train::LinePlot plot{
      .title = "Variance of the gradient", .x_label = "batch size", .series = {}, .log_x = true, .log_y = true};
  PlotSeries line = series("measured"), theory = series("slope -1");
  line.points = true;
  theory.dashed = true;
  for (std::size_t i = 0; i < noise.batch.size(); ++i) {
    line.x.push_back(noise.batch[i]);
    line.y.push_back(noise.variance[i]);
    theory.x.push_back(line.x.back());
    theory.y.push_back(line.y.front() * line.x.front() / line.x.back());
  }
  plot.series = {line, theory};
  notebook.figures.push_back({"noise",
                              "The variance of a batch's gradient around its mean, summed over all weights of a fresh "
                              "network. Four times the batch, a quarter of the variance, half of the error.",
                              plot});
  notebook.values["noise_slope"] = fmt::format("{:.3f}", noise.line.slope);
}

void rates_figure(Notebook& notebook, std::int64_t epochs, std::uint64_t seeds) {
  train::LinePlot plot{.title = "Test accuracy", .x_label = "learning rate", .series = {}, .log_x = true};
  const struct {
    const char *name, *optimizer;
    std::map<std::string, double> settings;
    double from, to;
  } rows[] = {
      {"plain", "sgd", {}, -3, 1}, {"momentum", "sgd", {{"momentum", 0.9}}, -3.5, 0.5}, {"Adam", "adam", {}, -4, -0.5}};
  for (const auto& row : rows) {
    PlotSeries line = series(row.name);
    line.points = true;
    for (double power = row.from; power < row.to + 0.01; power += 0.5) {
      double sum = 0;
      FitOptions options{.optimizer = row.optimizer, .settings = row.settings, .epochs = epochs};
      options.settings["lr"] = std::pow(10, power);
      for (options.seed = 1; options.seed <= seeds; ++options.seed) sum += fit(options).test_accuracy;
      line.x.push_back(options.settings["lr"]);
      line.y.push_back(sum / static_cast<double>(seeds));
    }
    plot.series.push_back(line);
  }
  notebook.figures.push_back({"rates",
                              "Every method has a band of rates that work, and falls off a cliff to the right of it. "
                              "The bands lie at different places; their tops are at nearly the same height.",
                              plot});
}

/// One neuron, three measurements of one tumour, one step: every operand of the arithmetic, for the text.
void worked_example(Notebook& notebook) {
  const LeastSquares& problem = least_squares();
  const std::vector<double> row = problem.inputs.to_vector<double>();
  const double x[] = {row[0], row[1], row[4]};  // radius, texture, smoothness
  const double y = (problem.targets.to_vector<double>()[0] + 1) / 2, rate = 0.5;
  Weights model{tensor({0.4, -0.2, 0.1})};
  const Tensor inputs = tensor({x[0], x[1], x[2]});
  const auto sum_of = [&] { return sum(model.w * inputs); };
  const auto loss_of = [&](const Tensor& z) { return binary_cross_entropy_with_logits(z, tensor(y)); };
  const std::vector<double> before = model.w.tensor().to_vector<double>();
  Tensor z = sum_of(), loss = loss_of(z);
  const std::vector<double> gradient = gradients(loss, model).w.tensor().to_vector<double>();
  auto& values = notebook.values;
  const auto put = [&](const char* name, double value) { values[name] = fmt::format("{:.4f}", value); };
  put("z", z.item<double>());
  put("p", 1 / (1 + std::exp(-z.item<double>())));
  put("loss", loss_of(sum_of()).item<double>());
  optim::SGD optimizer(model, {.lr = rate});
  optimizer.minimize(loss_of(sum_of()));
  const std::vector<double> after = model.w.tensor().to_vector<double>();
  for (std::size_t i = 0; i < 3; ++i) {
    put(fmt::format("x{}", i + 1).c_str(), x[i]);
    put(fmt::format("w{}", i + 1).c_str(), before[i]);
    put(fmt::format("g{}", i + 1).c_str(), gradient[i]);
    put(fmt::format("v{}", i + 1).c_str(), after[i]);
  }
  values["y"] = fmt::format("{}", y);
  put("error", 1 / (1 + std::exp(-z.item<double>())) - y);
  put("new_z", sum_of().item<double>());
  put("new_loss", loss_of(sum_of()).item<double>());
  double squares = 0;
  for (const double g : gradient) squares += g * g;
  put("squares", squares);
  put("promised", rate * squares);
}

}  // namespace

std::map<std::string, double> best_descent(const LeastSquares& problem) {
  return {{"lr", 2 / (problem.steepest + problem.flattest)}};
}

std::map<std::string, double> best_heavy_ball(const LeastSquares& problem) {
  const double sum = std::sqrt(problem.steepest) + std::sqrt(problem.flattest), root = std::sqrt(problem.condition());
  const double r = (root - 1) / (root + 1);
  return {{"lr", 4 / (sum * sum)}, {"momentum", r * r}};
}

Noise noise_by_batch(std::uint64_t seed, int draws) {
  manual_seed(seed);
  Net model({});
  const data::Dataset& train = digits().train;
  Noise noise;
  std::vector<double> x, y;
  for (std::uint64_t batch = 8; batch <= 128; batch *= 2) {
    std::vector<Tensor> sums, squares;  // by parameter
    for (int draw = 0; draw < draws; ++draw) {
      std::vector<double> at(batch);
      fill_uniform(std::span<double>(at), Key{seed}.fold(batch).fold(static_cast<std::uint64_t>(draw)), 0, 1);
      std::vector<std::int64_t> rows;
      for (const double u : at) rows.push_back(static_cast<std::int64_t>(u * static_cast<double>(train.size())));
      const auto [inputs, labels] = train.batch(rows);
      const Net g = gradients(cross_entropy(model(inputs), labels), model);
      Tensors now;
      for (const nn::Linear& layer : g.layers) {
        now.push_back(cast(layer.weight.tensor(), DType::f64));
        now.push_back(cast(layer.bias.tensor(), DType::f64));
      }
      for (std::size_t i = 0; i < now.size(); ++i) {
        if (draw == 0) sums.push_back(zeros(now[i].shape(), DType::f64)), squares.push_back(sums.back());
        sums[i] = sums[i] + now[i];
        squares[i] = squares[i] + square(now[i]);
      }
      eval(sums);
      eval(squares);
    }
    double variance = 0;
    for (std::size_t i = 0; i < sums.size(); ++i)
      variance += sum(squares[i] - square(sums[i]) / draws).item<double>() / (draws - 1);
    noise.batch.push_back(static_cast<double>(batch));
    noise.variance.push_back(variance);
    x.push_back(std::log10(noise.batch.back()));
    y.push_back(std::log10(variance));
  }
  noise.line = insight::fit_line(x, y);
  return noise;
}

void measure_gradient_descent(Notebook& notebook, Effort effort) {
  const bool quick = effort == Effort::quick;
  limit_figure(notebook);
  zigzag_figure(notebook);
  momentum_figure(notebook);
  batches_figure(notebook, quick ? 5 : 10);
  noise_figure(notebook, quick ? 100 : 400);
  rates_figure(notebook, quick ? 5 : 10, quick ? 1 : 3);
  worked_example(notebook);
}

}  // namespace gradus::book
