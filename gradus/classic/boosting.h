// Gradient boosting, by XGBoost (Chen and Guestrin, 2016).
#pragma once

#include "gradus/classic/learner.h"

namespace gradus::classic {

struct BoostingOptions {
  std::int64_t rounds = 200;   ///< trees; of several classes for each of them
  double learning_rate = 0.1;  ///< share of each tree that is believed, in (0, 1]
  std::int64_t max_depth = 3;
  double subsample = 1;  ///< share of the examples that each tree sees, in (0, 1]
};
/// Trees that correct each other: each is fitted to the gradient of the loss of the sum of those before it. Scores are probabilities.
/// Uses histograms of the columns, and XGBoost's defaults for what is not said; numbers that are predicted have mean 0 and variance 1
/// inside, because it computes in f32. Throws Error(value) for settings out of range, and
/// Error(state) when it learns and XGBoost is not there (see boosting_library).
Learner gradient_boosting(const BoostingOptions& options = {}, SourceLocation where = SourceLocation::current());

/// "XGBoost 1.7.4", or "" when it cannot be used.
std::string boosting_library();

}  // namespace gradus::classic
