// Reverse accumulation, as the transforms use it among themselves.
#pragma once

#include <span>

#include "gradus/graph/tensor.h"

namespace gradus::transform {

/// What to make of an evaluated tensor that came from a parameter: it has forgotten how it was made.
enum class Evaluated {
  refuse,   ///< Error(state): a gradient would be cut without a word
  constant  ///< right where the way to `wrt` cannot lead through it
};

/// The products of vjp(), whose arguments must fit.
Tensors pull_back(std::span<const Tensor> outputs, std::span<const Tensor> cotangents, std::span<const Tensor> wrt,
                  SourceLocation where, Evaluated evaluated);

}  // namespace gradus::transform
