// Reductions: folding axes with sum, maximum, minimum or product, and the position of an extreme element.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>

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

/// max and min by the names that PyTorch has for them: ties share the gradient evenly there, too.
Tensor amax(const TensorArg& x, const Axes& axes = {}, ReduceOptions options = {});
Tensor amin(const TensorArg& x, const Axes& axes = {}, ReduceOptions options = {});
struct MinMax {
  Tensor min, max;
};
/// Both at once.
MinMax aminmax(const TensorArg& x, const Axes& axes = {}, ReduceOptions options = {});

/// Whether some element, or every element, is true (not 0; NaN is true): bool. Of nothing: false, and true.
Tensor any(const TensorArg& x, const Axes& axes = {}, ReduceOptions options = {});
Tensor all(const TensorArg& x, const Axes& axes = {}, ReduceOptions options = {});
/// Number of elements that are not 0, i64.
Tensor count_nonzero(const TensorArg& x, const Axes& axes = {}, ReduceOptions options = {});

// What follows computes integers and bool as f32, and bf16 in f32 with one rounding at the end.

struct VarOptions {
  double correction = 1;  ///< subtracted from the number of elements that the sum of squares is divided by
  bool keepdim = false;
};
/// Variance: squared distances from the mean, summed and divided by n - correction. NaN when that is not above 0.
Tensor var(const TensorArg& x, const Axes& axes = {}, VarOptions options = {});
/// Its square root, which PyTorch calls std; the gradient is 0 where it is 0.
Tensor stddev(const TensorArg& x, const Axes& axes = {}, VarOptions options = {});
/// Variance, or its root, and the mean.
std::pair<Tensor, Tensor> var_mean(const TensorArg& x, const Axes& axes = {}, VarOptions options = {});
std::pair<Tensor, Tensor> std_mean(const TensorArg& x, const Axes& axes = {}, VarOptions options = {});
/// The p-norm over `axes`: (sum |x|^p)^(1/p); p = 0 counts what is not 0; infinity and -infinity are the largest and smallest
/// |x|. The gradient is 0 where the norm is 0. Throws Error(value) for a NaN p.
Tensor norm(const TensorArg& x, double p = 2, const Axes& axes = {}, ReduceOptions options = {});
/// log(sum(exp(x))) without overflow; -infinity of nothing.
Tensor logsumexp(const TensorArg& x, const Axes& axes = {}, ReduceOptions options = {});
/// Sum and mean of what is not NaN; the mean of nothing but NaN is NaN.
Tensor nansum(const TensorArg& x, const Axes& axes = {}, ReduceOptions options = {});
Tensor nanmean(const TensorArg& x, const Axes& axes = {}, ReduceOptions options = {});

}  // namespace gradus
