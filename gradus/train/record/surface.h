// The loss around a model's weights, along directions that compare across networks.
//
// Li et al., "Visualizing the loss landscape of neural nets", 2018: a random direction whose filters (entries of axis 0 of a
// weight) have the norms of the model's own, so that scaling a layer up and the next one down changes nothing. Parameters of
// one axis (biases, norms) stay where they are.
#pragma once

#include <functional>
#include <vector>

#include "gradus/base/random.h"
#include "gradus/models/any_model.h"

namespace gradus::train {

struct SurfaceOptions {
  std::int64_t points = 21;  ///< of each direction, evenly from -range to range; odd, so that the model itself is one
  double range = 1;          ///< 1: steps as large as the weights themselves
  bool plane = false;        ///< two directions instead of one
  Key key = {};              ///< of the directions
};

struct Surface {
  std::vector<double> steps;                ///< along each direction
  std::vector<std::vector<double>> losses;  ///< [step of the second direction][step of the first]; one row without it
  /// The loss of the model itself.
  double centre() const { return losses[losses.size() / 2][steps.size() / 2]; }
};

/// Of `loss`, which computes the scalar loss from the model's parameters as they are and is called once for each point: the
/// same graph every time, compiled once. The model is left as it was. Throws Error(value) for fewer than 3 points, an even
/// number of them, or a range that is not finite and positive.
Surface loss_surface(models::AnyModel& model, const std::function<Tensor(models::AnyModel&)>& loss,
                     const SurfaceOptions& options = {}, SourceLocation where = SourceLocation::current());

}  // namespace gradus::train
