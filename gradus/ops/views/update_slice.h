// Writing a part of a tensor at a place that is known when the plan runs:
//
//   keys = dynamic_update_slice(keys, fresh, position, 1)      fresh: the keys of the next token, position: i64 scalar
#pragma once

#include <string_view>

#include "gradus/graph/op.h"

namespace gradus {

/// Inputs: the whole, the part, and the start (i64, one element) along `axis`.
struct DynamicUpdateSlice {
  int axis = 0;

  std::string_view name() const { return "dynamic_update_slice"; }
  OpFamily family() const { return OpFamily::opaque; }
  Specs infer(std::span<const TensorSpec> inputs) const;
  Tensors vjp(const VjpArgs& args) const;
  Tensors batch(const BatchArgs& args) const;
  bool operator==(const DynamicUpdateSlice&) const = default;
};

/// `x` with `update` in place of its elements from `start` on along `axis`; all other axes, and the type, are those of x. A start
/// (i64, one element) at which the update would not fit moves to the nearest at which it does, so that this cannot fail while it
/// runs, and writes into the memory of `x` where nobody else holds it (XLA's operation of this name). Gradients flow to x and to the
/// update. Throws Error(shape, dtype, axis).
Tensor dynamic_update_slice(const TensorArg& x, const TensorArg& update, const TensorArg& start, int axis = 0);

}  // namespace gradus
