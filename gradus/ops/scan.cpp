#include "gradus/ops/scan.h"

#include <limits>
#include <vector>

#include "gradus/ops/argument.h"
#include "gradus/ops/concat.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/view.h"

namespace gradus {
namespace {

/// Folds `x` with its elements 1, 2, 4, ... places before (behind) them; `neutral` stands beyond the end.
template <class Fold>
Tensor doubling(Tensor x, int axis, bool reverse, double neutral, const Fold& fold) {
  const std::int64_t n = x.size(axis);
  for (std::int64_t width = 1; width < n; width *= 2) {
    std::vector<Padding> around(static_cast<std::size_t>(x.rank()));
    around[static_cast<std::size_t>(axis)] = {reverse ? 0 : width, reverse ? width : 0};
    const Tensor part = reverse ? slice(x, axis, width, n) : slice(x, axis, 0, n - width);
    x = fold(x, pad(part, std::span<const Padding>(around), neutral));
  }
  return x;
}

}  // namespace

Specs CumSum::infer(std::span<const TensorSpec> inputs) const {
  return {{is_floating(inputs[0].dtype) ? inputs[0].dtype : DType::i64, inputs[0].shape}};
}

Tensors CumSum::vjp(const VjpArgs& args) const {
  if (!is_floating(args.inputs[0].dtype())) return {Tensor()};
  return {record(CumSum{axis, !reverse}, {args.cotangents[0]})};
}

Tensors CumSum::batch(const BatchArgs& args) const { return {record(CumSum{axis + 1, reverse}, {args.inputs[0]})}; }

Tensor cumsum(const TensorArg& x, int axis, ScanOptions options) {
  const Tensor input = detail::operand(x, "cumsum");
  const CumSum op{detail::normalize_axis(axis, input, "cumsum", x.where()), options.reverse};
  return detail::narrow(record(op, {detail::widen(input, x.where())}, x.where()), input.dtype(), x.where());
}

Tensor cumprod(const TensorArg& x, int axis, ScanOptions options) {
  const Tensor input = detail::operand(x, "cumprod");
  const int position = detail::normalize_axis(axis, input, "cumprod", x.where());
  const DType stored = is_floating(input.dtype()) ? input.dtype() : DType::i64;
  const Tensor wide = cast(TensorArg(input, x.where()), detail::compute_type(stored));
  const auto product = [&](const Tensor& a, const Tensor& b) { return mul(TensorArg(a, x.where()), b); };
  return detail::narrow(doubling(wide, position, options.reverse, 1, product), stored, x.where());
}

Tensor logcumsumexp(const TensorArg& x, int axis, ScanOptions options) {
  const Tensor input = detail::operand(x, "logcumsumexp");
  const int position = detail::normalize_axis(axis, input, "logcumsumexp", x.where());
  const DType stored = is_floating(input.dtype()) ? input.dtype() : DType::f32;
  const Tensor wide = cast(TensorArg(input, x.where()), detail::compute_type(stored));
  const auto join = [&](const Tensor& a, const Tensor& b) { return logaddexp(TensorArg(a, x.where()), b); };
  constexpr double nothing = -std::numeric_limits<double>::infinity();
  return detail::narrow(doubling(wide, position, options.reverse, nothing, join), stored, x.where());
}

}  // namespace gradus
