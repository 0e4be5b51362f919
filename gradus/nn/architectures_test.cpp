// Whole models as plain structs: their numbers of parameters, and a parameter that is used twice.
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <vector>

#include "gradus/engine/eval.h"
#include "gradus/nn/conv.h"
#include "gradus/nn/gradients.h"
#include "gradus/nn/layers/norm.h"
#include "gradus/nn/linear.h"
#include "gradus/nn/sequential.h"
#include "gradus/nn/state_dict.h"
#include "gradus/ops/ops.h"

namespace gradus {
namespace {

/// A residual block of CIFAR networks (He et al., 2016) whose shortcut is free of parameters: option A.
struct Block {
  nn::Conv2d conv1, conv2;
  nn::BatchNorm2d norm1, norm2;
  std::int64_t in, out;
  static constexpr int field_count = 6;

  Block(std::int64_t in_channels, std::int64_t out_channels)
      : conv1(in_channels, out_channels, 3,
              {.stride = in_channels == out_channels ? 1 : 2, .padding = 1, .bias = false}),
        conv2(out_channels, out_channels, 3, {.padding = 1, .bias = false}),
        norm1(out_channels),
        norm2(out_channels),
        in(in_channels),
        out(out_channels) {}
  Tensor operator()(const Tensor& x) {
    const Tensor branch = norm2(conv2(relu(norm1(conv1(x)))));
    if (in == out) return relu(branch + x);
    const std::int64_t more = (out - in) / 2;
    return relu(branch + pad(avg_pool2d(x, 1, {.stride = 2}), {{0, 0}, {more, more}, {0, 0}, {0, 0}}));
  }
};

struct ResNet20 {
  nn::Conv2d conv{3, 16, 3, {.padding = 1, .bias = false}};
  nn::BatchNorm2d norm{16};
  std::vector<Block> blocks;
  nn::Linear fc{64, 10};
  static constexpr int field_count = 4;

  ResNet20() {
    std::int64_t in = 16;
    for (const std::int64_t out : {16, 16, 16, 32, 32, 32, 64, 64, 64}) {
      blocks.emplace_back(in, out);
      in = out;
    }
  }
  Tensor operator()(const Tensor& x) {
    Tensor y = relu(norm(conv(x)));
    for (Block& block : blocks) y = block(y);
    return fc(nn::GlobalAvgPool{}(y));
  }
};

/// The convolutional network of the learning curves on Fashion-MNIST.
nn::Sequential small_cnn() {
  nn::Sequential net;
  std::int64_t in = 1;
  for (const std::int64_t out : {32, 64, 128}) {
    net.add(nn::Conv2d(in, out, 3, {.padding = 1})).add(nn::ReLU{}).add(nn::MaxPool2d{2});
    in = out;
  }
  net.add(nn::Flatten{}).add(nn::Linear(1152, 256, {.bias = false})).add(nn::ReLU{});
  net.add(nn::Linear(256, 128, {.bias = false})).add(nn::ReLU{}).add(nn::Linear(128, 10));
  return net;
}

TEST(Architectures, HaveTheNumbersOfParametersOfTheLiterature) {
  EXPECT_EQ(nn::num_parameters(nn::Sequential{nn::Linear(784, 256), nn::ReLU{}, nn::Linear(256, 10)}), 203530);
  nn::Sequential cnn = small_cnn();
  EXPECT_EQ(nn::num_parameters(cnn), 421642);
  EXPECT_EQ(cnn(zeros({2, 1, 28, 28})).shape(), (Shape{2, 10}));
  ResNet20 model;
  EXPECT_EQ(nn::num_parameters(model), 269722);
  EXPECT_EQ(model(zeros({2, 3, 32, 32})).shape(), (Shape{2, 10}));
}

TEST(Architectures, ExclusiveOrNeedsAHiddenLayer) {
  const Tensor x = tensor({{0.f, 0.f}, {0.f, 1.f}, {1.f, 0.f}, {1.f, 1.f}});
  const std::vector<float> wanted{0, 1, 1, 0};
  const auto right = [&](const Tensor& logits) {
    const std::vector<float> found = flatten(cast(greater(logits, 0), DType::f32)).to_vector<float>();
    return std::inner_product(found.begin(), found.end(), wanted.begin(), 0, std::plus<>(),
                              [](float a, float b) { return a == b ? 1 : 0; });
  };
  int best = 0;  // of all linear models on a grid, which reaches every way to part the four corners by a line
  nn::Linear linear(2, 1);
  for (float a = -1; a <= 1; a += 0.5f) {
    for (float b = -1; b <= 1; b += 0.5f) {
      for (float bias = -1.25; bias <= 1.5f; bias += 0.5f) {
        linear.weight = tensor({{a, b}});
        linear.bias = tensor({bias});
        best = std::max(best, right(linear(x)));
      }
    }
  }
  EXPECT_EQ(best, 3);
  nn::Sequential net{nn::Linear(2, 2), nn::ReLU{}, nn::Linear(2, 1)};
  nn::load_state_dict(net, {{"0.weight", tensor({{1.f, 1.f}, {1.f, 1.f}})},
                            {"0.bias", tensor({0.f, -1.f})},
                            {"2.weight", tensor({{1.f, -2.f}})},
                            {"2.bias", tensor({-0.5f})}});
  EXPECT_EQ(right(net(x)), 4);
}

/// One hidden layer of `width` units that is a polygon through sin at width + 1 places of [0, 2 pi]: its largest error.
double error_on_sine(int width) {
  const double step = 2 * std::acos(-1.0) / width;
  std::vector<double> bias, slope;
  for (int i = 0; i < width; ++i) {
    bias.push_back(-step * i);
    const double to = (std::sin(step * (i + 1)) - std::sin(step * i)) / step;
    const double from = i == 0 ? 0 : (std::sin(step * i) - std::sin(step * (i - 1))) / step;
    slope.push_back(to - from);
  }
  const Tensor x = linspace(0, 2 * std::acos(-1.0), 4001, DType::f64);
  const Tensor hidden = relu(linear(unsqueeze(x, 1), ones({width, 1}, DType::f64), from_span(bias)));
  return max(abs(matmul(hidden, from_span(slope)) - sin(x))).item<double>();
}

TEST(Architectures, ReluNetsApproximateAsTheSquareOfTheirWidth) {
  // Interpolation: at most (b - a)^2 max|f''| / (8 m^2), which is reached where |f''| is largest.
  const double bound = std::pow(2 * std::acos(-1.0), 2) / 8;
  for (const int width : {8, 16, 32, 64}) {
    const double share = error_on_sine(width) * width * width / bound;
    EXPECT_LE(share, 1 + 1e-9) << width;
    EXPECT_GT(share, 0.9) << width;
  }
}

TEST(Architectures, AParameterUsedTwiceGetsBothGradients) {
  struct Model {
    nn::Parameter weight{tensor({3.f})};
  } model;
  const Tensor x = tensor({2.f});
  const Tensor y = model.weight * x + model.weight * model.weight;
  EXPECT_EQ(nn::num_parameters(model), 1);
  EXPECT_EQ(gradients(sum(y), model).weight.tensor().to_vector<float>(), (std::vector<float>{8}));
}

}  // namespace
}  // namespace gradus
