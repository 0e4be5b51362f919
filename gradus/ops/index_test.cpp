#include "gradus/ops/index.h"

#include <gtest/gtest.h>

#include <functional>

#include "gradus/base/error.h"
#include "gradus/engine/eval.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/factory.h"
#include "gradus/ops/reduce.h"
#include "gradus/transform/grad.h"

namespace gradus {
namespace {

constexpr SourceLocation here{"a.cpp", 7};

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

TEST(Gather, PicksAndSendsGradientsBack) {
  const Tensor index = tensor({{2, 0}, {1, 1}});
  EXPECT_EQ(gather(x23, 1, index).to_vector<float>(), (std::vector<float>{3, 1, 5, 5}));
  EXPECT_EQ(gather(x23, -1, cast(index, DType::i32)).to_vector<float>(), (std::vector<float>{3, 1, 5, 5}));
  EXPECT_EQ(gradient(gather(x23, 1, index) * tensor({{1.f, 10.f}, {100.f, 1000.f}}), x23),
            (std::vector<float>{10, 0, 1, 0, 1100, 0}));
}

TEST(Gather, RefusesWrongShapesAndTypes) {
  EXPECT_EQ(message([] {
              gather(at_here(x23), 1, tensor({0, 1}));
            }),
            "shape error in gather, called at a.cpp:7\n"
            "  input  f32 [2, 3]\n"
            "  index  i64 [2]   expected 2 axes");
  EXPECT_EQ(message([] {
              gather(at_here(x23), 1, tensor({{0}, {1}, {2}}));
            }),
            "shape error in gather, called at a.cpp:7\n"
            "  input  f32 [2, 3]\n"
            "  index  i64 [3, 1]   axis 0 is 3, expected at most 2");
  EXPECT_EQ(message([] { gather(at_here(x23), 1, x23); }),
            "dtype error in gather, called at a.cpp:7\n"
            "  index  f32 [2, 3]   expected i64 or i32\n"
            "  hint: convert it: cast(index, DType::i64)");
}

TEST(Gather, ChecksEvaluatedIndexesAtTheCall) {
  EXPECT_EQ(message([] {
              gather(at_here(x23), 1, tensor({{0, 2}, {1, 3}}));
            }),
            "index error in gather, called at a.cpp:7\n"
            "  index  i64 [2, 2]   element [1, 1] is 3, expected 0 to 2");
  EXPECT_EQ(message([] { gather(at_here(x23), 1, tensor({{-1}})); }),
            "index error in gather, called at a.cpp:7\n"
            "  index  i64 [1, 1]   element [0, 0] is -1, expected 0 to 2");
}

TEST(Gather, ChecksOtherIndexesWhenTheyAreEvaluated) {
  const Tensor y = gather(x23, 1, tensor({{0}, {1}}) * 3);
  try {
    y.to_vector<float>();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::index);
    EXPECT_EQ(error.op(), "gather");
    EXPECT_NE(std::string(error.what()).find("3"), std::string::npos);
  }
  EXPECT_FALSE(y.evaluated());
}

TEST(ScatterAdd, AddsAndIgnoresTheRestOfTheSource) {
  const Tensor index = tensor({{2, 2}, {0, 1}});
  const Tensor source = tensor({{10.f, 20.f, 99.f}, {30.f, 40.f, 99.f}, {99.f, 99.f, 99.f}});
  EXPECT_EQ(scatter_add(x23, 1, index, source).to_vector<float>(), (std::vector<float>{1, 2, 33, 34, 45, 6}));
  EXPECT_EQ(gradient(scatter_add(x23, 1, index, source) * x23, source),
            (std::vector<float>{3, 3, 0, 4, 5, 0, 0, 0, 0}));
  EXPECT_THROW(scatter_add(x23, 1, index, cast(source, DType::f64)), Error);
  EXPECT_THROW(scatter_add(x23, 1, index, tensor({{1.f}})), Error);
  EXPECT_THROW(scatter_add(x23, 1, tensor({{3}}), tensor({{1.f}})), Error);
}

TEST(Take, PicksSlices) {
  const Tensor index = tensor({{1, 0}, {1, 1}});
  const Tensor y = take(x23, index);
  EXPECT_EQ(y.shape(), (Shape{2, 2, 3}));
  EXPECT_EQ(y.to_vector<float>(), (std::vector<float>{4, 5, 6, 1, 2, 3, 4, 5, 6, 4, 5, 6}));
  EXPECT_EQ(gradient(take(x23, index), x23), (std::vector<float>{1, 1, 1, 3, 3, 3}));
  EXPECT_EQ(take(x23, tensor(2), 1).to_vector<float>(), (std::vector<float>{3, 6}));
  EXPECT_EQ(index_select(x23, 1, tensor({2, 0})).to_vector<float>(), (std::vector<float>{3, 1, 6, 4}));
  EXPECT_EQ(message([] {
              take(at_here(x23), tensor({0, 1, 2}));
            }),
            "index error in take, called at a.cpp:7\n"
            "  index  i64 [3]   element [2] is 2, expected 0 to 1");
  EXPECT_EQ(message([&] { index_select(at_here(x23), 0, index); }),
            "shape error in index_select, called at a.cpp:7\n"
            "  index  i64 [2, 2]   expected 1 axis\n"
            "  hint: take(x, index, axis) accepts indexes of any shape");
}

TEST(OneHot, MarksTheClass) {
  const Tensor y = one_hot(tensor({2, 0}), 3);
  EXPECT_EQ(y.spec(), (TensorSpec{DType::i64, {2, 3}}));
  EXPECT_EQ(y.to_vector<int>(), (std::vector<int>{0, 0, 1, 1, 0, 0}));
  EXPECT_EQ(message([] {
              one_hot(at_here(tensor({0, 7, 10})), 10);
            }),
            "index error in one_hot, called at a.cpp:7\n"
            "  index  i64 [3]   element [2] is 10, expected 0 to 9");
  EXPECT_EQ(message([] { one_hot(at_here(tensor({0})), 0); }),
            "value error in one_hot, called at a.cpp:7: 0 classes, expected 1 or more");
  EXPECT_THROW(one_hot(tensor({1.f}), 2), Error);
}

}  // namespace
}  // namespace gradus
