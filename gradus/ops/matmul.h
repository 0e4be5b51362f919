// Matrix products:
//
//   matmul(a, b)                 (.., m, k) x (.., k, n) -> (.., m, n)
//   linear(x, weight, bias)      (.., in), (out, in), (out) -> (.., out)
#pragma once

#include "gradus/graph/op.h"
#include "gradus/graph/tensor.h"

namespace gradus {

/// Product of two stacks of matrices with equal batch axes: (.., m, k) x (.., k, n) -> (.., m, n). A transposed operand is
/// stored with its last two axes swapped. f32, f64, i32 or i64, the same for both; of two bf16 operands, which mixed precision
/// writes (transform/lowering/precision.h), the result is f32, or bf16 where `narrow` says so: the sums are rounded once, at the end.
struct MatMul {
  bool transpose_a = false;
  bool transpose_b = false;
  bool narrow = false;  ///< of bf16 operands only, and below gradients only

  std::string_view name() const { return "matmul"; }
  OpFamily family() const { return OpFamily::contraction; }
  Specs infer(std::span<const TensorSpec> inputs) const;
  Tensors vjp(const VjpArgs& args) const;
  Tensors batch(const BatchArgs& args) const;
  friend bool operator==(const MatMul&, const MatMul&) = default;
};

/// Matrix product as NumPy and PyTorch define it. Two vectors give their dot product; a vector on the left is a row, on the
/// right a column, and its axis is absent from the result; leading axes broadcast. Operands of two floating or two integral
/// types are promoted to the wider one; throws Error(dtype) for a mixture, Error(shape) when the inner axes differ.
Tensor matmul(const TensorArg& a, const TensorArg& b);

/// x W^T + bias: `x` (.., in), `weight` (out, in), `bias` (out) or undefined, result (.., out).
/// Throws Error(shape) that names the layer when the sizes do not fit.
Tensor linear(const TensorArg& x, const TensorArg& weight, const TensorArg& bias = Tensor(),
              SourceLocation where = SourceLocation::current());

}  // namespace gradus
