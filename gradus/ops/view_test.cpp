#include "gradus/ops/view.h"

#include <gtest/gtest.h>

#include <functional>

#include "gradus/base/error.h"
#include "gradus/engine/eval.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/factory.h"
#include "gradus/ops/views/update_slice.h"

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

const Tensor x23 = tensor({{0, 1, 2}, {3, 4, 5}});

TEST(Reshape, ResolvesOneOpenSize) {
  EXPECT_EQ(reshape(x23, {3, 2}).shape(), (Shape{3, 2}));
  EXPECT_EQ(reshape(x23, {-1, 2}).shape(), (Shape{3, 2}));
  EXPECT_EQ(reshape(x23, {6, -1, 1}).shape(), (Shape{6, 1, 1}));
  EXPECT_EQ(reshape(zeros({0, 3}), {-1, 3}).shape(), (Shape{0, 3}));
  EXPECT_EQ(reshape(tensor(4), {}).shape(), Shape{});
  EXPECT_EQ(reshape(x23, {2, 3}), x23);  // nothing to record
  EXPECT_EQ(reshape(x23, {3, -1}).to_vector<int>(), (std::vector<int>{0, 1, 2, 3, 4, 5}));
}

TEST(Reshape, RefusesOtherNumbersOfElements) {
  EXPECT_EQ(message([] {
              reshape(at_here(x23), {4, 2});
            }),
            "shape error in reshape, called at a.cpp:7: the numbers of elements differ\n"
            "  input  i64 [2, 3]   6 elements\n"
            "  shape  [4, 2]   8 elements");
  EXPECT_EQ(message([] {
              reshape(at_here(x23), {-1, 4});
            }),
            "shape error in reshape, called at a.cpp:7: the numbers of elements differ\n"
            "  input  i64 [2, 3]   6 elements\n"
            "  shape  [-1, 4]   the other sizes multiply to 4");
  EXPECT_EQ(message([] {
              reshape(at_here(x23), {-1, -1});
            }),
            "shape error in reshape, called at a.cpp:7: more than one size is -1\n"
            "  shape  [-1, -1]");
  EXPECT_THROW(reshape(x23, {-1, 0}), Error);
  EXPECT_THROW(reshape(x23, {-2, -3}), Error);
}

TEST(Flatten, MergesAxes) {
  const Tensor images = zeros({2, 3, 4, 5});
  EXPECT_EQ(flatten(images, 1).shape(), (Shape{2, 60}));
  EXPECT_EQ(flatten(images).shape(), Shape{120});
  EXPECT_EQ(flatten(images, 1, 2).shape(), (Shape{2, 12, 5}));
  EXPECT_EQ(flatten(images, -3, -2).shape(), (Shape{2, 12, 5}));
  EXPECT_EQ(flatten(zeros({0, 3, 4}), 1).shape(), (Shape{0, 12}));
  EXPECT_EQ(flatten(tensor(1.f)).shape(), Shape{1});
  EXPECT_EQ(message([&] { flatten(at_here(images), 2, 1); }),
            "axis error in flatten, called at a.cpp:7: start axis 2 lies behind end axis 1\n"
            "  input  f32 [2, 3, 4, 5]\n"
            "  input comes from broadcast_to of f32 []");
}

TEST(Permute, MovesAxes) {
  const Tensor x = zeros({2, 3, 4});
  EXPECT_EQ(permute(x, {2, 0, 1}).shape(), (Shape{4, 2, 3}));
  EXPECT_EQ(permute(x, {-1, 0, -2}).shape(), (Shape{4, 2, 3}));
  EXPECT_EQ(permute(x, {0, 1, 2}), x);
  EXPECT_EQ(transpose(x, 0, -1).shape(), (Shape{4, 3, 2}));
  EXPECT_EQ(transpose(x, 1, -2), x);
  EXPECT_EQ(transpose(x23, 0, 1).to_vector<int>(), (std::vector<int>{0, 3, 1, 4, 2, 5}));
  EXPECT_EQ(Op(Permute{{1, 0}, 2}).str(), "permute{order=[1, 0]}");
}

TEST(Permute, RefusesWrongAxes) {
  EXPECT_EQ(message([] {
              permute(at_here(x23), {0, 0});
            }),
            "axis error in permute, called at a.cpp:7: axis 0 is given twice for a tensor with rank 2\n"
            "  input  i64 [2, 3]");
  EXPECT_EQ(message([] { permute(at_here(x23), {1}); }),
            "axis error in permute, called at a.cpp:7: 1 axes given for a tensor with rank 2\n"
            "  input  i64 [2, 3]");
  EXPECT_EQ(message([] { transpose(at_here(x23), 0, 2); }),
            "axis error in transpose, called at a.cpp:7: axis 2 of a tensor with rank 2; it must be in [-2, 1]\n"
            "  input  i64 [2, 3]");
  EXPECT_EQ(message([] { transpose(TensorArg(1.f, here), 0, 0); }),
            "axis error in transpose, called at a.cpp:7: axis 0 of a scalar, which has none\n"
            "  input  f32 []");
}

TEST(Slice, CountsFromBothEnds) {
  const Tensor x = arange(10);
  EXPECT_EQ(slice(x, 0, 2, 5).to_vector<int>(), (std::vector<int>{2, 3, 4}));
  EXPECT_EQ(slice(x, 0, -3).to_vector<int>(), (std::vector<int>{7, 8, 9}));
  EXPECT_EQ(slice(x, -1, 1, -1, 3).to_vector<int>(), (std::vector<int>{1, 4, 7}));
  EXPECT_EQ(slice(x, 0, 4, 4).shape(), Shape{0});
  EXPECT_EQ(slice(x, 0), x);
  EXPECT_EQ(slice(x, 0, 0, to_end, 4).to_vector<int>(), (std::vector<int>{0, 4, 8}));
}

TEST(Slice, RefusesBoundsBeyondTheAxis) {
  EXPECT_EQ(message([] { slice(at_here(x23), 1, 1, 4); }),
            "index error in slice, called at a.cpp:7: [1, 4) does not lie in axis 1\n"
            "  input  i64 [2, 3]   axis 1 is 3");
  EXPECT_THROW(slice(x23, 1, -4), Error);
  EXPECT_THROW(slice(x23, 1, 2, 1), Error);
  EXPECT_EQ(message([] { slice(at_here(x23), 1, 0, 3, 0); }),
            "value error in slice, called at a.cpp:7: the step is 0, expected 1 or more");
}

TEST(BroadcastTo, FollowsNumPy) {
  EXPECT_EQ(broadcast_to(tensor({1, 2}), {2, 2}).to_vector<int>(), (std::vector<int>{1, 2, 1, 2}));
  EXPECT_EQ(broadcast_to(tensor({{1}, {2}}), {2, 2}).to_vector<int>(), (std::vector<int>{1, 1, 2, 2}));
  EXPECT_EQ(broadcast_to(tensor({1.f}), {0}).shape(), Shape{0});
  EXPECT_EQ(broadcast_to(x23, {2, 3}), x23);
  EXPECT_EQ(message([] {
              broadcast_to(at_here(x23), {2, 4});
            }),
            "shape error in broadcast_to, called at a.cpp:7\n"
            "  input  i64 [2, 3]   axis 1 is 3, expected 1 or 4\n"
            "  shape  [2, 4]");
  EXPECT_THROW(broadcast_to(x23, {3}), Error);
}

TEST(Squeeze, RemovesAxesOfSizeOne) {
  const Tensor x = zeros({1, 3, 1, 2});
  EXPECT_EQ(squeeze(x).shape(), (Shape{3, 2}));
  EXPECT_EQ(squeeze(x, 0).shape(), (Shape{3, 1, 2}));
  EXPECT_EQ(squeeze(x, {0, -2}).shape(), (Shape{3, 2}));
  EXPECT_EQ(message([] { squeeze(at_here(x23), 1); }),
            "shape error in squeeze, called at a.cpp:7: axis 1 has size 3, expected 1\n"
            "  input  i64 [2, 3]");
  EXPECT_EQ(unsqueeze(x23, 0).shape(), (Shape{1, 2, 3}));
  EXPECT_EQ(unsqueeze(x23, -1).shape(), (Shape{2, 3, 1}));
  EXPECT_EQ(unsqueeze(tensor(1.f), 0).shape(), Shape{1});
  EXPECT_THROW(unsqueeze(x23, 3), Error);
}

TEST(Pad, SurroundsEveryAxis) {
  const Tensor y = pad(tensor({{1, 2}}), {{1, 0}, {0, 2}}, 9);
  EXPECT_EQ(y.shape(), (Shape{2, 4}));
  EXPECT_EQ(y.to_vector<int>(), (std::vector<int>{9, 9, 9, 9, 1, 2, 9, 9}));
  EXPECT_EQ(pad(x23, {{0, 0}, {0, 0}}), x23);
  EXPECT_EQ(pad(zeros({0}), {{2, 1}}, 1.5).to_vector<float>(), (std::vector<float>{1.5f, 1.5f, 1.5f}));
}

TEST(Pad, RefusesWrongPaddings) {
  EXPECT_EQ(message([] {
              pad(at_here(x23), {{1, 1}});
            }),
            "shape error in pad, called at a.cpp:7: padding for 1 axes given to a tensor with rank 2\n"
            "  input  i64 [2, 3]");
  EXPECT_EQ(message([] {
              pad(at_here(x23), {{0, 0}, {-1, 0}});
            }),
            "value error in pad, called at a.cpp:7: the padding of axis 1 is negative\n"
            "  input   i64 [2, 3]\n"
            "  before  -1\n"
            "  after   0\n"
            "  hint: slice() removes elements");
  EXPECT_EQ(message([] {
              pad(at_here(x23), {{0, 0}, {1, 0}}, 0.5);
            }),
            "value error in pad, called at a.cpp:7: 0.5 is not a number of type i64\n"
            "  input  i64 [2, 3]");
  EXPECT_THROW(pad(cast(x23, DType::u8), {{0, 0}, {1, 0}}, 256), Error);
  EXPECT_NO_THROW(pad(cast(x23, DType::u8), {{0, 0}, {1, 0}}, 255));
}

TEST(Concat, JoinsAlongAnAxis) {
  const Tensor y = concat({x23, tensor({{7}, {8}})}, -1);
  EXPECT_EQ(y.shape(), (Shape{2, 4}));
  EXPECT_EQ(y.to_vector<int>(), (std::vector<int>{0, 1, 2, 7, 3, 4, 5, 8}));
  EXPECT_EQ(concat({x23}, 0), x23);
  const std::vector<Tensor> many(100, tensor({1, 2}));
  EXPECT_EQ(concat(many).shape(), Shape{200});
}

TEST(Concat, RefusesWhatDoesNotFit) {
  EXPECT_EQ(message([] {
              concat({x23, tensor({{7, 8}})}, 0, here);
            }),
            "shape error in concat, called at a.cpp:7\n"
            "  input 0  i64 [2, 3]\n"
            "  input 1  i64 [1, 2]   axis 1 is 2, expected 3");
  EXPECT_EQ(message([] {
              concat({x23, tensor({1, 2, 3})}, 0, here);
            }),
            "shape error in concat, called at a.cpp:7\n"
            "  input 0  i64 [2, 3]\n"
            "  input 1  i64 [3]   expected 2 axes");
  EXPECT_EQ(message([] {
              concat({x23, tensor({{1.f, 2.f, 3.f}})}, 0, here);
            }),
            "dtype error in concat, called at a.cpp:7\n"
            "  input 0  i64 [2, 3]\n"
            "  input 1  f32 [1, 3]   expected i64\n"
            "  hint: convert it with cast()");
  EXPECT_EQ(message([] { concat(std::span<const Tensor>(), 0, here); }),
            "usage error in concat, called at a.cpp:7: no tensors were given");
  EXPECT_THROW(concat({x23, x23}, 2), Error);
  EXPECT_EQ(message([] {
              concat({x23, Tensor()}, 0, here);
            }),
            "state error in concat, called at a.cpp:7: an operand is an undefined tensor");
}

TEST(DynamicUpdateSlice, MovesAStartThatDoesNotFit) {
  const Tensor update = tensor({{9}, {8}});
  const auto at = [&](int start) {
    return dynamic_update_slice(x23, update, tensor({start}), -1).to_vector<std::int64_t>();
  };
  EXPECT_EQ(at(1), (std::vector<std::int64_t>{0, 9, 2, 3, 8, 5}));
  EXPECT_EQ(at(7), (std::vector<std::int64_t>{0, 1, 9, 3, 4, 8}));
  EXPECT_EQ(at(-7), (std::vector<std::int64_t>{9, 1, 2, 8, 4, 5}));
  EXPECT_EQ(x23.to_vector<std::int64_t>()[0], 0);  // who is held stays as it is
}

TEST(DynamicUpdateSlice, SaysWhatDoesNotFit) {
  EXPECT_EQ(message([] {
              dynamic_update_slice(at_here(x23), tensor({{1, 2, 3, 4}, {1, 2, 3, 4}}), 0, 1);
            }),
            "shape error in dynamic_update_slice, called at a.cpp:7\n"
            "  x       i64 [2, 3]\n"
            "  update  i64 [2, 4]   axis 1 is 4, expected at most 3\n"
            "  start   i64 []");
  EXPECT_EQ(message([] { dynamic_update_slice(at_here(x23), x23, 0.5, 1); }),
            "dtype error in dynamic_update_slice, called at a.cpp:7\n"
            "  x       i64 [2, 3]\n"
            "  update  i64 [2, 3]\n"
            "  start   f32 []   expected i64");
  EXPECT_THROW(dynamic_update_slice(x23, x23, tensor({0, 1}), 1), Error);
  EXPECT_THROW(dynamic_update_slice(x23, tensor({1}), 0, 1), Error);
  EXPECT_THROW(dynamic_update_slice(x23, x23, 0, 2), Error);
}

}  // namespace
}  // namespace gradus
