// What is added to a loss, or done to weights after a step, so that they stay small.
//
//   optimizer.minimize(cross_entropy(model(x), y) + 1e-4 * nn::l1_penalty(model));
//   nn::clip_max_norm(model, 3);
#pragma once

#include <span>
#include <string_view>

#include "gradus/nn/fields.h"

namespace gradus {

/// Every slice of `x` along axis `dim` with a p-norm above `maxnorm` is scaled down to it; the others stay. As torch.renorm, which
/// divides by the norm + 1e-7. The gradient goes through the scaling. Throws Error(dtype) unless x is floating,
/// Error(value) unless p > 0 and maxnorm >= 0, Error(shape) for less than 2 axes or an axis that does not exist.
Tensor renorm(const TensorArg& x, double p, int dim, double maxnorm);

namespace nn {

namespace detail {
Tensor penalty(std::span<const FieldRef> fields, std::string_view pattern, int power, SourceLocation where);
int clip_max_norm(std::span<const FieldRef> fields, double max_norm, std::string_view pattern, SourceLocation where);
}  // namespace detail

/// The sum of the absolute values of all trainable parameters whose path matches `pattern` (`*` stands for any characters; by
/// default the weights and not the biases), an f32 scalar. Its gradient is the sign, and 0 at 0, so plain descent
/// makes weights small but seldom exactly 0: `softshrink` after a step does. Tibshirani, "Regression shrinkage and
/// selection via the lasso", 1996. Throws Error(value) when nothing matches.
template <class Model>
Tensor l1_penalty(const Model& model, std::string_view pattern = "*weight",
                  SourceLocation where = SourceLocation::current()) {
  return detail::penalty(all_fields(model), pattern, 1, where);
}

/// Half the sum of their squares, whose gradient is the weights themselves: for SGD the same as the optimizer's weight_decay,
/// for Adam not (Loshchilov and Hutter, "Decoupled weight decay regularization", 2019).
template <class Model>
Tensor l2_penalty(const Model& model, std::string_view pattern = "*weight",
                  SourceLocation where = SourceLocation::current()) {
  return detail::penalty(all_fields(model), pattern, 2, where);
}

/// The max-norm constraint: the incoming weights of each unit (a slice along axis 0 of a trainable parameter with two or
/// more axes whose path matches) are scaled down to the length `max_norm` where they are longer; to be called after each
/// step. Evaluates. Returns the number of parameters that it looked at. Srivastava et al., "Dropout: a simple way to
/// prevent neural networks from overfitting", 2014, who use 3 to 4. Throws Error(value) unless max_norm is finite and > 0,
/// or when nothing matches.
template <class Model>
int clip_max_norm(Model& model, double max_norm, std::string_view pattern = "*weight",
                  SourceLocation where = SourceLocation::current()) {
  return detail::clip_max_norm(all_fields(model), max_norm, pattern, where);
}

}  // namespace nn
}  // namespace gradus
