#include "gradus/classic/perceptron.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "gradus/base/error.h"
#include "gradus/classic/descent.h"
#include "gradus/engine/eval.h"
#include "gradus/models/mlp.h"
#include "gradus/ops/ops.h"
#include "gradus/optim/adamw.h"

namespace gradus::classic {
namespace {

struct Target {
  double mean = 0, deviation = 1;

  explicit Target(const std::vector<double>& numbers) {
    if (numbers.empty()) return;
    double squares = 0;
    for (const double y : numbers) mean += y / static_cast<double>(numbers.size());
    for (const double y : numbers) squares += (y - mean) * (y - mean);
    if (squares > 0) deviation = std::sqrt(squares / static_cast<double>(numbers.size()));
  }
};

data::Dataset dataset_of(const Sample& train, const Target& target) {
  const Tensor x = leaf<float>({train.rows, train.columns}, std::span<const float>(train.x));
  if (train.classes > 0)
    return {"training examples",
            x,
            leaf<std::int64_t>({train.rows}, std::span<const std::int64_t>(train.labels)),
            {.num_classes = train.classes}};
  std::vector<float> y;
  for (const double number : train.targets) y.push_back(static_cast<float>((number - target.mean) / target.deviation));
  return {"training examples", x, leaf<float>({train.rows}, std::span<const float>(y))};
}

Model learn_perceptron(const Sample& train, const PerceptronOptions& options, std::uint64_t seed) {
  const detail::Stream stream(seed);
  const Target target(train.targets);
  const auto model = std::make_shared<models::Mlp>(models::MlpSettings{
      .inputs = train.columns, .hidden = options.hidden, .outputs = std::max<std::int64_t>(train.classes, 1)});
  optim::AdamW optimizer(*model, {.lr = options.lr, .weight_decay = options.weight_decay});
  detail::descend(
      optimizer, [&](const Tensor& x) { return (*model)(x); }, dataset_of(train, target),
      {.epochs = options.epochs, .batch_size = options.batch_size, .lr = options.lr}, seed);
  std::int64_t parameters = 0;
  for (const nn::Linear& layer : model->layers) parameters += layer.weight.numel() + layer.bias.numel();
  const auto answer = [model, target, classes = train.classes](const Query& asked) {
    const Tensor y = (*model)(leaf<float>({asked.rows, asked.columns}, asked.x));
    std::vector<double> out = (classes > 0 ? softmax(y, 1) : y).to_vector<double>();
    if (classes == 0)
      for (double& number : out) number = target.mean + target.deviation * number;
    return out;
  };
  return Model(train, 4 * parameters, answer, parameters);
}

}  // namespace

Learner perceptron(const PerceptronOptions& options, SourceLocation where) {
  const bool widths = std::all_of(options.hidden.begin(), options.hidden.end(), [](std::int64_t w) { return w > 0; });
  if (!widths || options.epochs < 1 || options.batch_size < 1 || !(options.lr > 0) || !(options.weight_decay >= 0)) {
    throw Error(ErrorKind::value, "perceptron",
                fmt::format("hidden [{}], epochs {}, batch_size {} and lr {} must be positive, weight_decay {} not "
                            "negative",
                            fmt::join(options.hidden, ", "), options.epochs, options.batch_size, options.lr,
                            options.weight_decay))
        .at(where);
  }
  return {
      .name = "neural network",
      .settings = fmt::format("hidden {}, epochs {}, decay {:g}", fmt::join(options.hidden, "-"), options.epochs,
                              options.weight_decay),
      .learn = [options](const Sample& train, std::uint64_t seed) { return learn_perceptron(train, options, seed); },
      .network = true};
}

}  // namespace gradus::classic
