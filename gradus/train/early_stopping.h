// Early stopping: when no epoch was better for a while, stop, and take the best weights back.
//
//   train::EarlyStopping stopping({.patience = 3, .mode = train::Mode::min});
//   for (...) {
//     ... one epoch ...
//     if (stopping.update(validation_loss, model)) break;
//   }
//   stopping.restore(model);
#pragma once

#include <cstdint>

#include "gradus/nn/state_dict.h"

namespace gradus::train {

/// Whether smaller or larger values are better.
enum class Mode { min, max };

struct EarlyStoppingOptions {
  std::int64_t patience = 0;  ///< values in a row that are no improvement, after which to stop
  double min_delta = 0;       ///< an improvement is a value better than the best by more than this
  Mode mode = Mode::min;
};

/// Says stop at the `patience`-th value in a row that is no improvement (at the first one for 0 and 1), as Keras does. NaN
/// is never an improvement.
class EarlyStopping {
 public:
  /// Throws Error(value) for a negative patience or min_delta.
  explicit EarlyStopping(const EarlyStoppingOptions& options, SourceLocation where = SourceLocation::current());

  /// Takes the next value; true: stop.
  bool update(double value);
  /// The same, and remembers the model's parameters and buffers when the value is an improvement (handles, not elements).
  template <class Model>
  bool update(double value, const Model& model) {
    const std::int64_t before = best_;
    const bool stop = update(value);
    if (best_ != before) weights_ = nn::state_dict(model);
    return stop;
  }
  /// Gives `model` the weights of the best value. Throws Error(state) when none were remembered.
  template <class Model>
  void restore(Model& model, SourceLocation where = SourceLocation::current()) const {
    check_restorable(where);
    nn::load_state_dict(model, weights_, {}, where);
  }

  /// Number of the best value, from 0; -1 before the first.
  std::int64_t best() const { return best_; }
  double best_value() const { return best_value_; }

 private:
  void check_restorable(SourceLocation where) const;

  EarlyStoppingOptions options_;
  std::int64_t count_ = 0, best_ = -1;
  double best_value_ = 0;
  NamedTensors weights_;
};

}  // namespace gradus::train
