// Sharpness: the largest eigenvalue of a loss's Hessian, by power iteration with Hessian-vector products.
//
// Gradient descent with the rate lr is stable where it is below 2 / lr, and full-batch training tends to that edge (Cohen et al.,
// "Gradient descent on neural networks typically occurs at the edge of stability", 2021).
#pragma once

#include <functional>

#include "gradus/base/random.h"
#include "gradus/models/any_model.h"

namespace gradus::train {

struct SharpnessOptions {
  std::int64_t max_iterations = 20;  ///< Hessian-vector products; twice as many when the most negative one is larger
  double tolerance = 1e-2;           ///< relative change of the eigenvalue below which it is taken
  Key key = {};                      ///< of the starting direction
};

struct Sharpness {
  double eigenvalue =
      0;  ///< the algebraically largest one; NaN when a product is not finite, 0 for a loss without curvature
  std::int64_t iterations = 0;
  bool converged = false;
};

/// Of `loss`, which computes the scalar loss from the model's parameters as they are and is called once for each iteration: the
/// same graph every time, so that it is compiled once. Frozen parameters are constants. The model is left as it was.
Sharpness sharpness(models::AnyModel& model, const std::function<Tensor(models::AnyModel&)>& loss,
                    const SharpnessOptions& options = {});

}  // namespace gradus::train
