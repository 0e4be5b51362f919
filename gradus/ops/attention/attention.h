// Scaled dot-product attention (Vaswani et al., "Attention is all you need", 2017).
//
//   Tensor y = scaled_dot_product_attention(q, k, v, {.is_causal = true});   // (n, heads, length, width) each
#pragma once

#include <optional>

#include "gradus/graph/tensor.h"

namespace gradus {

struct ScaledDotProductAttentionOptions {
  /// Broadcast to (.., L, S). bool: true where a query may look at a key; floating: added to the scores.
  Tensor attn_mask = {};
  /// Probabilities become 0 with this probability; always, as PyTorch's function does: pass 0 outside of training.
  double dropout_p = 0;
  /// Query i looks at keys 0..i only. Excludes attn_mask.
  bool is_causal = false;
  /// Factor of the scores; none: 1 / sqrt(E).
  std::optional<double> scale = {};
  /// Fewer heads of keys and values than of queries (axis -3): each serves a group of neighbouring queries.
  bool enable_gqa = false;
};

/// softmax(scale query key^T + mask) value: query (.., L, E), key (.., S, E), value (.., S, Ev) -> (.., L, Ev). Leading axes
/// broadcast. A query whose mask leaves it no key gets zeros. Floating types, promoted to the widest; bf16 is computed in f32.
/// The probabilities are not kept for the gradient: it computes them again. Throws Error(shape, dtype, value, usage).
Tensor scaled_dot_product_attention(const TensorArg& query, const TensorArg& key, const TensorArg& value,
                                    const ScaledDotProductAttentionOptions& options = {},
                                    SourceLocation where = SourceLocation::current());

namespace detail {

/// What the layers of nn call: all in the layout of a projection, query (n, L, heads, E), key (n, S, heads, E), value
/// (n, S, heads, Ev) -> (n, L, heads, Ev). `mask`: undefined, or floating and broadcast to (n, heads, L, S).
struct AttentionCall {
  Tensor query, key, value, mask;
  double dropout_p = 0;
  bool causal = false;
};
Tensor attention(const AttentionCall& call, SourceLocation where);

}  // namespace detail
}  // namespace gradus
