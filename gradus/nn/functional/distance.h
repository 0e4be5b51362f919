// Distances and similarities of vectors.
#pragma once

#include "gradus/graph/tensor.h"

namespace gradus {

struct PairwiseDistanceOptions {
  double p = 2;
  double eps = 1e-6;  ///< added to each difference, so that the gradient exists at distance 0
  bool keepdim = false;
};
/// |a - b + eps| in the norm of order p over the last axis. Throws Error(dtype, value); shapes broadcast.
Tensor pairwise_distance(const TensorArg& a, const TensorArg& b, const PairwiseDistanceOptions& options = {});

struct CosineSimilarityOptions {
  int axis = 1;
  double eps = 1e-8;  ///< the least length of a vector
};
/// a b / (max(|a|, eps) max(|b|, eps)) along an axis. Shapes broadcast.
Tensor cosine_similarity(const TensorArg& a, const TensorArg& b, const CosineSimilarityOptions& options = {});

}  // namespace gradus
