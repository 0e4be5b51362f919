// Curves over all thresholds of a score, and the areas below them; as scikit-learn computes them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "gradus/graph/tensor.h"

namespace gradus::metrics {

/// Points in order of falling threshold; examples of equal score share one.
struct RocCurve {
  std::vector<double> false_positive_rate, true_positive_rate, thresholds;  ///< starts at (0, 0), threshold infinity
};
struct PrecisionRecallCurve {
  std::vector<double> precision, recall, thresholds;  ///< starts at recall 0 and precision 1, threshold infinity
};

/// `scores` [n], higher for the positive class; `labels` [n]: 1 or 0. A rate over no examples is NaN. Throws
/// Error(shape, dtype, value, index).
RocCurve roc_curve(const TensorArg& scores, const TensorArg& labels);
/// The same operands. Without positive examples recall is 1 everywhere but at its start.
PrecisionRecallCurve precision_recall_curve(const TensorArg& scores, const TensorArg& labels);

/// Area below the ROC curve: the share of pairs of a positive and a negative example that the scores order rightly, with
/// ties for one half. NaN when one of the two classes has no examples.
double roc_auc(const TensorArg& scores, const TensorArg& labels);
/// Average precision: the sum of precision times the growth of recall, without interpolation. 0 without positive
/// examples.
double average_precision(const TensorArg& scores, const TensorArg& labels);
/// Area below the precision-recall curve by the trapezoid rule. It is too optimistic for few examples; average_precision
/// is the usual figure.
double pr_auc(const TensorArg& scores, const TensorArg& labels);

/// The same of plain numbers; `positive` says for each score whether its example is of the positive class.
double roc_auc(std::span<const double> scores, const std::vector<bool>& positive);
double average_precision(std::span<const double> scores, const std::vector<bool>& positive);

}  // namespace gradus::metrics
