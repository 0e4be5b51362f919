// Tables of vectors, and products of two inputs.
#pragma once

#include <cstdint>
#include <optional>

#include "gradus/graph/tensor.h"

namespace gradus {

/// Rows of `weight` (n, d) at `indices` (any shape, integers in [0, n)): indices.shape + [d]. The row `padding_idx` gets no
/// gradient; negative ones count from the end. Throws Error(index, shape, dtype).
Tensor embedding(const TensorArg& indices, const TensorArg& weight, std::optional<std::int64_t> padding_idx = {});

enum class BagMode : std::uint8_t { sum, mean, max };

struct EmbeddingBagOptions {
  BagMode mode = BagMode::mean;
  std::optional<std::int64_t> padding_idx;  ///< indices that count in no bag
  bool include_last_offset = false;         ///< the last offset is the number of indices, not a bag
};

/// Sum, mean or maximum of the rows of each bag; an empty bag gives zeros. Bags are the rows of `indices` (bags, size), or,
/// with `offsets` (bags), the stretches of the vector `indices` that begin there. `per_sample_weights`, of the shape of
/// the indices, multiplies the rows and needs mode sum. With offsets, a bag costs as much as all indices.
Tensor embedding_bag(const TensorArg& indices, const TensorArg& weight, const TensorArg& offsets = Tensor(),
                     const EmbeddingBagOptions& options = {}, const TensorArg& per_sample_weights = Tensor());

/// y[.., o] = sum over i, j of x1[.., i] weight[o, i, j] x2[.., j] + bias[o]: x1 (.., in1), x2 (.., in2).
Tensor bilinear(const TensorArg& x1, const TensorArg& x2, const TensorArg& weight, const TensorArg& bias = Tensor());

}  // namespace gradus
