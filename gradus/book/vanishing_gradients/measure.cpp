#include "gradus/book/vanishing_gradients/measure.h"

#include <fmt/format.h>

#include <cmath>

#include "gradus/base/random.h"
#include "gradus/nn/gradients.h"
#include "gradus/nn/losses.h"
#include "gradus/ops/ops.h"

namespace gradus::book {
namespace {

using train::PlotSeries;

struct Kind {
  const char* name;
  NetOptions options;
};

const std::vector<Kind>& kinds() {
  static const std::vector<Kind> all = {{"sigmoid, Xavier", {.activation = "sigmoid", .start = Start::xavier}},
                                        {"tanh, Xavier", {.activation = "tanh", .start = Start::xavier}},
                                        {"ReLU, He", {.activation = "relu", .start = Start::he}},
                                        {"SELU, LeCun", {.activation = "selu", .start = Start::lecun}}};
  return all;
}

PlotSeries norms_by_layer(const Kind& kind, std::int64_t depth) {
  PlotSeries line;
  line.name = kind.name;
  for (const double power : gradient_norms(some_digits(), depth, kind.options, 1)) {
    line.x.push_back(static_cast<double>(line.x.size() + 1));
    line.y.push_back(std::pow(10, power));
  }
  return line;
}

void layers_figure(Notebook& notebook) {
  constexpr std::int64_t depth = 20;
  train::LinePlot plot{
      .title = "Norm of the gradient", .x_label = "hidden layer", .series = {}, .whole_x = true, .log_y = true};
  for (const Kind& kind : kinds()) {
    plot.series.push_back(norms_by_layer(kind, depth));
  }
  const std::vector<double>& sigmoid = plot.series[0].y;
  notebook.values["factor"] =
      fmt::format("{:.3f}", std::pow(sigmoid.front() / sigmoid.back(), 1 / static_cast<double>(depth - 1)));
  notebook.values["sigmoid_20"] = fmt::format("{:.1f}", std::log10(sigmoid.back() / sigmoid.front()));
  notebook.figures.push_back(
      {"layers",
       "Gradients of the weights in twenty hidden layers of 64 units, at the start, for 256 digits. "
       "The loss is at the right; what reaches the first layers of the sigmoid network is "
       "smaller by more than ten powers of ten.",
       plot});
}

void depth_figure(Notebook& notebook) {
  train::LinePlot plot{.title = "First over last gradient", .x_label = "hidden layers", .series = {}, .log_y = true};
  for (const Kind& kind : kinds()) {
    PlotSeries line;
    line.name = kind.name;
    line.points = true;
    for (const std::int64_t depth : {2, 5, 10, 20, 30}) {
      line.x.push_back(static_cast<double>(depth));
      line.y.push_back(std::pow(10, first_to_last(some_digits(), depth, kind.options, 1)));
    }
    plot.series.push_back(line);
  }
  notebook.figures.push_back({"depth",
                              "A straight line in this picture is a constant factor per layer: the loss of signal is "
                              "exponential in the depth.",
                              plot});
}

void learning_figure(Notebook& notebook, std::int64_t epochs) {
  train::LinePlot plot{.title = "Validation accuracy", .x_label = "epoch", .series = {}, .whole_x = true};
  const std::vector<std::int64_t> deep(8, 32);
  const Kind rows[] = {
      {"sigmoid", {.hidden = deep, .activation = "sigmoid", .start = Start::xavier}},
      {"sigmoid, batch norm", {.hidden = deep, .activation = "sigmoid", .start = Start::xavier, .norm = Norm::batch}},
      {"tanh", {.hidden = deep, .activation = "tanh", .start = Start::xavier}},
      {"ReLU", {.hidden = deep, .activation = "relu", .start = Start::he}}};
  for (const Kind& row : rows) {
    const Fit fitted =
        fit({.settings = {{"lr", 0.1}, {"momentum", 0.9}}, .net = row.options, .epochs = epochs, .seed = 1});
    PlotSeries line;
    line.name = row.name;
    line.points = true;
    for (std::size_t i = 0; i < fitted.accuracy.size(); ++i) {
      line.x.push_back(static_cast<double>(i + 1));
      line.y.push_back(fitted.accuracy[i]);
    }
    plot.series.push_back(line);
  }
  notebook.figures.push_back(
      {"learning",
       "Eight hidden layers of 32 units on the digits, rate 0.1 and momentum 0.9. One class in ten is "
       "right by chance.",
       plot});
}

void start_figure(Notebook& notebook) {
  train::LinePlot plot{
      .title = "Norm of the gradient", .x_label = "hidden layer", .series = {}, .whole_x = true, .log_y = true};
  const Kind rows[] = {{"He", {.start = Start::he}},
                       {"Xavier", {.start = Start::xavier}},
                       {"PyTorch's default", {.start = Start::pytorch}},
                       {"default, residual", {.start = Start::pytorch, .residual = true}}};
  for (const Kind& row : rows) {
    plot.series.push_back(norms_by_layer(row, 20));
  }
  notebook.figures.push_back(
      {"start",
       "Twenty hidden layers of ReLU with different starting weights. Weights that are too small shrink the signal on "
       "its way forward as well: all gradients are small, those of the first layer not more than "
       "others.",
       plot});
}

/// How much of the size of the last hidden layer's sums, after layer normalisation, comes from differences between examples.
double signal_share(std::int64_t depth) {
  manual_seed(1);
  Net model({.hidden = std::vector<std::int64_t>(static_cast<std::size_t>(depth), 64),
             .activation = "sigmoid",
             .start = Start::xavier,
             .norm = Norm::layer});
  Tensor x = flatten(some_digits().inputs, 1), y;
  for (std::size_t i = 0; i + 1 < model.layers.size(); ++i) {
    y = model.layer_norms[i](model.layers[i](x));
    x = sigmoid(y);
  }
  return (mean(var(y, {0})) / mean(square(y))).item<float>();
}

/// A chain of sigmoid units with one input each, for the arithmetic of the text.
void chain(Notebook& notebook) {
  Weights model{tensor({1.0, 1.0, 1.0, 1.0})};
  Tensor x = tensor(0.5);
  std::vector<double> outputs, slopes;
  Tensor all = x;
  for (int i = 0; i < 4; ++i) {
    all = sigmoid(all * slice(model.w, 0, i, i + 1));
    const double y = all.to_vector<double>()[0];
    outputs.push_back(y);
    slopes.push_back(y * (1 - y));
    all = tensor({y});
  }
  Tensor whole = x;
  for (int i = 0; i < 4; ++i) whole = sigmoid(whole * slice(model.w, 0, i, i + 1));
  const std::vector<double> gradient = gradients(sum(whole), model).w.tensor().to_vector<double>();
  double product = 0.5;
  for (std::size_t i = 0; i < 4; ++i) {
    notebook.values[fmt::format("y{}", i + 1)] = fmt::format("{:.4f}", outputs[i]);
    notebook.values[fmt::format("s{}", i + 1)] = fmt::format("{:.4f}", slopes[i]);
    notebook.values[fmt::format("g{}", i + 1)] = fmt::format("{:.6f}", gradient[i]);
    product *= slopes[i];
  }
  notebook.values["product"] = fmt::format("{:.6f}", product);
}

}  // namespace

const data::Batch& some_digits() {
  static const data::Batch batch = [] {
    std::vector<std::int64_t> rows;
    for (std::int64_t i = 0; i < 256; ++i) rows.push_back(i);
    return digits().train.batch(rows);
  }();
  return batch;
}

std::vector<double> gradient_norms(const data::Batch& examples, std::int64_t depth, NetOptions options,
                                   std::uint64_t seed) {
  manual_seed(seed);
  options.hidden.assign(static_cast<std::size_t>(depth), 64);
  Net model(options, examples.inputs.numel() / examples.inputs.shape()[0]);
  const Net gradient = gradients(cross_entropy(model(examples.inputs), examples.labels), model);
  std::vector<double> norms;
  for (std::size_t i = 0; i + 1 < gradient.layers.size(); ++i) {
    // In f64, where the squares of small numbers are not yet 0.
    const Tensor g = cast(gradient.layers[i].weight.tensor(), DType::f64);
    norms.push_back(0.5 * std::log10(sum(square(g)).item<double>()));
  }
  return norms;
}

double first_to_last(const data::Batch& examples, std::int64_t depth, const NetOptions& options, std::uint64_t seed) {
  const std::vector<double> norms = gradient_norms(examples, depth, options, seed);
  return norms.front() - norms.back();
}

void measure_vanishing_gradients(Notebook& notebook, Effort effort) {
  layers_figure(notebook);
  depth_figure(notebook);
  learning_figure(notebook, effort == Effort::quick ? 5 : 15);
  start_figure(notebook);
  chain(notebook);
  for (const std::int64_t depth : {1, 2, 4, 8})
    notebook.values[fmt::format("share{}", depth)] = fmt::format("{:.2g}", 100 * signal_share(depth));
}

}  // namespace gradus::book
