// Learning-rate range test (Smith, "Cyclical learning rates for training neural networks", 2017): train a moment with a rate
// that grows from step to step, and see where the loss falls fastest and where it explodes.
#pragma once

#include <cstdint>
#include <vector>

#include "gradus/base/location.h"
#include "gradus/train/recipe.h"

namespace gradus::train {

struct LrFindOptions {
  double lowest = 1e-7, highest = 10;
  std::int64_t steps = 100;  ///< from the one to the other, by equal factors
};

struct LrPoint {
  double lr = 0;
  double loss = 0;      ///< of the step with this rate
  double smoothed = 0;  ///< exponential mean (0.9) of the losses up to here, corrected for its start
};

struct LrRange {
  std::vector<LrPoint> points;  ///< up to the step where the loss exploded
  bool exploded = false;        ///< the smoothed loss passed four times its least, or was not finite
  /// Where the smoothed loss falls fastest per decade of the rate; 0 when it never falls.
  double suggestion = 0;
};

/// Trains the model of a recipe on its data, beginning from its seed; schedule and epochs of the recipe play no part. Writes
/// nothing. Throws Error(value) unless 0 < lowest < highest, both finite, and steps >= 10, and as start().
LrRange find_lr(const Recipe& recipe, const LrFindOptions& options = {},
                SourceLocation where = SourceLocation::current());

}  // namespace gradus::train
