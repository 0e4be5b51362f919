// What metrics read: evaluated tensors as plain numbers, checked.
#pragma once

#include <cstdint>
#include <vector>

#include "gradus/graph/tensor.h"

namespace gradus::metrics::detail {

/// Integers [n] in [0, classes). Throws Error(shape, dtype, index) on behalf of `op`, for the operand called `role`.
std::vector<std::int64_t> classes_of(const TensorArg& arg, std::int64_t classes, const char* op, const char* role);

/// A floating tensor that is finite; its elements in f64. Throws Error(dtype, value).
std::vector<double> numbers_of(const TensorArg& arg, const char* op, const char* role);

/// Throws Error(shape) unless both have one shape.
void check_same_shape(const TensorArg& a, const char* role_a, const TensorArg& b, const char* role_b, const char* op);

}  // namespace gradus::metrics::detail
