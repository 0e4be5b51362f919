// Diagonals and triangles of matrices, or of stacks of them:
//
//   trace(covariance)          diagonal(x, 1)          tril(scores)
#pragma once

#include <cstdint>

#include "gradus/graph/tensor.h"

namespace gradus {

/// Elements on and below diagonal `k` of the last two axes, zeros above; k > 0 lies above the main diagonal. Any type.
/// Throws Error(shape) for fewer than two axes.
Tensor tril(const TensorArg& x, std::int64_t k = 0);
/// Elements on and above diagonal `k`, zeros below.
Tensor triu(const TensorArg& x, std::int64_t k = 0);

/// Diagonal `k` of axes `axis1` and `axis2`, which become the last axis of the result: elements [i, i + k] for k >= 0,
/// [i - k, i] else. A view. Throws Error(axis).
Tensor diagonal(const TensorArg& x, std::int64_t k = 0, int axis1 = 0, int axis2 = 1);
/// Matrices with the last axis of `x` on their diagonal `k`, zeros elsewhere: [.., n] -> [.., n + |k|, n + |k|].
Tensor diag_embed(const TensorArg& x, std::int64_t k = 0);
/// The diagonal of a matrix, or the matrix with a vector on its diagonal. Throws Error(shape) for another rank.
Tensor diag(const TensorArg& x, std::int64_t k = 0);
/// Sum of the main diagonal of a matrix. Throws Error(shape) for another rank.
Tensor trace(const TensorArg& x);

}  // namespace gradus
