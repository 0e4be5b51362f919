// The encoder block of Vaswani et al., "Attention is all you need", 2017, as PyTorch's nn.TransformerEncoderLayer.
#pragma once

#include <cstdint>

#include "gradus/nn/layers/attention.h"
#include "gradus/nn/layers/dropout.h"
#include "gradus/nn/layers/norm.h"
#include "gradus/nn/linear.h"

namespace gradus::nn {

struct TransformerEncoderLayerOptions {
  std::int64_t dim_feedforward = 2048;
  double dropout = 0.1;
  Tensor (*activation)(const TensorArg& x) = relu;
  double layer_norm_eps = 1e-5;
  bool batch_first = false;
  bool norm_first = false;  ///< norms in front of attention and feed-forward, not behind the sums
  bool bias = true;
};

/// Self-attention and two linear layers, each with dropout, a sum with what went around it, and a norm. Keys of the state:
/// self_attn.*, linear1.*, linear2.*, norm1.*, norm2.*.
struct TransformerEncoderLayer {
  MultiheadAttention self_attn;
  Linear linear1;
  Dropout dropout;
  Linear linear2;
  LayerNorm norm1, norm2;
  Dropout dropout1, dropout2;
  TransformerEncoderLayerOptions options;
  static constexpr int field_count = 9;

  /// Throws what its layers throw for sizes out of range.
  TransformerEncoderLayer(std::int64_t d_model, std::int64_t nhead, TransformerEncoderLayerOptions options = {},
                          SourceLocation where = SourceLocation::current());

  /// (length, n, d_model), (n, length, d_model) with batch_first, or (length, d_model) -> the same.
  Tensor operator()(const TensorArg& x, const AttentionMasks& masks = {}) const;
};

}  // namespace gradus::nn
