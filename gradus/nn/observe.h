// How a layer makes its calls visible to hooks (nn/hooks.h).
#pragma once

#include "gradus/nn/fields.h"

namespace gradus::nn {

namespace detail {
bool hooks_active();
Tensor run_hooks(const void* layer, const LayerType* type, const Tensor& input, Tensor output);
}  // namespace detail

/// Ends the call of a layer: `return observed(*this, x, y)`. Returns `output`, or what a hook puts in its place.
template <class T>
Tensor observed(const T& layer, const TensorArg& input, Tensor output) {
  if (!detail::hooks_active()) return output;
  return detail::run_hooks(&layer, &layer_type<T>, input.tensor(), std::move(output));
}

}  // namespace gradus::nn
