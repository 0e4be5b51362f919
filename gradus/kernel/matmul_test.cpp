#include "gradus/ops/matmul.h"

#include <gtest/gtest.h>

#include <tuple>

#include "gradus/kernel/conformance_test.h"
#include "gradus/kernel/product/bf16_unit.h"
#include "gradus/kernel/product/narrow_matmul.h"

namespace gradus::kernel::testing {
namespace {

/// Operands of a product of (batch.., m, k) and (batch.., k, n), stored as the op wants them.
std::vector<Array> operands(const MatMul& op, DType dtype, const Shape& batch, std::int64_t m, std::int64_t k,
                            std::int64_t n) {
  const auto shape = [&](std::int64_t rows, std::int64_t columns, bool transposed) {
    Shape result = batch;
    result.push_back(transposed ? columns : rows);
    result.push_back(transposed ? rows : columns);
    return result;
  };
  return {random_array({dtype, shape(m, k, op.transpose_a)}, 1), random_array({dtype, shape(k, n, op.transpose_b)}, 2)};
}

TEST(MatMulKernels, ReferenceOfAKnownProduct) {
  const std::vector<Array> inputs{Array({2, 3}, std::vector<float>{1, 2, 3, 4, 5, 6}),
                                  Array({3, 2}, std::vector<float>{7, 8, 9, 10, 11, 12})};
  const Array c = run_reference(MatMul{}, inputs)[0];
  EXPECT_EQ(std::vector<float>(c.data<float>(), c.data<float>() + 4), (std::vector<float>{58, 64, 139, 154}));
}

TEST(MatMulKernels, ReferenceOfTransposedOperands) {
  // The same matrices, stored the other way round.
  const std::vector<Array> inputs{Array({3, 2}, std::vector<std::int64_t>{1, 4, 2, 5, 3, 6}),
                                  Array({2, 3}, std::vector<std::int64_t>{7, 9, 11, 8, 10, 12})};
  const Array c = run_reference(MatMul{true, true}, inputs)[0];
  EXPECT_EQ(std::vector<std::int64_t>(c.data<std::int64_t>(), c.data<std::int64_t>() + 4),
            (std::vector<std::int64_t>{58, 64, 139, 154}));
}

TEST(MatMulKernels, IntegersWrapAround) {
  const std::vector<Array> inputs{Array({1, 2}, std::vector<std::int32_t>{1 << 30, 1 << 30}),
                                  Array({2, 1}, std::vector<std::int32_t>{4, 1})};
  EXPECT_EQ(run_reference(MatMul{}, inputs)[0].data<std::int32_t>()[0], 1 << 30);
}

TEST(MatMulKernels, NoInnerElementsGiveZeros) {
  const Array c = run_reference(MatMul{}, operands(MatMul{}, DType::f32, {}, 2, 0, 3))[0];
  for (std::int64_t i = 0; i < 6; ++i) EXPECT_EQ(c.at(i), 0);
  EXPECT_EQ(compare_all(MatMul{}, operands(MatMul{}, DType::f32, {}, 2, 0, 3), 0), 0);  // the others refuse
  EXPECT_EQ(compare_all(MatMul{}, operands(MatMul{}, DType::f32, {}, 0, 4, 3), 0), 0);
}

TEST(MatMulKernels, AgreeOnGeneratedShapes) {
  Choices choices(7);
  int compared = 0;
  for (int i = 0; i < 150; ++i) {
    const MatMul op{choices.pick({0, 1}) == 1, choices.pick({0, 1}) == 1};
    const std::int64_t m = choices.pick({1, 2, 5, 17, 64}), k = choices.pick({1, 3, 8, 31, 100}),
                       n = choices.pick({1, 2, 7, 33, 64});
    Shape batch;
    if (choices.pick({0, 0, 1}) == 1) batch = {choices.pick({1, 2, 5})};
    if (choices.pick({0, 0, 1}) == 1) batch.push_back(choices.pick({1, 3}));
    compared += compare_all(op, operands(op, DType::f32, batch, m, k, n), 1e-5);
  }
  EXPECT_GE(compared, 150);
}

TEST(MatMulKernels, AgreeOnVectors) {
  for (const std::int64_t k : {1, 15, 16, 200}) {
    for (const std::int64_t n : {1, 3, 4, 301}) {
      EXPECT_GE(compare_all(MatMul{false, true}, operands(MatMul{false, true}, DType::f32, {2}, 1, k, n), 1e-5), 2);
      EXPECT_GE(compare_all(MatMul{}, operands(MatMul{}, DType::f32, {2}, n, k, 1), 1e-5), n < 300 ? 2 : 1);
    }
  }
  // Large enough for several threads, which split it at any element.
  EXPECT_GE(compare_all(MatMul{true, true}, operands(MatMul{true, true}, DType::f32, {3}, 1, 900, 333), 2e-5), 2);
}

TEST(MatMulKernels, OfBf16SumInF32) {
  Choices choices(8);
  int compared = 0;
  for (int i = 0; i < 60; ++i) {
    const MatMul op{choices.pick({0, 1}) == 1, choices.pick({0, 1}) == 1};
    const std::int64_t m = choices.pick({1, 2, 5, 17, 64}), k = choices.pick({1, 3, 16, 31, 128}),
                       n = choices.pick({1, 2, 7, 33, 64});
    Shape batch;
    if (choices.pick({0, 0, 1}) == 1) batch = {choices.pick({1, 2, 5})};
    const std::vector<Array> inputs = operands(op, DType::bf16, batch, m, k, n);
    EXPECT_EQ(run_reference(op, inputs)[0].spec.dtype, DType::f32);
    compared += compare_all(op, inputs, 1e-5);
    const MatMul narrow{op.transpose_a, op.transpose_b, true};
    EXPECT_EQ(run_reference(narrow, inputs)[0].spec.dtype, DType::bf16);
    compared += compare_all(narrow, inputs, 1e-2);  // a sum near the middle of two numbers goes either way
  }
  EXPECT_GE(compared, 120);
}

// What decodes a token; oneDNN takes it, too.
TEST(MatMulKernels, AgreeOnVectorsOfBf16) {
  for (const std::int64_t k : {1, 16, 37, 384}) {
    for (const std::int64_t n : {1, 3, 4, 301}) {
      for (const bool narrow : {false, true}) {
        const MatMul op{false, true, narrow};
        EXPECT_EQ(compare_all(op, operands(op, DType::bf16, {}, 1, k, n), narrow ? 1e-2 : 1e-5), 2);
      }
    }
  }
}

TEST(MatMulKernels, AgreeOnLargeMatrices) {
  for (const MatMul op : {MatMul{}, MatMul{true, false}, MatMul{false, true}, MatMul{true, true}}) {
    EXPECT_GE(compare_all(op, operands(op, DType::f32, {}, 300, 511, 257), 2e-5), 1);
  }
}

// Sizes that end within a panel; that take several passes over the depth, packed and in place; rows that fall into the same
// sets of the cache; and columns that come in groups.
TEST(MatMulKernels, PanelsAgreeOnAnySize) {
  if (bf16_unit() != Bf16Unit::tiles) GTEST_SKIP() << "this CPU has no AMX";
  for (const auto& [m, k, n] :
       {std::tuple(32, 32, 32), std::tuple(33, 40, 65), std::tuple(192, 512, 96), std::tuple(70, 2100, 40),
        std::tuple(64, 3200, 64), std::tuple(64, 2048, 33), std::tuple(32, 1024, 1300)}) {
    for (const bool transpose_a : {false, true}) {
      for (const bool transpose_b : {false, true}) {
        for (const bool narrow : {false, true}) {
          const MatMul op{transpose_a, transpose_b, narrow};
          const std::vector<Array> inputs = operands(op, DType::bf16, {}, m, k, n);
          const double tolerance = narrow ? 1e-2 : 3e-5;
          EXPECT_EQ(compare(narrow_matmul_of_any_size(), op, inputs, run_reference(op, inputs), tolerance), 1);
        }
      }
    }
  }
}

}  // namespace
}  // namespace gradus::kernel::testing
