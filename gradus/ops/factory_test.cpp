#include "gradus/ops/factory.h"

#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <limits>

#include "gradus/base/error.h"
#include "gradus/engine/eval.h"

namespace gradus {
namespace {

constexpr SourceLocation here{"a.cpp", 7};

std::string message(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(Tensors, FromNestedLists) {
  const Tensor x = tensor({{1.f, 2.f}, {3.f, 4.f}});
  EXPECT_EQ(x.spec(), (TensorSpec{DType::f32, {2, 2}}));
  EXPECT_TRUE(x.evaluated());
  EXPECT_EQ(x.to_vector<float>(), (std::vector<float>{1, 2, 3, 4}));
  EXPECT_EQ(tensor(3.f).spec(), (TensorSpec{DType::f32, {}}));
  EXPECT_EQ(tensor({1.0, 2.0}).dtype(), DType::f64);
  EXPECT_EQ(tensor({1, 2, 3}).spec(), (TensorSpec{DType::i64, {3}}));
  EXPECT_EQ(tensor({{true}, {false}}).spec(), (TensorSpec{DType::boolean, {2, 1}}));
  EXPECT_EQ(tensor({{true}, {false}}).to_vector<int>(), (std::vector<int>{1, 0}));
  EXPECT_EQ(tensor({{{1, 2}}, {{3, 4}}, {{5, 6}}}).shape(), (Shape{3, 1, 2}));
  EXPECT_EQ(tensor({{{{1.f}, {2.f}}}}).shape(), (Shape{1, 1, 2, 1}));
  EXPECT_EQ(tensor({std::int64_t{1} << 40}).item<std::int64_t>(), std::int64_t{1} << 40);
}

TEST(Tensors, RefusesRaggedLists) {
  EXPECT_EQ(message([] {
              tensor({{1, 2}, {3}}, here);
            }),
            "shape error in tensor, called at a.cpp:7: the lists are ragged\n"
            "  axis   1\n"
            "  sizes  2 and 1");
  EXPECT_THROW(tensor({{{1}, {2}}, {{3}}}), Error);
}

TEST(Tensors, FromMemory) {
  const std::vector<double> numbers{1, 2, 3, 4, 5, 6};
  EXPECT_EQ(from_span(numbers, {2, 3}).to_vector<double>(), numbers);
  EXPECT_EQ(from_span(std::array<std::uint8_t, 2>{7, 8}).spec(), (TensorSpec{DType::u8, {2}}));
  EXPECT_EQ(from_span(std::span<const double>(numbers).first(0)).shape(), Shape{0});
  EXPECT_EQ(message([&] { from_span(numbers, {4}, here); }),
            "shape error in from_span, called at a.cpp:7: the numbers of elements differ\n"
            "  span   6 elements\n"
            "  shape  [4]   4 elements");
}

TEST(Constants, ZerosOnesFullEye) {
  EXPECT_EQ(zeros({2}).to_vector<float>(), (std::vector<float>{0, 0}));
  EXPECT_EQ(ones({2, 1}, DType::i32).spec(), (TensorSpec{DType::i32, {2, 1}}));
  EXPECT_EQ(ones({3}, DType::boolean).to_vector<int>(), (std::vector<int>{1, 1, 1}));
  EXPECT_EQ(full({2}, 2.5f).to_vector<float>(), (std::vector<float>{2.5f, 2.5f}));
  EXPECT_EQ(full({2}, 3).dtype(), DType::i64);
  EXPECT_EQ(full({2}, 3, DType::f64).to_vector<double>(), (std::vector<double>{3, 3}));
  EXPECT_EQ(full({2}, tensor({4.f}), DType::i32).to_vector<int>(), (std::vector<int>{4, 4}));
  EXPECT_THROW(full({2}, tensor({4.f, 5.f})), Error);
  EXPECT_EQ(eye(2).to_vector<float>(), (std::vector<float>{1, 0, 0, 1}));
  EXPECT_EQ(eye(0, DType::i64).shape(), (Shape{0, 0}));
  EXPECT_EQ(zeros({0, 3}).to_vector<float>(), std::vector<float>{});
}

TEST(Arange, CountsUpAndDown) {
  EXPECT_EQ(arange(4).to_vector<int>(), (std::vector<int>{0, 1, 2, 3}));
  EXPECT_EQ(arange(2, 9, 3).to_vector<int>(), (std::vector<int>{2, 5, 8}));
  EXPECT_EQ(arange(3, 0, -2).to_vector<int>(), (std::vector<int>{3, 1}));
  EXPECT_EQ(arange(5, 2).shape(), Shape{0});
  EXPECT_EQ(arange(3).dtype(), DType::i64);
  EXPECT_EQ(arange(0.f, 1.f, 0.25f).to_vector<float>(), (std::vector<float>{0, 0.25f, 0.5f, 0.75f}));
  EXPECT_EQ(arange(0, 1, 0.5).dtype(), DType::f64);
  constexpr std::int64_t largest = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(arange(largest - 2, largest, 5).to_vector<std::int64_t>(), (std::vector<std::int64_t>{largest - 2}));
  EXPECT_EQ(arange(-largest, largest, largest).shape(), Shape{2});
  EXPECT_EQ(message([] { arange(0, 3, 0, here); }), "value error in arange, called at a.cpp:7: the step is 0");
  EXPECT_THROW(arange(0.0, std::numeric_limits<double>::infinity(), 1.0), Error);
  EXPECT_THROW(arange(0.0, 1.0, 0.0), Error);
}

TEST(Factory, SpacesGridsAndLikes) {
  EXPECT_EQ(linspace(0, 1, 5).to_vector<float>(), (std::vector<float>{0, 0.25f, 0.5f, 0.75f, 1}));
  EXPECT_EQ(linspace(0.1, 0.7, 7, DType::f64).to_vector<double>().back(), 0.7);
  EXPECT_EQ(linspace(3, 9, 1).to_vector<float>(), (std::vector<float>{3}));
  EXPECT_EQ(linspace(3, 9, 0).shape(), Shape{0});
  EXPECT_EQ(logspace(-1, 2, 4, 2, DType::f64).to_vector<double>(), (std::vector<double>{0.5, 1, 2, 4}));
  const Tensor x = tensor({{1, 2}, {3, 4}});
  EXPECT_EQ(zeros_like(x).spec(), x.spec());
  EXPECT_EQ(ones_like(x, DType::f32).dtype(), DType::f32);
  EXPECT_EQ(full_like(x, 2.5, DType::f64).to_vector<double>(), (std::vector<double>(4, 2.5)));
  const Tensors grids = meshgrid({tensor({1, 2}), tensor({3, 4, 5})});
  EXPECT_EQ(grids[0].to_vector<std::int64_t>(), (std::vector<std::int64_t>{1, 1, 1, 2, 2, 2}));
  EXPECT_EQ(grids[1].to_vector<std::int64_t>(), (std::vector<std::int64_t>{3, 4, 5, 3, 4, 5}));
}

}  // namespace
}  // namespace gradus
