#include "gradus/base/shape.h"

#include <gtest/gtest.h>

#include <vector>

#include "gradus/base/error.h"

namespace gradus {
namespace {

TEST(Shape, CountsElements) {
  EXPECT_EQ(Shape{}.numel(), 1);
  EXPECT_EQ((Shape{2, 3, 4}).numel(), 24);
  EXPECT_EQ((Shape{2, 0, 4}).numel(), 0);
  EXPECT_EQ((Shape{2, 3, 4}).numel(1, 3), 12);
  EXPECT_EQ((Shape{2, 3, 4}).numel(1, 1), 1);
}

TEST(Shape, Prints) {
  EXPECT_EQ(Shape{}.str(), "[]");
  EXPECT_EQ((Shape{32, 1, 28}).str(), "[32, 1, 28]");
  EXPECT_EQ((TensorSpec{DType::boolean, {3}}).str(), "bool [3]");
}

TEST(Shape, InsertsAndErasesAxes) {
  Shape shape{2, 3};
  shape.insert(0, 7);
  shape.insert(3, 9);
  EXPECT_EQ(shape, (Shape{7, 2, 3, 9}));
  shape.erase(1);
  EXPECT_EQ(shape, (Shape{7, 3, 9}));
  shape.erase(2);
  shape.erase(0);
  EXPECT_EQ(shape, Shape{3});  // what was erased leaves no trace in ==
}

TEST(Shape, RefusesNegativeSizesAndTooManyAxes) {
  EXPECT_THROW((Shape{2, -1}), Error);
  Shape shape{1, 1, 1, 1, 1, 1, 1, 1};
  try {
    shape.push_back(1);
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "shape error in shape: more than 8 axes\n  axes  [1, 1, 1, 1, 1, 1, 1, 1]");
  }
  EXPECT_EQ(shape.rank(), 8);
}

TEST(Shape, RefusesMoreElementsThanMemory) {
  EXPECT_EQ(Shape{Shape::max_elements}.numel(), Shape::max_elements);
  EXPECT_THROW((Shape{Shape::max_elements + 1}), Error);
  EXPECT_THROW((Shape{0, Shape::max_elements + 1}), Error);
  EXPECT_THROW((Shape{std::int64_t{1} << 32, std::int64_t{1} << 32}), Error);  // 2^64, which is 0 modulo 2^64
  EXPECT_THROW((Shape{0, std::int64_t{1} << 47, 4}), Error);
  Shape result, wide{std::int64_t{1} << 40, 1};
  EXPECT_THROW(broadcast_shapes(wide, {1, std::int64_t{1} << 40}, result), Error);
}

TEST(Shape, RowMajorStrides) {
  const auto strides = row_major_strides({2, 3, 4});
  EXPECT_EQ(std::vector<std::int64_t>(strides.begin(), strides.begin() + 4), (std::vector<std::int64_t>{12, 4, 1, 0}));
}

TEST(BroadcastShapes, FollowsNumPy) {
  Shape result;
  ASSERT_TRUE(broadcast_shapes({5, 1}, {5}, result));
  EXPECT_EQ(result, (Shape{5, 5}));
  ASSERT_TRUE(broadcast_shapes({}, {2, 3}, result));
  EXPECT_EQ(result, (Shape{2, 3}));
  ASSERT_TRUE(broadcast_shapes({4, 1, 3}, {2, 1}, result));
  EXPECT_EQ(result, (Shape{4, 2, 3}));
  ASSERT_TRUE(broadcast_shapes({0}, {1}, result));
  EXPECT_EQ(result, Shape{0});
}

TEST(BroadcastShapes, NamesTheAxisThatDoesNotFit) {
  Shape result{9};
  int axis = -1;
  EXPECT_FALSE(broadcast_shapes({4, 2, 3}, {5, 3}, result, &axis));
  EXPECT_EQ(axis, 1);  // from the right
  EXPECT_EQ(result, Shape{9});
  EXPECT_FALSE(broadcast_shapes({0}, {2}, result, &axis));
  EXPECT_EQ(axis, 0);
}

TEST(DType, PromotesAsNumPyAndPyTorch) {
  EXPECT_EQ(promote(DType::boolean, DType::u8), DType::u8);
  EXPECT_EQ(promote(DType::u8, DType::i32), DType::i32);
  EXPECT_EQ(promote(DType::i64, DType::bf16), DType::bf16);
  EXPECT_EQ(promote(DType::bf16, DType::f32), DType::f32);
  EXPECT_EQ(promote(DType::f64, DType::f32), DType::f64);
  EXPECT_EQ(promote(DType::i64, DType::f32), DType::f32);
}

TEST(BFloat16, RoundsToNearestEven) {
  const auto round = [](float value) { return static_cast<float>(BFloat16(value)); };
  EXPECT_EQ(round(1.5f), 1.5f);
  EXPECT_EQ(round(1 + 0x1p-8f), 1.0f);             // halfway: to the even neighbour
  EXPECT_EQ(round(1 + 3 * 0x1p-8f), 1 + 0x1p-6f);  // halfway: to the even neighbour above
  EXPECT_EQ(round(1 + 0x1p-8f + 0x1p-20f), 1 + 0x1p-7f);
  EXPECT_EQ(round(3.4e38f), std::numeric_limits<float>::infinity());
  EXPECT_TRUE(round(std::numeric_limits<float>::quiet_NaN()) != round(std::numeric_limits<float>::quiet_NaN()));
  std::uint32_t quiet = 0x7f800001u;  // a NaN whose set bit lies in the half that is cut off
  float sneaky;
  std::memcpy(&sneaky, &quiet, sizeof sneaky);
  EXPECT_TRUE(round(sneaky) != round(sneaky));
}

}  // namespace
}  // namespace gradus
