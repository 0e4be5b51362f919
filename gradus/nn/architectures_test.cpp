// Whole models as plain structs: their numbers of parameters, and a parameter that is used twice.
#include <gtest/gtest.h>

#include <vector>

#include "gradus/engine/eval.h"
#include "gradus/nn/conv.h"
#include "gradus/nn/gradients.h"
#include "gradus/nn/layers/norm.h"
#include "gradus/nn/linear.h"
#include "gradus/nn/sequential.h"
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

TEST(Architectures, HaveTheNumbersOfParametersOfTheLiterature) {
  EXPECT_EQ(nn::num_parameters(nn::Sequential{nn::Linear(784, 256), nn::ReLU{}, nn::Linear(256, 10)}), 203530);
  ResNet20 model;
  EXPECT_EQ(nn::num_parameters(model), 269722);
  EXPECT_EQ(model(zeros({2, 3, 32, 32})).shape(), (Shape{2, 10}));
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
