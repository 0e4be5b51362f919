// Cutting, joining, repeating and turning tensors:
//
//   stack({a, b})                    two [3] -> [2, 3]
//   auto parts = chunk(x, 3, 1);     three slices of axis 1
//   flip(images, -1)                 mirrors them
//
// All but `flip` are made of reshapes, slices, broadcasts and concatenations.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>

#include "gradus/graph/op.h"
#include "gradus/ops/argument.h"

namespace gradus {

/// Reverses the axes whose bits are set.
struct Flip {
  std::uint32_t axes = 0;

  std::string_view name() const { return "flip"; }
  OpFamily family() const { return OpFamily::opaque; }
  Specs infer(std::span<const TensorSpec> inputs) const;
  Tensors vjp(const VjpArgs& args) const;
  Tensors batch(const BatchArgs& args) const;
  bool operator==(const Flip&) const = default;
};

/// The tensors, which have one shape and type, along a new axis at position `axis` of the result. Throws Error(shape, dtype,
/// axis, usage when there are none).
Tensor stack(std::span<const Tensor> tensors, int axis = 0, SourceLocation where = SourceLocation::current());
Tensor stack(std::initializer_list<Tensor> tensors, int axis = 0, SourceLocation where = SourceLocation::current());

/// Slices of `size` elements along `axis`; the last may be smaller. Throws Error(value) unless size >= 1.
Tensors split(const TensorArg& x, std::int64_t size, int axis = 0);
/// Slices of the given sizes, which add up to the axis. Throws Error(shape).
Tensors split(const TensorArg& x, std::span<const std::int64_t> sizes, int axis = 0);
Tensors split(const TensorArg& x, std::initializer_list<std::int64_t> sizes, int axis = 0);
/// At most `chunks` slices of one size, the last may be smaller; as in PyTorch there can be fewer. Throws Error(value).
Tensors chunk(const TensorArg& x, std::int64_t chunks, int axis = 0);
/// All slices of size 1, without the axis.
Tensors unbind(const TensorArg& x, int axis = 0);

/// `length` elements of `axis` from `start`, which may count from the end. Throws Error(index).
Tensor narrow(const TensorArg& x, int axis, std::int64_t start, std::int64_t length);
/// One element of `axis`, which may count from the end, without the axis. Throws Error(index).
Tensor select(const TensorArg& x, int axis, std::int64_t index);

/// With the elements of the axes in reverse order. With `slice` this is a negative step.
Tensor flip(const TensorArg& x, const Axes& axes);
/// Elements moved by `shift` along `axis`; those that leave the end enter at the beginning.
Tensor roll(const TensorArg& x, std::int64_t shift, int axis);
/// The same over the flattened elements; the shape stays.
Tensor roll(const TensorArg& x, std::int64_t shift);

/// The whole of `x` repeated `counts[i]` times along axis i; more counts than axes make leading axes. PyTorch's `repeat`.
/// Throws Error(shape) for fewer counts than axes, Error(value) for a negative one.
Tensor repeat(const TensorArg& x, std::span<const std::int64_t> counts);
Tensor repeat(const TensorArg& x, std::initializer_list<std::int64_t> counts);
/// The same; fewer counts than axes count for the last axes. PyTorch's and NumPy's `tile`.
Tensor tile(const TensorArg& x, std::span<const std::int64_t> counts);
Tensor tile(const TensorArg& x, std::initializer_list<std::int64_t> counts);
/// Each element of `axis` `count` times: [a, b] -> [a, a, b, b].
Tensor repeat_interleave(const TensorArg& x, std::int64_t count, int axis);

/// `x` broadcast to the sizes; -1 keeps a size. PyTorch's `expand`.
Tensor expand(const TensorArg& x, std::span<const std::int64_t> sizes);
Tensor expand(const TensorArg& x, std::initializer_list<std::int64_t> sizes);

/// Axis `from` moved to position `to`; the others keep their order.
Tensor movedim(const TensorArg& x, int from, int to);
/// NumPy's name for `transpose`.
Tensor swapaxes(const TensorArg& x, int a, int b);

/// The tensors side by side: along axis 1, or axis 0 of vectors. Throws as concat.
Tensor hstack(std::initializer_list<Tensor> tensors, SourceLocation where = SourceLocation::current());
/// One above the other: along axis 0; vectors are rows.
Tensor vstack(std::initializer_list<Tensor> tensors, SourceLocation where = SourceLocation::current());

/// Turned by 90 degrees `k` times, from axis `from` towards axis `to`. Throws Error(axis).
Tensor rot90(const TensorArg& x, std::int64_t k = 1, int from = 0, int to = 1);

/// `axis` as axes of the given sizes, of which one may be -1. Throws Error(axis), and Error(shape) when they do not make up
/// the axis.
Tensor unflatten(const TensorArg& x, int axis, std::span<const std::int64_t> sizes);
Tensor unflatten(const TensorArg& x, int axis, std::initializer_list<std::int64_t> sizes);

/// Channels of (n, c, ...) dealt out from `groups` groups in turn (Zhang et al., 2018). Throws Error(value) unless the groups
/// divide the channels.
Tensor channel_shuffle(const TensorArg& x, std::int64_t groups);

}  // namespace gradus
