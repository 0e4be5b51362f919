#include "gradus/book/backpropagation/measure.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "gradus/base/random.h"
#include "gradus/data/loader.h"
#include "gradus/engine/eval.h"
#include "gradus/nn/gradients.h"
#include "gradus/nn/losses.h"
#include "gradus/nn/state_dict.h"
#include "gradus/ops/ops.h"
#include "gradus/optim/registry.h"
#include "gradus/transform/checkpoint.h"
#include "gradus/transform/derivatives.h"

namespace gradus::book {
namespace {

using train::PlotSeries;

const data::Batch& some_digits() {
  static const data::Batch batch = [] {
    std::vector<std::int64_t> rows;
    for (std::int64_t i = 0; i < 64; ++i) rows.push_back(i);
    return digits().train.batch(rows);
  }();
  return batch;
}

/// The loss of a network of 32 tanh units on 64 digits, in f64.
Tensor small_loss(const Tensor& first, const Tensor& second) {
  const Tensor x = cast(flatten(some_digits().inputs, 1), DType::f64);
  return cross_entropy(matmul(tanh(matmul(x, first)), second), some_digits().labels);
}

struct SmallNet {
  Tensor first, second;        // weights
  Tensor to_first, to_second;  // a direction

  explicit SmallNet(std::uint64_t seed) {
    constexpr NormalOptions f64{.dtype = DType::f64};
    const Key key{seed};
    first = normal({64, 32}, f64, key.fold(1)) / 8;
    second = normal({32, 10}, f64, key.fold(2)) / 5;
    to_first = normal({64, 32}, f64, key.fold(3));
    to_second = normal({32, 10}, f64, key.fold(4));
    eval(first, second, to_first, to_second);
  }
  double loss_at(double step) const {
    return small_loss(first + step * to_first, second + step * to_second).item<double>();
  }
  double slope() const {
    const Tensors g = grad(small_loss(first, second), {first, second});
    return (sum(g[0] * to_first) + sum(g[1] * to_second)).item<double>();
  }
};

void differences_figure(Notebook& notebook) {
  train::LinePlot plot{.title = "Relative error", .x_label = "step h", .series = {}, .log_x = true, .log_y = true};
  for (const std::uint64_t seed : {1, 2, 3}) {
    PlotSeries line;
    line.name = fmt::format("direction {}", seed);
    for (int i = -24; i <= -2; ++i) {
      line.x.push_back(std::pow(10, i / 2.0));
      line.y.push_back(difference_error(line.x.back(), seed));
    }
    plot.series.push_back(line);
  }
  notebook.values["best_error"] =
      fmt::format("{:.0f}", std::log10(*std::min_element(plot.series[0].y.begin(), plot.series[0].y.end())));
  notebook.figures.push_back(
      {"differences",
       "Central differences against reverse mode. From the right, the error falls with the square of h: "
       "the curve is not straight. From the left it falls with h: two nearly equal losses are subtracted, and "
       "what is left of their digits is divided by h.",
       plot});
}

void teachers_figure(Notebook& notebook, std::int64_t epochs) {
  train::LinePlot plot{.title = "Validation accuracy", .x_label = "epoch", .series = {}, .whole_x = true};
  const struct {
    const char* name;
    Teacher teacher;
    double rate;
  } rows[] = {{"backpropagation", Teacher::backpropagation, 0.3},
              {"last layer only", Teacher::last_layer, 0.3},
              {"one random direction", Teacher::direction, 0.003}};
  for (const auto& row : rows) {
    PlotSeries line;
    line.name = row.name;
    line.points = true;
    line.y = taught(row.teacher, row.rate, epochs, 1);
    line.y.pop_back();  // that of the test set
    for (std::size_t i = 0; i < line.y.size(); ++i) line.x.push_back(static_cast<double>(i + 1));
    plot.series.push_back(line);
  }
  notebook.figures.push_back(
      {"teachers", "The same network of two hidden layers of 32 with three sources of its gradient.", plot});
}

void curvature_figure(Notebook& notebook) {
  train::LinePlot plot{.title = "Loss along one direction", .x_label = "step", .series = {}};
  const SmallNet net(1);
  const double slope = net.slope(), at_zero = net.loss_at(0);
  PlotSeries loss, line;
  loss.name = "loss";
  line.name = "tangent";
  line.dashed = true;
  for (int i = -20; i <= 20; ++i) {
    const double step = i / 100.0;
    loss.x.push_back(step);
    loss.y.push_back(net.loss_at(step));
    line.x.push_back(step);
    line.y.push_back(at_zero + step * slope);
  }
  plot.series = {loss, line};
  notebook.values["slope"] = fmt::format("{:.6f}", slope);
  notebook.figures.push_back(
      {"tangent",
       "The loss as all weights move along one random direction, and the line whose slope reverse mode "
       "computed.",
       plot});
}

void layers_figure(Notebook& notebook) {
  train::LinePlot plot{
      .title = "Norm of the gradient", .x_label = "epoch", .series = {}, .whole_x = true, .log_y = true};
  manual_seed(1);
  Net model({.hidden = {32, 32}});
  const auto optimizer = optim::make_optimizer("sgd", model, {{"lr", 0.3}});
  plot.series.resize(3);
  for (int epoch = 0; epoch < 8; ++epoch) {
    for (const auto& [inputs, labels] : data::loader(
             digits().train, {.batch_size = 32, .shuffle = true, .seed = 1, .epoch = epoch, .drop_last = true}))
      optimizer->minimize(cross_entropy(model(inputs), labels));
    const data::Batch all = whole(digits().train);
    const Net g = gradients(cross_entropy(model(all.inputs), all.labels), model);
    for (std::size_t i = 0; i < 3; ++i) {
      plot.series[i].name = fmt::format("layer {}", i + 1);
      plot.series[i].x.push_back(epoch + 1);
      plot.series[i].y.push_back(std::sqrt(sum(square(g.layers[i].weight.tensor())).item<float>()));
    }
  }
  notebook.figures.push_back(
      {"layers", "What reaches each layer of a network with two hidden layers, over the training.", plot});
}

/// Two inputs, two tanh units, one output, by hand.
void worked_example(Notebook& notebook) {
  const Tensor x = tensor({1.0, 0.5}), target = tensor(1.0);
  const Tensor w = tensor({{0.4, -0.4}, {0.7, 0.1}}), v = tensor({0.6, -0.3});
  const Tensor z = sum(w * x, {1}), h = tanh(z), y = sum(v * h), loss = 0.5 * square(y - target);
  const Tensors g = grad(loss, {w, v, h});
  eval(z, h, y, loss, g[0], g[1], g[2]);
  auto& values = notebook.values;
  const auto put = [&](const std::string& name, double value) { values[name] = fmt::format("{:.4f}", value); };
  const auto each = [&](const char* name, const Tensor& t) {
    const std::vector<double> all = t.to_vector<double>();
    for (std::size_t i = 0; i < all.size(); ++i) put(fmt::format("{}{}", name, i + 1), all[i]);
  };
  each("z", z);
  each("h", h);
  put("y", y.item<double>());
  put("loss", loss.item<double>());
  put("e", y.item<double>() - 1);
  each("gv", g[1]);
  each("gh", g[2]);
  each("gw", g[0]);
  each("gz", g[2] * (1 - square(h)));
  manual_seed(1);
  values["parameters"] = fmt::format("{}", nn::num_parameters(Net({.hidden = {32, 32}})));
}

}  // namespace

double difference_error(double h, std::uint64_t seed) {
  const SmallNet net(seed);
  const double exact = net.slope(), difference = (net.loss_at(h) - net.loss_at(-h)) / (2 * h);
  return std::max(std::abs(difference / exact - 1), 1e-17);
}

std::vector<double> taught(Teacher teacher, double rate, std::int64_t epochs, std::uint64_t seed) {
  manual_seed(seed);
  Net model({.hidden = {32, 32}});
  if (teacher == Teacher::last_layer) {
    for (std::size_t i = 0; i + 1 < model.layers.size(); ++i) {
      model.layers[i].weight.set_trainable(false);
      model.layers[i].bias.set_trainable(false);
    }
  }
  const auto optimizer = optim::make_optimizer("sgd", model, {{"lr", rate}});
  const data::Batch validation = whole(digits().validation);
  std::vector<double> accuracies;
  std::uint64_t step = 0;
  for (std::int64_t epoch = 0; epoch < epochs; ++epoch) {
    for (const auto& [inputs, labels] : data::loader(
             digits().train, {.batch_size = 32, .shuffle = true, .seed = seed, .epoch = epoch, .drop_last = true})) {
      const Tensor loss = cross_entropy(model(inputs), labels);
      if (teacher != Teacher::direction) {
        optimizer->minimize(loss);
        continue;
      }
      Net guess = gradients(loss, model);
      Tensor slope = tensor(0.f);
      Tensors directions;
      const Key key = Key{seed}.fold(++step);
      for (std::size_t i = 0; i < guess.layers.size(); ++i) {
        for (nn::Parameter* p : {&guess.layers[i].weight, &guess.layers[i].bias}) {
          directions.push_back(normal(p->shape(), {}, key.fold(directions.size())));
          slope = slope + sum(p->tensor() * directions.back());
        }
      }
      std::size_t next = 0;
      for (nn::Linear& layer : guess.layers)
        for (nn::Parameter* p : {&layer.weight, &layer.bias}) p->hold(slope * directions[next++]);
      optimizer->step(guess);
    }
    accuracies.push_back(accuracy(model, validation));
  }
  accuracies.push_back(accuracy(model, whole(digits().test)));
  return accuracies;
}

double checkpoint_difference(std::uint64_t seed) {
  manual_seed(seed);
  const Net model({.hidden = std::vector<std::int64_t>(12, 32), .activation = "tanh"});
  const auto gradient = [&](bool again) {
    Tensor x = flatten(some_digits().inputs, 1);
    for (std::size_t i = 0; i + 1 < model.layers.size(); ++i) {
      const auto layer = [&, i](const Tensor& in) { return tanh(model.layers[i](in)); };
      x = again ? checkpoint(layer, x) : layer(x);
    }
    return gradients(cross_entropy(model.layers.back()(x), some_digits().labels), model);
  };
  const Net kept = gradient(false), computed = gradient(true);
  double most = 0;
  for (std::size_t i = 0; i < kept.layers.size(); ++i)
    most = std::max<double>(
        most, max(abs(kept.layers[i].weight.tensor() - computed.layers[i].weight.tensor())).item<float>());
  return most;
}

void measure_backpropagation(Notebook& notebook, Effort effort) {
  worked_example(notebook);
  by_hand_figure(notebook);
  curvature_figure(notebook);
  differences_figure(notebook);
  teachers_figure(notebook, effort == Effort::quick ? 5 : 10);
  layers_figure(notebook);
}

}  // namespace gradus::book
