// Order: sorting, the largest elements, medians, and places in sorted sequences.
//
//   auto [values, indices] = topk(logits, 5);             along the last axis
//   Tensor bin = bucketize(ages, tensor({18.f, 65.f}));
#pragma once

#include <cstdint>

#include "gradus/graph/op.h"
#include "gradus/graph/tensor.h"

namespace gradus {

/// The last axis in order, and where each element came from (i64). Equal elements keep their order; NaN counts as the
/// largest.
struct Sort {
  bool descending = false;

  std::string_view name() const { return "sort"; }
  OpFamily family() const { return OpFamily::opaque; }
  Specs infer(std::span<const TensorSpec> inputs) const;
  Tensors vjp(const VjpArgs& args) const;
  Tensors batch(const BatchArgs& args) const;
  bool operator==(const Sort&) const = default;
};

/// Inputs sorted [.., n], values [.., m] (or sorted [n] and values of any shape): for each value how many elements of its
/// sequence lie before it: those below, with `right` also those equal. i64. No gradient.
struct SearchSorted {
  bool right = false;

  std::string_view name() const { return "searchsorted"; }
  OpFamily family() const { return OpFamily::opaque; }
  Specs infer(std::span<const TensorSpec> inputs) const;
  Tensors vjp(const VjpArgs& args) const;
  Tensors batch(const BatchArgs& args) const;
  bool operator==(const SearchSorted&) const = default;
};

/// Elements and their positions (i64) along an axis.
struct Ranked {
  Tensor values;
  Tensor indices;
};

struct SortOptions {
  bool descending = false;
};

/// `x` sorted along `axis`. Stable; NaN counts as the largest. Gradients flow through the values. Throws Error(axis).
Ranked sort(const TensorArg& x, int axis = -1, SortOptions options = {});
/// Only the positions.
Tensor argsort(const TensorArg& x, int axis = -1, SortOptions options = {});

struct TopkOptions {
  int axis = -1;
  bool largest = true;
};
/// The `k` largest (or smallest) elements of `axis`, in order. Throws Error(value) unless 0 <= k <= size.
Ranked topk(const TensorArg& x, std::int64_t k, TopkOptions options = {});

struct KthOptions {
  bool keepdim = false;
};
/// The k-th smallest element of `axis`; k counts from 1. Throws Error(value) unless 1 <= k <= size.
Ranked kthvalue(const TensorArg& x, std::int64_t k, int axis = -1, KthOptions options = {});
/// The lower median of `axis`; NaN if there is one. Throws Error(shape) for an empty axis.
Ranked median(const TensorArg& x, int axis, KthOptions options = {});
/// The lower median of all elements.
Tensor median(const TensorArg& x);

/// The value below which a share `q` of the elements of `axis` lies, linearly between neighbours; NaN if there is one. An
/// attribute: another q is another plan. Throws Error(value) unless 0 <= q <= 1, Error(shape) for an empty axis, Error(dtype)
/// for integers.
Tensor quantile(const TensorArg& x, double q, int axis, KthOptions options = {});
/// The same of all elements.
Tensor quantile(const TensorArg& x, double q);

struct SearchOptions {
  bool right = false;  ///< count equal elements, too
};
/// Where to insert `values` into the sorted last axis of `sorted`; leading axes agree, or `sorted` has one axis. i64.
/// Throws Error(shape). What is not sorted gives some position.
Tensor searchsorted(const TensorArg& sorted, const TensorArg& values, SearchOptions options = {});
/// Index of the bucket between `boundaries` (sorted, one axis) that each element of `x` falls into. i64.
Tensor bucketize(const TensorArg& x, const TensorArg& boundaries, SearchOptions options = {});

struct HistcOptions {
  double min = 0, max = 0;  ///< range; both 0: from the smallest to the largest element
};
/// How many elements fall into each of `bins` bins of equal width, in the type of `x`; those outside are not counted.
/// Throws Error(value).
Tensor histc(const TensorArg& x, std::int64_t bins = 100, HistcOptions options = {});

}  // namespace gradus
