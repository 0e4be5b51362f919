// What the composed functions and losses of nn share: their operands and messages.
#pragma once

#include <string>
#include <string_view>

#include "gradus/base/error.h"
#include "gradus/graph/tensor.h"

namespace gradus::detail {

/// The tensor of an argument. Throws Error(usage) for a number or an undefined tensor.
Tensor required(std::string_view op, std::string_view role, const TensorArg& arg);
/// The same, of a floating type; Error(dtype) otherwise.
Tensor required_floating(std::string_view op, std::string_view role, const TensorArg& arg);

/// Throws Error(value) "p is 2, must be in [0, 1]" unless `holds`.
void require_value(bool holds, std::string_view op, std::string_view name, double value, std::string_view rule,
                   SourceLocation where);

/// For functions of several steps that keep their sums in f32: bf16 as f32, everything else as it is.
Tensor widened(const Tensor& x, SourceLocation where);

/// Gives the node of `result` the name of the user function that ends with it, and returns it.
Tensor named(std::string_view name, Tensor result);

}  // namespace gradus::detail
