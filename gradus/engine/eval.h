// Evaluation: the only place where recorded tensors become numbers.
#pragma once

#include <concepts>
#include <span>

#include "gradus/graph/tensor.h"

namespace gradus {

/// Evaluates `tensors`, and with them every recorded tensor of the same graph that the user still holds, in one plan.
/// Evaluated ones are left alone; undefined ones are skipped. Either all are evaluated or, when an Error or std::bad_alloc
/// is thrown, none: Error(index) for an index out of range, Error(dtype) for an operation without a kernel for its types.
void eval(std::span<const Tensor> tensors, SourceLocation where = SourceLocation::current());

/// The same for single tensors and parameters: `eval(loss, accuracy)`. Whole models: nn/eval.h.
template <std::convertible_to<Tensor>... More>
void eval(const TensorArg& first, const More&... more) {
  const Tensor all[] = {first.tensor(), static_cast<Tensor>(more)...};
  eval(std::span<const Tensor>(all), first.where());
}

}  // namespace gradus
