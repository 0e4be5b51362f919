#include "gradus/ops/matmul.h"

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
Tensor counted(const Shape& shape, DType dtype = DType::f32) {
  std::vector<double> numbers(static_cast<std::size_t>(shape.numel()));
  std::iota(numbers.begin(), numbers.end(), 1.0);
  const std::vector<float> narrow(numbers.begin(), numbers.end());
  const Tensor x = leaf<float>(shape, std::span<const float>(narrow));
  return dtype == DType::f32 ? x : cast(x, dtype);
}

Tensor named(const Shape& shape, std::string_view name) {
  const Tensor x = counted(shape);
  x.node()->label = intern(name);
  return x;
}

template <class F>
std::string message_of(F call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

std::string matmul_message(const Shape& a, const Shape& b) {
  return message_of([&] { matmul(TensorArg(counted(a), here), counted(b)); });
}

Shape product_shape(const Shape& a, const Shape& b) { return matmul(counted(a), counted(b)).shape(); }

TEST(MatMul, ShapesFollowNumPy) {
  EXPECT_EQ(product_shape({2, 3}, {3, 4}), (Shape{2, 4}));
  EXPECT_EQ(product_shape({3}, {3}), (Shape{}));
  EXPECT_EQ(product_shape({3}, {3, 4}), (Shape{4}));
  EXPECT_EQ(product_shape({2, 3}, {3}), (Shape{2}));
  EXPECT_EQ(product_shape({5, 2, 3}, {3}), (Shape{5, 2}));
  EXPECT_EQ(product_shape({3}, {5, 3, 4}), (Shape{5, 4}));
  EXPECT_EQ(product_shape({5, 2, 3}, {3, 4}), (Shape{5, 2, 4}));
  EXPECT_EQ(product_shape({2, 3}, {5, 3, 4}), (Shape{5, 2, 4}));
  EXPECT_EQ(product_shape({6, 1, 2, 3}, {5, 3, 4}), (Shape{6, 5, 2, 4}));
  EXPECT_EQ(product_shape({0, 3}, {3, 4}), (Shape{0, 4}));
  EXPECT_EQ(product_shape({2, 0}, {0, 4}), (Shape{2, 4}));
}

TEST(MatMul, Values) {
  EXPECT_EQ(matmul(counted({2, 3}), counted({3, 2})).to_vector<float>(), (std::vector<float>{22, 28, 49, 64}));
  EXPECT_EQ(matmul(counted({3}), counted({3})).item<float>(), 14);
  EXPECT_EQ(matmul(counted({3}), counted({3, 2})).to_vector<float>(), (std::vector<float>{22, 28}));
  EXPECT_EQ(matmul(counted({2, 3}), counted({3})).to_vector<float>(), (std::vector<float>{14, 32}));
  // The second stack has one matrix, which meets both of the first.
  EXPECT_EQ(matmul(counted({2, 1, 2}), counted({1, 2, 1})).to_vector<float>(), (std::vector<float>{5, 11}));
  EXPECT_EQ(matmul(counted({2, 2}), counted({2, 2, 1})).to_vector<float>(), (std::vector<float>{5, 11, 11, 25}));
  EXPECT_EQ(matmul(counted({2, 0}), counted({0, 1})).to_vector<float>(), (std::vector<float>{0, 0}));
}

TEST(MatMul, PromotesWithinAFamily) {
  EXPECT_EQ(matmul(counted({2, 3}), counted({3, 2}, DType::f64)).dtype(), DType::f64);
  const Tensor c = matmul(counted({2, 3}, DType::i32), counted({3, 2}, DType::i64));
  EXPECT_EQ(c.dtype(), DType::i64);
  EXPECT_EQ(c.to_vector<std::int64_t>(), (std::vector<std::int64_t>{22, 28, 49, 64}));
}

// All four ways to store the operands give the same product and the same gradients.
TEST(MatMul, TransposedOperandsAndTheirGradients) {
  const Tensor weights = counted({2, 4}, DType::f64);
  for (const bool ta : {false, true}) {
    for (const bool tb : {false, true}) {
      const Tensor a = counted({2, 3}, DType::f64), b = counted({3, 4}, DType::f64);
      const Tensor c = record(MatMul{ta, tb}, {ta ? transpose(a, 0, 1) : a, tb ? transpose(b, 0, 1) : b});
      const Tensors g = grad(sum(c * weights), {a, b});
      EXPECT_EQ(c.to_vector<double>(), (std::vector<double>{38, 44, 50, 56, 83, 98, 113, 128}));
      EXPECT_EQ(g[0].to_vector<double>(), matmul(weights, transpose(b, 0, 1)).to_vector<double>());
      EXPECT_EQ(g[1].to_vector<double>(), matmul(transpose(a, 0, 1), weights).to_vector<double>());
    }
  }
}

TEST(MatMul, InnerAxesDiffer) {
  EXPECT_EQ(matmul_message({32, 756}, {784, 64}),
            "shape error in matmul, called at train.cpp:57: the inner axes differ\n"
            "  a  f32 [32, 756]   axis 1 is 756\n"
            "  b  f32 [784, 64]   axis 0 is 784, expected 756");
  EXPECT_EQ(matmul_message({5, 3}, {4}),
            "shape error in matmul, called at train.cpp:57: the inner axes differ\n"
            "  a  f32 [5, 3]   axis 1 is 3\n"
            "  b  f32 [4]      axis 0 is 4, expected 3");
}

TEST(MatMul, BatchAxesDiffer) {
  EXPECT_EQ(matmul_message({2, 4, 3}, {5, 3, 4}),
            "shape error in matmul, called at train.cpp:57: the batch axes differ\n"
            "  a  f32 [2, 4, 3]   axis 0 is 2\n"
            "  b  f32 [5, 3, 4]   axis 0 is 5");
}

TEST(MatMul, ScalarsNumbersAndUndefinedTensors) {
  EXPECT_EQ(matmul_message({}, {3, 4}),
            "shape error in matmul, called at train.cpp:57\n"
            "  a  f32 []   expected 1 or more axes\n"
            "  b  f32 [3, 4]");
  EXPECT_EQ(message_of([] {
              matmul(TensorArg(counted({2, 2}), here), 2);
            }),
            "usage error in matmul, called at train.cpp:57: b is a number, expected a tensor");
  EXPECT_EQ(message_of([] {
              matmul(TensorArg(Tensor(), here), counted({2, 2}));
            }),
            "usage error in matmul, called at train.cpp:57: a is an undefined tensor");
}

TEST(MatMul, TypesThatDoNotMix) {
  EXPECT_EQ(message_of([] {
              matmul(TensorArg(counted({2, 3}, DType::u8), here), counted({3, 4}));
            }),
            "dtype error in matmul, called at train.cpp:57\n"
            "  a  u8 [2, 3]   expected f32\n"
            "  b  f32 [3, 4]\n"
            "  hint: convert it: cast(a, DType::f32)");
}

TEST(MatMul, TheShapeRuleRefusesWhatNoUserFunctionRecords) {
  const auto infer = [](const MatMul& op, DType dtype, const Shape& a, const Shape& b) {
    const TensorSpec specs[] = {{dtype, a}, {dtype, b}};
    return op.infer(specs);
  };
  EXPECT_THROW(infer({}, DType::f32, {3}, {3, 2}), Error);
  EXPECT_THROW(infer({}, DType::f32, {1, 2, 3}, {3, 2}), Error);
  EXPECT_THROW(infer({}, DType::f32, {1, 2, 3}, {2, 3, 2}), Error);
  EXPECT_THROW(infer({}, DType::u8, {2, 3}, {3, 2}), Error);
  EXPECT_THROW(infer({true, false}, DType::f32, {2, 3}, {3, 2}), Error);
  EXPECT_EQ(infer({true, true}, DType::f32, {7, 3, 2}, {7, 4, 3})[0].shape, (Shape{7, 2, 4}));
}

TEST(Linear, Values) {
  const Tensor x = counted({2, 3}), weight = counted({2, 3}), bias = counted({2});
  EXPECT_EQ(linear(x, weight, bias).to_vector<float>(), (std::vector<float>{15, 34, 33, 79}));
  EXPECT_EQ(linear(x, weight).to_vector<float>(), (std::vector<float>{14, 32, 32, 77}));
  EXPECT_EQ(linear(reshape(x, {2, 1, 3}), weight, bias).shape(), (Shape{2, 1, 2}));
  EXPECT_EQ(linear(counted({3}), weight, bias).to_vector<float>(), (std::vector<float>{15, 34}));
  EXPECT_EQ(linear(counted({0, 3}), weight, bias).shape(), (Shape{0, 2}));
}

TEST(Linear, NamesTheLayerTheOriginAndTheMend) {
  const Tensor weight = named({64, 784}, "encoder.fc1.weight"), images = counted({32, 1, 28, 27});
  EXPECT_EQ(message_of([&] { linear(flatten(images, 1), weight, Tensor(), here); }),
            "shape error in linear (encoder.fc1: 784 -> 64), called at train.cpp:57\n"
            "  input   f32 [32, 756]   axis 1 is 756, expected 784\n"
            "  weight  f32 [64, 784]   encoder.fc1.weight\n"
            "  input comes from flatten of f32 [32, 1, 28, 27]\n"
            "  hint: 28 x 28 = 784; the images are 28 x 27");
  EXPECT_EQ(message_of([&] {
              linear(counted({32, 1, 28, 28}), weight, Tensor(), here);
            }),
            "shape error in linear (encoder.fc1: 784 -> 64), called at train.cpp:57\n"
            "  input   f32 [32, 1, 28, 28]   axis 3 is 28, expected 784\n"
            "  weight  f32 [64, 784]         encoder.fc1.weight\n"
            "  hint: flatten(input, 1) has 784 in its last axis");
}

TEST(Linear, OtherMistakes) {
  EXPECT_EQ(message_of([] {
              linear(counted({3, 2}), counted({5, 3}), Tensor(), here);
            }),
            "shape error in linear (3 -> 5), called at train.cpp:57\n"
            "  input   f32 [3, 2]   axis 1 is 2, expected 3\n"
            "  weight  f32 [5, 3]\n"
            "  hint: axis 0 has the expected size: is the input transposed?");
  EXPECT_EQ(message_of([] {
              linear(counted({2, 3}), counted({5, 3}), counted({4}), here);
            }),
            "shape error in linear (3 -> 5), called at train.cpp:57\n"
            "  input   f32 [2, 3]\n"
            "  weight  f32 [5, 3]\n"
            "  bias    f32 [4]   expected [5]");
  EXPECT_EQ(message_of([] {
              linear(counted({2, 3}), counted({3}), Tensor(), here);
            }),
            "shape error in linear, called at train.cpp:57\n"
            "  input   f32 [2, 3]\n"
            "  weight  f32 [3]   expected 2 axes: (out, in)");
  EXPECT_EQ(message_of([] {
              linear(counted({2, 3}, DType::i64), counted({5, 3}), Tensor(), here);
            }),
            "dtype error in linear, called at train.cpp:57\n"
            "  input   i64 [2, 3]   expected f32\n"
            "  weight  f32 [5, 3]\n"
            "  hint: convert it: cast(input, DType::f32)");
}

}  // namespace
}  // namespace gradus
