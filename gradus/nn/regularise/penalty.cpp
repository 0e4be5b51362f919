#include "gradus/nn/regularise/penalty.h"

#include <fmt/format.h>

#include <cmath>

#include "gradus/engine/eval.h"
#include "gradus/nn/functional/argument.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/reduce.h"

namespace gradus {

Tensor renorm(const TensorArg& x_arg, double p, int dim, double maxnorm) {
  const SourceLocation where = x_arg.where();
  const Tensor x = detail::required_floating("renorm", "x", x_arg);
  detail::require_value(std::isfinite(p) && p > 0, "renorm", "p", p, "finite and > 0", where);
  detail::require_value(std::isfinite(maxnorm) && maxnorm >= 0, "renorm", "maxnorm", maxnorm, "finite and >= 0", where);
  const int rank = x.rank(), axis = dim < 0 ? dim + rank : dim;
  if (rank < 2 || axis < 0 || axis >= rank) {
    throw Error(ErrorKind::shape, "renorm", fmt::format("dim is {}", dim))
        .at(where)
        .operand("x", x.spec(), "expected 2 or more axes, and dim one of them");
  }
  std::vector<int> others;
  for (int i = 0; i < rank; ++i)
    if (i != axis) others.push_back(i);
  const Tensor wide = detail::widened(x, where);
  const Tensor size = p == 2 ? sqrt(sum(square(wide), std::span<const int>(others), {.keepdim = true}))
                             : pow(sum(pow(abs(wide), p), std::span<const int>(others), {.keepdim = true}), 1 / p);
  const Tensor scaled = wide * (maxnorm / (size + 1e-7));
  return detail::named("renorm", cast(gradus::where(greater(size, maxnorm), scaled, wide), x.dtype()));
}

namespace nn::detail {
namespace {

/// The trainable parameters whose path matches, of `rank` axes or more.
std::vector<Parameter*> chosen(std::string_view op, std::span<const FieldRef> fields, std::string_view pattern,
                               int rank, SourceLocation where) {
  std::vector<Parameter*> found;
  for (const FieldRef& field : fields) {
    if (!field.parameter || !field.parameter->defined() || !field.parameter->trainable()) continue;
    if (matches(pattern, field.path) && field.tensor().rank() >= rank) found.push_back(field.parameter);
  }
  if (!found.empty()) return found;
  throw Error(ErrorKind::value, std::string(op),
              fmt::format("no trainable parameter{} matches \"{}\"", rank > 1 ? " of 2 or more axes" : "", pattern))
      .at(where)
      .hint("\"*\" stands for any characters: \"*weight\", \"encoder.*\"");
}

}  // namespace

Tensor penalty(std::span<const FieldRef> fields, std::string_view pattern, int power, SourceLocation where) {
  Tensor total;
  for (const Parameter* parameter :
       chosen(power == 1 ? "nn::l1_penalty" : "nn::l2_penalty", fields, pattern, 0, where)) {
    const Tensor w = cast(parameter->tensor(), DType::f32);
    const Tensor part = power == 1 ? sum(abs(w)) : 0.5 * sum(square(w));
    total = total.defined() ? total + part : part;
  }
  return total;
}

int clip_max_norm(std::span<const FieldRef> fields, double max_norm, std::string_view pattern, SourceLocation where) {
  gradus::detail::require_value(std::isfinite(max_norm) && max_norm > 0, "nn::clip_max_norm", "max_norm", max_norm,
                                "finite and > 0", where);
  const std::vector<Parameter*> found = chosen("nn::clip_max_norm", fields, pattern, 2, where);
  Tensors shorter;
  for (const Parameter* parameter : found) shorter.push_back(renorm(parameter->tensor(), 2, 0, max_norm));
  eval(shorter, where);
  for (std::size_t i = 0; i < found.size(); ++i) *found[i] = shorter[i];
  return static_cast<int>(found.size());
}

}  // namespace nn::detail
}  // namespace gradus
