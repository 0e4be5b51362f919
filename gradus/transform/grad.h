// Reverse-mode differentiation: a function from graphs to graphs.
#pragma once

#include <initializer_list>
#include <span>
#include <vector>

#include "gradus/graph/tensor.h"

namespace gradus {

/// Gradients of the scalar `loss` with respect to each of `wrt`, recorded and not evaluated: they can be differentiated
/// again, to any order. An entry is undefined where the loss does not depend on that tensor.
///
/// Throws Error(shape) when the loss is not a scalar, Error(dtype) when it is not floating, and Error(state) when it, or
/// something between it and a parameter, has been evaluated already: an evaluated tensor has forgotten how it was made.
Tensors grad(const Tensor& loss, std::span<const Tensor> wrt, SourceLocation where = SourceLocation::current());
Tensors grad(const Tensor& loss, std::initializer_list<Tensor> wrt, SourceLocation where = SourceLocation::current());

/// Vector-Jacobian product: sum over `outputs` of cotangent times d output / d wrt. Cotangents have the shapes and types of
/// the outputs. The general form of grad().
Tensors vjp(std::span<const Tensor> outputs, std::span<const Tensor> cotangents, std::span<const Tensor> wrt,
            SourceLocation where = SourceLocation::current());
Tensors vjp(std::initializer_list<Tensor> outputs, std::initializer_list<Tensor> cotangents,
            std::initializer_list<Tensor> wrt, SourceLocation where = SourceLocation::current());

}  // namespace gradus
