// Operations whose result's shape depends on the elements. They evaluate what the shape depends on at the call: what stands
// before cannot be part of the plan that is evaluated later.
#pragma once

#include <cstdint>

#include "gradus/graph/tensor.h"

namespace gradus {

/// The different elements of a tensor. Evaluated, without a gradient.
struct Unique {
  Tensor values;   ///< [m], ascending; every NaN counts as different
  Tensor inverse;  ///< i64, shape of the operand: values[inverse] is the operand
  Tensor counts;   ///< i64 [m]
};

/// Evaluates `x`, of any type, and sorts out its different elements.
Unique unique(const Tensor& x, SourceLocation where = SourceLocation::current());

/// Evaluates `x` (one axis of integers >= 0) and counts how often each number occurs: i64 of max(x) + 1 elements, at least
/// `minlength`. Throws Error(shape, dtype, value).
Tensor bincount(const Tensor& x, std::int64_t minlength = 0, SourceLocation where = SourceLocation::current());

/// Positions of the elements that are not 0 (NaN is not): i64 [m, rank], in row-major order. Evaluates `x`; no gradient.
Tensor nonzero(const Tensor& x, SourceLocation where = SourceLocation::current());

/// The elements of `x` where `mask` (bool) is true, in row-major order, after both were broadcast: [m]. Evaluates the mask,
/// not `x`, and gradients flow to `x`; a mask that depends on parameters has to be a constant then (`stop_gradient`). Where
/// a sum or a mean is wanted, `where(mask, x, 0)` keeps one plan for all steps. Throws Error(dtype, shape).
Tensor masked_select(const TensorArg& x, const Tensor& mask, SourceLocation where = SourceLocation::current());

struct CloseOptions {
  double rtol = 1e-5;
  double atol = 1e-8;
  bool equal_nan = false;  ///< whether NaN is close to NaN
};
/// Whether every element of `a` differs from its partner in `b` by at most atol + rtol |b|. Evaluates both. Throws
/// Error(shape) unless they broadcast.
bool allclose(const TensorArg& a, const TensorArg& b, const CloseOptions& options = {});

}  // namespace gradus
