// Every figure of a classifier, gathered batch by batch from its probabilities.
//
//   metrics::Classification figures({.classes = 10});
//   for (auto [images, labels] : loader) figures.update(softmax(model(images), 1), labels);
//   figures.confusion().accuracy(); figures.top_k(5); figures.roc_auc(); figures.calibration_error();
#pragma once

#include <cstdint>
#include <vector>

#include "gradus/train/metrics/confusion.h"

namespace gradus::metrics {

struct ClassificationOptions {
  std::int64_t classes = 2;
  std::int64_t bins = 15;  ///< of the calibration figures
};

/// Examples whose confidence (the largest probability) lies in (low, high].
struct CalibrationBin {
  double low = 0, high = 0;
  std::int64_t examples = 0;
  double confidence = 0;  ///< its mean; 0 in an empty bin
  double accuracy = 0;    ///< share of them that were right
};

/// Keeps the probabilities of all examples (8 bytes each), because areas below curves need them.
class Classification {
 public:
  /// Throws Error(value) for fewer than two classes or no bin.
  explicit Classification(const ClassificationOptions& options, SourceLocation where = SourceLocation::current());

  /// `probabilities`: floating [n, classes], rows that sum to 1 (within 1e-3); with two classes also [n], the
  /// probabilities of class 1. `labels`: integers [n]. Evaluates both. Throws Error(shape, dtype, value, index); nothing
  /// is counted then.
  void update(const TensorArg& probabilities, const TensorArg& labels);

  std::int64_t examples() const { return confusion_.examples(); }
  /// The prediction is the class of the largest probability, the first of equals.
  const ConfusionMatrix& confusion() const { return confusion_; }
  /// Share of examples whose label is among the k most probable classes; of equals the first. Throws Error(value) unless
  /// 1 <= k <= classes. Like all figures below it is NaN before the first example.
  double top_k(std::int64_t k, SourceLocation where = SourceLocation::current()) const;
  /// Mean of -log p(label); p is kept above 2^-52, as scikit-learn does.
  double log_loss() const;
  /// Mean squared difference from the label (Brier, 1950): with two classes of the probability of class 1, in [0, 1]; with
  /// more summed over the classes, in [0, 2].
  double brier() const;
  /// Area below the ROC curve: of class 1 when there are two classes, else the mean over the classes, each against the
  /// rest. Classes without examples, or with all of them, are left out; NaN when that leaves none.
  double roc_auc(Average average = Average::macro) const;
  double roc_auc_of_class(std::int64_t c) const;
  /// Average precision, in the same manner; classes without examples are left out.
  double average_precision(Average average = Average::macro) const;
  double average_precision_of_class(std::int64_t c) const;
  /// Expected calibration error (Naeini et al., 2015; Guo et al., 2017): |accuracy - confidence| over bins of equal width,
  /// weighted by their examples.
  double calibration_error() const;
  std::vector<CalibrationBin> calibration() const;

 private:
  double mean_over_classes(Average average, double (Classification::*figure)(std::int64_t) const) const;

  std::int64_t classes_, bins_;
  ConfusionMatrix confusion_;
  std::vector<std::int64_t> ranks_;                 ///< examples by the rank of their label
  std::vector<std::vector<double>> probabilities_;  ///< by class
  std::vector<std::int64_t> labels_;
  std::vector<CalibrationBin> calibration_;  ///< with sums in place of means
  double log_loss_ = 0, brier_ = 0;          ///< sums
};

}  // namespace gradus::metrics
