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

TEST(MaxPool, PositionsOfSequencesAndVolumes) {
  const Tensor line = leaf<float>({1, 1, 5}, std::vector<float>{1, 5, 2, 2, 7});
  const auto [values, at] = max_pool1d_with_indices(line, 2, {.ceil_mode = true});
  EXPECT_EQ(values.to_vector<float>(), (std::vector<float>{5, 2, 7}));
  EXPECT_EQ(at.to_vector<std::int64_t>(), (std::vector<std::int64_t>{1, 2, 4}));
  const Tensor volume = leaf<float>({1, 1, 2, 2, 2}, std::vector<float>{1, 8, 8, 3, 8, 5, 6, 7});
  const auto [largest, place] = max_pool3d_with_indices(volume, {2, 2, 1});
  EXPECT_EQ(largest.to_vector<float>(), (std::vector<float>{8, 8}));
  EXPECT_EQ(place.to_vector<std::int64_t>(), (std::vector<std::int64_t>{2, 1}));  // the first of equal ones
  const auto [adapted, where_from] = adaptive_max_pool1d_with_indices(line, 2);
  EXPECT_EQ(adapted.to_vector<float>(), (std::vector<float>{5, 7}));
  EXPECT_EQ(where_from.to_vector<std::int64_t>(), (std::vector<std::int64_t>{1, 4}));
}

// bf16 computes in f32 and rounds once: the result is that of f32, rounded.
TEST(StructuredOperations, OfBf16AreThoseOfF32Rounded) {
  const Tensor x = cast(normal({2, 3, 6, 6}, {}, Key{1}), DType::bf16);
  const Tensor w = cast(normal({4, 3, 3, 3}, {}, Key{2}), DType::bf16);
  eval(x, w);
  using Function = Tensor (*)(const Tensor&, const Tensor&);
  const Function functions[] = {
      [](const Tensor& a, const Tensor& b) { return conv2d(a, b, Tensor(), {.padding = 1}); },
      [](const Tensor& a, const Tensor& b) { return conv_transpose2d(a, transpose(b, 0, 1), Tensor(), {.stride = 2}); },
      [](const Tensor& a, const Tensor&) { return max_pool2d(a, 2); },
      [](const Tensor& a, const Tensor&) { return avg_pool2d(a, 3, {.stride = 1, .divisor_override = 5}); },
      [](const Tensor& a, const Tensor&) { return sort(a, 1).values; },
      [](const Tensor& a, const Tensor&) { return matmul(a, transpose(a, -2, -1)); },
      [](const Tensor& a, const Tensor&) {
        return interpolate(a, {9, 4}, {.mode = Interpolation::bilinear});
      },
      [](const Tensor& a, const Tensor&) { return linalg::svd(a).s; },
      [](const Tensor& a, const Tensor&) {
        return flip(roll(a, 2, -1), {0, 3});
      }};
  for (const Function f : functions) {
    const Tensor narrow = f(x, w), wide = cast(f(cast(x, DType::f32), cast(w, DType::f32)), DType::bf16);
    EXPECT_EQ(narrow.dtype(), DType::bf16);
    EXPECT_EQ(narrow.to_vector<float>(), wide.to_vector<float>());
  }
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
