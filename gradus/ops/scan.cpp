#include "gradus/ops/scan.h"

#include <fmt/format.h>

#include <limits>
#include <vector>

#include "gradus/ops/argument.h"
#include "gradus/ops/concat.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/factory.h"
#include "gradus/ops/index.h"
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

/// Element i of `at` is the position of the extreme of the `width` elements up to i; each doubling looks `width` back.
RunningExtreme running_extreme(const char* name, const TensorArg& x, int axis_arg,
                               Tensor (*beats)(const TensorArg&, const TensorArg&)) {
  const Tensor input = detail::operand(x, name);
  const int axis = detail::normalize_axis(axis_arg, input, name, x.where());
  const std::int64_t n = input.size(axis);
  Shape row;
  for (int a = 0; a < input.rank(); ++a) row.push_back(a == axis ? n : 1);
  const Tensor positions = reshape(arange(n), row);
  Tensor at = broadcast_to(positions, input.shape());
  const bool has_nan = is_floating(input.dtype());
  for (std::int64_t width = 1; width < n; width *= 2) {
    const Tensor back = take(at, maximum(arange(n) - width, 0), axis);
    const Tensor here = gather(input, axis, at), earlier = gather(input, axis, back);
    Tensor wins = beats(here, earlier);
    if (has_nan) wins = logical_or(wins, isnan(here));
    at = where(wins, at, back);
  }
  return {gather(TensorArg(input, x.where()), axis, at), at};
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

RunningExtreme cummax(const TensorArg& x, int axis) { return running_extreme("cummax", x, axis, greater_equal); }
RunningExtreme cummin(const TensorArg& x, int axis) { return running_extreme("cummin", x, axis, less_equal); }

Tensor diff(const TensorArg& x, int axis, std::int64_t n) {
  Tensor y = detail::operand(x, "diff");
  const int position = detail::normalize_axis(axis, y, "diff", x.where());
  if (n < 0) throw detail::refusal(ErrorKind::value, "diff", fmt::format("n is {}", n), y, x.where());
  for (; n > 0 && y.size(position) > 0; --n) {
    const std::int64_t size = y.size(position);
    const Tensor later = slice(TensorArg(y, x.where()), position, 1, size);
    y = sub(TensorArg(later, x.where()), slice(TensorArg(y, x.where()), position, 0, size - 1));
  }
  return y;
}

}  // namespace gradus
