// Running totals along an axis: element i of the result folds elements 0..i (with `reverse`: i..n-1).
#pragma once

#include "gradus/graph/op.h"

namespace gradus {

/// Running sum. Integers and bool are summed as i64.
struct CumSum {
  int axis = 0;
  bool reverse = false;

  std::string_view name() const { return "cumsum"; }
  OpFamily family() const { return OpFamily::opaque; }
  Specs infer(std::span<const TensorSpec> inputs) const;
  Tensors vjp(const VjpArgs& args) const;
  Tensors batch(const BatchArgs& args) const;
  bool operator==(const CumSum&) const = default;
};

struct ScanOptions {
  bool reverse = false;  ///< from the end of the axis
};

/// Running sum along `axis`, of the shape of x. Integers and bool give i64. Throws Error(axis).
Tensor cumsum(const TensorArg& x, int axis, ScanOptions options = {});
/// Running product; integers and bool give i64. In log2(n) doublings made of products alone, so that gradients of any order
/// are right where elements are 0.
Tensor cumprod(const TensorArg& x, int axis, ScanOptions options = {});
/// log(cumsum(exp(x))) without overflow; integers are computed as f32.
Tensor logcumsumexp(const TensorArg& x, int axis, ScanOptions options = {});

/// Running extremes, and where they lie along the axis (i64).
struct RunningExtreme {
  Tensor values;
  Tensor indices;
};
/// Largest element so far along `axis`; of equal ones the latest, and NaN from the first NaN on, as in PyTorch. In log2(n)
/// doublings. The gradient flows to the elements at `indices`. Throws Error(axis).
RunningExtreme cummax(const TensorArg& x, int axis);
/// Smallest element so far.
RunningExtreme cummin(const TensorArg& x, int axis);

/// Differences of neighbours along `axis`, taken `n` times: an axis of s elements becomes s - n, at least 0. Throws
/// Error(axis), Error(value) for a negative n.
Tensor diff(const TensorArg& x, int axis = -1, std::int64_t n = 1);

}  // namespace gradus
