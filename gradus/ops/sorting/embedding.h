// Rows of a table by their numbers:
//
//   embedding(weight, tokens)                              [vocabulary, d], [b, t] -> [b, t, d]
//   embedding_bag(weight, tokens, {.mode = BagMode::mean}) [vocabulary, d], [b, t] -> [b, d]
#pragma once

#include <cstdint>
#include <optional>

#include "gradus/graph/tensor.h"

namespace gradus {

/// Rows of `weight` (n, d) at `index` of any shape. The row `padding_idx`, which may count from the end, gets no gradient.
/// Throws Error(shape, index).
Tensor embedding(const TensorArg& weight, const TensorArg& index, std::optional<std::int64_t> padding_idx = {},
                 SourceLocation where = SourceLocation::current());

enum class BagMode : std::uint8_t { sum, mean, max };

struct EmbeddingBagOptions {
  BagMode mode = BagMode::mean;
  std::optional<std::int64_t> padding_idx = {};  ///< rows that do not count
  Tensor per_sample_weights = {};                ///< with the shape of the index, for sums
};

/// The rows of each bag, folded. `index` (bags, length): one bag a row. Empty bags give zeros. Throws Error(shape, value).
Tensor embedding_bag(const TensorArg& weight, const TensorArg& index, const EmbeddingBagOptions& options = {},
                     SourceLocation where = SourceLocation::current());
/// Bags of different lengths: `index` has one axis, and bag i reaches from offsets[i] to offsets[i + 1] (the last to the
/// end); offsets are sorted and begin with 0.
Tensor embedding_bag(const TensorArg& weight, const TensorArg& index, const Tensor& offsets,
                     const EmbeddingBagOptions& options = {}, SourceLocation where = SourceLocation::current());

/// `x` with the slices of `source` times `alpha` added at the indexes (one axis) along `axis`; PyTorch's index_add. Throws
/// Error(shape, dtype, index).
Tensor index_add(const TensorArg& x, int axis, const TensorArg& index, const TensorArg& source, double alpha = 1);
/// `gather` with the other axes broadcast; PyTorch's take_along_dim: with argsort's result it sorts.
Tensor take_along_dim(const TensorArg& x, const TensorArg& index, int axis);

}  // namespace gradus
