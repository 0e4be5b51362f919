// Are these gradients right? For functions and layers of one's own.
//
//   gradcheck([](const Tensors& x) { return my_operation(x[0], x[1]); }, {a, b});       // throws when they are not
#pragma once

#include <functional>

#include "gradus/graph/tensor.h"

namespace gradus {

/// How gradients are compared: |analytic - numeric| <= atol + rtol * |numeric|. The defaults are PyTorch's, for f64.
struct GradcheckOptions {
  double eps = 1e-6;         ///< step of the central differences
  double atol = 1e-5;        ///< absolute tolerance
  double rtol = 1e-3;        ///< relative tolerance
  bool forward_mode = true;  ///< check jvp() as well
};

/// A function of tensors that gives one. It must be deterministic: random numbers inside need a fixed key.
using GradcheckFunction = std::function<Tensor(const Tensors&)>;

/// Compares the gradients of `function` at `inputs` with central differences: reverse mode (with a fixed random cotangent)
/// element by element, and forward mode along a random direction. Inputs that are not floating stay as they are. Evaluates
/// twice per element of the inputs. Throws Error(value) that names the input, the element and both numbers for the first
/// difference, Error(dtype) unless every floating input is f64, Error(usage) without one.
void gradcheck(const GradcheckFunction& function, const Tensors& inputs, const GradcheckOptions& options = {},
               SourceLocation where = SourceLocation::current());

/// The same for the gradients of `function`: checks second derivatives.
void gradgradcheck(const GradcheckFunction& function, const Tensors& inputs, const GradcheckOptions& options = {},
                   SourceLocation where = SourceLocation::current());

}  // namespace gradus
