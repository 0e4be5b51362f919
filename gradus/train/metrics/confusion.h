// Confusion matrices, and what follows from them alone. Figures and defaults are scikit-learn's.
//
//   metrics::ConfusionMatrix matrix(10);
//   for (auto [images, labels] : loader) matrix.update(argmax(model(images), 1), labels);
//   matrix.accuracy(); matrix.f1({.average = metrics::Average::macro}); matrix.of_class(3).recall;
#pragma once

#include <cstdint>
#include <vector>

#include "gradus/graph/tensor.h"

namespace gradus::metrics {

/// How the figures of the classes become one. micro: over all examples at once; macro: the mean over the classes;
/// weighted: the mean weighted by the examples of each class.
enum class Average { micro, macro, weighted };

struct AverageOptions {
  Average average = Average::macro;
  /// The figure of a class where it is 0 / 0: precision of a class that was never predicted, recall of one without
  /// examples, F1 of one with neither. NaN leaves the class out of the mean.
  double zero_division = 0;
};

/// The figures of one class, taken against all others.
struct ClassFigures {
  double precision = 0, recall = 0, f1 = 0;
  std::int64_t examples = 0;   ///< whose label it is
  std::int64_t predicted = 0;  ///< that were given to it
};

/// Counts of examples by label (row) and prediction (column). All classes take part in every mean, those without
/// examples too.
class ConfusionMatrix {
 public:
  /// Throws Error(value) unless 1 <= classes <= 65536.
  explicit ConfusionMatrix(std::int64_t classes, SourceLocation where = SourceLocation::current());

  /// Counts examples: `predicted` and `labels` are integers [n] in [0, classes). Evaluates them. Throws Error(shape,
  /// dtype), and Error(index) with the row; nothing is counted then.
  void update(const TensorArg& predicted, const TensorArg& labels);
  /// One example; both in [0, classes).
  void add(std::int64_t label, std::int64_t predicted);

  std::int64_t classes() const { return classes_; }
  std::int64_t examples() const { return examples_; }
  std::int64_t correct() const;
  std::int64_t count(std::int64_t label, std::int64_t predicted) const {
    return counts_[static_cast<std::size_t>(label * classes_ + predicted)];
  }
  ClassFigures of_class(std::int64_t c, double zero_division = 0) const;

  /// The figures below are NaN before the first example.
  double accuracy() const;
  /// Mean recall over the classes that have examples.
  double balanced_accuracy() const;
  /// Matthews' correlation for any number of classes (Gorodkin, 2004), in [-1, 1]; 0 when all labels or all predictions
  /// are of one class.
  double mcc() const;
  double precision(const AverageOptions& options = {}) const;
  double recall(const AverageOptions& options = {}) const;
  double f1(const AverageOptions& options = {}) const;

 private:
  std::int64_t classes_, examples_ = 0;
  std::vector<std::int64_t> counts_;
};

}  // namespace gradus::metrics
