#include "gradus/ops/operands.h"

#include <fmt/format.h>

#include "gradus/graph/node.h"
#include "gradus/ops/elementwise.h"

namespace gradus::detail {

const Tensor& tensor_operand(std::string_view op, std::string_view role, const TensorArg& arg, SourceLocation where) {
  if (arg.is_number()) {
    throw Error(ErrorKind::usage, std::string(op), fmt::format("{} is a number, expected a tensor", role)).at(where);
  }
  if (!arg.tensor().defined()) {
    throw Error(ErrorKind::usage, std::string(op), fmt::format("{} is an undefined tensor", role)).at(where);
  }
  return arg.tensor();
}

std::string parameter_name(const Tensor& tensor) {
  const Node& node = *tensor.node();
  return node.is_leaf() && node.label ? *node.label : std::string();
}

std::string layer_context(const Tensor& weight, const std::string& sizes) {
  constexpr std::string_view suffix = ".weight";
  const std::string name = parameter_name(weight);
  if (name.size() <= suffix.size() || !name.ends_with(suffix)) return sizes;
  return fmt::format("{}: {}", name.substr(0, name.size() - suffix.size()), sizes);
}

void promote_operands(std::string_view op, std::string_view role_a, Tensor& a, std::string_view role_b, Tensor& b,
                      SourceLocation where) {
  if (a.dtype() == b.dtype()) return;
  const bool floating = is_floating(a.dtype()) && is_floating(b.dtype());
  const bool integral = is_integral(a.dtype()) && is_integral(b.dtype());
  if (!floating && !integral) {
    const bool cast_a = is_floating(b.dtype());
    const DType target = promote(a.dtype(), b.dtype());
    throw Error(ErrorKind::dtype, std::string(op))
        .at(where)
        .operand(std::string(role_a), a.spec(), cast_a ? fmt::format("expected {}", name_of(target)) : "")
        .operand(std::string(role_b), b.spec(), cast_a ? "" : fmt::format("expected {}", name_of(target)))
        .hint(fmt::format("convert it: cast({}, DType::{})", cast_a ? role_a : role_b, name_of(target)));
  }
  const DType target = promote(a.dtype(), b.dtype());
  if (a.dtype() != target) a = record(Cast{target}, {a}, where);
  if (b.dtype() != target) b = record(Cast{target}, {b}, where);
}

void note_origin(Error& error, std::string_view role, const Tensor& tensor) {
  if (!tensor.node()->inputs.empty()) error.note(fmt::format("{} comes from {}", role, origin(tensor)));
}

}  // namespace gradus::detail
