// Rows of a table by their numbers:
//
//   embedding(weight, tokens)                              [vocabulary, d], [b, t] -> [b, t, d]
//   embedding_bag(weight, tokens, {.mode = BagMode::mean}) [vocabulary, d], [b, t] -> [b, d]
#pragma once

#include <cstdint>
#include <optional>

#include "gradus/graph/tensor.h"

namespace gradus {

struct EmbeddingOptions {
  std::optional<std::int64_t> padding_idx = {};  ///< a row that gets no gradient; negative: from the end
  /// Rows with a larger norm are scaled down to it as they are looked up. Gradients are those of PyTorch: they pass the scaling
  /// as if it were not there. Other than PyTorch's, the table itself stays as it is.
  std::optional<double> max_norm = {};
  double norm_type = 2;  ///< the p of the p-norm
};

/// Rows of `weight` (n, d) at `index`, integers of any shape. Throws Error(shape, dtype, index, value).
Tensor embedding(const TensorArg& weight, const TensorArg& index, const EmbeddingOptions& options = {},
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
/// `x` with the slices of `source`, or a number, in place of those at the indexes (one axis) along `axis`; of several for one
/// index the last. PyTorch's index_copy and index_fill. Throws Error(shape, dtype, index).
Tensor index_copy(const TensorArg& x, int axis, const TensorArg& index, const TensorArg& source);
Tensor index_fill(const TensorArg& x, int axis, const TensorArg& index, double value);
/// `gather` with the other axes broadcast; PyTorch's take_along_dim: with argsort's result it sorts.
Tensor take_along_dim(const TensorArg& x, const TensorArg& index, int axis);

}  // namespace gradus
