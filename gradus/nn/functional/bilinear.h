// The product of two inputs.
#pragma once

#include "gradus/graph/tensor.h"

namespace gradus {

/// y[.., o] = sum over i, j of x1[.., i] weight[o, i, j] x2[.., j] + bias[o]: x1 (.., in1), x2 (.., in2).
Tensor bilinear(const TensorArg& x1, const TensorArg& x2, const TensorArg& weight, const TensorArg& bias = Tensor());

}  // namespace gradus
