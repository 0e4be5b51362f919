#include "gradus/ops/pooling/pool.h"

#include <gtest/gtest.h>

#include <numeric>

#include "gradus/engine/eval.h"
#include "gradus/graph/node.h"
#include "gradus/ops/ops.h"
#include "gradus/transform/grad.h"

namespace gradus {
namespace {

/// 1, 2, 3, ... in the given shape.
Tensor counted(const Shape& shape) {
  std::vector<float> numbers(static_cast<std::size_t>(shape.numel()));
  std::iota(numbers.begin(), numbers.end(), 1.f);
  return leaf<float>(shape, std::span<const float>(numbers));
}

std::string max_message(const Tensor& x, Size2 kernel, const MaxPool2dOptions& options = {}) {
  try {
    max_pool2d(TensorArg(x, SourceLocation{"src/train.cpp", 57}), kernel, options);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(MaxPool2d, Shapes) {
  const Tensor x = counted({2, 3, 28, 27});
  EXPECT_EQ(max_pool2d(x, 2).shape(), (Shape{2, 3, 14, 13}));
  EXPECT_EQ(max_pool2d(x, {3, 2}).shape(), (Shape{2, 3, 9, 13}));
  EXPECT_EQ(max_pool2d(x, 3, {.stride = 2, .padding = 1}).shape(), (Shape{2, 3, 14, 14}));
  EXPECT_EQ(max_pool2d(x, 3, {.stride = {1, 2}}).shape(), (Shape{2, 3, 26, 13}));
  EXPECT_EQ(max_pool2d(counted({0, 3, 4, 4}), 2).shape(), (Shape{0, 3, 2, 2}));
}

TEST(MaxPool2d, ValuesAndGradients) {
  const Tensor x = leaf<float>({1, 1, 2, 4}, std::vector<float>{1, 5, 2, 2, 3, 4, 0, -1});
  const Tensor y = max_pool2d(x, 2);
  const Tensor g = grad(sum(y * tensor({10.f, 20.f})), {x})[0];
  EXPECT_EQ(y.to_vector<float>(), (std::vector<float>{5, 2}));
  EXPECT_EQ(g.to_vector<float>(), (std::vector<float>{0, 10, 20, 0, 0, 0, 0, 0}));  // the first of the two 2s
}

TEST(AvgPool2d, ValuesAndGradients) {
  const Tensor x = counted({1, 1, 2, 4});
  const Tensor y = avg_pool2d(x, 2);
  const Tensor g = grad(sum(y * tensor({4.f, 8.f})), {x})[0];
  EXPECT_EQ(y.to_vector<float>(), (std::vector<float>{3.5, 5.5}));
  EXPECT_EQ(g.to_vector<float>(), (std::vector<float>{1, 1, 2, 2, 1, 1, 2, 2}));
  EXPECT_EQ(avg_pool2d(counted({1, 1, 1, 2}), {1, 2}, {.stride = 1, .padding = {0, 1}}).to_vector<float>(),
            (std::vector<float>{0.5, 1.5, 1}));
  EXPECT_EQ(avg_pool2d(counted({1, 1, 1, 2}), {1, 2}, {.stride = 1, .padding = {0, 1}, .count_include_pad = false})
                .to_vector<float>(),
            (std::vector<float>{1, 1.5, 2}));
}

TEST(Pool2d, Messages) {
  EXPECT_EQ(max_message(counted({3, 28, 28}), 2),
            "shape error in max_pool2d, called at train.cpp:57\n"
            "  input  f32 [3, 28, 28]   expected 4 axes: (n, c, h, w)\n"
            "  hint: unsqueeze(input, 0) makes a batch of one image");
  EXPECT_EQ(max_message(relu(counted({1, 3, 2, 28})), 5, {.padding = 1}),
            "shape error in max_pool2d, called at train.cpp:57: the kernel is larger than the padded input\n"
            "  input   f32 [1, 3, 2, 28]   axis 2 is 2, 4 with padding\n"
            "  kernel  5 x 5\n"
            "  operand 0 comes from relu of f32 [1, 3, 2, 28]");
  EXPECT_EQ(max_message(counted({1, 1, 4, 4}), 2, {.padding = 2}),
            "value error in max_pool2d, called at train.cpp:57\n"
            "  padding  2 x 2, expected 0 up to half the kernel\n"
            "  kernel   2 x 2");
  EXPECT_EQ(max_message(counted({1, 1, 4, 4}), {0, 2}),
            "value error in max_pool2d, called at train.cpp:57\n"
            "  kernel  0 x 2, expected 1 or more");
  EXPECT_EQ(max_message(counted({1, 1, 4, 4}), 2, {.stride = -1}),
            "value error in max_pool2d, called at train.cpp:57\n"
            "  stride  -1 x -1, expected 1 or more");
  EXPECT_EQ(max_message(leaf<std::int64_t>({1, 1, 1, 1}, std::vector<std::int64_t>{1}), 1),
            "dtype error in max_pool2d, called at train.cpp:57\n"
            "  input  i64 [1, 1, 1, 1]   expected f32 or f64");
  EXPECT_THROW(avg_pool2d(1.0, 2), Error);
  EXPECT_THROW(avg_pool2d(counted({2, 2}), 2), Error);
}

TEST(Pool2d, GradientsRefuseOperandsThatDoNotFit) {
  const TensorSpec g{DType::f32, {1, 1, 2, 2}}, index{DType::i32, {1, 1, 2, 2}};
  const TensorSpec wide[] = {g, {DType::i64, {1, 1, 2, 2}}}, other[] = {g, {DType::i32, {1, 1, 2, 3}}};
  EXPECT_THROW((MaxPool2dGradient{4, 4}.infer(wide)), Error);
  EXPECT_THROW((MaxPool2dGradient{4, 4}.infer(other)), Error);
  const TensorSpec planes[] = {{DType::f32, {1, 2, 4, 4}}, index};
  EXPECT_THROW(MaxPool2dGather{}.infer(planes), Error);
  EXPECT_THROW((AvgPool2dGradient{{{{2, 2}, {2, 2}, {0, 0}}, true}, 6, 4}.infer(std::span(&g, 1))), Error);
}

}  // namespace
}  // namespace gradus
