#include "gradus/nn/functional/argument.h"

#include <fmt/format.h>

#include "gradus/graph/node.h"
#include "gradus/ops/elementwise.h"

namespace gradus::detail {

Tensor required(std::string_view op, std::string_view role, const TensorArg& arg) {
  if (!arg.is_number() && arg.tensor().defined()) return arg.tensor();
  throw Error(ErrorKind::usage, std::string(op),
              fmt::format("{} is {}, expected a tensor", role, arg.is_number() ? "a number" : "undefined"))
      .at(arg.where());
}

Tensor required_floating(std::string_view op, std::string_view role, const TensorArg& arg) {
  Tensor tensor = required(op, role, arg);
  if (is_floating(tensor.dtype())) return tensor;
  throw Error(ErrorKind::dtype, std::string(op))
      .at(arg.where())
      .operand(std::string(role), tensor.spec(), "expected a floating type")
      .hint("convert it: cast(x, DType::f32)");
}

void require_value(bool holds, std::string_view op, std::string_view name, double value, std::string_view rule,
                   SourceLocation where) {
  if (holds) return;
  throw Error(ErrorKind::value, std::string(op), fmt::format("{} is {}, must be {}", name, value, rule)).at(where);
}

Tensor widened(const Tensor& x, SourceLocation where) {
  return x.dtype() == DType::bf16 ? cast(TensorArg(x, where), DType::f32) : x;
}

Tensor named(std::string_view name, Tensor result) {
  if (!result.evaluated()) result.node()->called = name;
  return result;
}

}  // namespace gradus::detail
