#include <gtest/gtest.h>

#include "gradus/kernel/registry.h"
#include "gradus/ops/linalg/factorizations.h"

namespace gradus::kernel {
namespace {

/// LAPACK tells sizes as numbers of the matrix's type. That of 2901 columns, 2 n^2 + 6 n + 1, is odd and above 2^24.
TEST(Lapack, LargeMatricesOfF32GetTheWorkSpaceThatTheyNeed) {
  constexpr std::int64_t n = 2901;
  const TensorSpec matrix{DType::f32, {n, n}}, outputs[] = {{DType::f32, {n}}, matrix};
  const Op eigh(linalg::EighOp{});
  const Choice chosen = choose({eigh, std::span(&matrix, 1), outputs});
  const auto aligned = [](std::int64_t numbers) { return static_cast<std::size_t>((4 * numbers + 63) / 64 * 64); };
  EXPECT_GE(chosen.kernel->scratch_bytes(), aligned(n * n) + aligned(2 * n * n + 6 * n + 1) + aligned(5 * n + 3));
}

}  // namespace
}  // namespace gradus::kernel
