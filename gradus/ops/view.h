// Views: operations that rename elements. None of them computes; most cost no pass over memory once a graph is planned.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <span>
#include <string>

#include "gradus/graph/op.h"
#include "gradus/ops/argument.h"
#include "gradus/ops/concat.h"

namespace gradus {

/// The same elements, in row-major order, under another shape.
struct Reshape {
  Shape shape;

  std::string_view name() const { return "reshape"; }
  OpFamily family() const { return OpFamily::view; }
  Specs infer(std::span<const TensorSpec> inputs) const;
  Tensors vjp(const VjpArgs& args) const;
  Tensors batch(const BatchArgs& args) const;
  bool operator==(const Reshape&) const = default;
};

/// Axis i of the output is axis order[i] of the input. Entries from `rank` on are 0.
struct Permute {
  std::array<int, Shape::max_rank> order{};
  int rank = 0;

  std::string_view name() const { return "permute"; }
  OpFamily family() const { return OpFamily::view; }
  Specs infer(std::span<const TensorSpec> inputs) const;
  Tensors vjp(const VjpArgs& args) const;
  Tensors batch(const BatchArgs& args) const;
  /// "{order=[1, 0]}"
  std::string str() const;
  bool operator==(const Permute&) const = default;
};

/// Elements start, start + step, ... below stop of one axis; 0 <= start <= stop <= size, step >= 1.
struct Slice {
  int axis = 0;
  std::int64_t start = 0, stop = 0, step = 1;

  std::string_view name() const { return "slice"; }
  OpFamily family() const { return OpFamily::view; }
  Specs infer(std::span<const TensorSpec> inputs) const;
  Tensors vjp(const VjpArgs& args) const;
  Tensors batch(const BatchArgs& args) const;
  bool operator==(const Slice&) const = default;
};

/// Repeats along axes of size 1 and along new leading axes, as NumPy broadcasts.
struct BroadcastTo {
  Shape shape;

  std::string_view name() const { return "broadcast_to"; }
  OpFamily family() const { return OpFamily::view; }
  Specs infer(std::span<const TensorSpec> inputs) const;
  Tensors vjp(const VjpArgs& args) const;
  Tensors batch(const BatchArgs& args) const;
  bool operator==(const BroadcastTo&) const = default;
};

/// The same elements under another shape. One size may be -1: it follows from the others. Throws Error(shape) when the
/// numbers of elements differ.
Tensor reshape(const TensorArg& x, std::span<const std::int64_t> sizes);
Tensor reshape(const TensorArg& x, std::initializer_list<std::int64_t> sizes);
Tensor reshape(const TensorArg& x, const Shape& shape);

/// Axes start_axis..end_axis (both included) merged into one; a scalar becomes [1]. flatten(images, 1):
/// [n, c, h, w] -> [n, c * h * w].
Tensor flatten(const TensorArg& x, int start_axis = 0, int end_axis = -1);

/// Axes `a` and `b` exchanged.
Tensor transpose(const TensorArg& x, int a, int b);

/// Axis i of the result is axis axes[i] of `x`; `axes` names each axis once. Throws Error(axis).
Tensor permute(const TensorArg& x, std::span<const int> axes);
Tensor permute(const TensorArg& x, std::initializer_list<int> axes);

/// As the `stop` of a slice: up to the end of the axis.
inline constexpr std::int64_t to_end = std::numeric_limits<std::int64_t>::max();

/// Elements start, start + step, ... below `stop` of one axis. Negative bounds count from the end. Other than in
/// Python, bounds beyond the axis are refused with Error(index), not clamped. Throws Error(value) unless step >= 1.
Tensor slice(const TensorArg& x, int axis, std::int64_t start = 0, std::int64_t stop = to_end, std::int64_t step = 1);

/// `x` repeated to `shape` as NumPy broadcasts. Throws Error(shape) when it does not fit.
Tensor broadcast_to(const TensorArg& x, const Shape& shape);

/// Without the given axes, which must have size 1 (Error(shape)); by default without all that have.
Tensor squeeze(const TensorArg& x, const Axes& axes = {});

/// With a new axis of size 1 at position `axis` of the result.
Tensor unsqueeze(const TensorArg& x, int axis);

}  // namespace gradus
