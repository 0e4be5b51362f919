// What the gradients and the batching rules of operations share.
#pragma once

#include <span>
#include <utility>

#include "gradus/graph/op.h"

namespace gradus::detail {

/// One tensor as the answer of a `vjp` or `batch`: a braced list would copy its handle.
inline Tensors only(Tensor tensor) {
  Tensors list;
  list.push_back(std::move(tensor));
  return list;
}

/// Shape of `size` examples of `shape`: the batch in front.
Shape batched_shape(std::int64_t size, const Shape& shape);
/// Input `input` with the batch as axis 0, repeated when all examples share it.
Tensor batched_input(const BatchArgs& args, std::size_t input);
/// All inputs so: the rule of operations that treat every operand alike.
Tensors batched_inputs(const BatchArgs& args);
/// Axes 0 and 1 as one: [size, n, ...] -> [size * n, ...].
Tensor merge_batch(const Tensor& x);
/// The opposite: [size * n, ...] -> [size, n, ...].
Tensor split_batch(const Tensor& x, std::int64_t size, std::int64_t n);

/// Shape of one example.
Shape example_shape(const Tensor& batched);
/// `x` with axis `from` moved to position `to`.
Tensor move_axis(const TensorArg& x, int from, int to);

}  // namespace gradus::detail
