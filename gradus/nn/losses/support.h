// For the losses' own sources: operands, checks, reduction.
#pragma once

#include <initializer_list>
#include <string_view>
#include <utility>

#include "gradus/nn/functional/argument.h"
#include "gradus/nn/losses/reduction.h"

namespace gradus::detail {

/// Wraps operands so that messages name the line of the user.
struct AtLine {
  SourceLocation where;
  TensorArg operator()(const Tensor& x) const { return TensorArg(x, where); }
  TensorArg operator()(Tensor&& x) const { return TensorArg(std::move(x), where); }
  TensorArg operator()(double x) const { return TensorArg(x, where); }
};

struct LossOperand {
  std::string_view role;
  const Tensor& tensor;
};

/// All floating and of one shape; Error(shape or dtype) that shows all of them otherwise.
void require_same_shapes(std::string_view op, std::initializer_list<LossOperand> operands, SourceLocation where);

/// The loss as the caller wants it; `op` becomes the name of its node.
Tensor reduced(std::string_view op, const Tensor& losses, Reduction reduction, SourceLocation where);

}  // namespace gradus::detail
