#include "gradus/nn/losses/support.h"

#include <string>

#include "gradus/ops/reduce.h"

namespace gradus::detail {

void require_same_shapes(std::string_view op, std::initializer_list<LossOperand> operands, SourceLocation where) {
  const Tensor& first = operands.begin()->tensor;
  bool floating = true, same = true, same_count = true;
  for (const LossOperand& operand : operands) {
    floating = floating && is_floating(operand.tensor.dtype());
    same = same && operand.tensor.shape() == first.shape();
    same_count = same_count && operand.tensor.numel() == first.numel();
  }
  if (floating && same) return;
  Error error(floating ? ErrorKind::shape : ErrorKind::dtype, std::string(op),
              floating               ? "the shapes must be equal"
              : operands.size() == 2 ? "both must be floating"
                                     : "all must be floating");
  error.at(where);
  for (const LossOperand& operand : operands) error.operand(std::string(operand.role), operand.tensor.spec());
  if (!floating) {
    error.hint("convert them: cast(x, DType::f32)");
  } else if (same_count) {
    error.hint("reshape one of them to the shape of the other");
  }
  throw error;
}

Tensor reduced(std::string_view op, const Tensor& losses, Reduction reduction, SourceLocation where) {
  switch (reduction) {
    case Reduction::none: return named(op, losses);
    case Reduction::sum: return named(op, sum(TensorArg(losses, where)));
    case Reduction::mean: break;
  }
  return named(op, mean(TensorArg(losses, where)));
}

}  // namespace gradus::detail
