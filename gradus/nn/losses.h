// Losses and what is measured beside them. Other than arithmetic, they never broadcast: shapes must agree.
#pragma once

#include "gradus/graph/tensor.h"

namespace gradus {

/// What becomes of the losses of the single elements.
enum class Reduction { none, mean, sum };

struct CrossEntropyOptions {
  /// Share of the target that is spread evenly over all classes (Szegedy et al., 2016), in [0, 1].
  double label_smoothing = 0;
  /// Elements with this label count neither in the sum nor in the mean.
  std::int64_t ignore_index = -100;
  Reduction reduction = Reduction::mean;
};

/// Cross entropy between softmax(logits) along axis 1 and the classes `labels`.
///   logits (n, classes) or (n, classes, d...), floating;  labels (n) or (n, d...), integers in [0, classes)
/// The result is a scalar, or of the shape of the labels without reduction. The mean over no labels is NaN. Labels that
/// are in memory are checked at once: Error(index) says which row holds which class, and how many classes there are.
/// Throws Error(shape, dtype, value).
Tensor cross_entropy(const TensorArg& logits, const TensorArg& labels, const CrossEntropyOptions& options = {});

struct MseLossOptions {
  Reduction reduction = Reduction::mean;
};

/// (input - target)^2 of two floating tensors of one shape. Throws Error(shape, dtype).
Tensor mse_loss(const TensorArg& input, const TensorArg& target, const MseLossOptions& options = {});

/// Share of labels that are the largest logit along axis 1: an f32 scalar. Shapes as in cross_entropy.
Tensor accuracy(const TensorArg& logits, const TensorArg& labels);

}  // namespace gradus
