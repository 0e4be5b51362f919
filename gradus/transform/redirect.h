// The operations that transforms record for their own use: stand-ins for what is not known yet, values whose gradient is
// somebody else's (checkpoint, custom_gradient), and the edge that makes one computation wait for another.
#pragma once

#include "gradus/graph/node.h"

namespace gradus {

/// The operation whose `vjp` and `batch` a Redirect uses. Its identity is that of the operation.
struct GradientRule {
  Op op;
  std::uint64_t hash = 0;

  GradientRule() = default;
  explicit GradientRule(Op rule) : op(std::move(rule)), hash(op.hash()) {}
  /// For hashing.
  const std::uint64_t* begin() const { return &hash; }
  const std::uint64_t* end() const { return &hash + 1; }
  friend bool operator==(const GradientRule&, const GradientRule&) = default;
};

/// Output i is input i, for the first `outputs` inputs. The gradient is not theirs: `rule.op.vjp` gets the arguments of this
/// node and says what flows back to all inputs. Disappears from plans.
struct Redirect {
  GradientRule rule;
  std::int64_t outputs = 1;

  std::string_view name() const { return "redirect"; }
  OpFamily family() const { return OpFamily::view; }
  Specs infer(std::span<const TensorSpec> inputs) const;
  Tensors vjp(const VjpArgs& args) const { return rule.op.vjp(args); }
  /// The rule's; so a rule that is not linear in its batch can bring another one.
  Tensors batch(const BatchArgs& args) const { return rule.op.batch(args); }
  /// "{checkpoint, outputs=1}"
  std::string str() const;
  friend bool operator==(const Redirect&, const Redirect&) = default;
};

/// Input 0, but not before the other inputs are there. Two barriers with different inputs are never merged, so what is
/// computed behind one is computed again.
struct Barrier {
  std::string_view name() const { return "barrier"; }
  OpFamily family() const { return OpFamily::view; }
  Specs infer(std::span<const TensorSpec> inputs) const { return {inputs[0]}; }
  Tensors vjp(const VjpArgs& args) const;
  Tensors batch(const BatchArgs& args) const;
  bool operator==(const Barrier&) const = default;
};

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
