// Indexing with tensors: picking elements, adding to picked elements, one-hot vectors.
//
//   Tensor log_likelihood = gather(log_softmax(logits), 1, unsqueeze(labels, 1));    // [n, classes], [n, 1] -> [n, 1]
//
// Indexes are i64 or i32 and lie in [0, size of the axis); negative ones are refused. Of an evaluated index tensor they
// are checked at the call, of others when they are evaluated: Error(index) names the position, the value and the limit.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "gradus/base/error.h"
#include "gradus/graph/op.h"
#include "gradus/ops/argument.h"

namespace gradus {

/// Inputs x, index: output[.., i, ..] = x[.., index[.., i, ..], ..] along `axis`.
struct Gather {
  int axis = 0;

  std::string_view name() const { return "gather"; }
  OpFamily family() const { return OpFamily::opaque; }
  Specs infer(std::span<const TensorSpec> inputs) const;
  Tensors vjp(const VjpArgs& args) const;
  Tensors batch(const BatchArgs& args) const;
  bool operator==(const Gather&) const = default;
};

/// Inputs base, index, source: base with source[.., i, ..] added at [.., index[.., i, ..], ..]. The adjoint of Gather.
/// Additions to one element happen in the order of the source.
struct ScatterAdd {
  int axis = 0;

  std::string_view name() const { return "scatter_add"; }
  OpFamily family() const { return OpFamily::opaque; }
  Specs infer(std::span<const TensorSpec> inputs) const;
  Tensors vjp(const VjpArgs& args) const;
  Tensors batch(const BatchArgs& args) const;
  bool operator==(const ScatterAdd&) const = default;
};

/// Inputs base, index, source: base with source[.., i, ..] in place of [.., index[.., i, ..], ..]. Of several sources for
/// one element the last wins, and it alone has a gradient.
struct Scatter {
  int axis = 0;

  std::string_view name() const { return "scatter"; }
  OpFamily family() const { return OpFamily::opaque; }
  Specs infer(std::span<const TensorSpec> inputs) const;
  Tensors vjp(const VjpArgs& args) const;
  Tensors batch(const BatchArgs& args) const;
  bool operator==(const Scatter&) const = default;
};

/// Inputs base, index, source: the largest (or smallest) of base and of all source[.., i, ..] for [.., index[.., i, ..], ..];
/// NaN if there is one. Ties share the gradient evenly.
struct ScatterExtreme {
  int axis = 0;
  bool largest = true;

  std::string_view name() const { return largest ? "scatter_max" : "scatter_min"; }
  OpFamily family() const { return OpFamily::opaque; }
  Specs infer(std::span<const TensorSpec> inputs) const;
  Tensors vjp(const VjpArgs& args) const;
  Tensors batch(const BatchArgs& args) const;
  bool operator==(const ScatterExtreme&) const = default;
};

/// Inputs base, index, source: the product of base and of all source[.., i, ..] for [.., index[.., i, ..], ..]. Gradients of
/// the first order are right where factors are 0, too.
struct ScatterProd {
  int axis = 0;

  std::string_view name() const { return "scatter_prod"; }
  OpFamily family() const { return OpFamily::opaque; }
  Specs infer(std::span<const TensorSpec> inputs) const;
  Tensors vjp(const VjpArgs& args) const;
  Tensors batch(const BatchArgs& args) const;
  bool operator==(const ScatterProd&) const = default;
};

/// Inputs x, index: whole slices of x along `axis`, one per index; the axis is replaced by the axes of the index.
struct Take {
  int axis = 0;

  std::string_view name() const { return "take"; }
  OpFamily family() const { return OpFamily::opaque; }
  Specs infer(std::span<const TensorSpec> inputs) const;
  Tensors vjp(const VjpArgs& args) const;
  Tensors batch(const BatchArgs& args) const;
  bool operator==(const Take&) const = default;
};

/// Inputs base, index, source: base with whole slices of source added. The adjoint of Take.
struct TakeAdd {
  int axis = 0;

  std::string_view name() const { return "take_add"; }
  OpFamily family() const { return OpFamily::opaque; }
  Specs infer(std::span<const TensorSpec> inputs) const;
  Tensors vjp(const VjpArgs& args) const;
  Tensors batch(const BatchArgs& args) const;
  bool operator==(const TakeAdd&) const = default;
};

/// Input index: a new last axis of `classes` elements, 1 at the index and 0 elsewhere, i64.
struct OneHot {
  std::int64_t classes = 0;

  std::string_view name() const { return "one_hot"; }
  OpFamily family() const { return OpFamily::opaque; }
  Specs infer(std::span<const TensorSpec> inputs) const;
  Tensors vjp(const VjpArgs& args) const;
  Tensors batch(const BatchArgs& args) const;
  bool operator==(const OneHot&) const = default;
};

/// PyTorch's gather: result[i][j] = x[i][index[i][j]] for axis 1. The result has the shape of `index`, which has as
/// many axes as `x` and is nowhere larger, but along `axis`. Throws Error(shape, dtype, axis, index).
Tensor gather(const TensorArg& x, int axis, const TensorArg& index);

/// PyTorch's scatter_add: `x` with source[i][j] added at [i][index[i][j]] for axis 1. `source` has the type of `x` and
/// is nowhere smaller than `index`; what lies beyond is not used.
Tensor scatter_add(const TensorArg& x, int axis, const TensorArg& index, const TensorArg& source);

/// PyTorch's scatter: `x` with source[i][j] in place of [i][index[i][j]] for axis 1. Where indexes repeat, the last wins.
/// `source` may be a number.
Tensor scatter(const TensorArg& x, int axis, const TensorArg& index, const TensorArg& source);

enum class ScatterReduce : std::uint8_t { sum, mean, amax, amin, prod };

/// PyTorch's scatter_reduce: `x`, with the sources for one element folded into it, or in its place when `include_self` is
/// false. A mean divides by the number of what is folded. Second derivatives of prod hold where no factor is 0.
Tensor scatter_reduce(const TensorArg& x, int axis, const TensorArg& index, const TensorArg& source,
                      ScatterReduce reduce, bool include_self = true);

/// Slices of `x` along `axis` at the indexes, which may have any shape: x [n, d], index [b, t] -> [b, t, d].
Tensor take(const TensorArg& x, const TensorArg& index, int axis = 0);
/// PyTorch's name and argument order for `take` with a one-dimensional index.
Tensor index_select(const TensorArg& x, int axis, const TensorArg& index);

/// One-hot vectors, i64 as in PyTorch: index [..] -> [.., classes]. Throws Error(value) unless classes >= 1.
Tensor one_hot(const TensorArg& index, std::int64_t classes);

/// The error for an index out of range; what the executor throws when a kernel finds one.
Error index_error(std::string_view op, std::string_view role, const TensorSpec& index, std::int64_t position,
                  std::int64_t value, std::int64_t limit);

}  // namespace gradus
