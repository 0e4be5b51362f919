#include "gradus/ops/conv.h"

#include <gtest/gtest.h>

#include <numeric>

#include "gradus/engine/eval.h"
#include "gradus/graph/node.h"
#include "gradus/ops/ops.h"
#include "gradus/transform/grad.h"

namespace gradus {
namespace {

constexpr SourceLocation here{"src/train.cpp", 57};

/// 1, 2, 3, ... in the given shape.
Tensor counted(const Shape& shape) {
  std::vector<float> numbers(static_cast<std::size_t>(shape.numel()));
  std::iota(numbers.begin(), numbers.end(), 1.f);
  return leaf<float>(shape, std::span<const float>(numbers));
}

/// The message of conv2d for images and weights called conv1.weight.
std::string message_of(const Tensor& x, const Shape& weight_shape, const Conv2dOptions& options = {},
                       const Tensor& bias = {}) {
  const Tensor weight = counted(weight_shape);
  weight.node()->label = intern("conv1.weight");
  try {
    conv2d(x, weight, bias, options, here);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

Shape conv_shape(const Shape& x, const Shape& weight, const Conv2dOptions& options = {}) {
  return conv2d(counted(x), counted(weight), Tensor(), options).shape();
}

TEST(Conv2d, Shapes) {
  EXPECT_EQ(conv_shape({64, 1, 28, 28}, {6, 1, 5, 5}, {.padding = 2}), (Shape{64, 6, 28, 28}));
  EXPECT_EQ(conv_shape({64, 6, 14, 14}, {16, 6, 5, 5}), (Shape{64, 16, 10, 10}));
  EXPECT_EQ(conv_shape({2, 3, 9, 8}, {4, 3, 3, 2}, {.stride = {2, 3}}), (Shape{2, 4, 4, 3}));
  EXPECT_EQ(conv_shape({2, 3, 9, 9}, {4, 3, 3, 3}, {.dilation = {2, 4}}), (Shape{2, 4, 5, 1}));
  EXPECT_EQ(conv_shape({2, 6, 5, 5}, {9, 2, 1, 1}, {.groups = 3}), (Shape{2, 9, 5, 5}));
  EXPECT_EQ(conv_shape({0, 1, 5, 5}, {2, 1, 3, 3}), (Shape{0, 2, 3, 3}));
}

TEST(Conv2d, Values) {
  const Tensor x = counted({1, 1, 3, 3}), weight = tensor({1.f, 10.f, 100.f, 1000.f}), bias = tensor({0.5f});
  const Tensor y = conv2d(x, reshape(weight, {1, 1, 2, 2}), bias);
  EXPECT_EQ(y.to_vector<float>(), (std::vector<float>{5421.5f, 6532.5f, 8754.5f, 9865.5f}));
}

TEST(Conv2d, GradientsOfAKnownConvolution) {
  const Tensor x = counted({1, 1, 3, 3}), weight = reshape(tensor({1.f, 10.f, 100.f, 1000.f}), {1, 1, 2, 2});
  const Tensor w = leaf<float>({1, 1, 2, 2}, weight.to_vector<float>());
  const Tensors g = grad(sum(conv2d(x, w)), {x, w});
  EXPECT_EQ(g[0].to_vector<float>(), (std::vector<float>{1, 11, 10, 101, 1111, 1010, 100, 1100, 1000}));
  EXPECT_EQ(g[1].to_vector<float>(), (std::vector<float>{12, 16, 24, 28}));
}

TEST(Conv2d, WrongChannels) {
  EXPECT_EQ(message_of(counted({64, 3, 28, 28}), {6, 1, 5, 5}),
            "shape error in conv2d (conv1: 1 -> 6, 5 x 5), called at train.cpp:57\n"
            "  input   f32 [64, 3, 28, 28]   axis 1 is 3, expected 1\n"
            "  weight  f32 [6, 1, 5, 5]");
  EXPECT_EQ(message_of(counted({8, 32, 32, 3}), {6, 3, 5, 5}),
            "shape error in conv2d (conv1: 3 -> 6, 5 x 5), called at train.cpp:57\n"
            "  input   f32 [8, 32, 32, 3]   axis 1 is 32, expected 3\n"
            "  weight  f32 [6, 3, 5, 5]\n"
            "  hint: channels come before height and width: permute(input, {0, 3, 1, 2})");
  EXPECT_EQ(message_of(counted({1, 5, 4, 4}), {6, 2, 1, 1}, {.groups = 2}),
            "shape error in conv2d (conv1: 4 -> 6, 1 x 1), called at train.cpp:57\n"
            "  input   f32 [1, 5, 4, 4]   axis 1 is 5, expected 4\n"
            "  weight  f32 [6, 2, 1, 1]   2 groups");
  EXPECT_EQ(message_of(counted({1, 4, 4, 4}), {5, 2, 1, 1}, {.groups = 2}),
            "shape error in conv2d (conv1: 4 -> 5, 1 x 1), called at train.cpp:57\n"
            "  input   f32 [1, 4, 4, 4]\n"
            "  weight  f32 [5, 2, 1, 1]   axis 0 is 5, expected a multiple of 2 groups");
}

TEST(Conv2d, WrongRankSizeAndType) {
  EXPECT_EQ(message_of(counted({1, 28, 28}), {6, 1, 5, 5}),
            "shape error in conv2d (conv1: 1 -> 6, 5 x 5), called at train.cpp:57\n"
            "  input   f32 [1, 28, 28]   expected 4 axes: (n, c, h, w)\n"
            "  weight  f32 [6, 1, 5, 5]\n"
            "  hint: unsqueeze(input, 0) makes a batch of one image");
  EXPECT_EQ(message_of(relu(counted({1, 1, 4, 9})), {6, 1, 3, 3}, {.padding = {1, 0}, .dilation = 3}),
            "shape error in conv2d (conv1: 1 -> 6, 3 x 3), called at train.cpp:57: the kernel is larger than the "
            "padded input\n"
            "  input   f32 [1, 1, 4, 9]   axis 2 is 4, 6 with padding\n"
            "  weight  f32 [6, 1, 3, 3]   axis 2 is 3, 7 with dilation\n"
            "  operand 0 comes from relu of f32 [1, 1, 4, 9]");
  EXPECT_EQ(message_of(leaf<std::uint8_t>({1, 1, 2, 2}, std::vector<std::uint8_t>(4)), {6, 1, 1, 1}),
            "dtype error in conv2d (conv1: 1 -> 6, 1 x 1), called at train.cpp:57\n"
            "  input   u8 [1, 1, 2, 2]   expected f32\n"
            "  weight  f32 [6, 1, 1, 1]\n"
            "  hint: convert it: cast(input, DType::f32)");
  EXPECT_EQ(message_of(counted({1, 1, 4, 4}), {6, 1, 3, 3}, {}, counted({5})),
            "shape error in conv2d (conv1: 1 -> 6, 3 x 3), called at train.cpp:57\n"
            "  input   f32 [1, 1, 4, 4]\n"
            "  weight  f32 [6, 1, 3, 3]\n"
            "  bias    f32 [5]   expected [6]");
}

TEST(Conv2d, OptionsOutOfRange) {
  const Tensor x = counted({1, 1, 4, 4});
  EXPECT_EQ(message_of(x, {6, 1, 3, 3}, {.stride = {1, 0}}),
            "value error in conv2d (conv1: 1 -> 6, 3 x 3), called at train.cpp:57\n"
            "  stride  1 x 0, expected 1 or more");
  EXPECT_EQ(message_of(x, {6, 1, 3, 3}, {.padding = -1}),
            "value error in conv2d (conv1: 1 -> 6, 3 x 3), called at train.cpp:57\n"
            "  padding  -1 x -1, expected 0 or more");
  EXPECT_EQ(message_of(x, {6, 1, 3, 3}, {.dilation = 0}),
            "value error in conv2d (conv1: 1 -> 6, 3 x 3), called at train.cpp:57\n"
            "  dilation  0 x 0, expected 1 or more");
  EXPECT_EQ(message_of(x, {6, 1, 3, 3}, {.groups = 0}),
            "value error in conv2d (conv1: 0 -> 6, 3 x 3), called at train.cpp:57\n"
            "  groups  0, expected 1 or more");
}

TEST(Conv2d, GradientsRefuseACotangentOfAnotherShape) {
  const TensorSpec weight{DType::f32, {2, 1, 3, 3}}, x{DType::f32, {1, 1, 5, 5}}, wrong{DType::f32, {1, 2, 4, 3}};
  const TensorSpec for_input[] = {wrong, weight}, for_weight[] = {x, wrong};
  EXPECT_THROW((Conv2dInputGradient{{}, x.shape}.infer(for_input)), Error);
  EXPECT_THROW((Conv2dWeightGradient{{}, weight.shape}.infer(for_weight)), Error);
}

}  // namespace
}  // namespace gradus
