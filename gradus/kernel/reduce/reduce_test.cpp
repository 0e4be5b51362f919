#include "gradus/ops/reduce.h"

#include <gtest/gtest.h>

#include <limits>

#include "gradus/base/parallel.h"
#include "gradus/kernel/conformance_test.h"
#include "gradus/kernel/reduce/reduce_plan.h"
#include "gradus/ops/softmax.h"

namespace gradus::kernel::testing {
namespace {

constexpr float nan = std::numeric_limits<float>::quiet_NaN();
constexpr float inf = std::numeric_limits<float>::infinity();

std::vector<double> elements(const Array& array) {
  std::vector<double> list;
  for (std::int64_t i = 0; i < array.spec.shape.numel(); ++i) list.push_back(array.at(i));
  return list;
}

Implementation tiles_of(const Op& op) {
  const Implementation first = implementations(op.name()).front();
  EXPECT_EQ(first.implementation, "tiles");
  return first;
}

TEST(ReduceKernels, ReferenceOfKnownNumbers) {
  const Array x({2, 3}, std::vector<float>{1, 2, 3, 4, 5, 7});
  EXPECT_EQ(elements(run_reference(Reduce{ReduceKind::sum, 0b01}, {x})[0]), (std::vector<double>{5, 7, 10}));
  EXPECT_EQ(elements(run_reference(Reduce{ReduceKind::sum, 0b10}, {x})[0]), (std::vector<double>{6, 16}));
  EXPECT_EQ(elements(run_reference(Reduce{ReduceKind::prod, 0b11}, {x})[0]), (std::vector<double>{840}));
  EXPECT_EQ(elements(run_reference(Reduce{ReduceKind::max, 0b10, true}, {x})[0]), (std::vector<double>{3, 7}));
  EXPECT_EQ(elements(run_reference(Reduce{ReduceKind::min, 0b01}, {x})[0]), (std::vector<double>{1, 2, 3}));
}

TEST(ReduceKernels, IntegersAndBooleansSumToI64) {
  const Array small({3}, std::vector<std::uint8_t>{200, 100, 255});
  EXPECT_EQ(elements(run_reference(Reduce{ReduceKind::sum, 1}, {small})[0]), (std::vector<double>{555}));
  EXPECT_EQ(elements(run_reference(Reduce{ReduceKind::prod, 1}, {small})[0]), (std::vector<double>{5100000}));
  Array flags(TensorSpec{DType::boolean, {4}});
  for (std::int64_t i = 0; i < 4; ++i) flags.data<bool>()[i] = i != 2;
  EXPECT_EQ(elements(run_reference(Reduce{ReduceKind::sum, 1}, {flags})[0]), (std::vector<double>{3}));
  EXPECT_TRUE(run_reference(Reduce{ReduceKind::max, 1}, {flags})[0].data<bool>()[0]);
  EXPECT_FALSE(run_reference(Reduce{ReduceKind::min, 1}, {flags})[0].data<bool>()[0]);
  const Array wide({2}, std::vector<std::int32_t>{2000000000, 2000000000});
  EXPECT_EQ(elements(run_reference(Reduce{ReduceKind::sum, 1}, {wide})[0]), (std::vector<double>{4e9}));
}

TEST(ReduceKernels, NothingSumsToZeroAndMultipliesToOne) {
  const Array nothing(TensorSpec{DType::f32, {2, 0}});
  EXPECT_EQ(elements(run_reference(Reduce{ReduceKind::sum, 0b10}, {nothing})[0]), (std::vector<double>{0, 0}));
  EXPECT_EQ(elements(run_reference(Reduce{ReduceKind::prod, 0b10}, {nothing})[0]), (std::vector<double>{1, 1}));
  EXPECT_EQ(elements(run_reference(Reduce{ReduceKind::sum, 0b01}, {nothing})[0]), std::vector<double>{});
}

TEST(ReduceKernels, TilesAgreeOnGeneratedShapes) {
  Choices choices(11);
  int compared = 0;
  for (int i = 0; i < 300; ++i) {
    Shape shape;
    const std::int64_t rank = choices.pick({1, 2, 2, 3, 4, 5});
    for (std::int64_t axis = 0; axis < rank; ++axis) {
      shape.push_back(choices.pick({1, 2, 3, 4, 7, 10, 17, axis + 1 == rank ? 300 : 5}));
    }
    const auto axes = static_cast<std::uint32_t>(choices.pick({1, 2, 3, 4, 5, 8, 11, 13, 31})) & ((1u << rank) - 1);
    const Array x = random_array({DType::f32, shape}, static_cast<std::uint64_t>(i));
    for (const ReduceKind kind : {ReduceKind::sum, ReduceKind::max, ReduceKind::min}) {
      compared += compare_all(Reduce{kind, axes}, {x}, kind == ReduceKind::sum ? 5e-5 : 0);
    }
  }
  EXPECT_EQ(compared, 900);
}

TEST(ReduceKernels, TilesAgreeOnLargeShapes) {
  struct Case {
    Shape shape;
    std::uint32_t axes;
  };
  const Case cases[] = {{{1000003}, 1},      {{64, 6, 28, 28}, 0b1101}, {{20000, 10}, 0b01}, {{3, 70001}, 0b10},
                        {{512, 1030}, 0b01}, {{5, 200, 3, 77}, 0b1010}, {{40000, 4}, 0b10},  {{2, 1, 33000, 2}, 0b0101},
                        {{64, 120}, 0b01},   {{7, 4097}, 0b10}};
  for (const auto& [shape, axes] : cases) {
    const Array x = random_array({DType::f32, shape}, 3);
    for (const ReduceKind kind : {ReduceKind::sum, ReduceKind::max, ReduceKind::min}) {
      EXPECT_EQ(compare_all(Reduce{kind, axes}, {x}, kind == ReduceKind::sum ? 5e-5 : 0), 1);
    }
  }
}

TEST(ReduceKernels, LongSumsStayExact) {
  const Array x({1 << 22, 1}, std::vector<float>(1 << 22, 0.1f));
  const double expected = static_cast<double>(0.1f) * (1 << 22);
  for (const std::uint32_t axes : {1u, 3u}) {
    const Op op = Reduce{ReduceKind::sum, axes};
    EXPECT_NEAR(run(tiles_of(op), op, {x})[0].at(0) / expected, 1, 1e-6);
  }
  const Array columns({1 << 20, 4}, std::vector<float>(1 << 22, 0.1f));
  const Op op = Reduce{ReduceKind::sum, 1};
  EXPECT_NEAR(run(tiles_of(op), op, {columns})[0].at(3) / expected, 0.25, 1e-6);
}

TEST(ReduceKernels, TilesHaveTheSameBitsForAnyNumberOfThreads) {
  const int before = num_threads();
  for (const auto& [shape, axes] :
       {std::pair<Shape, std::uint32_t>{{300001}, 1}, {{9000, 33}, 0b01}, {{64, 6, 28, 28}, 0b1101}}) {
    const Op op = Reduce{ReduceKind::sum, axes};
    const Array x = random_array({DType::f32, shape}, 5);
    set_num_threads(1);
    const std::vector<double> one = elements(run(tiles_of(op), op, {x})[0]);
    for (const int threads : {2, 3, 7}) {
      set_num_threads(threads);
      EXPECT_EQ(elements(run(tiles_of(op), op, {x})[0]), one) << threads;
    }
  }
  set_num_threads(before);
}

TEST(ReduceKernels, NanWinsAndInfinitiesCount) {
  for (const std::int64_t count : {1, 5, 33, 100, 5000, 70000}) {
    for (const std::int64_t place : {std::int64_t{0}, count / 2, count - 1}) {
      std::vector<float> numbers(static_cast<std::size_t>(count), -inf);
      numbers[static_cast<std::size_t>(place)] = nan;
      const Array row({count}, numbers), column({count, 1, 1}, numbers), pair({count, 2}, [&] {
        std::vector<float> both;
        for (const float number : numbers) both.insert(both.end(), {number, -inf});
        return both;
      }());
      for (const ReduceKind kind : {ReduceKind::max, ReduceKind::min, ReduceKind::sum}) {
        for (const Array& x : {row, column}) {
          const Op op = Reduce{kind, 1};
          EXPECT_TRUE(std::isnan(run(tiles_of(op), op, {x})[0].at(0))) << op.str() << x.spec.str() << place;
          EXPECT_TRUE(std::isnan(run_reference(op, {x})[0].at(0)));
        }
        EXPECT_EQ(compare_all(Reduce{kind, 1}, {pair}, 0), 1);
      }
    }
  }
}

TEST(ReduceKernels, TilesRefuseOtherTypesAndEmptyInputs) {
  const Op op = Reduce{ReduceKind::sum, 1};
  EXPECT_TRUE(run(tiles_of(op), op, {random_array({DType::f64, {3}}, 1)}).empty());
  EXPECT_TRUE(run(tiles_of(op), op, {Array(TensorSpec{DType::f32, {0, 3}})}).empty());
}

TEST(ReducePlan, MergesAxesAndCutsChunksFromShapesAlone) {
  const ReducePlan bias({64, 6, 28, 28}, 0b1101);
  EXPECT_TRUE(bias.rows);
  EXPECT_EQ(bias.groups, 6);
  EXPECT_EQ(bias.last, 784);
  EXPECT_EQ(bias.folded.count, 1);
  EXPECT_EQ(bias.folded.offset(3), 3 * 6 * 784);
  EXPECT_EQ(bias.kept.offset(5), 5 * 784);
  EXPECT_EQ(bias.blocks, 64);
  const ReducePlan columns({4, 1, 5, 600}, 0b0111);
  EXPECT_FALSE(columns.rows);
  EXPECT_EQ(columns.groups, 3);
  EXPECT_EQ(columns.outputs(), 600);
  EXPECT_EQ(columns.width(2), 88);
  EXPECT_EQ(ReducePlan({1 << 20}, 1).chunks, 32);
}

TEST(ArgReduceKernels, FirstOfTiesAndNanWin) {
  const Array x({3, 4}, std::vector<float>{1, 5, 5, 2, nan, 9, nan, -inf, -inf, -inf, -inf, -inf});
  EXPECT_EQ(elements(run_reference(ArgReduce{true, 1}, {x})[0]), (std::vector<double>{1, 0, 0}));
  EXPECT_EQ(elements(run_reference(ArgReduce{false, 1}, {x})[0]), (std::vector<double>{0, 0, 0}));
  EXPECT_EQ(elements(run_reference(ArgReduce{true, 0}, {x})[0]), (std::vector<double>{1, 1, 1, 0}));
  const Array integers({2, 2}, std::vector<std::int64_t>{3, 3, -1, 4});
  EXPECT_EQ(elements(run_reference(ArgReduce{false, 1, true}, {integers})[0]), (std::vector<double>{0, 0}));
}

TEST(SoftmaxKernels, ReferenceOfKnownNumbers) {
  const Array x({2, 2}, std::vector<double>{0, std::log(3.0), 5, 5});
  const Array y = run_reference(Softmax{1}, {x})[0];
  EXPECT_NEAR(y.at(0), 0.25, 1e-15);
  EXPECT_NEAR(y.at(1), 0.75, 1e-15);
  EXPECT_NEAR(run_reference(LogSoftmax{1}, {x})[0].at(3), std::log(0.5), 1e-15);
  EXPECT_NEAR(run_reference(Softmax{0}, {x})[0].at(0), 1 / (1 + std::exp(5.0)), 1e-15);
}

TEST(SoftmaxKernels, TilesAgreeForEveryLength) {
  for (std::int64_t length = 1; length < 70; ++length) {
    const Array x = random_array({DType::f32, {5, length}}, static_cast<std::uint64_t>(length));
    EXPECT_EQ(compare_all(Softmax{1}, {x}, 1e-6), 1);
    EXPECT_EQ(compare_all(LogSoftmax{1}, {x}, 1e-6), 1);
  }
  const Array large = random_array({DType::f32, {7, 3, 5001}}, 2);
  EXPECT_EQ(compare_all(Softmax{2}, {large}, 1e-6), 1);
  EXPECT_EQ(compare_all(LogSoftmax{2}, {large}, 1e-6), 1);
  EXPECT_EQ(compare_all(Softmax{1}, {large}, 1e-6), 0);  // another axis: the reference
}

TEST(SoftmaxKernels, ExtremeInputs) {
  const Array x({7, 3}, std::vector<float>{1000, 0,   -1000, -inf, 2,    -inf, nan,  1,      2,     1, nan,
                                           2,    inf, 1,     2,    -inf, -inf, -inf, -1e30f, 1e30f, 0});
  EXPECT_EQ(compare_all(Softmax{1}, {x}, 1e-6), 1);
  EXPECT_EQ(compare_all(LogSoftmax{1}, {x}, 1e-6), 1);
  const Array y = run(tiles_of(Softmax{1}), Softmax{1}, {x})[0];
  EXPECT_EQ(y.at(0), 1);
  EXPECT_EQ(y.at(2), 0);
  EXPECT_EQ(y.at(4), 1);
  for (std::int64_t i = 6; i < 18; ++i) EXPECT_TRUE(std::isnan(y.at(i))) << i;  // as in PyTorch
}

}  // namespace
}  // namespace gradus::kernel::testing
