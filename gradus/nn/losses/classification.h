// Losses over classes along axis 1: logits (n, classes) or (n, classes, d...).
#pragma once

#include "gradus/nn/losses/reduction.h"

namespace gradus {

struct CrossEntropyOptions {
  /// Share of the target that is spread evenly over all classes (Szegedy et al., 2016), in [0, 1].
  double label_smoothing = 0;
  /// Elements with this label count neither in the sum nor in the mean.
  std::int64_t ignore_index = -100;
  Reduction reduction = Reduction::mean;
  /// Weight of each class [classes]; the mean then is over the weights of the labels.
  Tensor weight = {};
};

/// Cross entropy between softmax(logits) along axis 1 and the classes `labels`.
///   logits (n, classes) or (n, classes, d...), floating;  labels (n) or (n, d...), integers in [0, classes)
/// Floating `labels` of the shape of the logits are probabilities; the mean then is over n d... .
/// The result is a scalar, or of shape (n, d...) without reduction. The mean over no labels is NaN. Labels that
/// are in memory are checked at once: Error(index) says which row holds which class, and how many classes there are.
/// Throws Error(shape, dtype, value).
Tensor cross_entropy(const TensorArg& logits, const TensorArg& labels, const CrossEntropyOptions& options = {});

struct NllLossOptions {
  std::int64_t ignore_index = -100;
  Reduction reduction = Reduction::mean;
  Tensor weight = {};  ///< as in CrossEntropyOptions
};
/// Minus the log probability of the labels: cross_entropy on logits that log_softmax went over.
Tensor nll_loss(const TensorArg& log_probabilities, const TensorArg& labels, const NllLossOptions& options = {});

struct KlDivOptions {
  Reduction reduction = Reduction::mean;
  bool batch_mean = false;  ///< PyTorch's "batchmean": the sum over the number of examples, the divergence proper
  bool log_target = false;  ///< the target is logarithms, too
};
/// target (log target - input) for log probabilities `input`: Kullback and Leibler, 1951. One shape for both.
Tensor kl_div(const TensorArg& input, const TensorArg& target, const KlDivOptions& options = {});

struct FocalLossOptions {
  double alpha = 0.25;  ///< weight of positive targets, 1 - alpha of negative ones; below 0: none
  double gamma = 2;     ///< exponent of the share that the model misses
  Reduction reduction = Reduction::none;
};
/// Sigmoid focal loss (Lin et al., 2017) of logits and targets 0 or 1 of one shape, with torchvision's defaults.
Tensor sigmoid_focal_loss(const TensorArg& logits, const TensorArg& targets, const FocalLossOptions& options = {});

/// Share of labels that are the largest logit along axis 1: an f32 scalar. Shapes as in cross_entropy.
Tensor accuracy(const TensorArg& logits, const TensorArg& labels);

}  // namespace gradus
