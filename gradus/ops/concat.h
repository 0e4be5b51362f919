// Padding and concatenation.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <utility>

#include "gradus/graph/op.h"
#include "gradus/ops/argument.h"

namespace gradus {

/// Surrounds each axis with `before` and `after` elements of `value` and puts `interior` of them between neighbours
/// (the padding of XLA): size -> before + size + (size - 1) * interior + after. With it, the gradient of any slice is
/// one op.
struct Pad {
  std::array<std::int64_t, Shape::max_rank> before{}, after{}, interior{};
  Immediate value;

  std::string_view name() const { return "pad"; }
  OpFamily family() const { return OpFamily::opaque; }
  Specs infer(std::span<const TensorSpec> inputs) const;
  Tensors vjp(const VjpArgs& args) const;
  Tensors batch(const BatchArgs& args) const;
  bool operator==(const Pad&) const = default;
};

/// Joins its inputs along `axis`.
struct Concat {
  int axis = 0;

  std::string_view name() const { return "concat"; }
  OpFamily family() const { return OpFamily::opaque; }
  Specs infer(std::span<const TensorSpec> inputs) const;
  Tensors vjp(const VjpArgs& args) const;
  Tensors batch(const BatchArgs& args) const;
  bool operator==(const Concat&) const = default;
};

/// {elements before, elements after} of one axis.
using Padding = std::pair<std::int64_t, std::int64_t>;

/// `x` with elements of `value` around it: `padding` has one pair per axis, all of them >= 0.
/// pad(images, {{0, 0}, {0, 0}, {2, 2}, {2, 2}}): [n, c, h, w] -> [n, c, h + 4, w + 4]. Throws Error(shape, value).
Tensor pad(const TensorArg& x, std::span<const Padding> padding, double value = 0);
Tensor pad(const TensorArg& x, std::initializer_list<Padding> padding, double value = 0);

/// The tensors one after the other along `axis`. All other sizes and the types must agree. Throws Error(shape, dtype,
/// axis, usage when there are none).
Tensor concat(std::span<const Tensor> tensors, int axis = 0, SourceLocation where = SourceLocation::current());
Tensor concat(std::initializer_list<Tensor> tensors, int axis = 0, SourceLocation where = SourceLocation::current());

}  // namespace gradus
