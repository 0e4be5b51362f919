#include "gradus/book/lab.h"

#include <fmt/format.h>

#include <cmath>
#include <memory>
#include <numeric>
#include <span>

#include "gradus/base/error.h"
#include "gradus/base/random.h"
#include "gradus/data/embedded/embedded.h"
#include "gradus/data/loader.h"
#include "gradus/engine/eval.h"
#include "gradus/io/atomic_file.h"
#include "gradus/nn/init.h"
#include "gradus/nn/losses.h"
#include "gradus/nn/mode.h"
#include "gradus/nn/regularise/mixup.h"
#include "gradus/nn/regularise/penalty.h"
#include "gradus/ops/ops.h"
#include "gradus/optim/averaging.h"
#include "gradus/optim/registry.h"
#include "gradus/optim/schedule.h"
#include "gradus/optim/wrappers/sam.h"

namespace gradus::book {
namespace {

constexpr double ridge = 0.01;

LeastSquares make_least_squares() {
  const data::Batch raw = whole(data::breast_cancer(data::Split::train));
  const Tensor x = cast(raw.inputs, DType::f64);
  LeastSquares problem;
  problem.inputs = (x - mean(x, {0}, {.keepdim = true})) / stddev(x, {0}, {.keepdim = true});
  problem.targets = unsqueeze(cast(raw.labels, DType::f64) * 2 - 1, 1);
  const double n = static_cast<double>(x.shape()[0]);
  const Tensor hessian =
      matmul(transpose(problem.inputs, 0, 1), problem.inputs) / n + ridge * eye(x.shape()[1], DType::f64);
  problem.optimum = linalg::solve(hessian, matmul(transpose(problem.inputs, 0, 1), problem.targets) / n);
  const std::vector<double> curvatures = linalg::eigh(hessian).values.to_vector<double>();
  problem.flattest = curvatures.front();
  problem.steepest = curvatures.back();
  eval(problem.inputs, problem.targets, problem.optimum);
  return problem;
}

}  // namespace

Tensor start_of(Start start, const Shape& shape) {
  switch (start) {
    case Start::pytorch:
    case Start::alike: break;
    case Start::xavier: return nn::init::xavier_normal(shape);
    case Start::he: return nn::init::kaiming_normal(shape, {.nonlinearity = nn::init::Nonlinearity::relu});
    case Start::lecun: return nn::init::kaiming_normal(shape, {.nonlinearity = nn::init::Nonlinearity::linear});
    case Start::zero: return zeros(shape);
  }
  GRADUS_ASSERT(false);
}

const Digits& digits() {
  static const Digits parts = [] {
    const data::TrainValidation both = data::split(data::digits(data::Split::train), 200, 0);
    return Digits{both.train, both.validation, data::digits(data::Split::test)};
  }();
  return parts;
}

std::string data_checksums() {
  std::string text;
  for (const data::Dataset& set : {data::digits(), data::breast_cancer()}) {
    const data::Batch all = whole(set);
    const std::uint32_t examples = io::crc32(std::as_bytes(all.inputs.data<float>()));
    text += fmt::format("{}{} {:08x}", text.empty() ? "" : ", ", set.name(),
                        io::crc32(std::as_bytes(all.labels.data<std::int64_t>()), examples));
  }
  return text;
}

data::Batch whole(const data::Dataset& dataset) {
  std::vector<std::int64_t> rows(static_cast<std::size_t>(dataset.size()));
  std::iota(rows.begin(), rows.end(), std::int64_t{0});
  return dataset.batch(rows);
}

Net::Net(const NetOptions& options, std::int64_t inputs)
    : activation(options.activation == "none" ? nullptr : models::activation(options.activation)),
      residual(options.residual) {
  if (options.dropout > 0) dropout = nn::Dropout{options.dropout};
  std::int64_t from = inputs;
  for (const std::int64_t width : options.hidden) {
    layers.emplace_back(from, width);
    if (options.norm == Norm::batch) batch_norms.emplace_back(width);
    if (options.norm == Norm::layer) layer_norms.emplace_back(width);
    from = width;
  }
  layers.emplace_back(from, 10);
  if (options.start == Start::pytorch) return;
  if (options.start == Start::alike) {
    for (std::size_t i = 0; i < layers.size(); ++i) {
      nn::Parameter &weight = layers[i].weight, &bias = layers[i].bias;
      if (i > 0) weight = slice(weight, 1, 0, 1) + zeros(weight.shape());
      if (i + 1 == layers.size()) break;
      weight = slice(weight, 0, 0, 1) + zeros(weight.shape());
      bias = slice(bias, 0, 0, 1) + zeros(bias.shape());
    }
    return;
  }
  for (nn::Linear& layer : layers) {
    layer.weight = start_of(options.start, layer.weight.shape());
    layer.bias = zeros(layer.bias.shape());
  }
}

Tensor Net::operator()(const Tensor& examples) {
  Tensor x = flatten(examples, 1);
  for (std::size_t i = 0; i + 1 < layers.size(); ++i) {
    Tensor y = layers[i](x);
    if (!batch_norms.empty()) y = batch_norms[i](y);
    if (!layer_norms.empty()) y = layer_norms[i](y);
    if (activation != nullptr) y = activation(y);
    if (dropout) y = (*dropout)(y);
    x = residual && y.shape() == x.shape() ? x + y : y;
  }
  return layers.back()(x);
}

double accuracy(Net& model, const data::Batch& examples) {
  return mean(cast(equal(argmax(model(examples.inputs), 1), examples.labels), DType::f32)).item<float>();
}

data::Dataset training_set(const FitOptions& options) {
  data::Dataset train = digits().train;
  if (options.examples > 0) {
    std::vector<std::int64_t> rows(static_cast<std::size_t>(options.examples));
    std::iota(rows.begin(), rows.end(), std::int64_t{0});
    train = train.subset(rows);
  }
  if (options.label_noise <= 0) return train;
  std::vector<std::int64_t> labels = train.labels().to_vector<std::int64_t>();
  std::vector<double> draws(2 * labels.size());
  fill_uniform(std::span<double>(draws), Key{options.seed}.fold(7), 0, 1);
  for (std::size_t i = 0; i < labels.size(); ++i)
    if (draws[2 * i] < options.label_noise) labels[i] = static_cast<std::int64_t>(10 * draws[2 * i + 1]);
  return {train.name(), train.examples(), leaf<std::int64_t>({train.size()}, std::span<const std::int64_t>(labels)),
          train.options()};
}

namespace {

double loss_of(Net& model, const data::Batch& examples) {
  return cross_entropy(model(examples.inputs), examples.labels).item<float>();
}

/// A batch as training sees it: noisy, or mixed.
data::Batch disturbed(data::Batch batch, const FitOptions& options) {
  if (options.noise > 0) batch.inputs = batch.inputs + options.noise * randn_like(batch.inputs);
  if (options.mixup <= 0) return batch;
  const Mixed mixed = mixup(batch.inputs, batch.labels, 10, {.alpha = options.mixup});
  return {mixed.inputs, mixed.targets};
}

/// What is done to the weights after a step.
void constrain(Net& model, double lr, const FitOptions& options) {
  if (options.max_norm > 0) nn::clip_max_norm(model, options.max_norm);
  if (!options.soft) return;
  Tensors thresholded;
  for (nn::Linear& layer : model.layers) {
    layer.weight = softshrink(layer.weight, lr * options.l1);
    thresholded.push_back(layer.weight);
  }
  eval(thresholded);
}

/// One step; returns the loss.
double take_step(Net& model, optim::Optimizer& optimizer, const data::Batch& raw, const FitOptions& options) {
  const data::Batch batch = disturbed(raw, options);
  const auto loss_now = [&] {
    Tensor loss = cross_entropy(model(batch.inputs), batch.labels, {.label_smoothing = options.smoothing});
    if (options.l1 > 0 && !options.soft) loss = loss + options.l1 * nn::l1_penalty(model);
    if (options.l2 > 0) loss = loss + options.l2 * nn::l2_penalty(model);
    return loss;
  };
  Tensor loss;
  if (options.sam > 0) {
    loss = optim::SAM(optimizer, {.rho = options.sam}).minimize(loss_now);
  } else {
    loss = loss_now();
    optimizer.minimize(loss);
  }
  constrain(model, optimizer.lr(), options);
  return loss.item<float>();
}

}  // namespace

Fit fit(const FitOptions& options) {
  manual_seed(options.seed);
  const data::Dataset train = training_set(options);
  static const data::Batch validation = whole(digits().validation), test = whole(digits().test);
  Net model(options.net);
  const std::unique_ptr<optim::Optimizer> optimizer = optim::make_optimizer(options.optimizer, model, options.settings);
  const std::int64_t batch = options.batch_size == 0 ? train.size() : options.batch_size;
  const std::int64_t steps = train.size() / batch;
  const optim::CosineSchedule cosine{.base = optimizer->lr(), .total = steps * options.epochs};
  optim::AveragedModel<Net> average(model);
  Fit result;
  for (std::int64_t epoch = 0, step = 0; epoch < options.epochs; ++epoch) {
    double sum = 0;
    nn::train(model);
    for (const data::Batch& examples : data::loader(
             train, {.batch_size = batch, .shuffle = true, .seed = options.seed, .epoch = epoch, .drop_last = true})) {
      if (options.cosine) optimizer->set_lr(cosine.lr(step));
      sum += take_step(model, *optimizer, examples, options);
      ++step;
    }
    nn::eval_mode(model);
    if (options.average_from > 0 && epoch + 1 >= options.average_from) average.update(model);
    result.loss.push_back(std::isfinite(sum) ? sum / static_cast<double>(steps) : INFINITY);
    result.accuracy.push_back(accuracy(model, validation));
    if (options.watch) {
      result.validation_losses.push_back(loss_of(model, validation));
      result.test_losses.push_back(loss_of(model, test));
    }
    if (!std::isfinite(sum)) break;
  }
  if (average.n_averaged() > 0) model = average.model();
  nn::eval_mode(model);
  result.train_accuracy = accuracy(model, whole(train));
  result.test_accuracy = accuracy(model, test);
  result.train_loss = loss_of(model, whole(train));
  result.test_loss = loss_of(model, test);
  result.net = std::move(model);
  return result;
}

Fit best_fit(FitOptions options, const std::vector<double>& rates) {
  Fit best;
  for (const double rate : rates) {
    options.settings["lr"] = rate;
    const Fit next = fit(options);
    if (best.loss.empty() || next.accuracy.back() > best.accuracy.back() ||
        (next.accuracy.back() == best.accuracy.back() && next.loss.back() < best.loss.back()))
      best = next;
  }
  return best;
}

Tensor LeastSquares::loss(const Tensor& weights) const {
  const double n = static_cast<double>(inputs.shape()[0]);
  return sum(square(matmul(inputs, weights) - targets)) / (2 * n) + ridge / 2 * sum(square(weights));
}

Tensor LeastSquares::start(std::uint64_t seed) const {
  return normal(optimum.shape(), {.dtype = DType::f64}, Key{seed});
}

const LeastSquares& least_squares() {
  static const LeastSquares problem = make_least_squares();
  return problem;
}

Path descend(const LeastSquares& problem, std::uint64_t seed, const std::map<std::string, double>& sgd,
             std::int64_t steps, double goal) {
  Weights model{problem.start(seed)};
  const auto optimizer = optim::make_optimizer("sgd", model, sgd);
  const auto distance = [&] { return std::sqrt(sum(square(model.w - problem.optimum)).item<double>()); };
  const double first = distance();
  Path path{{1.0}};
  while (path.steps() < steps && path.distance.back() > goal && path.distance.back() < 1e12) {
    optimizer->minimize(problem.loss(model.w));
    path.distance.push_back(distance() / first);
  }
  return path;
}

}  // namespace gradus::book
