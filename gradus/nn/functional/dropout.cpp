#include "gradus/nn/functional/dropout.h"

#include <cmath>
#include <string_view>

#include "gradus/nn/functional/argument.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/random.h"

namespace gradus {
namespace {

Tensor checked(std::string_view op, const TensorArg& x, double p) {
  detail::require_value(p >= 0 && p <= 1, op, "p", p, "in [0, 1]", x.where());
  return detail::required_floating(op, "input", x);
}

/// Where the elements of `shape` stay: bool, true with probability 1 - p.
Tensor kept(const Shape& shape, double p, std::optional<Key> key, SourceLocation where) {
  const Tensor draw = uniform(shape, {}, key ? *key : next_key(), where);
  return greater_equal(TensorArg(draw, where), TensorArg(p, where));
}

/// `x` where kept, scaled so that its expectation stays; 0 elsewhere, also where x is infinite.
Tensor scaled(std::string_view op, const Tensor& x, const Tensor& keep, double p, SourceLocation where) {
  const Tensor large = TensorArg(x, where) * TensorArg(p < 1 ? 1 / (1 - p) : 0.0, where);
  return detail::named(op, gradus::where(TensorArg(keep, where), TensorArg(large, where), TensorArg(0.0, where)));
}

/// The first `axes` sizes of a shape, then ones.
Shape leading(const Shape& shape, int axes) {
  Shape result;
  for (int axis = 0; axis < shape.rank(); ++axis) result.push_back(axis < axes ? shape[axis] : 1);
  return result;
}

}  // namespace

Tensor channel_dropout(const TensorArg& x_arg, double p, bool training, std::optional<Key> key) {
  const Tensor& x = checked("channel_dropout", x_arg, p);
  if (x.rank() < 2) {
    throw Error(ErrorKind::shape, "channel_dropout")
        .at(x_arg.where())
        .operand("input", x.spec(), "expected 2 or more axes: (n, channels, ...)");
  }
  if (!training || p == 0) return x;
  return scaled("channel_dropout", x, kept(leading(x.shape(), 2), p, key, x_arg.where()), p, x_arg.where());
}

Tensor alpha_dropout(const TensorArg& x_arg, double p, bool training, std::optional<Key> key) {
  const Tensor& x = checked("alpha_dropout", x_arg, p);
  if (!training || p == 0) return x;
  const SourceLocation where = x_arg.where();
  // The negative saturation of SELU, scale * alpha; dropped elements take it, and an affine map restores the moments.
  constexpr double saturation = 1.0507009873554804934193349852946 * 1.6732632423543772848170429916717;
  const double a = p < 1 ? 1 / std::sqrt((saturation * saturation * p + 1) * (1 - p)) : 0;
  const Tensor keep = kept(x.shape(), p, key, where);
  const Tensor stays =
      TensorArg(TensorArg(x, where) * TensorArg(a, where), where) + TensorArg(saturation * a * p, where);
  return detail::named("alpha_dropout", gradus::where(TensorArg(keep, where), TensorArg(stays, where),
                                                      TensorArg(-saturation * a * (1 - p), where)));
}

Tensor drop_path(const TensorArg& x_arg, double p, bool training, std::optional<Key> key) {
  const Tensor& x = checked("drop_path", x_arg, p);
  if (!training || p == 0 || x.rank() == 0) return x;
  return scaled("drop_path", x, kept(leading(x.shape(), 1), p, key, x_arg.where()), p, x_arg.where());
}

}  // namespace gradus
