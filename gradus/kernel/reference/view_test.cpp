#include "gradus/ops/view.h"

#include <gtest/gtest.h>

#include <numeric>

#include "gradus/kernel/conformance_test.h"

namespace gradus::kernel::testing {
namespace {

/// 0, 1, 2, ... in the given shape.
Array counting(const Shape& shape) {
  const Array array(TensorSpec{DType::i32, shape});
  std::iota(array.data<std::int32_t>(), array.data<std::int32_t>() + shape.numel(), 0);
  return array;
}

std::vector<int> elements(const Array& array) {
  const std::int32_t* data = array.data<std::int32_t>();
  return {data, data + array.spec.shape.numel()};
}

using Index = std::array<std::int64_t, Shape::max_rank>;

Index index_of(const Shape& shape, std::int64_t position) {
  Index index{};
  for (int axis = shape.rank() - 1; axis >= 0; --axis) {
    index[static_cast<std::size_t>(axis)] = position % shape[axis];
    position /= shape[axis];
  }
  return index;
}

std::int64_t position_of(const Shape& shape, const Index& index) {
  std::int64_t position = 0;
  for (int axis = 0; axis < shape.rank(); ++axis)
    position = position * shape[axis] + index[static_cast<std::size_t>(axis)];
  return position;
}

Shape generated_shape(Choices& choices, std::int64_t rank) {
  Shape shape;
  for (std::int64_t axis = 0; axis < rank; ++axis) shape.push_back(choices.pick({0, 1, 1, 2, 3, 5, 8, 13, 64}));
  return shape;
}

TEST(ViewKernels, KnownNumbers) {
  const Array x = counting({2, 3});
  EXPECT_EQ(elements(run_reference(Permute{{1, 0}, 2}, {x})[0]), (std::vector<int>{0, 3, 1, 4, 2, 5}));
  EXPECT_EQ(elements(run_reference(Slice{1, 0, 3, 2}, {x})[0]), (std::vector<int>{0, 2, 3, 5}));
  EXPECT_EQ(elements(run_reference(Reshape{{3, 2}}, {x})[0]), (std::vector<int>{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(elements(run_reference(BroadcastTo{{2, 2, 3}}, {x})[0]),
            (std::vector<int>{0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(elements(run_reference(BroadcastTo{{2, 3}}, {counting({2, 1})})[0]), (std::vector<int>{0, 0, 0, 1, 1, 1}));
}

TEST(ViewKernels, PermuteMovesEveryElement) {
  Choices choices(1);
  for (int i = 0; i < 200; ++i) {
    const std::int64_t rank = choices.pick({0, 1, 2, 3, 4});
    const Shape shape = generated_shape(choices, rank);
    Permute op{{}, static_cast<int>(rank)};
    std::iota(op.order.begin(), op.order.begin() + rank, 0);
    for (std::int64_t a = rank - 1; a > 0; --a) {
      std::swap(op.order[static_cast<std::size_t>(a)], op.order[static_cast<std::size_t>(choices.pick({0, a / 2, a}))]);
    }
    const Array x = counting(shape), y = run_reference(op, {x})[0];
    for (std::int64_t p = 0; p < shape.numel(); ++p) {
      const Index to = index_of(y.spec.shape, p);
      Index from{};
      for (std::size_t axis = 0; axis < static_cast<std::size_t>(rank); ++axis) {
        from[static_cast<std::size_t>(op.order[axis])] = to[axis];
      }
      ASSERT_EQ(y.at(p), x.at(position_of(shape, from))) << shape.str() << Op(op).str();
    }
  }
}

TEST(ViewKernels, SliceAndPadAreEachOthersInverse) {
  Choices choices(2);
  for (int i = 0; i < 200; ++i) {
    const Shape shape = generated_shape(choices, choices.pick({1, 2, 3, 4}));
    Pad pad;
    pad.value = -7;
    for (std::size_t axis = 0; axis < static_cast<std::size_t>(shape.rank()); ++axis) {
      pad.before[axis] = choices.pick({0, 0, 1, 3});
      pad.after[axis] = choices.pick({0, 0, 2, 5});
      pad.interior[axis] = choices.pick({0, 0, 1, 2});
    }
    const Array x = counting(shape), padded = run_reference(pad, {x})[0];
    Array back = padded;
    for (int axis = 0; axis < shape.rank(); ++axis) {
      const auto at = static_cast<std::size_t>(axis);
      const std::int64_t step = pad.interior[at] + 1, start = pad.before[at];
      const std::int64_t stop = shape[axis] == 0 ? start : start + (shape[axis] - 1) * step + 1;
      back = run_reference(Slice{axis, start, stop, step}, {back})[0];
    }
    EXPECT_EQ(elements(back), elements(x));
    std::int64_t fillers = 0;
    for (const int element : elements(padded)) fillers += element == -7 ? 1 : 0;
    EXPECT_EQ(fillers, padded.spec.shape.numel() - shape.numel());
  }
}

TEST(ViewKernels, BroadcastRepeatsEveryElement) {
  Choices choices(3);
  for (int i = 0; i < 200; ++i) {
    const Shape to = generated_shape(choices, choices.pick({0, 1, 2, 3, 4}));
    Shape from;
    const std::int64_t extra = std::min<std::int64_t>(to.rank(), choices.pick({0, 0, 1, 2}));
    for (int axis = static_cast<int>(extra); axis < to.rank(); ++axis)
      from.push_back(choices.pick({1, to[axis], to[axis]}));
    const Array x = counting(from), y = run_reference(BroadcastTo{to}, {x})[0];
    for (std::int64_t p = 0; p < to.numel(); ++p) {
      const Index index = index_of(to, p);
      Index source{};
      for (int axis = 0; axis < from.rank(); ++axis) {
        const auto at = static_cast<std::size_t>(axis);
        source[at] = from[axis] == 1 ? 0 : index[at + static_cast<std::size_t>(extra)];
      }
      ASSERT_EQ(y.at(p), x.at(position_of(from, source))) << from.str() << to.str();
    }
  }
}

TEST(ViewKernels, EveryElementSize) {
  const Array bytes({2, 2}, std::vector<std::uint8_t>{1, 2, 3, 4});
  const Array y = run_reference(Permute{{1, 0}, 2}, {bytes})[0];
  EXPECT_EQ(std::vector<std::uint8_t>(y.data<std::uint8_t>(), y.data<std::uint8_t>() + 4),
            (std::vector<std::uint8_t>{1, 3, 2, 4}));
  const Array halves({2, 1}, std::vector<BFloat16>{BFloat16(1.5f), BFloat16(-2)});
  EXPECT_EQ(run_reference(Slice{0, 1, 2, 1}, {halves})[0].data<BFloat16>()[0], BFloat16(-2));
  const Array wide({2}, std::vector<double>{1e300, -1});
  EXPECT_EQ(run_reference(BroadcastTo{{2, 2}}, {wide})[0].at(2), 1e300);
  Pad pad;
  pad.after[0] = 1;
  pad.value = 0.5;
  EXPECT_EQ(run_reference(pad, {halves})[0].data<BFloat16>()[2], BFloat16(0.5f));
}

TEST(ConcatKernels, KnownNumbers) {
  const Array a = counting({2, 2}), b = counting({2, 1}), nothing = counting({2, 0});
  EXPECT_EQ(elements(run_reference(Concat{1}, {a, b, nothing, a})[0]),
            (std::vector<int>{0, 1, 0, 0, 1, 2, 3, 1, 2, 3}));
  EXPECT_EQ(elements(run_reference(Concat{0}, {a, a})[0]), (std::vector<int>{0, 1, 2, 3, 0, 1, 2, 3}));
}

TEST(ConcatKernels, SlicesGiveThePartsBack) {
  Choices choices(4);
  for (int i = 0; i < 100; ++i) {
    const Shape shape = generated_shape(choices, choices.pick({1, 2, 3}));
    const int axis = static_cast<int>(choices.pick({0, shape.rank() - 1, shape.rank() / 2}));
    std::vector<Array> parts;
    for (int part = 0; part < 3; ++part) {
      Shape own = shape;
      own.set(axis, choices.pick({0, 1, 4, 9}));
      parts.push_back(random_array({DType::i32, own}, static_cast<std::uint64_t>(i * 3 + part)));
    }
    const Array joined = run_reference(Concat{axis}, parts)[0];
    std::int64_t start = 0;
    for (const Array& part : parts) {
      const std::int64_t stop = start + part.spec.shape[axis];
      EXPECT_EQ(elements(run_reference(Slice{axis, start, stop, 1}, {joined})[0]), elements(part));
      start = stop;
    }
  }
}

}  // namespace
}  // namespace gradus::kernel::testing
