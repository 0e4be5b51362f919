// Less memory for more time: activations that are computed again instead of kept.
//
//   for (auto& block : blocks) x = checkpoint(block, x);
//
// Of a checkpointed function only the inputs are kept from the forward pass to the backward pass; the gradient runs the
// function once more, when it is needed. With sqrt(n) segments of sqrt(n) layers each, training n layers takes memory for
// O(sqrt(n)) activations and at most one further forward pass. (Chen et al., "Training Deep Nets with Sublinear Memory
// Cost", 2016.)
#pragma once

#include <concepts>
#include <functional>
#include <utility>

#include "gradus/graph/tensor.h"

namespace gradus {

namespace detail {
Tensor checkpoint_input(const TensorArg& argument);
Tensors checkpoint(const Tensors& outputs, const Tensors& inputs, SourceLocation where);
}  // namespace detail

/// `function(inputs...)`, a Tensor or Tensors, whose gradient computes the function again. Values and gradients are the same
/// bits as without: the operations are the same, and random ones have the same keys. What the function uses besides its
/// inputs (parameters, tensors from outside) gets gradients, too; a recorded tensor from outside is computed again from its
/// leaves, so pass it as an input to keep it. The function runs once, and must not evaluate.
template <class Function, std::convertible_to<Tensor>... More>
auto checkpoint(Function&& function, const TensorArg& first, const More&... more) {
  const Tensors inputs{detail::checkpoint_input(first), static_cast<Tensor>(more)...};
  auto outputs = std::invoke(function, inputs.front(), static_cast<Tensor>(more)...);
  if constexpr (std::convertible_to<decltype(outputs), Tensor>) {
    return detail::checkpoint({static_cast<Tensor>(std::move(outputs))}, inputs, first.where()).front();
  } else {
    return detail::checkpoint(outputs, inputs, first.where());
  }
}

}  // namespace gradus
