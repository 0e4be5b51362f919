// Tensors that are evaluated along with another one.
#pragma once

#include <span>
#include <string_view>

#include "gradus/graph/op.h"

namespace gradus {

/// The first input; the others only have to be evaluated when it is.
struct Attach {
  std::string_view name() const { return "attach"; }
  OpFamily family() const { return OpFamily::opaque; }
  Specs infer(std::span<const TensorSpec> inputs) const;
  Tensors vjp(const VjpArgs& args) const;
  Tensors batch(const BatchArgs& args) const;
  bool operator==(const Attach&) const = default;
};

/// `x`, whose evaluation also evaluates `others`: how a layer makes sure that the state it recorded during a forward pass
/// (running statistics) is computed in the same plan as the step, whoever evaluates it. No gradient flows to `others`.
Tensor attach(const TensorArg& x, std::span<const Tensor> others);

}  // namespace gradus
