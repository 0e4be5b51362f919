// Losses that want a distance between what belongs together and what does not.
#pragma once

#include "gradus/nn/losses/reduction.h"

namespace gradus {

struct MarginOptions {
  double margin = 0;
  Reduction reduction = Reduction::mean;
};

/// max(0, -target (input1 - input2) + margin) for targets 1 (the first should be larger) and -1. All of one shape.
Tensor margin_ranking_loss(const TensorArg& input1, const TensorArg& input2, const TensorArg& target,
                           const MarginOptions& options = {});

/// 1 - cos(input1, input2) where target is 1, max(0, cos - margin) where it is -1: inputs (n, d) or (d), target (n) or ().
Tensor cosine_embedding_loss(const TensorArg& input1, const TensorArg& input2, const TensorArg& target,
                             const MarginOptions& options = {});

struct TripletMarginLossOptions {
  double margin = 1;
  double p = 2;  ///< order of the distance
  double eps = 1e-6;
  bool swap =
      false;  ///< use the distance between positive and negative when it is the smaller one (Balntas et al., 2016)
  Reduction reduction = Reduction::mean;
};
/// max(0, |anchor - positive| - |anchor - negative| + margin) over the last axis; all of one shape (n, d).
Tensor triplet_margin_loss(const TensorArg& anchor, const TensorArg& positive, const TensorArg& negative,
                           const TripletMarginLossOptions& options = {});

struct MultiMarginLossOptions {
  int p = 1;  ///< 1 or 2
  double margin = 1;
  Reduction reduction = Reduction::mean;
  Tensor weight = {};  ///< of each class [classes]
};
/// Sum over the other classes of max(0, margin - x[label] + x[j])^p / classes: input (n, classes), labels (n).
Tensor multi_margin_loss(const TensorArg& input, const TensorArg& labels, const MultiMarginLossOptions& options = {});

/// Hinge between every label and every other class: input and labels (n, classes); the labels of a row end at the first -1.
Tensor multilabel_margin_loss(const TensorArg& input, const TensorArg& labels, const LossOptions& options = {});

}  // namespace gradus
