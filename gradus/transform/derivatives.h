// Derivatives that people ask for by name, made of grad(), jvp() and vmap().
//
//   Tensor y = tanh(matmul(w, x));
//   Tensor J = jacobian(y, x);                                        // [outputs..., inputs...]
//   Tensor loss = sum(square(y));
//   Tensor H = hessian(loss, x);
//   Tensor Hv = hessian_vector_product(loss, {x}, {v})[0];            // without H
//   auto [value, g] = value_and_grad([](const Tensors& x) { return sum(x[0] * x[1]); }, {a, b});
//
// All results are recorded and not evaluated; they can be differentiated again. Derivatives with respect to whole models:
// nn/gradients.h.
#pragma once

#include <concepts>
#include <functional>
#include <initializer_list>
#include <span>
#include <utility>

#include "gradus/transform/grad.h"

namespace gradus {

/// The scalar `function(inputs)` and its gradients with respect to each of `inputs`. Throws as grad().
template <std::invocable<const Tensors&> Function>
std::pair<Tensor, Tensors> value_and_grad(Function&& function, const Tensors& inputs,
                                          SourceLocation where = SourceLocation::current()) {
  Tensor value = std::invoke(function, inputs);
  Tensors gradients = grad(value, inputs, where);
  return {std::move(value), std::move(gradients)};
}

/// How a Jacobian is made: row by row with reverse mode, or column by column with forward mode; all rows or columns at
/// once, by vmap(). `automatic` takes forward mode where there are fewer inputs than outputs.
enum class JacobianMode { automatic, reverse, forward };

struct JacobianOptions {
  JacobianMode mode = JacobianMode::automatic;
};

/// d output / d x, with the axes of `output` in front of those of `x`; zeros when `output` does not depend on `x`. Both must
/// be floating (Error(dtype)) and have at most Shape::max_rank axes together. Throws as vjp().
Tensor jacobian(const Tensor& output, const Tensor& x, const JacobianOptions& options = {},
                SourceLocation where = SourceLocation::current());

/// Second derivatives of the scalar `loss`: the axes of `x` twice. Throws as grad().
Tensor hessian(const Tensor& loss, const Tensor& x, SourceLocation where = SourceLocation::current());

/// Block (i, j) of the Hessian with respect to several tensors, d^2 loss / d wrt[i] d wrt[j], with the axes of wrt[i] in
/// front.
std::vector<Tensors> hessian(const Tensor& loss, std::span<const Tensor> wrt,
                             SourceLocation where = SourceLocation::current());

/// The Hessian of the scalar `loss` times `vectors` (one for each of `wrt`, of its shape and type; undefined = zero), for
/// the price of a few gradients. An entry is undefined where it is zero by structure. Throws as grad(), and Error(shape)
/// when a vector does not fit.
Tensors hessian_vector_product(const Tensor& loss, std::span<const Tensor> wrt, std::span<const Tensor> vectors,
                               SourceLocation where = SourceLocation::current());
Tensors hessian_vector_product(const Tensor& loss, std::initializer_list<Tensor> wrt,
                               std::initializer_list<Tensor> vectors, SourceLocation where = SourceLocation::current());

}  // namespace gradus
