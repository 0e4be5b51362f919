#include "gradus/classic/convolutional.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "gradus/base/error.h"
#include "gradus/classic/descent.h"
#include "gradus/nn/conv.h"
#include "gradus/nn/linear.h"
#include "gradus/nn/sequential.h"
#include "gradus/ops/ops.h"
#include "gradus/optim/adamw.h"

namespace gradus::classic {
namespace {

constexpr std::int64_t answered_at_once = 250;  ///< images, so that what lies between the layers stays small

nn::Sequential network_of(const ConvolutionalOptions& options, std::int64_t classes) {
  nn::Sequential net;
  std::int64_t in = options.channels;
  for (const std::int64_t out : {32, 64, 128}) {
    net.add(nn::Conv2d(in, out, 3, {.padding = 1})).add(nn::ReLU{}).add(nn::MaxPool2d{2});
    in = out;
  }
  net.add(nn::Flatten{}).add(nn::Linear(in * (options.height / 8) * (options.width / 8), 256, {.bias = false}));
  net.add(nn::ReLU{}).add(nn::Linear(256, 128, {.bias = false})).add(nn::ReLU{}).add(nn::Linear(128, classes));
  return net;
}

Tensor images_of(std::span<const float> x, std::int64_t rows, const ConvolutionalOptions& options) {
  return leaf<float>({rows, options.channels, options.height, options.width}, x);
}

Model learn_convolutional(const Sample& train, const ConvolutionalOptions& options, std::uint64_t seed) {
  detail::require_classes(train, "convolutional network");
  if (train.columns != options.channels * options.height * options.width) {
    throw Error(
        ErrorKind::value, "fit",
        fmt::format("examples have {} elements, and images of {} x {} x {} have {}", train.columns, options.channels,
                    options.height, options.width, options.channels * options.height * options.width))
        .context("convolutional network");
  }
  const detail::Stream stream(seed);
  const auto net = std::make_shared<nn::Sequential>(network_of(options, train.classes));
  const data::Dataset examples("training images", images_of(train.x, train.rows, options),
                               leaf<std::int64_t>({train.rows}, std::span<const std::int64_t>(train.labels)),
                               {.num_classes = train.classes});
  const std::int64_t batch = std::min(options.batch_size, train.rows), steps = (train.rows + batch - 1) / batch;
  optim::AdamW optimizer(*net, {.lr = options.lr, .weight_decay = options.weight_decay});
  detail::descend(
      optimizer, [&](const Tensor& x) { return (*net)(x); }, examples,
      {.epochs = std::max(options.epochs, (options.min_steps + steps - 1) / steps),
       .batch_size = batch,
       .lr = options.lr},
      seed);
  const std::int64_t parameters = nn::num_parameters(*net);
  return Model(
      train, 4 * parameters,
      [net, options](const Query& asked) {
        std::vector<double> out;
        for (std::int64_t begin = 0; begin < asked.rows; begin += answered_at_once) {
          const std::int64_t rows = std::min(answered_at_once, asked.rows - begin);
          const std::span<const float> part = asked.x.subspan(static_cast<std::size_t>(begin * asked.columns),
                                                              static_cast<std::size_t>(rows * asked.columns));
          const std::vector<double> found = softmax((*net)(images_of(part, rows, options)), 1).to_vector<double>();
          out.insert(out.end(), found.begin(), found.end());
        }
        return out;
      },
      parameters);
}

}  // namespace

Learner convolutional(const ConvolutionalOptions& options, SourceLocation where) {
  const bool positive = options.channels > 0 && options.epochs > 0 && options.min_steps >= 0 &&
                        options.batch_size > 0 && options.lr > 0 && options.weight_decay >= 0;
  if (!positive || options.height < 8 || options.width < 8) {
    throw Error(ErrorKind::value, "convolutional",
                fmt::format("images of {} x {} x {} must be 8 x 8 at least; epochs {}, batch_size {} and lr {} must be "
                            "positive, min_steps {} and weight_decay {} not negative",
                            options.channels, options.height, options.width, options.epochs, options.batch_size,
                            options.lr, options.min_steps, options.weight_decay))
        .at(where);
  }
  return {
      .name = "convolutional network",
      .settings = fmt::format("32-64-128, epochs {} and {} steps at least", options.epochs, options.min_steps),
      .learn = [options](const Sample& train, std::uint64_t seed) { return learn_convolutional(train, options, seed); },
      .network = true};
}

}  // namespace gradus::classic
