// What matrix products, convolutions and pooling check and say about their operands.
#pragma once

#include <string>
#include <string_view>

#include "gradus/base/error.h"
#include "gradus/graph/tensor.h"

namespace gradus::detail {

/// The tensor of an operand; throws Error(usage) for a number or an undefined tensor.
const Tensor& tensor_operand(std::string_view op, std::string_view role, const TensorArg& arg, SourceLocation where);

/// Name of the parameter that a tensor is ("encoder.fc1.weight"), or "".
std::string parameter_name(const Tensor& tensor);

/// "encoder.fc1: 784 -> 64" for the weight "encoder.fc1.weight", "784 -> 64" for one without a name.
std::string layer_context(const Tensor& weight, const std::string& sizes);

/// Casts both to the wider type when both are floating or both integral; throws Error(dtype) for a mixture.
void promote_operands(std::string_view op, std::string_view role_a, Tensor& a, std::string_view role_b, Tensor& b,
                      SourceLocation where);

/// Type of the result of a product or convolution of two operands of `operand`: bf16 ones are multiplied exactly and summed
/// in f32.
constexpr DType product_dtype(DType operand) { return operand == DType::bf16 ? DType::f32 : operand; }

/// Adds "input comes from flatten of f32 [32, 1, 28, 27]" when the operand was computed.
void note_origin(Error& error, std::string_view role, const Tensor& tensor);

}  // namespace gradus::detail
