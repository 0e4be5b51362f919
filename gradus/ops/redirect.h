// Values whose gradient is somebody else's: the ground of checkpoint() and custom_gradient(), and the edge that makes one
// computation wait for another.
#pragma once

#include "gradus/graph/op.h"

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

}  // namespace gradus
