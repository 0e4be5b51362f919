#include "gradus/ops/reduce.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "gradus/base/error.h"
#include "gradus/ops/batch.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/view.h"

namespace gradus {
namespace {

bool folded(std::uint32_t axes, int axis) { return (axes >> axis & 1) != 0; }

SmallVector<int, Shape::max_rank> axis_list(std::uint32_t axes) {
  SmallVector<int, Shape::max_rank> list;
  for (int axis = 0; axis < Shape::max_rank; ++axis) {
    if (folded(axes, axis)) list.push_back(axis);
  }
  return list;
}

/// `shape` with the folded axes removed, or of size 1.
Shape fold_shape(const Shape& shape, std::uint32_t axes, bool keepdim) {
  Shape result;
  for (int axis = 0; axis < shape.rank(); ++axis) {
    if (!folded(axes, axis)) {
      result.push_back(shape[axis]);
    } else if (keepdim) {
      result.push_back(1);
    }
  }
  return result;
}

std::int64_t folded_count(const Shape& shape, std::uint32_t axes) {
  std::int64_t count = 1;
  for (int axis = 0; axis < shape.rank(); ++axis) {
    if (folded(axes, axis)) count *= shape[axis];
  }
  return count;
}

/// A reduced tensor repeated to the shape that it was reduced from.
Tensor expand(const Tensor& reduced, const Shape& shape, std::uint32_t axes) {
  return broadcast_to(reshape(reduced, fold_shape(shape, axes, true)), shape);
}

/// Products of all elements before each one along the last axis of [rows, n], in log2(n) doublings.
Tensor product_before(const Tensor& x) {
  const std::int64_t n = x.size(1);
  const auto shifted = [&](const Tensor& values, std::int64_t by) {
    return pad(slice(values, 1, 0, n - by), {{0, 0}, {by, 0}}, 1);
  };
  Tensor product = shifted(x, 1);
  for (std::int64_t width = 1; width < n; width *= 2) product = product * shifted(product, width);
  return product;
}

/// The same for the elements behind each one.
Tensor product_behind(const Tensor& x) {
  const std::int64_t n = x.size(1);
  const auto shifted = [&](const Tensor& values, std::int64_t by) {
    return pad(slice(values, 1, by, n), {{0, 0}, {0, by}}, 1);
  };
  Tensor product = shifted(x, 1);
  for (std::int64_t width = 1; width < n; width *= 2) product = product * shifted(product, width);
  return product;
}

/// d prod / d x_i is the product of all others. Made of products alone, so that it is right where elements are 0, in
/// gradients of any order.
Tensor prod_gradient(const Tensor& x, const Tensor& cotangent, std::uint32_t axes) {
  std::vector<int> order;
  for (int axis = 0; axis < x.rank(); ++axis) {
    if (!folded(axes, axis)) order.push_back(axis);
  }
  for (const int axis : axis_list(axes)) order.push_back(axis);
  std::vector<int> back(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) back[static_cast<std::size_t>(order[i])] = static_cast<int>(i);

  const Tensor moved = permute(x, order);
  const std::int64_t n = folded_count(x.shape(), axes);
  if (n == 0) return broadcast_to(constant(0, x.dtype()), x.shape());
  const Tensor rows = reshape(moved, Shape{x.numel() / n, n});
  const Tensor others = product_before(rows) * product_behind(rows);
  return expand(cotangent, x.shape(), axes) * permute(reshape(others, moved.shape()), back);
}

Tensor reduce(ReduceKind kind, const TensorArg& x, const Axes& axes, ReduceOptions options) {
  const std::string_view name = Reduce{kind}.name();
  const Tensor& input = detail::operand(x, name);
  const std::uint32_t mask = detail::axes_mask(axes, input, name, x.where());
  if (mask == 0 && is_floating(input.dtype())) return input;
  const Reduce op{kind, mask, options.keepdim};
  if (input.dtype() != DType::bf16) return record(op, {input}, x.where());
  return detail::narrow(record(op, {detail::widen(input, x.where())}, x.where()), input.dtype(), x.where());
}

Tensor arg_reduce(bool largest, const TensorArg& x, int axis, ReduceOptions options) {
  const std::string_view name = ArgReduce{largest}.name();
  const Tensor& input = detail::operand(x, name);
  const int position = detail::normalize_axis(axis, input, name, x.where());
  return record(ArgReduce{largest, position, options.keepdim}, {detail::widen(input, x.where())}, x.where());
}

Error nothing_to(std::string_view op, std::string_view verb, const TensorSpec& input, std::uint32_t axes) {
  std::string remark;
  for (const int axis : axis_list(axes)) {
    if (input.shape[axis] == 0) remark = fmt::format("axis {} is empty", axis);
  }
  return Error(ErrorKind::shape, std::string(op), fmt::format("there is nothing to {}", verb))
      .operand("input", input, remark);
}

}  // namespace

// ---- Shape rules and gradients --------------------------------------------------------------------------------------

std::string_view Reduce::name() const {
  switch (kind) {
    case ReduceKind::sum: return "sum";
    case ReduceKind::max: return "max";
    case ReduceKind::min: return "min";
    case ReduceKind::prod: break;
  }
  return "prod";
}

std::string Reduce::str() const {
  return fmt::format("{{axes=[{}], keepdim={}}}", fmt::join(axis_list(axes), ", "), keepdim);
}

Specs Reduce::infer(std::span<const TensorSpec> inputs) const {
  const TensorSpec& input = inputs[0];
  const bool extreme = kind == ReduceKind::max || kind == ReduceKind::min;
  const Shape shape = fold_shape(input.shape, axes, keepdim);
  if (extreme && folded_count(input.shape, axes) == 0 && shape.numel() != 0) {
    throw nothing_to(name(), "choose from", input, axes);
  }
  const bool widen = !extreme && !is_floating(input.dtype);
  return {{widen ? DType::i64 : input.dtype, shape}};
}

Tensors Reduce::vjp(const VjpArgs& args) const {
  const Tensor &x = args.inputs[0], &cotangent = args.cotangents[0];
  if (!is_floating(x.dtype())) return {Tensor()};
  if (kind == ReduceKind::sum) return detail::only(expand(cotangent, x.shape(), axes));
  if (kind == ReduceKind::prod) return {prod_gradient(x, cotangent, axes)};
  const Tensor chosen = cast(equal(x, expand(args.outputs[0], x.shape(), axes)), x.dtype());
  const Tensor ties = sum(chosen, std::span<const int>(axis_list(axes)));
  const Tensor share = reshape(cotangent, ties.shape()) / ties;
  return {chosen * expand(share, x.shape(), axes)};
}

Tensors Reduce::batch(const BatchArgs& args) const {
  return {record(Reduce{kind, axes << 1, keepdim}, {args.inputs[0]})};
}

Specs ArgReduce::infer(std::span<const TensorSpec> inputs) const {
  const std::uint32_t axes = std::uint32_t{1} << axis;
  const Shape shape = fold_shape(inputs[0].shape, axes, keepdim);
  if (inputs[0].shape[axis] == 0 && shape.numel() != 0) throw nothing_to(name(), "choose from", inputs[0], axes);
  return {{DType::i64, shape}};
}

Tensors ArgReduce::vjp(const VjpArgs&) const { return {Tensor()}; }
Tensors ArgReduce::batch(const BatchArgs& args) const {
  return {record(ArgReduce{largest, axis + 1, keepdim}, {args.inputs[0]})};
}

// ---- User functions -------------------------------------------------------------------------------------------------

Tensor sum(const TensorArg& x, const Axes& axes, ReduceOptions options) {
  return reduce(ReduceKind::sum, x, axes, options);
}
Tensor prod(const TensorArg& x, const Axes& axes, ReduceOptions options) {
  return reduce(ReduceKind::prod, x, axes, options);
}
Tensor max(const TensorArg& x, const Axes& axes, ReduceOptions options) {
  return reduce(ReduceKind::max, x, axes, options);
}
Tensor min(const TensorArg& x, const Axes& axes, ReduceOptions options) {
  return reduce(ReduceKind::min, x, axes, options);
}

Tensor mean(const TensorArg& x, const Axes& axes, ReduceOptions options) {
  Tensor input = detail::operand(x, "mean");
  const std::uint32_t mask = detail::axes_mask(axes, input, "mean", x.where());
  const std::int64_t count = folded_count(input.shape(), mask);
  if (count == 0 && fold_shape(input.shape(), mask, options.keepdim).numel() != 0) {
    throw nothing_to("mean", "average", input.spec(), mask).at(x.where());
  }
  const DType stored = input.dtype();
  if (!is_floating(stored)) input = cast(TensorArg(input, x.where()), DType::f32);
  input = detail::widen(std::move(input), x.where());
  Tensor total = record(Reduce{ReduceKind::sum, mask, options.keepdim}, {input}, x.where());
  total.node()->called = "mean";
  const double scale = count == 0 ? 0 : 1 / static_cast<double>(count);
  const DType dtype = total.dtype();
  Tensor average = mul(TensorArg(std::move(total), x.where()), constant(scale, dtype));
  average.node()->called = "mean";
  return detail::narrow(std::move(average), stored, x.where());
}

Tensor argmax(const TensorArg& x, int axis, ReduceOptions options) { return arg_reduce(true, x, axis, options); }
Tensor argmin(const TensorArg& x, int axis, ReduceOptions options) { return arg_reduce(false, x, axis, options); }

// ---- Composed of the above -------------------------------------------------------------------------------------------

namespace {

/// A floating operand that is not bf16, and what a reduction of it needs to know.
struct Operand {
  SourceLocation where;
  DType stored;  ///< of the result
  Tensor x;
  SmallVector<int, Shape::max_rank> axes;
  std::int64_t count;  ///< elements that fold into one

  Operand(std::string_view name, const TensorArg& argument, const Axes& folds) : where(argument.where()) {
    const Tensor input = detail::operand(argument, name);
    const std::uint32_t mask = detail::axes_mask(folds, input, name, where);
    stored = is_floating(input.dtype()) ? input.dtype() : DType::f32;
    x = cast(at(input), detail::compute_type(stored));
    axes = axis_list(mask);
    count = folded_count(input.shape(), mask);
  }
  TensorArg at(const Tensor& t) const { return {t, where}; }
  Tensor zero() const { return constant(0, x.dtype()); }
  Tensor fold(ReduceKind kind, const Tensor& t, bool keepdim) const {
    return reduce(kind, at(t), std::span<const int>(axes), {.keepdim = keepdim});
  }
  Tensor total(const Tensor& t, bool keepdim) const { return fold(ReduceKind::sum, t, keepdim); }
  Tensor rounded(const Tensor& t) const { return detail::narrow(t, stored, where); }
  /// f(t), and 0 without a gradient where t is 0.
  template <class F>
  Tensor unless_zero(const Tensor& t, const F& f) const {
    const Tensor is_zero = equal(at(t), zero());
    const Tensor safe = gradus::where(at(is_zero), constant(1, t.dtype()), t);
    return gradus::where(at(is_zero), zero(), f(at(safe)));
  }
};

Tensor variance(const Operand& o, VarOptions options) {
  const double n = static_cast<double>(o.count);
  const Tensor centre = div(o.at(o.total(o.x, true)), constant(n, o.x.dtype()));
  const Tensor squares = square(o.at(sub(o.at(o.x), centre)));
  return div(o.at(o.total(squares, options.keepdim)), constant(std::max(0.0, n - options.correction), o.x.dtype()));
}

}  // namespace

Tensor amax(const TensorArg& x, const Axes& axes, ReduceOptions options) { return max(x, axes, options); }
Tensor amin(const TensorArg& x, const Axes& axes, ReduceOptions options) { return min(x, axes, options); }
MinMax aminmax(const TensorArg& x, const Axes& axes, ReduceOptions options) {
  return {min(x, axes, options), max(x, axes, options)};
}

namespace {

/// Number of elements that are true, i64, for the user function `name`.
Tensor count_true(std::string_view name, const TensorArg& x, bool negated, const Axes& axes, ReduceOptions options) {
  const Tensor& input = detail::operand(x, name);
  const std::uint32_t mask = detail::axes_mask(axes, input, name, x.where());
  const Tensor truth = negated ? logical_not(x) : cast(x, DType::boolean);
  return record(Reduce{ReduceKind::sum, mask, options.keepdim}, {truth}, x.where());
}

}  // namespace

Tensor count_nonzero(const TensorArg& x, const Axes& axes, ReduceOptions options) {
  return count_true("count_nonzero", x, false, axes, options);
}
Tensor any(const TensorArg& x, const Axes& axes, ReduceOptions options) {
  return greater(TensorArg(count_true("any", x, false, axes, options), x.where()), constant(0, DType::i64));
}
Tensor all(const TensorArg& x, const Axes& axes, ReduceOptions options) {
  return equal(TensorArg(count_true("all", x, true, axes, options), x.where()), constant(0, DType::i64));
}

Tensor var(const TensorArg& x, const Axes& axes, VarOptions options) {
  const Operand o("var", x, axes);
  return o.rounded(variance(o, options));
}
Tensor stddev(const TensorArg& x, const Axes& axes, VarOptions options) {
  const Operand o("stddev", x, axes);
  return o.rounded(o.unless_zero(variance(o, options), [](const TensorArg& t) { return sqrt(t); }));
}

Tensor norm(const TensorArg& x, double p, const Axes& axes, ReduceOptions options) {
  const Operand o("norm", x, axes);
  const DType dtype = o.x.dtype();
  if (std::isnan(p)) throw Error(ErrorKind::value, "norm", "p is NaN").at(x.where());
  if (p == 0) return o.rounded(o.total(cast(o.at(not_equal(o.at(o.x), o.zero())), dtype), options.keepdim));
  const Tensor size = abs(o.at(o.x));
  if (std::isinf(p)) return o.rounded(o.fold(p > 0 ? ReduceKind::max : ReduceKind::min, size, options.keepdim));
  if (p == 1) return o.rounded(o.total(size, options.keepdim));
  if (p == 2) {
    const Tensor squares = o.total(square(o.at(o.x)), options.keepdim);
    return o.rounded(o.unless_zero(squares, [](const TensorArg& t) { return sqrt(t); }));
  }
  const auto power = [&](double exponent) {
    return [&, exponent](const TensorArg& t) { return pow(t, constant(exponent, dtype)); };
  };
  if (p < 0) return o.rounded(power(1 / p)(o.at(o.total(power(p)(o.at(size)), options.keepdim))));
  return o.rounded(o.unless_zero(o.total(o.unless_zero(size, power(p)), options.keepdim), power(1 / p)));
}

Tensor logsumexp(const TensorArg& x, const Axes& axes, ReduceOptions options) {
  const Operand o("logsumexp", x, axes);
  if (o.count == 0) return o.rounded(log(o.at(o.total(o.x, options.keepdim))));
  // Any shift gives the same value, so the largest element is a constant for the gradient; an infinite one shifts nothing.
  const Tensor largest = stop_gradient(o.at(o.fold(ReduceKind::max, o.x, true)));
  const Tensor shift = where(o.at(isfinite(o.at(largest))), largest, o.zero());
  const Tensor total = o.total(exp(o.at(sub(o.at(o.x), shift))), options.keepdim);
  return o.rounded(add(o.at(log(o.at(total))), reshape(o.at(shift), total.shape())));
}

Tensor nansum(const TensorArg& x, const Axes& axes, ReduceOptions options) {
  const Tensor& input = detail::operand(x, "nansum");
  if (!is_floating(input.dtype())) return sum(x, axes, options);
  const Operand o("nansum", x, axes);
  return o.rounded(o.total(where(o.at(isnan(o.at(o.x))), o.zero(), o.x), options.keepdim));
}
Tensor nanmean(const TensorArg& x, const Axes& axes, ReduceOptions options) {
  const Operand o("nanmean", x, axes);
  const Tensor missing = isnan(o.at(o.x));
  const Tensor total = o.total(where(o.at(missing), o.zero(), o.x), options.keepdim);
  const Tensor present = o.total(cast(o.at(logical_not(o.at(missing))), o.x.dtype()), options.keepdim);
  return o.rounded(div(o.at(total), present));
}

std::pair<Tensor, Tensor> var_mean(const TensorArg& x, const Axes& axes, VarOptions options) {
  return {var(x, axes, options), mean(x, axes, {.keepdim = options.keepdim})};
}
std::pair<Tensor, Tensor> std_mean(const TensorArg& x, const Axes& axes, VarOptions options) {
  return {stddev(x, axes, options), mean(x, axes, {.keepdim = options.keepdim})};
}

}  // namespace gradus
