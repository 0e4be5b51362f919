// Multi-head attention, as PyTorch's nn.MultiheadAttention.
//
//   nn::MultiheadAttention attention(512, 8, {.batch_first = true});
//   Tensor y = attention(x, x, x, {.is_causal = true});               // (n, length, 512)
//   auto [z, weights] = attention.with_weights(x, memory, memory);    // who looked where
#pragma once

#include <cstdint>
#include <optional>

#include "gradus/nn/linear.h"
#include "gradus/nn/parameter.h"

namespace gradus::nn {

struct MultiheadAttentionOptions {
  double dropout = 0;  ///< of the probabilities, in training
  bool bias = true;
  std::optional<std::int64_t> kdim = {}, vdim = {};  ///< widths of keys and values; none: embed_dim
  bool batch_first = false;                          ///< (n, length, width) instead of (length, n, width)
};

/// Which keys do not count. In masks of bool, *true* shuts a key out (the opposite of scaled_dot_product_attention, as in
/// PyTorch); floating masks are added to the scores.
struct AttentionMasks {
  Tensor key_padding_mask = {};  ///< (n, S), or (S) for inputs without a batch
  Tensor attn_mask = {};         ///< (L, S), or (n * heads, L, S)
  bool is_causal = false;        ///< query i looks at keys 0..i only; may be combined with the others
};

struct AttentionWithWeights {
  Tensor output;
  Tensor
      weights;  ///< probabilities, averaged over the heads (n, L, S) or for each (n, heads, L, S); without n for inputs
                ///< without it
};

/// Attention of `num_heads` heads of width embed_dim / num_heads each: projects queries, keys and values, attends, and
/// projects the joined heads. Keys of the state: in_proj_weight (3 embed_dim, embed_dim), in_proj_bias, out_proj.weight,
/// out_proj.bias; q_proj_weight, k_proj_weight and v_proj_weight instead of the first when kdim or vdim differ. Weights start
/// Xavier-uniform and biases as 0, as PyTorch's do.
struct MultiheadAttention {
  Parameter q_proj_weight, k_proj_weight, v_proj_weight, in_proj_weight, in_proj_bias;
  Linear out_proj;
  MultiheadAttentionOptions options;
  std::int64_t embed_dim = 0, num_heads = 1;
  TrainingFlag training = true;
  static constexpr int field_count = 10;

  /// Throws Error(value) unless sizes are positive, num_heads divides embed_dim and dropout is in [0, 1].
  MultiheadAttention(std::int64_t embed_dim, std::int64_t num_heads, MultiheadAttentionOptions options = {},
                     SourceLocation where = SourceLocation::current());

  /// query (L, n, embed_dim), key (S, n, kdim), value (S, n, vdim) -> (L, n, embed_dim); (n, L, ..) with batch_first; or all
  /// without n. The T x T matrix is not stored unless dropout is active.
  Tensor operator()(const TensorArg& query, const TensorArg& key, const TensorArg& value,
                    const AttentionMasks& masks = {}) const;
  /// The same, and the probabilities, which are stored for it.
  AttentionWithWeights with_weights(const TensorArg& query, const TensorArg& key, const TensorArg& value,
                                    const AttentionMasks& masks = {}, bool average_over_heads = true) const;
};

}  // namespace gradus::nn
