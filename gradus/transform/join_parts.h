// Gradients of neighbouring slices, put side by side.
#pragma once

#include "gradus/graph/tensor.h"

namespace gradus::transform {

/// The sum of two tensors that are zero apart from neighbouring parts of one axis, as the gradients of x[:, :n] and x[:, n:] are:
/// the parts side by side, which takes no addition. Undefined for any others.
Tensor joined(const Tensor& a, const Tensor& b);

}  // namespace gradus::transform
