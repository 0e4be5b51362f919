#include "gradus/ops/linalg/linalg.h"

#include <gtest/gtest.h>

#include <cmath>

#include "gradus/base/parallel.h"
#include "gradus/engine/eval.h"
#include "gradus/ops/ops.h"

namespace gradus {
namespace {

Tensor random_matrices(const Shape& shape, std::uint64_t seed = 1) {
  return cast(normal(shape, {}, Key{seed}), DType::f64);
}
Tensor t(const Tensor& x) { return transpose(x, -2, -1); }
double distance(const Tensor& a, const Tensor& b) { return max(abs(a - b)).item<double>(); }

// Tall, wide, square and single: the factors multiply to the matrix and are what they promise.
TEST(Linalg, FactorsMultiplyToTheMatrix) {
  for (const Shape& shape : {Shape{5, 3}, Shape{3, 5}, Shape{2, 2, 4, 4}, Shape{3, 1, 1}, Shape{2, 6, 1}}) {
    const Tensor a = random_matrices(shape);
    eval(a);
    const auto [q, r] = linalg::qr(a);
    EXPECT_LT(distance(matmul(q, r), a), 1e-12);
    EXPECT_LT(distance(matmul(t(q), q), eye(q.size(-1), DType::f64)), 1e-12);
    EXPECT_EQ(distance(r, triu(r)), 0);
    const auto [u, s, vh] = linalg::svd(a);
    EXPECT_LT(distance(matmul(u * unsqueeze(s, -2), vh), a), 1e-12);
    EXPECT_EQ(distance(s, sort(s, -1, {.descending = true}).values), 0);
    const Tensor p = linalg::pinv(a);
    EXPECT_LT(distance(matmul(matmul(a, p), a), a), 1e-12);
    EXPECT_LT(distance(matmul(matmul(p, a), p), p), 1e-12);
  }
}

TEST(Linalg, SymmetricMatrices) {
  const Tensor x = random_matrices({3, 4, 4}), a = matmul(x, t(x)) + eye(4, DType::f64);
  eval(a);
  const Tensor l = linalg::cholesky(a);
  EXPECT_LT(distance(matmul(l, t(l)), a), 1e-12);
  EXPECT_EQ(distance(l, tril(l)), 0);
  EXPECT_EQ(distance(linalg::cholesky(a, true), t(l)), 0);
  EXPECT_EQ(distance(linalg::cholesky(tril(a)), l), 0);  // the upper triangle is not read
  const auto [w, v] = linalg::eigh(a);
  EXPECT_LT(distance(matmul(a, v), v * unsqueeze(w, -2)), 1e-11);
  EXPECT_EQ(distance(linalg::eigh(tril(a)).values, w), 0);
}

TEST(Linalg, SystemsAndDeterminants) {
  const Tensor a = random_matrices({3, 4, 4}) + eye(4, DType::f64) * 3, b = random_matrices({4, 2}, 2);
  eval(a, b);
  EXPECT_LT(distance(matmul(a, linalg::solve(a, b)), broadcast_to(b, {3, 4, 2})), 1e-12);
  EXPECT_EQ(linalg::solve(a, select(b, 1, 0)).shape(), (Shape{3, 4}));
  EXPECT_LT(distance(matmul(a, linalg::inv(a)), broadcast_to(eye(4, DType::f64), {3, 4, 4})), 1e-12);
  const auto [sign, log] = linalg::slogdet(a);
  EXPECT_LT(distance(linalg::det(a), sign * exp(log)), 1e-10);
  EXPECT_EQ(linalg::det(tensor({{0.f, 2.f}, {3.f, 0.f}})).item<float>(), -6);
  EXPECT_EQ(linalg::det(ones({2, 2})).item<float>(), 0);
  for (const bool upper : {false, true}) {
    for (const bool unit : {false, true}) {
      const Tensor triangle = upper ? triu(a, unit ? 1 : 0) : tril(a, unit ? -1 : 0);
      const Tensor full = unit ? triangle + eye(4, DType::f64) : triangle;
      const Tensor x = linalg::solve_triangular(a, b, {.upper = upper, .unitriangular = unit});
      EXPECT_LT(distance(matmul(full, x), broadcast_to(b, {3, 4, 2})), 1e-11);
      const Tensor y = linalg::solve_triangular(a, t(b), {.upper = upper, .left = false, .unitriangular = unit});
      EXPECT_LT(distance(matmul(y, full), broadcast_to(t(b), {3, 2, 4})), 1e-11);
    }
  }
}

TEST(Linalg, NormsAndPowers) {
  const Tensor a = tensor({{1., -2.}, {3., 4.}});
  EXPECT_DOUBLE_EQ(linalg::matrix_norm(a).item<double>(), std::sqrt(30.));
  EXPECT_EQ(linalg::matrix_norm(a, 1).item<double>(), 6);
  EXPECT_EQ(linalg::matrix_norm(a, -1).item<double>(), 4);
  EXPECT_EQ(linalg::matrix_norm(a, INFINITY).item<double>(), 7);
  EXPECT_EQ(linalg::matrix_norm(a, -INFINITY).item<double>(), 3);
  EXPECT_LT(distance(linalg::matrix_norm(a, 2) * linalg::matrix_norm(a, -2), abs(linalg::det(a))), 1e-12);
  EXPECT_LT(distance(linalg::matrix_power(a, 5), matmul(a, matmul(matmul(a, a), matmul(a, a)))), 1e-9);
  EXPECT_EQ(distance(linalg::matrix_power(a, 0), eye(2, DType::f64)), 0);
  EXPECT_LT(distance(matmul(linalg::matrix_power(a, -1), a), eye(2, DType::f64)), 1e-12);
  EXPECT_EQ(linalg::inv(cast(a, DType::bf16)).dtype(), DType::bf16);
}

TEST(Linalg, EmptyBatchesAndMatrices) {
  EXPECT_EQ(linalg::inv(zeros({0, 3, 3})).to_vector<float>().size(), 0);
  EXPECT_EQ(linalg::det(zeros({2, 0, 0})).to_vector<float>(), (std::vector<float>{1, 1}));
  EXPECT_EQ(linalg::svd(zeros({0, 3})).vh.shape(), (Shape{0, 3}));
  eval(linalg::svd(zeros({0, 3})).vh, linalg::qr(zeros({3, 0})).q, linalg::eigh(zeros({0, 0})).values);
}

TEST(Einsum, EqualsWhatItAbbreviates) {
  const Tensor a = random_matrices({3, 4}), b = random_matrices({4, 5}, 2), c = random_matrices({2, 3, 3}, 3);
  eval(a, b, c);
  EXPECT_LT(distance(einsum("ij,jk", {a, b}), matmul(a, b)), 1e-12);
  EXPECT_LT(distance(einsum("ij -> ji", {a}), t(a)), 1e-15);
  EXPECT_LT(distance(einsum("bii->b", {c}), sum(diagonal(c, 0, 1, 2), -1)), 1e-12);
  EXPECT_LT(distance(einsum("bii->bi", {c}), diagonal(c, 0, 1, 2)), 1e-15);
  EXPECT_LT(distance(einsum("ij->", {a}), sum(a)), 1e-12);
  EXPECT_LT(distance(einsum("ij,ij->ij", {a, a}), square(a)), 1e-15);
  EXPECT_LT(distance(einsum("ij,ij->i", {a, a}), sum(square(a), 1)), 1e-12);
  EXPECT_LT(distance(einsum("ij,ij", {a, a}), sum(square(a))), 1e-12);
  EXPECT_LT(distance(einsum("i,j", {select(a, 0, 0), select(b, 0, 1)}), outer(select(a, 0, 0), select(b, 0, 1))),
            1e-12);
  EXPECT_LT(
      distance(einsum("...ij,jk->...ki", {c, random_matrices({3, 2}, 4)}), t(matmul(c, random_matrices({3, 2}, 4)))),
      1e-12);
  EXPECT_LT(distance(einsum("...,...", {unsqueeze(c, 1), c}), unsqueeze(c, 1) * c), 1e-12);
  EXPECT_EQ(einsum("ij,jk", {tensor({{1, 2}}), tensor({{3}, {4}})}).item<std::int64_t>(), 11);
}

}  // namespace
}  // namespace gradus
