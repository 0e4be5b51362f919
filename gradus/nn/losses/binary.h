// Losses of yes and no: one decision for each element.
#pragma once

#include "gradus/nn/losses/reduction.h"

namespace gradus {

struct BinaryCrossEntropyOptions {
  Reduction reduction = Reduction::mean;
  Tensor weight = {};  ///< of each element: broadcast to the shape of the input
};
/// -(target log(input) + (1 - target) log(1 - input)) of probabilities; logarithms are not below -100, as in PyTorch.
/// Probabilities in memory are checked at once: Error(value) for one outside of [0, 1].
Tensor binary_cross_entropy(const TensorArg& input, const TensorArg& target,
                            const BinaryCrossEntropyOptions& options = {});

struct BinaryCrossEntropyWithLogitsOptions {
  Reduction reduction = Reduction::mean;
  Tensor weight = {};      ///< of each element: broadcast to the shape of the logits
  Tensor pos_weight = {};  ///< of positive targets: broadcast, usually one per class
};
/// The same of logits, computed as max(x, 0) - x t + log(1 + exp(-|x|)).
Tensor binary_cross_entropy_with_logits(const TensorArg& logits, const TensorArg& target,
                                        const BinaryCrossEntropyWithLogitsOptions& options = {});

/// log(1 + exp(-target input)) for targets -1 and 1.
Tensor soft_margin_loss(const TensorArg& input, const TensorArg& target, const LossOptions& options = {});

struct MultilabelSoftMarginLossOptions {
  Reduction reduction = Reduction::mean;
  Tensor weight = {};  ///< of each class
};
/// Mean over classes (the last axis) of the binary cross entropy of logits: (n, classes) -> (n) without reduction.
Tensor multilabel_soft_margin_loss(const TensorArg& input, const TensorArg& target,
                                   const MultilabelSoftMarginLossOptions& options = {});

/// input where target is 1, max(0, margin - input) where it is -1.
struct HingeEmbeddingLossOptions {
  double margin = 1;
  Reduction reduction = Reduction::mean;
};
Tensor hinge_embedding_loss(const TensorArg& input, const TensorArg& target,
                            const HingeEmbeddingLossOptions& options = {});

}  // namespace gradus
