// Linear algebra of small matrices, and of stacks of them: every leading axis is a batch.
//
//   linalg::solve(a, b)                      x with a x = b
//   auto [values, vectors] = linalg::eigh(covariance);
//   linalg::lstsq(features, targets)         the least-squares solution
//
// f32 and f64; bf16 computes in f32. One thread works on one call, so results do not depend on the number of threads. All
// have gradients of any order. Wrong shapes are Error(shape) at the call; a singular or indefinite matrix is Error(value)
// when it is evaluated, and the message says which of the batch it is.
#pragma once

#include <optional>
#include <string_view>

#include "gradus/graph/tensor.h"

namespace gradus::linalg {

/// L, lower triangular, with L L^T = a; with `upper` its transpose. `a` must be symmetric, of which the lower triangle is
/// read, and positive definite.
Tensor cholesky(const TensorArg& a, bool upper = false);

/// x with a x = b: a (.., n, n), b (.., n, k) or, for one system, (n). Batches broadcast.
Tensor solve(const TensorArg& a, const TensorArg& b);

struct TriangularOptions {
  bool upper = false;          ///< required to say which triangle of `a` is read
  bool left = true;            ///< false: x a = b
  bool unitriangular = false;  ///< the diagonal is taken to be ones
};
/// x with a x = b where `a` is triangular; the other triangle is not read. Batches broadcast.
Tensor solve_triangular(const TensorArg& a, const TensorArg& b, TriangularOptions options);

/// The inverse.
Tensor inv(const TensorArg& a);
/// The determinant (..); its gradient needs the inverse.
Tensor det(const TensorArg& a);

/// Sign and logarithm of the absolute value of a determinant.
struct SignLog {
  Tensor sign;
  Tensor logabsdet;
};
SignLog slogdet(const TensorArg& a);

struct Qr {
  Tensor q;  ///< (.., m, k), orthonormal columns
  Tensor r;  ///< (.., k, n), upper triangular
};
/// a = q r, reduced: k = min(m, n).
Qr qr(const TensorArg& a);

struct Eigen {
  Tensor values;   ///< (.., n), ascending
  Tensor vectors;  ///< (.., n, n), as columns
};
/// Eigenvalues and eigenvectors of symmetric matrices, of which the lower triangle is read.
Eigen eigh(const TensorArg& a);

struct Svd {
  Tensor u;   ///< (.., m, k)
  Tensor s;   ///< (.., k), descending
  Tensor vh;  ///< (.., k, n)
};
/// a = u diag(s) vh, reduced: k = min(m, n).
Svd svd(const TensorArg& a);

/// Moore and Penrose's inverse; singular values up to `rcond` times the largest count as 0 (default: machine epsilon times
/// the larger size, as in PyTorch).
Tensor pinv(const TensorArg& a, std::optional<double> rcond = {});
/// x of least norm among those with the least |a x - b|: a (.., m, n), b (.., m, k) -> (.., n, k).
Tensor lstsq(const TensorArg& a, const TensorArg& b, std::optional<double> rcond = {});

/// A norm of matrices (..): "fro" (the default), "nuc" (sum of singular values).
Tensor matrix_norm(const TensorArg& a, std::string_view order = "fro");
/// A norm of matrices by number: 1 and infinity are the largest sum of absolute values of a column and of a row, 2 the
/// largest singular value; -1, -infinity and -2 the smallest. Throws Error(value) for others.
Tensor matrix_norm(const TensorArg& a, double order);
/// a multiplied with itself; 0 gives the identity, negative exponents are of the inverse.
Tensor matrix_power(const TensorArg& a, int exponent);

}  // namespace gradus::linalg
