// Layers that look up, compare and combine vectors.
#pragma once

#include <cstdint>
#include <optional>

#include "gradus/nn/functional/bilinear.h"
#include "gradus/nn/functional/distance.h"
#include "gradus/nn/parameter.h"
#include "gradus/ops/sorting/embedding.h"

namespace gradus::nn {

using gradus::EmbeddingOptions;

/// A table of vectors: integers of any shape -> that shape + [embedding_dim]. The weight (num_embeddings, embedding_dim)
/// starts as N(0, 1), with zeros in the row padding_idx. See embedding.
struct Embedding {
  Parameter weight;
  EmbeddingOptions options;
  static constexpr int field_count = 2;

  /// Throws Error(value) for sizes or a padding_idx out of range.
  Embedding(std::int64_t num_embeddings, std::int64_t embedding_dim, EmbeddingOptions options = {},
            SourceLocation where = SourceLocation::current());
  Tensor operator()(const TensorArg& indices) const;
};

struct EmbeddingBagLayerOptions {
  BagMode mode = BagMode::mean;
  std::optional<std::int64_t> padding_idx = {};  ///< rows that do not count; negative: from the end
};

/// A table of vectors whose rows are folded bag by bag, see embedding_bag. The weight (num_embeddings, embedding_dim) starts
/// as N(0, 1).
struct EmbeddingBag {
  Parameter weight;
  EmbeddingBagLayerOptions options;
  static constexpr int field_count = 2;

  /// Throws Error(value) for sizes or a padding_idx out of range.
  EmbeddingBag(std::int64_t num_embeddings, std::int64_t embedding_dim, EmbeddingBagLayerOptions options = {},
               SourceLocation where = SourceLocation::current());
  /// One bag a row: (bags, length) -> (bags, embedding_dim).
  Tensor operator()(const TensorArg& indices) const;
  /// Bags of different lengths in one axis; bag i begins at offsets[i]. per_sample_weights, for sums, have the shape of the
  /// indices; with them alone, `offsets` is an undefined tensor.
  Tensor operator()(const TensorArg& indices, const Tensor& offsets, const Tensor& per_sample_weights = {}) const;
};

struct BilinearOptions {
  bool bias = true;
};

/// See bilinear. Weight (out, in1, in2) and bias (out) start as U(-b, b) with b = 1 / sqrt(in1).
struct Bilinear {
  Parameter weight, bias;
  static constexpr int field_count = 2;

  Bilinear(std::int64_t in1_features, std::int64_t in2_features, std::int64_t out_features,
           BilinearOptions options = {}, SourceLocation where = SourceLocation::current());
  Tensor operator()(const TensorArg& x1, const TensorArg& x2) const;
};

struct CosineSimilarity {
  int axis = 1;
  double eps = 1e-8;
  Tensor operator()(const TensorArg& a, const TensorArg& b) const;
};

struct PairwiseDistance {
  double p = 2;
  double eps = 1e-6;
  bool keepdim = false;
  Tensor operator()(const TensorArg& a, const TensorArg& b) const;
};

}  // namespace gradus::nn
