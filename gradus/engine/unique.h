// Operations whose result's shape depends on the elements. They evaluate their operand at the call and give evaluated
// tensors: they cannot be part of a plan, and have no gradient.
#pragma once

#include <cstdint>

#include "gradus/graph/tensor.h"

namespace gradus {

/// The different elements of a tensor.
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

}  // namespace gradus
