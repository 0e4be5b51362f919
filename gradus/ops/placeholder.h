// Tensors that stand for something else while a graph is recorded.
#pragma once

#include "gradus/graph/node.h"

namespace gradus {

/// A tensor of which only type and shape are known: one example inside `vmap`, a cotangent that is still to come.
/// Transforms replace it; it cannot be evaluated.
struct Placeholder {
  DType dtype = DType::f32;
  Shape shape;

  std::string_view name() const { return "placeholder"; }
  OpFamily family() const { return OpFamily::opaque; }
  Specs infer(std::span<const TensorSpec>) const { return {TensorSpec{dtype, shape}}; }
  Tensors vjp(const VjpArgs&) const { return {}; }
  bool operator==(const Placeholder&) const = default;
};

/// A placeholder of the type and shape of `spec`.
inline Tensor placeholder(const TensorSpec& spec, SourceLocation where = {}) {
  return record_all(Placeholder{spec.dtype, spec.shape}, {}, where)[0];
}

}  // namespace gradus
