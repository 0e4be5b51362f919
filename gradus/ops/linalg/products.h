// Products of vectors, matrices and tensors beside matmul:
//
//   outer(a, b)        bmm(queries, keys)        tensordot(a, b, 2)        cdist(x, centres)
//
// All are made of matmul, reshapes and elementwise operations.
#pragma once

#include <initializer_list>
#include <span>
#include <utility>

#include "gradus/graph/tensor.h"

namespace gradus {

/// Products of two stacks of matrices, one to one: (b, m, k) x (b, k, n) -> (b, m, n). Throws Error(shape) for other ranks
/// or sizes; `matmul` broadcasts.
Tensor bmm(const TensorArg& a, const TensorArg& b);
/// Matrix times matrix. Throws Error(shape) for other ranks.
Tensor mm(const TensorArg& a, const TensorArg& b);
/// Matrix times vector: (m, k) x (k) -> (m).
Tensor mv(const TensorArg& matrix, const TensorArg& vector);
/// Scalar product of two vectors of one size.
Tensor dot(const TensorArg& a, const TensorArg& b);
/// All products of the elements of two vectors: (m), (n) -> (m, n).
Tensor outer(const TensorArg& a, const TensorArg& b);

/// Sums products over the last `axes` axes of `a` and the first of `b`. Throws Error(shape) when they differ.
Tensor tensordot(const TensorArg& a, const TensorArg& b, int axes = 2);
/// Sums products over these pairs of axes: {axis of a, axis of b}. The rest of `a` comes first.
Tensor tensordot(const TensorArg& a, const TensorArg& b, std::span<const std::pair<int, int>> axes);
Tensor tensordot(const TensorArg& a, const TensorArg& b, std::initializer_list<std::pair<int, int>> axes);

/// Kronecker product: a's elements, each times the whole of b. Ranks are made equal with axes in front.
Tensor kron(const TensorArg& a, const TensorArg& b);

/// Distances by the p-norm between all rows: (.., m, d), (.., n, d) -> (.., m, n); p >= 0, also infinity. p is an
/// attribute. The gradient at distance 0 is 0. Throws Error(shape, value).
Tensor cdist(const TensorArg& a, const TensorArg& b, double p = 2);

/// beta * c + alpha * (a x b) for matrices; c broadcasts. Throws as mm.
Tensor addmm(const TensorArg& c, const TensorArg& a, const TensorArg& b, double beta = 1, double alpha = 1);

/// The cross product along `axis`, which has 3 elements. Throws Error(shape).
Tensor cross(const TensorArg& a, const TensorArg& b, int axis = -1);

/// Covariances of variables (rows) over observations (columns): (v, n) -> (v, v), divided by n - correction. Throws
/// Error(shape) for another rank.
Tensor cov(const TensorArg& x, double correction = 1);
/// Pearson's correlation coefficients of the same, between -1 and 1.
Tensor corrcoef(const TensorArg& x);

}  // namespace gradus
