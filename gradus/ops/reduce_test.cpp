#include "gradus/ops/reduce.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "gradus/base/error.h"
#include "gradus/engine/eval.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/factory.h"
#include "gradus/ops/softmax.h"
#include "gradus/transform/grad.h"

namespace gradus {
namespace {

constexpr SourceLocation here{"a.cpp", 7};
constexpr float nan = std::numeric_limits<float>::quiet_NaN();

TensorArg at_here(const Tensor& x) { return {x, here}; }

std::string message(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

std::vector<float> gradient(const Tensor& y, const Tensor& x) {
  return grad(sum(y), std::span<const Tensor>(&x, 1))[0].to_vector<float>();
}

const Tensor x23 = tensor({{1.f, 2.f, 3.f}, {4.f, 5.f, 6.f}});

TEST(Reduce, ShapesAndTypes) {
  const Tensor x = zeros({2, 3, 4});
  EXPECT_EQ(sum(x).shape(), Shape{});
  EXPECT_EQ(sum(x, 1).shape(), (Shape{2, 4}));
  EXPECT_EQ(sum(x, {0, -1}).shape(), Shape{3});
  EXPECT_EQ(sum(x, {0, -1}, {.keepdim = true}).shape(), (Shape{1, 3, 1}));
  EXPECT_EQ(max(x, {}, {.keepdim = true}).shape(), (Shape{1, 1, 1}));
  EXPECT_EQ(argmax(x, -1).spec(), (TensorSpec{DType::i64, {2, 3}}));
  EXPECT_EQ(argmin(x, 0, {.keepdim = true}).shape(), (Shape{1, 3, 4}));
  EXPECT_EQ(sum(zeros({2}, DType::boolean)).dtype(), DType::i64);
  EXPECT_EQ(sum(zeros({2}, DType::u8)).dtype(), DType::i64);
  EXPECT_EQ(prod(zeros({2}, DType::i32)).dtype(), DType::i64);
  EXPECT_EQ(max(zeros({2}, DType::i32)).dtype(), DType::i32);
  EXPECT_EQ(mean(zeros({2}, DType::i32)).dtype(), DType::f32);
  EXPECT_EQ(mean(zeros({2}, DType::f64)).dtype(), DType::f64);
  EXPECT_EQ(sum(tensor(3.f)).item<float>(), 3);
  EXPECT_EQ(Op(Reduce{ReduceKind::max, 0b101, true}).str(), "max{axes=[0, 2], keepdim=true}");
}

TEST(Reduce, Values) {
  EXPECT_EQ(sum(x23).item<float>(), 21);
  EXPECT_EQ(mean(x23, 0).to_vector<float>(), (std::vector<float>{2.5f, 3.5f, 4.5f}));
  EXPECT_EQ(prod(x23, 1).to_vector<float>(), (std::vector<float>{6, 120}));
  EXPECT_EQ(min(x23, -1).to_vector<float>(), (std::vector<float>{1, 4}));
  EXPECT_EQ(mean(tensor({1, 2})).item<float>(), 1.5f);
  EXPECT_EQ(argmax(tensor({1, 3, 3}), 0).item<int>(), 1);
  EXPECT_TRUE(std::isnan(max(tensor({1.f, nan, 2.f})).item<float>()));
  EXPECT_EQ(argmin(tensor({1.f, nan, -2.f, nan}), 0).item<int>(), 1);
}

TEST(Reduce, OfNothing) {
  EXPECT_EQ(sum(zeros({0})).item<float>(), 0);
  EXPECT_EQ(prod(zeros({2, 0}), 1).to_vector<float>(), (std::vector<float>{1, 1}));
  EXPECT_EQ(max(zeros({0, 3}), 1).shape(), Shape{0});
  EXPECT_EQ(mean(zeros({0, 3}), 1).to_vector<float>(), std::vector<float>{});
  EXPECT_EQ(message([] {
              mean(at_here(zeros({2, 0})));
            }),
            "shape error in mean, called at a.cpp:7: there is nothing to average\n"
            "  input  f32 [2, 0]   axis 1 is empty");
  EXPECT_EQ(message([] {
              max(at_here(from_span(std::vector<float>(), {0, 3})), 0);
            }),
            "shape error in max, called at a.cpp:7: there is nothing to choose from\n"
            "  input  f32 [0, 3]   axis 0 is empty");
  EXPECT_THROW(argmax(zeros({3, 0}), 1), Error);
}

TEST(Reduce, RefusesWrongAxes) {
  EXPECT_EQ(message([] { sum(at_here(x23), 2); }),
            "axis error in sum, called at a.cpp:7: axis 2 of a tensor with rank 2; it must be in [-2, 1]\n"
            "  input  f32 [2, 3]");
  EXPECT_EQ(message([] {
              max(at_here(x23), {1, -1});
            }),
            "axis error in max, called at a.cpp:7: axis -1 is given twice for a tensor with rank 2\n"
            "  input  f32 [2, 3]");
  EXPECT_THROW(mean(x23, -3), Error);
  EXPECT_THROW(argmin(x23, 5), Error);
}

TEST(Reduce, TiesShareTheGradient) {
  const Tensor x = tensor({{1.f, 3.f, 3.f}, {2.f, 2.f, 2.f}});
  EXPECT_EQ(gradient(max(x, 1), x), (std::vector<float>{0, 0.5f, 0.5f, 1 / 3.f, 1 / 3.f, 1 / 3.f}));
  EXPECT_EQ(gradient(min(x), x), (std::vector<float>{1, 0, 0, 0, 0, 0}));
}

TEST(Reduce, ProductsWithZerosHaveExactGradients) {
  const Tensor x = tensor({{2.f, 0.f, 5.f}, {0.f, 3.f, 0.f}});
  EXPECT_EQ(gradient(prod(x, 1), x), (std::vector<float>{0, 10, 0, 0, 0, 0}));
  // d2 (a b c) / da db = c, also where a factor is 0.
  const Tensor v = tensor({2.f, 0.f, 5.f});
  const auto first = [&] { return grad(prod(v), std::span<const Tensor>(&v, 1))[0]; };
  EXPECT_EQ(gradient(first() * tensor({1.f, 0.f, 0.f}), v), (std::vector<float>{0, 5, 0}));
  EXPECT_EQ(gradient(first() * tensor({0.f, 1.f, 0.f}), v), (std::vector<float>{5, 0, 2}));
  const Tensor one = tensor({{7.f}, {8.f}});
  EXPECT_EQ(gradient(prod(one, 1), one), (std::vector<float>{1, 1}));
  const Tensor cube = tensor({{{1.f, 2.f}, {3.f, 4.f}}, {{5.f, 6.f}, {7.f, 8.f}}});
  EXPECT_EQ(gradient(prod(cube, {0, 2}), cube), (std::vector<float>{60, 30, 224, 168, 12, 10, 96, 84}));
}

TEST(Softmax, WantsFloatingTypes) {
  EXPECT_EQ(message([] {
              softmax(at_here(tensor({1, 2})));
            }),
            "dtype error in softmax, called at a.cpp:7\n"
            "  input  i64 [2]   expected a floating type\n"
            "  hint: convert it: cast(x, DType::f32)");
  EXPECT_THROW(log_softmax(x23, 2), Error);
  EXPECT_THROW(softmax(tensor(1.f)), Error);
}

TEST(Softmax, Values) {
  const Tensor logits = tensor({{0.f, std::log(3.f)}, {1000.f, -1000.f}});
  const std::vector<float> y = softmax(logits).to_vector<float>();
  EXPECT_NEAR(y[0], 0.25, 1e-6);
  EXPECT_EQ(y[2], 1);
  EXPECT_EQ(y[3], 0);
  EXPECT_EQ(log_softmax(logits).to_vector<float>()[3], -2000);
  EXPECT_NEAR(softmax(logits, 0).to_vector<float>()[2], 1, 1e-6);
  EXPECT_EQ(softmax(zeros({0, 4})).to_vector<float>(), std::vector<float>{});
  EXPECT_EQ(softmax(zeros({2, 0})).shape(), (Shape{2, 0}));
}

}  // namespace
}  // namespace gradus
