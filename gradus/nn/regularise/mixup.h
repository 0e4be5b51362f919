// Training on what lies between examples.
//
//   auto [x, y] = mixup(images, labels, 10, {.alpha = 0.2});
//   optimizer.minimize(cross_entropy(model(x), y));
#pragma once

#include <cstdint>
#include <optional>

#include "gradus/base/random.h"
#include "gradus/graph/tensor.h"

namespace gradus {

struct MixupOptions {
  double alpha = 1;  ///< of the Beta(alpha, alpha) from which the share is drawn; small: nearly whole examples
};

struct Mixed {
  Tensor inputs;   ///< of the shape and type of the inputs
  Tensor targets;  ///< f32: probabilities [n, classes], or mixed numbers [n, ...]
};

/// share x + (1 - share) times the example before it in the batch (the last one before the first), for inputs [n, ...] and
/// targets [n, ...], both floating: torchvision.transforms.v2.MixUp with a share that is given. Batches should be shuffled. The
/// share is a leaf: another one compiles nothing. Throws Error(dtype), Error(shape) when the two count different numbers of
/// examples, Error(value) unless 0 <= share <= 1.
Mixed mixup(const TensorArg& inputs, const TensorArg& targets, double share);

/// The same with a share from Beta(alpha, alpha), of which the larger of share and 1 - share is taken: then the most of each
/// mixture is its own example, and the distribution of the pairs stays the same. Labels [n] of integers become
/// probabilities of `classes` classes. Without a key: the next one of the default stream. Zhang et al., "mixup: beyond
/// empirical risk minimization", 2018. Throws as above, and Error(value) unless alpha is finite and > 0, and classes > 0.
Mixed mixup(const TensorArg& inputs, const TensorArg& labels, std::int64_t classes, const MixupOptions& options,
            std::optional<Key> key = {});

/// A number from Beta(a, b), by two gamma variates of Marsaglia and Tsang, "A simple method for generating gamma variables",
/// 2000. Equal keys give equal numbers. Throws Error(value) unless both are finite and > 0.
double random_beta(double a, double b, Key key, SourceLocation where = SourceLocation::current());

}  // namespace gradus
