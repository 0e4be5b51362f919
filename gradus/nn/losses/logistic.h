// For the losses' own sources: the logistic function's logarithms, stable at any size.
#pragma once

#include "gradus/graph/tensor.h"

namespace gradus::detail {

/// log(1 + exp(x)).
Tensor softplus_of(const Tensor& x, SourceLocation where);
/// Binary cross entropy of logits, element by element; `pos_weight` may be undefined.
Tensor logistic_losses(const Tensor& logits, const Tensor& target, const Tensor& pos_weight, SourceLocation where);

}  // namespace gradus::detail
