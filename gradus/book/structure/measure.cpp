#include "gradus/book/structure/measure.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "gradus/engine/eval.h"
#include "gradus/insight/statistics.h"
#include "gradus/models/lenet5.h"
#include "gradus/nn/fields.h"
#include "gradus/ops/ops.h"

namespace gradus::book {
namespace {

using train::PlotSeries;

void approximation_figure(Notebook& notebook, int steps) {
  train::LinePlot plot{.title = "Largest error", .x_label = "hidden units", .series = {}, .log_x = true, .log_y = true};
  const Smooth f(1);
  PlotSeries constructed, trained, square_law;
  constructed.name = "constructed";
  trained.name = "trained";
  square_law.name = "1 / units^2";
  constructed.points = trained.points = true;
  square_law.dashed = true;
  for (const int units : {4, 8, 16, 32, 64, 128}) {
    for (PlotSeries* line : {&constructed, &trained, &square_law}) line->x.push_back(units);
    constructed.y.push_back(constructed_error(f, units));
    trained.y.push_back(trained_error(f, units, steps, 1));
  }
  for (const double units : square_law.x)
    square_law.y.push_back(constructed.y.back() * std::pow(square_law.x.back() / units, 2));
  notebook.values["constructed_32"] = fmt::format("{:.3f}", constructed.y[3]);
  notebook.values["trained_32"] = fmt::format("{:.3f}", trained.y[3]);
  plot.series = {constructed, trained, square_law};
  notebook.figures.push_back({"approximation",
                              "One hidden layer of ReLUs and a sum of three sines. A network whose kinks are put where "
                              "they belong gets four times as near "
                              "with twice the units.",
                              plot});
}

void pieces_figure(Notebook& notebook, bool quick) {
  train::LinePlot plot{.title = "Linear pieces along a line between two digits",
                       .x_label = "hidden layers",
                       .series = {},
                       .whole_x = true,
                       .log_y = true};
  PlotSeries fresh, trained, tent;
  fresh.name = "64 units in all, fresh";
  trained.name = "the same, trained";
  tent.name = "tent map, 2 units a layer";
  fresh.points = trained.points = true;
  tent.dashed = true;
  for (const std::int64_t depth : {1, 2, 4, 8}) {
    const std::vector<std::int64_t> hidden(static_cast<std::size_t>(depth), 64 / depth);
    fresh.x.push_back(static_cast<double>(depth));
    fresh.y.push_back(fresh_pieces(hidden, 1));
    trained.x.push_back(static_cast<double>(depth));
    const Fit fitted = fit({.optimizer = "adam",
                            .settings = {{"lr", 0.003}},
                            .net = {.hidden = hidden},
                            .epochs = quick ? 5 : 15,
                            .seed = 1});
    trained.y.push_back(pieces(*fitted.net, 20, 1));
  }
  for (int depth = 1; depth <= 8; ++depth) {
    tent.x.push_back(depth);
    tent.y.push_back(std::pow(2, depth));
  }
  plot.series = {fresh, trained, tent};
  notebook.figures.push_back({"pieces",
                              "Sixty-four ReLUs in one layer or in several, counted exactly, mean of 20 lines; and a "
                              "network that was built so that every layer "
                              "doubles the pieces.",
                              plot});
}

void depth_figure(Notebook& notebook, bool quick) {
  train::LinePlot plot{.title = "Test accuracy", .x_label = "hidden layers of 32", .series = {}, .whole_x = true};
  for (const char* activation : {"relu", "none"}) {
    PlotSeries line;
    line.name = std::string_view(activation) == "none" ? "without activation" : "ReLU";
    line.points = true;
    for (std::size_t depth = 0; depth <= 4; ++depth) {
      line.x.push_back(static_cast<double>(depth));
      line.y.push_back(fit({.optimizer = "adam",
                            .settings = {{"lr", 0.003}},
                            .net = {.hidden = std::vector<std::int64_t>(depth, 32), .activation = activation},
                            .epochs = quick ? 10 : 20,
                            .seed = 1})
                           .test_accuracy);
    }
    plot.series.push_back(line);
  }
  notebook.figures.push_back(
      {"depth",
       "Layers without an activation between them are one layer; with one the first of them makes the difference.",
       plot});
}

void width_figure(Notebook& notebook, bool quick) {
  train::LinePlot plot{.title = "Test accuracy", .x_label = "hidden units", .series = {}, .log_x = true};
  PlotSeries line;
  line.name = "one hidden layer";
  line.points = true;
  for (const std::int64_t width : {1, 2, 4, 8, 16, 32, 64, 128}) {
    line.x.push_back(static_cast<double>(width));
    line.y.push_back(fit({.optimizer = "adam",
                          .settings = {{"lr", 0.003}},
                          .net = {.hidden = {width}},
                          .epochs = quick ? 10 : 20,
                          .seed = 1})
                         .test_accuracy);
  }
  plot.series = {line};
  notebook.figures.push_back({"width", "Ten classes through one, two, four, ... numbers.", plot});
}

/// From the weights of one network to those of another, on the straight line.
void path_figure(Notebook& notebook, bool quick) {
  train::LinePlot plot{.title = "Test accuracy", .x_label = "share of the way to the other network", .series = {}};
  for (const std::size_t depth : {1u, 3u}) {
    const auto trained = [&](std::uint64_t seed) {
      return *fit({.optimizer = "adam",
                   .settings = {{"lr", 0.003}},
                   .net = {.hidden = std::vector<std::int64_t>(depth, 64)},
                   .epochs = quick ? 10 : 15,
                   .seed = seed})
                  .net;
    };
    const Net one = trained(1), other = trained(2);
    PlotSeries line;
    line.name = fmt::format("{} hidden layer{}", depth, depth == 1 ? "" : "s");
    line.points = true;
    for (int i = 0; i <= 10; ++i) {
      Net middle = between(one, other, i / 10.0);
      line.x.push_back(i / 10.0);
      line.y.push_back(accuracy(middle, whole(digits().test)));
    }
    notebook.values[fmt::format("middle_{}", depth)] = fmt::format("{:.2f}", line.y[5]);
    plot.series.push_back(line);
  }
  notebook.figures.push_back(
      {"path",
       "Two networks that learned the same digits from different starts, and the straight line between their weights.",
       plot});
}

/// What fresh networks say along a line.
void start_figure(Notebook& notebook) {
  train::LinePlot plot{.title = "First output", .x_label = "input", .series = {}};
  const Tensor x = linspace(-3.0f, 3.0f, 241, DType::f32);
  for (const std::size_t depth : {1u, 4u, 16u}) {
    manual_seed(3);
    Net net({.hidden = std::vector<std::int64_t>(depth, 32), .start = Start::he}, 1);
    for (nn::Linear& layer : net.layers) layer.bias = normal(layer.bias.shape(), {.stddev = 0.3});
    PlotSeries line;
    line.name = fmt::format("{} hidden layer{}", depth, depth == 1 ? "" : "s");
    line.x = x.to_vector<double>();
    line.y = slice(net(unsqueeze(x, 1)), 1, 0, 1).to_vector<double>();
    plot.series.push_back(line);
  }
  notebook.figures.push_back(
      {"start",
       "A network is a function before it has learned anything: random weights, one input, the first of ten outputs.",
       plot});
}

std::string product_row(const std::string& what, double input, double weight) {
  return fmt::format("    {:<22}{:>8.4f} x {:>8.4f} = {:>8.4f}\n", what, input, weight, input * weight);
}

/// The sum of one unit, its largest products first.
std::string sum_of(const std::vector<double>& inputs, const std::vector<double>& weights, double bias,
                   std::size_t shown, const char* what, double& total) {
  std::vector<std::size_t> order(inputs.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto size = [&](std::size_t i) { return std::abs(inputs[i] * weights[i]); };
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return size(a) > size(b); });
  std::string text;
  double rest = 0;
  total = bias;
  for (std::size_t i = 0; i < order.size(); ++i) {
    const std::size_t at = order[i];
    total += inputs[at] * weights[at];
    if (i < shown) {
      text += product_row(fmt::format("{} {}", what, at), inputs[at], weights[at]);
    } else {
      rest += inputs[at] * weights[at];
    }
  }
  text += fmt::format("    {:<41} = {:>8.4f}\n", fmt::format("the other {}", order.size() - shown), rest);
  text += fmt::format("    {:<41} = {:>8.4f}\n", "bias", bias);
  text += fmt::format("    {:<41} = {:>8.4f}", "sum", total);
  return text.substr(4);
}

/// From the pixels of a digit to one output of a small network, in numbers.
void worked_example(Notebook& notebook) {
  Fit fitted = fit({.optimizer = "adam", .settings = {{"lr", 0.01}}, .net = {.hidden = {8}}, .epochs = 15, .seed = 1});
  Net& net = *fitted.net;
  const data::Batch test = whole(digits().test);
  const Tensor image = slice(test.inputs, 0, 0, 1);
  const Tensor sums = net.layers[0](flatten(image, 1)), hidden = relu(sums), logits = net.layers[1](hidden);
  const Tensor chances = softmax(logits, 1);
  const std::vector<double> h = hidden.to_vector<double>(), z = logits.to_vector<double>(),
                            p = chances.to_vector<double>(), first = sums.to_vector<double>();
  const auto unit = static_cast<std::int64_t>(std::max_element(h.begin(), h.end()) - h.begin());
  const auto best = static_cast<std::int64_t>(std::max_element(z.begin(), z.end()) - z.begin());
  const auto row = [](const nn::Linear& layer, std::int64_t i) {
    return slice(layer.weight.tensor(), 0, i, i + 1).to_vector<double>();
  };
  const auto bias = [](const nn::Linear& layer, std::int64_t i) {
    return layer.bias.tensor().to_vector<double>()[static_cast<std::size_t>(i)];
  };
  const auto put = [&](const char* name, double value) { notebook.values[name] = fmt::format("{:.4f}", value); };
  double total = 0;
  notebook.values["unit_sum"] = sum_of(flatten(image, 1).to_vector<double>(), row(net.layers[0], unit),
                                       bias(net.layers[0], unit), 5, "pixel", total);
  put("unit_total", total);
  put("unit_engine", first[static_cast<std::size_t>(unit)]);
  notebook.values["output_sum"] = sum_of(h, row(net.layers[1], best), bias(net.layers[1], best), 4, "unit", total);
  put("output_total", total);
  put("output_engine", z[static_cast<std::size_t>(best)]);
  double exponentials = 0;
  for (const double each : z) exponentials += std::exp(each);
  notebook.values["unit"] = fmt::format("{}", unit);
  notebook.values["best"] = fmt::format("{}", best);
  notebook.values["label"] = fmt::format("{}", test.labels.to_vector<std::int64_t>()[0]);
  put("chance", p[static_cast<std::size_t>(best)]);
  notebook.values["exponential"] = fmt::format("{:.1f}", std::exp(z[static_cast<std::size_t>(best)]));
  notebook.values["exponentials"] = fmt::format("{:.1f}", exponentials);
  notebook.values["small_accuracy"] = fmt::format("{:.3f}", fitted.test_accuracy);
}

void counts(Notebook& notebook) {
  std::string table;
  std::int64_t all = 0;
  for (const auto& [name, count] : nn::parameter_counts(models::LeNet5{})) {
    table += fmt::format("    {:<8}{:>8}\n", name, count);
    all += count;
  }
  table += fmt::format("    {:<8}{:>8}", "all", all);
  notebook.values["lenet"] = table.substr(4);
  notebook.values["small_parameters"] = fmt::format("{}", nn::num_parameters(Net({.hidden = {8}})));
  Net fresh({.hidden = {64}});
  const data::Batch test = whole(digits().test);
  notebook.values["start_accuracy"] = fmt::format("{:.2f}", accuracy(fresh, test));
}

}  // namespace

void measure_structure(Notebook& notebook, Effort effort) {
  const bool quick = effort == Effort::quick;
  approximation_figure(notebook, quick ? 1000 : 4000);
  pieces_figure(notebook, quick);
  depth_figure(notebook, quick);
  width_figure(notebook, quick);
  start_figure(notebook);
  path_figure(notebook, quick);
  worked_example(notebook);
  manual_seed(1);
  counts(notebook);
}

}  // namespace gradus::book
