#include "gradus/book/regularisation/measure.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "gradus/base/error.h"
#include "gradus/engine/eval.h"
#include "gradus/insight/statistics.h"
#include "gradus/nn/gradients.h"
#include "gradus/nn/losses.h"
#include "gradus/nn/parameter.h"
#include "gradus/ops/ops.h"
#include "gradus/optim/sgd.h"

namespace gradus::book {
namespace {

using train::PlotSeries;

/// What becomes of a weight whose best value would be x, on inputs that are orthonormal.
void thresholds_figure(Notebook& notebook) {
  train::LinePlot plot{.title = "Weight with a penalty", .x_label = "weight without one", .series = {}};
  const Tensor x = linspace(-3.0, 3.0, 121, DType::f64);
  const struct {
    const char* name;
    Tensor y;
    bool reference;
  } rows[] = {{"none", x, true},
              {"L2, strength 1", x / 2, false},
              {"L1, strength 1", softshrink(x, 1), false},
              {"limit 1 (max-norm)", clamp(x, -1, 1), false}};
  for (const auto& row : rows) {
    PlotSeries line;
    line.name = row.name;
    line.x = x.to_vector<double>();
    line.y = row.y.to_vector<double>();
    line.dashed = row.reference;
    plot.series.push_back(line);
  }
  notebook.figures.push_back({"thresholds",
                              "One weight, and three ways to hold it back. L2 takes a share of every weight, L1 the "
                              "same amount from each and leaves "
                              "exact zeros, a limit touches the large ones only.",
                              plot});
}

/// Descent that stops, and ridge, axis by axis of the breast cancer problem.
void filter_figure(Notebook& notebook) {
  const LeastSquares& problem = least_squares();
  const double n = static_cast<double>(problem.inputs.shape()[0]);
  const Tensor hessian = matmul(transpose(problem.inputs, 0, 1), problem.inputs) / n;
  const auto axes = linalg::eigh(hessian);
  const Tensor solution = matmul(linalg::pinv(problem.inputs), problem.targets);
  const double rate = 1 / problem.steepest;
  constexpr int steps = 100;
  Weights model{zeros(solution.shape(), DType::f64)};
  optim::SGD optimizer(model, {.lr = rate});
  for (int i = 0; i < steps; ++i)
    optimizer.minimize(sum(square(matmul(problem.inputs, model.w) - problem.targets)) / (2 * n));
  const Tensor back = transpose(axes.vectors, 0, 1);
  const std::vector<double> kept = (matmul(back, model.w.tensor()) / matmul(back, solution)).to_vector<double>();
  const std::vector<double> curvature = axes.values.to_vector<double>();
  PlotSeries measured, stopping, ridge;
  measured.name = "descent, 100 steps";
  measured.points = true;
  stopping.name = "1 - (1 - rate c)^100";
  stopping.dashed = true;
  ridge.name = "ridge, c / (c + 1 / (100 rate))";
  double apart = 0, worst = 0;
  for (std::size_t i = 0; i < curvature.size(); ++i) {
    const double c = curvature[i], x = c;
    for (PlotSeries* line : {&measured, &stopping, &ridge}) line->x.push_back(x);
    measured.y.push_back(kept[i]);
    stopping.y.push_back(1 - std::pow(1 - rate * c, steps));
    ridge.y.push_back(c / (c + 1 / (steps * rate)));
    apart = std::max(apart, std::abs(stopping.y.back() - ridge.y.back()));
    worst = std::max(worst, std::abs(kept[i] - stopping.y.back()));
  }
  notebook.values["filter_apart"] = fmt::format("{:.2f}", apart);
  notebook.values["filter_error"] = fmt::format("{:.0e}", worst);
  train::LinePlot plot{.title = "Share of the solution", .x_label = "curvature", .series = {}, .log_x = true};
  plot.series = {measured, stopping, ridge};
  notebook.figures.push_back({"filter",
                              "Least squares on the breast cancer table, along each of its 30 axes. Where the data say "
                              "much, both keep everything; where "
                              "they say little, both keep little.",
                              plot});
}

void weights_figure(Notebook& notebook) {
  train::LinePlot plot{.title = "Weight", .x_label = "share of the weights, by size", .series = {}, .log_y = true};
  for (const char* name : {"nothing", "decoupled decay", "L2 in the loss", "L1, thresholded"}) {
    FitOptions options = free_fit(1);
    technique(name).apply(options);
    const Fit fitted = fit(options);
    std::vector<double> sizes = abs(fitted.net->layers[0].weight.tensor()).to_vector<double>();
    std::sort(sizes.begin(), sizes.end());
    PlotSeries line;
    line.name = name;
    const std::size_t stride = std::max<std::size_t>(1, sizes.size() / 200);
    for (std::size_t i = 0; i < sizes.size(); i += stride) {
      line.x.push_back(static_cast<double>(i) / static_cast<double>(sizes.size()));
      line.y.push_back(sizes[i]);
    }
    plot.series.push_back(line);
    if (std::string_view(name) == "L1, thresholded")
      notebook.values["zeros"] = fmt::format("{:.0f}", 100 * zeros(*fitted.net));
  }
  plot.y_range = {1e-6, 10.0};
  notebook.figures.push_back({"weights",
                              "The weights of the first layer in the order of their size, with true labels. The line "
                              "of L1 begins where its weights are no "
                              "longer exactly zero.",
                              plot});
}

void dropout_figure(Notebook& notebook) {
  train::LinePlot plot{.title = "Test accuracy", .x_label = "dropout", .series = {}};
  for (const bool misled : {false, true}) {
    PlotSeries line;
    line.name = misled ? "three tenths random" : "true labels";
    line.points = true;
    for (const double rate : {0.0, 0.2, 0.4, 0.6, 0.8, 0.9}) {
      FitOptions options = misled ? misled_fit(1) : free_fit(1);
      options.net.dropout = rate;
      line.x.push_back(rate);
      line.y.push_back(fit(options).test_accuracy);
    }
    plot.series.push_back(line);
  }
  notebook.figures.push_back(
      {"dropout", "300 digits, 256 hidden units. What dropout is worth depends on what there is to overfit to.", plot});
}

void slice_figure(Notebook& notebook) {
  train::LinePlot plot{.title = "Rise of the training loss", .x_label = "distance along the gradient", .series = {}};
  for (const char* name : {"nothing", "SAM"}) {
    FitOptions options = misled_fit(1);
    technique(name).apply(options);
    const Fit fitted = fit(options);
    PlotSeries line;
    line.name = name;
    line.points = true;
    for (int i = 0; i <= 10; ++i) {
      line.x.push_back(0.05 * i);
      line.y.push_back(rise(options, *fitted.net, 0.05 * i));
    }
    plot.series.push_back(line);
  }
  notebook.figures.push_back(
      {"slice",
       "The training loss around the weights at which the training ended, in the direction in which it rises most.",
       plot});
}

/// Every technique on true and on misleading labels: means over seeds, and the interval of the gain.
void comparison(Notebook& notebook, int seeds) {
  std::string table =
      fmt::format("{:<18}{:>10}{:>10}{:>10}   {}\n", "", "training", "true", "misled", "gain where misled");
  std::vector<double> before;
  for (const Technique& each : techniques()) {
    double training = 0, honest = 0, misled = 0;
    std::vector<double> gains;
    for (int seed = 1; seed <= seeds; ++seed) {
      FitOptions clean = free_fit(static_cast<std::uint64_t>(seed)),
                 wrong = misled_fit(static_cast<std::uint64_t>(seed));
      each.apply(clean);
      each.apply(wrong);
      const Fit fitted = fit(wrong);
      training += fitted.train_accuracy / seeds;
      misled += fitted.test_accuracy / seeds;
      honest += fit(clean).test_accuracy / seeds;
      if (before.size() < static_cast<std::size_t>(seeds)) {
        before.push_back(fitted.test_accuracy);
      } else {
        gains.push_back(fitted.test_accuracy - before[static_cast<std::size_t>(seed - 1)]);
      }
    }
    table += fmt::format("    {:<18}{:>10.3f}{:>10.3f}{:>10.3f}", each.name, training, honest, misled);
    if (!gains.empty()) {
      const insight::PairedTest test = insight::paired_t_test(gains);
      table += fmt::format("   {:+.3f} [{:+.3f}, {:+.3f}]", test.mean, test.interval.low, test.interval.high);
    }
    table += '\n';
  }
  table.pop_back();
  notebook.values["comparison"] = table;
  notebook.values["comparison_seeds"] = fmt::format("{}", seeds);
}

/// One weight, one example, five ways to hold it back.
void worked_example(Notebook& notebook) {
  const auto put = [&](const char* name, double value) { notebook.values[name] = fmt::format("{:.3f}", value); };
  for (const bool small : {false, true}) {
    const double y = small ? 0.3 : 1;
    const std::string tail = small ? "_small" : "";
    Weights model{zeros({1}, DType::f64)};
    optim::SGD optimizer(model, {.lr = 0.1});
    for (int i = 0; i < 11; ++i) optimizer.minimize(0.5 * sum(square(model.w - y)));
    put(("stopped" + tail).c_str(), model.w.tensor().item<double>());
    put(("l1" + tail).c_str(), softshrink(tensor(y), 0.5).item<double>());
    Weights decayed{zeros({1}, DType::f64)};
    optim::SGD decaying(decayed, {.lr = 0.1, .weight_decay = 0.5});
    for (int i = 0; i < 400; ++i) decaying.minimize(0.5 * sum(square(decayed.w - y)));
    put(("l2" + tail).c_str(), decayed.w.tensor().item<double>());
    Weights dropped{zeros({1}, DType::f64)};
    optim::SGD dropping(dropped, {.lr = 0.1});
    for (int i = 0; i < 400; ++i)  // kept with 2/3, and then times 3/2
      dropping.minimize(0.5 * sum(2.0 / 3 * square(1.5 * dropped.w - y) + 1.0 / 3 * (y * y)));
    put(("dropped" + tail).c_str(), dropped.w.tensor().item<double>());
  }
  put("smoothing_gap", std::log(91.0));
}

}  // namespace

FitOptions free_fit(std::uint64_t seed) {
  return {.optimizer = "adam",
          .settings = {{"lr", 0.003}},
          .net = {.hidden = {256}},
          .batch_size = 50,
          .epochs = 60,
          .seed = seed,
          .examples = 300};
}

FitOptions misled_fit(std::uint64_t seed) {
  FitOptions options = free_fit(seed);
  options.label_noise = 0.3;
  return options;
}

const std::vector<Technique>& techniques() {
  static const std::vector<Technique> all = {
      {"nothing", [](FitOptions&) {}},
      {"L2 in the loss", [](FitOptions& o) { o.l2 = 0.01; }},
      {"decoupled decay",
       [](FitOptions& o) {
         o.optimizer = "adamw";
         o.settings["weight_decay"] = 1;
       }},
      {"L1, thresholded",
       [](FitOptions& o) {
         o.l1 = 0.3;
         o.soft = true;
       }},
      {"max-norm", [](FitOptions& o) { o.max_norm = 0.5; }},
      {"dropout", [](FitOptions& o) { o.net.dropout = 0.5; }},
      {"label smoothing", [](FitOptions& o) { o.smoothing = 0.1; }},
      {"mixup", [](FitOptions& o) { o.mixup = 1; }},
      {"noise", [](FitOptions& o) { o.noise = 0.3; }},
      {"stopping early", [](FitOptions& o) { o.epochs = 10; }},
      {"SAM", [](FitOptions& o) { o.sam = 0.1; }},
      {"SWA", [](FitOptions& o) { o.average_from = 30; }},
  };
  return all;
}

const Technique& technique(std::string_view name) {
  for (const Technique& each : techniques())
    if (each.name == name) return each;
  GRADUS_ASSERT(false);
}

double zeros(const Net& net) {
  double none = 0, all = 0;
  for (const nn::Linear& layer : net.layers) {
    none += static_cast<double>(sum(equal(layer.weight.tensor(), 0)).item<std::int64_t>());
    all += static_cast<double>(layer.weight.numel());
  }
  return none / all;
}

double rise(const FitOptions& options, const Net& net, double radius) {
  const data::Batch batch = whole(training_set(options));
  Net model = net;
  const auto loss = [&] { return cross_entropy(model(batch.inputs), batch.labels); };
  const Tensor before = loss();
  const Net slope = gradients(before, model);
  Tensor squares;
  for (const nn::Parameter* each : nn::parameters(slope)) {
    const Tensor part = sum(square(each->tensor()));
    squares = squares.defined() ? squares + part : part;
  }
  eval(before, squares);
  const double scale = radius / std::max(1e-12, std::sqrt(squares.item<double>()));
  const std::vector<nn::Parameter*> weights = nn::parameters(model), slopes = nn::parameters(slope);
  for (std::size_t i = 0; i < weights.size(); ++i) *weights[i] = weights[i]->tensor() + scale * slopes[i]->tensor();
  return loss().item<double>() - before.item<double>();
}

void measure_regularisation(Notebook& notebook, Effort effort) {
  thresholds_figure(notebook);
  filter_figure(notebook);
  weights_figure(notebook);
  dropout_figure(notebook);
  slice_figure(notebook);
  comparison(notebook, effort == Effort::quick ? 3 : effort == Effort::standard ? 5 : 10);
  worked_example(notebook);
}

}  // namespace gradus::book
