// Reductions: folding axes with sum, maximum, minimum or product, and the position of an extreme element.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "gradus/graph/op.h"
#include "gradus/ops/argument.h"

namespace gradus {

enum class ReduceKind : std::uint8_t { sum, max, min, prod };

/// Folds the axes whose bits are set in `axes`; with `keepdim` they stay, with size 1. Sums and products of integers
/// and booleans are i64; everything else keeps its type. Its name is that of its kind: "sum", "max", "min", "prod".
struct Reduce {
  ReduceKind kind = ReduceKind::sum;
  std::uint32_t axes = 0;
  bool keepdim = false;

  std::string_view name() const;
  OpFamily family() const { return OpFamily::reduce; }
  Specs infer(std::span<const TensorSpec> inputs) const;
  Tensors vjp(const VjpArgs& args) const;
  Tensors batch(const BatchArgs& args) const;
  /// "{axes=[0, 2], keepdim=false}"
  std::string str() const;
  bool operator==(const Reduce&) const = default;
};

/// Position (i64) of the largest or smallest element along `axis`; the first one wins, NaN beats everything. Its name
/// is "argmax" or "argmin". It has no gradient.
struct ArgReduce {
  bool largest = true;
  int axis = 0;
  bool keepdim = false;

  std::string_view name() const { return largest ? "argmax" : "argmin"; }
  OpFamily family() const { return OpFamily::opaque; }
  Specs infer(std::span<const TensorSpec> inputs) const;
  Tensors vjp(const VjpArgs& args) const;
  Tensors batch(const BatchArgs& args) const;
  bool operator==(const ArgReduce&) const = default;
};

struct ReduceOptions {
  bool keepdim = false;  ///< keep the folded axes, with size 1
};

/// Sum over `axes` (default: all). Integers and booleans sum to i64; the sum of nothing is 0.
Tensor sum(const TensorArg& x, const Axes& axes = {}, ReduceOptions options = {});
/// Mean over `axes`; of integers and booleans f32. Throws Error(shape) when there is nothing to average.
Tensor mean(const TensorArg& x, const Axes& axes = {}, ReduceOptions options = {});
/// Product over `axes`. Integers and booleans multiply to i64; the product of nothing is 1.
Tensor prod(const TensorArg& x, const Axes& axes = {}, ReduceOptions options = {});
/// Largest element over `axes`; NaN if there is one. Ties share the gradient evenly. Throws Error(shape) when there is
/// nothing to choose from.
Tensor max(const TensorArg& x, const Axes& axes = {}, ReduceOptions options = {});
/// Smallest element over `axes`; otherwise as `max`.
Tensor min(const TensorArg& x, const Axes& axes = {}, ReduceOptions options = {});

/// Position of the largest element along `axis`, i64. Ties: the first; NaN counts as the largest. No gradient. Throws
/// Error(axis), and Error(shape) when the axis is empty.
Tensor argmax(const TensorArg& x, int axis, ReduceOptions options = {});
/// Position of the smallest element along `axis`, i64; NaN counts as the smallest.
Tensor argmin(const TensorArg& x, int axis, ReduceOptions options = {});

}  // namespace gradus
