// Figures of a model that answers with numbers, gathered batch by batch.
//
//   metrics::Regression figures;
//   for (auto [inputs, targets] : loader) figures.update(model(inputs), targets);
//   figures.r2(); figures.mae(); figures.rmse();
#pragma once

#include <cstdint>
#include <vector>

#include "gradus/graph/tensor.h"

namespace gradus::metrics {

/// With several outputs each figure is the plain mean over them, as in scikit-learn.
class Regression {
 public:
  /// `predicted` and `targets`: floating [n] or [n, outputs], of one shape. Evaluates both. Throws Error(shape, dtype,
  /// value) also when the number of outputs changes; nothing is counted then.
  void update(const TensorArg& predicted, const TensorArg& targets);

  std::int64_t examples() const { return examples_; }
  /// 1 - squared errors / squared deviations of the targets from their mean. When the targets are constant: 1 for no error
  /// at all, else 0. NaN for fewer than two examples.
  double r2() const;
  /// Mean absolute error; NaN before the first example.
  double mae() const;
  double mse() const;
  double rmse() const;

 private:
  struct Output {
    double absolute = 0, squared = 0;  ///< sums of errors
    double mean = 0, deviation = 0;    ///< of the targets: running mean, sum of squared deviations (Welford, 1962)
  };
  std::int64_t examples_ = 0;
  std::vector<Output> outputs_;
};

}  // namespace gradus::metrics
