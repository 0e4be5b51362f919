// The learning rate that waits for progress.
#pragma once

#include <cstdint>
#include <limits>

#include "gradus/graph/tensor.h"

namespace gradus::optim {

/// Whether less (a loss) or more (an accuracy) is better.
enum class Better { less, more };
/// Whether `threshold` is a fraction of the best value or an amount.
enum class Threshold { relative, absolute };

struct ReduceOnPlateauOptions {
  double lr = 1e-3;  ///< to begin with
  Better mode = Better::less;
  double factor = 0.1;         ///< in (0, 1)
  std::int64_t patience = 10;  ///< so many values in a row without progress are let pass
  double threshold = 1e-4;     ///< what counts as progress
  Threshold threshold_mode = Threshold::relative;
  std::int64_t cooldown = 0;  ///< values after a reduction that do not count
  double min_lr = 0;
  double eps = 1e-8;  ///< a smaller reduction is not made
};

/// Multiplies the learning rate by `factor` when a metric made no progress for more than `patience` values. A metric that is
/// not a number is no progress. PyTorch's ReduceLROnPlateau.
///
///   optim::ReduceOnPlateau plateau({.lr = 0.1, .patience = 3});
///   optimizer.set_lr(plateau.step(validation_loss));
class ReduceOnPlateau {
 public:
  /// Throws Error(value) for settings out of range.
  explicit ReduceOnPlateau(const ReduceOnPlateauOptions& options = {},
                           SourceLocation where = SourceLocation::current());

  /// Takes the next value of the metric and returns the learning rate from now on.
  double step(double metric);
  double lr() const { return lr_; }
  double best() const { return best_; }

  /// What the next values depend on, settings apart: "lr", "best" (f64), "num_bad_epochs", "cooldown_counter" (i64).
  NamedTensors state_dict() const;
  /// Throws Error(state) for missing and unexpected entries, and then changes nothing.
  void load_state_dict(const NamedTensors& dict, SourceLocation where = SourceLocation::current());

 private:
  bool is_better(double metric) const;

  ReduceOnPlateauOptions options_;
  double lr_;
  double best_;
  std::int64_t bad_ = 0, cooldown_ = 0;
};

}  // namespace gradus::optim
