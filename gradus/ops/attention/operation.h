// Attention as one operation that never stores the probabilities. The user's function is in attention.h.
#pragma once

#include <span>

#include "gradus/graph/op.h"

namespace gradus {

/// softmax(scale q k^T + mask) v of each example and head. Inputs: q [n, heads, L, E], k [n, heads, S, E], v [n, heads, S, Ev],
/// and optionally a mask that is added to the scores: 4 axes, each of size 1 or as in [n, heads, L, S]. Outputs: y
/// [n, heads, L, Ev], and for each query [n, heads, L] the logarithm of the sum of its exponentials, which only the gradient
/// reads; it is +infinity where no key is left, and y is 0. f32 or f64, the same for all.
struct Attention {
  Immediate scale = 1;
  bool causal = false;      ///< query i sees keys 0..i only
  bool time_first = false;  ///< q, k, v and y are [n, L, heads, E] and so on: the layout of a projection
  /// Products inside may round their operands to bf16: written by mixed precision (transform/lowering/precision.h), below gradients.
  bool narrow = false;

  std::string_view name() const { return "attention"; }
  OpFamily family() const { return OpFamily::opaque; }
  Specs infer(std::span<const TensorSpec> inputs) const;
  Tensors vjp(const VjpArgs& args) const;
  Tensors batch(const BatchArgs& args) const;
  bool operator==(const Attention&) const = default;
};

/// What flows back through Attention to q, k and v; inputs q, k, v, y, the logarithms, what flows back to y, and the mask if
/// there is one. It computes the probabilities again. Its own gradient is composed of other operations.
struct AttentionGradient {
  Immediate scale = 1;
  bool causal = false;
  bool time_first = false;
  bool narrow = false;  ///< as of Attention

  std::string_view name() const { return "attention_gradient"; }
  OpFamily family() const { return OpFamily::opaque; }
  Specs infer(std::span<const TensorSpec> inputs) const;
  Tensors vjp(const VjpArgs& args) const;
  Tensors batch(const BatchArgs& args) const;
  bool operator==(const AttentionGradient&) const = default;
};

namespace detail {

/// Sizes of an attention, and its four axes in order.
struct AttentionSizes {
  std::int64_t examples, heads, queries, keys, width, value_width;

  AttentionSizes(const Shape& q, const Shape& k, const Shape& v, bool time_first);
};

}  // namespace detail
}  // namespace gradus
