#include "gradus/book/activations/measure.h"

#include <fmt/format.h>

#include <cmath>
#include <numbers>

#include "gradus/base/random.h"
#include "gradus/data/loader.h"
#include "gradus/engine/eval.h"
#include "gradus/nn/losses.h"
#include "gradus/ops/ops.h"
#include "gradus/optim/registry.h"
#include "gradus/transform/derivatives.h"

namespace gradus::book {
namespace {

using train::PlotSeries;

data::Batch spiral_points(std::int64_t count, Key key) {
  std::vector<double> u(static_cast<std::size_t>(count)), noise(2 * u.size());
  fill_uniform(std::span<double>(u), key.fold(1), 0, 1);
  fill_normal(std::span<double>(noise), key.fold(2), 0, 0.03);
  std::vector<float> points;
  std::vector<std::int64_t> labels;
  for (std::size_t i = 0; i < u.size(); ++i) {
    const double arm = static_cast<double>(i % 2), radius = 0.1 + 0.9 * u[i];
    const double angle = 1.75 * 2 * std::numbers::pi * u[i] + arm * std::numbers::pi;
    points.push_back(static_cast<float>(radius * std::cos(angle) + noise[2 * i]));
    points.push_back(static_cast<float>(radius * std::sin(angle) + noise[2 * i + 1]));
    labels.push_back(static_cast<std::int64_t>(i % 2));
  }
  return {leaf<float>({count, 2}, std::span<const float>(points)),
          leaf<std::int64_t>({count}, std::span<const std::int64_t>(labels))};
}

PlotSeries curve(const char* name, const std::function<Tensor(const Tensor&)>& f) {
  PlotSeries line;
  line.name = name;
  line.x = linspace(-4.0, 4.0, 161, DType::f64).to_vector<double>();
  line.y = f(linspace(-4.0, 4.0, 161, DType::f64)).to_vector<double>();
  return line;
}

void shape_figures(Notebook& notebook) {
  const struct {
    const char* name;
    std::function<Tensor(const Tensor&)> f;
  } rows[] = {{"sigmoid", [](const Tensor& x) { return sigmoid(x); }},
              {"tanh", [](const Tensor& x) { return tanh(x); }},
              {"ReLU", [](const Tensor& x) { return relu(x); }},
              {"GELU", [](const Tensor& x) { return gelu(x); }}};
  train::LinePlot values{.title = "Four activation functions", .x_label = "input", .series = {}};
  train::LinePlot slopes{.title = "Their slopes", .x_label = "input", .series = {}};
  for (const auto& row : rows) {
    values.series.push_back(curve(row.name, row.f));
    slopes.series.push_back(curve(row.name, [&](const Tensor& x) { return grad(sum(row.f(x)), {x})[0]; }));
  }
  values.y_range = {-1.2, 2.5};
  notebook.figures.push_back(
      {"shapes", "Sigmoid and tanh flatten at both ends, ReLU at one, GELU nearly so and smoothly.", values});
  notebook.figures.push_back(
      {"slopes",
       "What multiplies the gradient on its way back. The sigmoid never passes more than a quarter; GELU passes "
       "a little more than all near 1.4.",
       slopes});
}

void signal_figure(Notebook& notebook) {
  train::LinePlot plot{
      .title = "Mean square of the outputs", .x_label = "hidden layer", .series = {}, .whole_x = true, .log_y = true};
  const struct {
    const char *name, *activation;
    Start start;
  } rows[] = {{"SELU, LeCun", "selu", Start::lecun},
              {"ReLU, He", "relu", Start::he},
              {"ReLU, LeCun", "relu", Start::lecun},
              {"tanh, LeCun", "tanh", Start::lecun}};
  for (const auto& row : rows) {
    PlotSeries line;
    line.name = row.name;
    for (const double power : signal(row.activation, row.start, 1)) {
      line.x.push_back(static_cast<double>(line.x.size() + 1));
      line.y.push_back(std::pow(10, power));
    }
    plot.series.push_back(line);
  }
  notebook.values["relu_lecun"] = fmt::format("{:.1f}", std::log10(plot.series[2].y.back()));
  notebook.figures.push_back(
      {"signal",
       "Normal inputs through thirty layers of 64 units with random weights. ReLU halves the mean square unless the "
       "weights make up for it; SELU was made to come back to 1 by itself.",
       plot});
}

void spiral_figure(Notebook& notebook, std::int64_t steps) {
  train::LinePlot plot{
      .title = "Test accuracy on the spiral", .x_label = "hidden layers", .series = {}, .whole_x = true};
  for (const char* activation : {"none", "sigmoid", "tanh", "relu"}) {
    PlotSeries line;
    line.name = activation;
    line.points = true;
    for (std::size_t depth = 0; depth <= 3; ++depth) {
      line.x.push_back(static_cast<double>(depth));
      line.y.push_back(spiral_accuracy(activation, depth, steps, 1));
    }
    plot.series.push_back(line);
  }
  notebook.figures.push_back(
      {"spiral",
       "Two arms of a spiral, 400 points to learn from. Without an activation more layers change nothing: the "
       "network stays a straight line.",
       plot});
}

void dead_figure(Notebook& notebook, std::int64_t epochs) {
  train::LinePlot plot{.title = "Share of dead units", .x_label = "learning rate", .series = {}, .log_x = true};
  for (const char* activation : {"relu", "leaky_relu", "gelu"}) {
    PlotSeries line;
    line.name = activation;
    line.points = true;
    for (const double power : {-2.0, -1.5, -1.0, -0.5, 0.0}) {
      line.x.push_back(std::pow(10, power));
      line.y.push_back(dead_share(activation, line.x.back(), epochs, 1));
    }
    plot.series.push_back(line);
  }
  notebook.figures.push_back(
      {"dead",
       "Hidden units that are 0 for every training digit, after training two layers of 32 with momentum 0.9. Only an "
       "activation that is exactly 0 somewhere can have any; GELU is, far enough to the left, where 32-bit numbers "
       "round its "
       "tail away.",
       plot});
}

/// One unit of ReLU that is pushed over the edge, in numbers.
void dying(Notebook& notebook) {
  const double x = 2, w = 0.5, target = -1, rate = 0.3;
  const Tensor weight = tensor(w);
  const Tensor y = relu(weight * x), loss = 0.5 * square(y - target), g = grad(loss, {weight})[0];
  const double slope = g.item<double>(), next = w - rate * slope;
  const Tensor moved = tensor(next);
  const Tensor after = grad(0.5 * square(relu(moved * x) - target), {moved})[0];
  notebook.values["y"] = fmt::format("{:.2f}", relu(tensor(w * x)).item<double>());
  notebook.values["g"] = fmt::format("{:.2f}", slope);
  notebook.values["w2"] = fmt::format("{:.2f}", next);
  notebook.values["z2"] = fmt::format("{:.2f}", next * x);
  notebook.values["g2"] = fmt::format("{:g}", after.item<double>());
}

}  // namespace

Spiral spiral(std::uint64_t seed) {
  return {spiral_points(400, Key{seed}.fold(11)), spiral_points(400, Key{seed}.fold(12))};
}

double spiral_accuracy(const std::string& activation, std::size_t depth, std::int64_t steps, std::uint64_t seed) {
  const Spiral data = spiral(seed);
  manual_seed(seed);
  Net model({.hidden = std::vector<std::int64_t>(depth, 32), .activation = activation}, 2);
  const auto optimizer = optim::make_optimizer("adam", model, {{"lr", 0.01}});
  for (std::int64_t step = 0; step < steps; ++step)
    optimizer->minimize(cross_entropy(model(data.train.inputs), data.train.labels));
  return accuracy(model, data.test);
}

double dead_share(const std::string& activation, double rate, std::int64_t epochs, std::uint64_t seed) {
  manual_seed(seed);
  const data::Dataset& train = digits().train;
  Net model({.hidden = {32, 32}, .activation = activation});
  const auto optimizer = optim::make_optimizer("sgd", model, {{"lr", rate}, {"momentum", 0.9}});
  for (std::int64_t epoch = 0; epoch < epochs; ++epoch) {
    for (const auto& [inputs, labels] :
         data::loader(train, {.batch_size = 32, .shuffle = true, .seed = seed, .epoch = epoch, .drop_last = true}))
      optimizer->minimize(cross_entropy(model(inputs), labels));
  }
  Tensor x = flatten(whole(train).inputs, 1);
  double dead = 0, all = 0;
  for (std::size_t i = 0; i + 1 < model.layers.size(); ++i) {
    x = model.activation(model.layers[i](x));
    dead += static_cast<double>(sum(equal(amax(abs(x), {0}), 0)).item<std::int64_t>());
    all += static_cast<double>(x.shape()[1]);
  }
  return dead / all;
}

std::vector<double> signal(const std::string& activation, Start start, std::uint64_t seed) {
  manual_seed(seed);
  const Net model({.hidden = std::vector<std::int64_t>(30, 64), .activation = activation, .start = start});
  Tensor x = normal({256, 64}, {}, Key{seed}.fold(3));
  std::vector<double> squares;
  for (std::size_t i = 0; i + 1 < model.layers.size(); ++i) {
    x = model.activation(model.layers[i](x));
    squares.push_back(std::log10(mean(square(cast(x, DType::f64))).item<double>()));
  }
  return squares;
}

void measure_activations(Notebook& notebook, Effort effort) {
  const bool quick = effort == Effort::quick;
  shape_figures(notebook);
  signal_figure(notebook);
  spiral_figure(notebook, quick ? 200 : 400);
  dead_figure(notebook, quick ? 3 : 8);
  dying(notebook);
}

}  // namespace gradus::book
