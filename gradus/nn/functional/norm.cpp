#include "gradus/nn/functional/norm.h"

#include <fmt/format.h>

#include <limits>
#include <string_view>
#include <utility>

#include "gradus/nn/functional/argument.h"
#include "gradus/ops/concat.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/reduce.h"
#include "gradus/ops/view.h"
#include "gradus/transform/custom_gradient.h"

namespace gradus {
namespace {

/// Wraps tensors so that messages name the user's line.
struct At {
  SourceLocation where;
  TensorArg operator()(const Tensor& x) const { return TensorArg(x, where); }
  TensorArg operator()(Tensor&& x) const { return TensorArg(std::move(x), where); }
  TensorArg operator()(double x) const { return TensorArg(x, where); }
};

/// The last `count` axes.
Axes last_axes(int count) {
  SmallVector<int, 4> axes;
  for (int axis = -count; axis < 0; ++axis) axes.push_back(axis);
  return Axes(std::span<const int>(axes.begin(), axes.size()));
}

/// Mean 0 and variance 1 over the last axes. With y the result and g its cotangent, the gradient is
/// (g - mean(g) - y mean(g y)) / deviation: two sums over g and y, and one pass that uses them.
struct Standardize {
  std::int32_t last = 1;  ///< axes
  double eps = 0;

  std::string_view name() const { return "standardize"; }
  /// The result, and 1 / deviation.
  Tensors forward(const Tensors& x, const At& at = {}) const {
    const Tensor centred = at(x[0]) - at(average(x[0], at));
    const Tensor scale = rsqrt(at(at(average(square(at(centred)), at)) + at(eps)));
    return {at(centred) * at(scale), scale};
  }
  Tensors vjp(const VjpArgs& args) const {
    const Tensor &y = args.outputs[0], &scale = args.outputs[1];
    const Tensor &g = args.cotangents[0], &of_scale = args.cotangents[1];  // the latter from a second gradient
    Tensor flow;
    if (g.defined()) flow = scale * (g - average(g) - y * average(g * y));
    if (of_scale.defined()) {
      const auto n = static_cast<double>(y.numel() / scale.numel());
      const Tensor steep = of_scale * scale * scale / -n;
      flow = flow.defined() ? flow + steep * y : steep * y;
    }
    return {flow};
  }
  Tensor average(const Tensor& x, const At& at = {}) const { return mean(at(x), last_axes(last), {.keepdim = true}); }
  bool operator==(const Standardize&) const = default;
};

/// `x` with mean 0 and variance 1 over its last axes.
Tensor standardized(const Tensor& x, int axes, double eps, const At& at) {
  const Standardize rule{axes, eps};
  return detail::redirect(Op(detail::CustomRule<Standardize>{rule, 2}), rule.forward({x}, at), {x}, rule.name(),
                          at.where)[0];
}

bool present(const TensorArg& arg) { return arg.is_number() || arg.tensor().defined(); }

/// The shape [1, c, 1, ...] by which a vector meets the channels of `x`.
Tensor per_channel(const Tensor& vector, const Tensor& x, const At& at) {
  Shape shape;
  for (int axis = 0; axis < x.rank(); ++axis) shape.push_back(axis == 1 ? x.shape()[1] : 1);
  return reshape(at(vector), shape);
}

void check_channels(std::string_view op, std::string_view role, const TensorArg& vector, const Tensor& x,
                    SourceLocation where) {
  const Tensor& found = detail::required_floating(op, role, TensorArg(vector.tensor(), where));
  if (found.shape() == Shape{x.shape()[1]}) return;
  throw Error(ErrorKind::shape, std::string(op))
      .at(where)
      .operand("input", x.spec(), fmt::format("axis 1 has {} channels", x.shape()[1]))
      .operand(std::string(role), found.spec(), "expected " + Shape{x.shape()[1]}.str());
}

void check_has_channels(std::string_view op, const Tensor& x, SourceLocation where) {
  if (x.rank() >= 2) return;
  throw Error(ErrorKind::shape, std::string(op))
      .at(where)
      .operand("input", x.spec(), "expected 2 or more axes: (n, channels, ...)");
}

Tensor affine_channels(std::string_view op, Tensor y, const TensorArg& weight, const TensorArg& bias, const At& at) {
  if (present(weight)) {
    check_channels(op, "weight", weight, y, at.where);
    y = at(y) * at(per_channel(weight.tensor(), y, at));
  }
  if (present(bias)) {
    check_channels(op, "bias", bias, y, at.where);
    y = at(y) + at(per_channel(bias.tensor(), y, at));
  }
  return y;
}

/// What ends a normalisation: the type of the input, and its name.
Tensor finished(std::string_view op, const Tensor& y, DType dtype, const At& at) {
  return detail::named(op, cast(at(y), dtype));
}

Axes all_but_channels(const Tensor& x) {
  SmallVector<int, 4> axes;
  for (int axis = 0; axis < x.rank(); ++axis) {
    if (axis != 1) axes.push_back(axis);
  }
  return Axes(std::span<const int>(axes.begin(), axes.size()));
}

/// Batch normalisation by the statistics of the batch itself: inputs x and, where they are, weight and bias. With c = x - mean
/// and g the cotangent, the gradient is slope (g - mean(g) - c mean(g c) scale^2), slope = weight scale: two sums over g and
/// c, which are the gradients of bias and weight as well, and one pass that uses them.
struct StandardizeChannels {
  bool weighted = false, biased = false;
  double eps = 0;

  std::string_view name() const { return "batch_norm"; }
  /// The result, and per channel the mean and 1 / deviation.
  Tensors forward(const Tensors& in, const At& at = {}) const {
    const Axes axes = all_but_channels(in[0]);
    const Tensor average = mean(at(in[0]), axes, {.keepdim = true});
    const Tensor centred = at(in[0]) - at(average);
    const Tensor var = mean(at(square(at(centred))), axes, {.keepdim = true});
    const Tensor scale = rsqrt(at(at(var) + at(eps)));
    Tensor y = at(centred) * at(slope(in, scale, at));
    if (biased) y = at(y) + at(per_channel(in.back(), in[0], at));
    return {y, average, scale};
  }
  Tensors vjp(const VjpArgs& args) const {
    const Tensors in(args.inputs.begin(), args.inputs.end());
    const Tensor &x = in[0], &scale = args.outputs[2];
    const Tensor &g = args.cotangents[0], &of_mean = args.cotangents[1], &of_scale = args.cotangents[2];
    const Axes axes = all_but_channels(x);
    const auto n = static_cast<double>(x.numel() / x.shape()[1]);
    const Tensor centred = x - args.outputs[1], squared = scale * scale / n;
    Tensors flows(in.size());
    Tensor each, by_centred;  // what x gets everywhere, and for its distance from the mean
    if (g.defined()) {
      const Tensor steep = slope(in, scale), total = sum(g, axes, {.keepdim = true});
      const Tensor product = sum(g * centred, axes, {.keepdim = true});
      if (weighted) flows[1] = reshape(product * scale, in[1].shape());
      if (biased) flows.back() = reshape(total, in.back().shape());
      flows[0] = g * steep;
      each = total * steep / -n;
      by_centred = -product * steep * squared;
    }
    if (of_mean.defined()) each = plus(each, of_mean / n);
    if (of_scale.defined()) by_centred = plus(by_centred, -of_scale * scale * squared);
    if (by_centred.defined()) flows[0] = plus(flows[0], centred * by_centred);
    if (each.defined()) flows[0] = plus(flows[0], broadcast_to(each, x.shape()));
    return flows;
  }
  Tensor slope(const Tensors& in, const Tensor& scale, const At& at = {}) const {
    return weighted ? at(scale) * at(per_channel(in[1], in[0], at)) : scale;
  }
  static Tensor plus(const Tensor& a, const Tensor& b) { return a.defined() ? a + b : b; }
  bool operator==(const StandardizeChannels&) const = default;
};

Tensor standardized_channels(std::string_view op, const Tensor& x, const TensorArg& weight, const TensorArg& bias,
                             double eps, const At& at) {
  const StandardizeChannels rule{present(weight), present(bias), eps};
  Tensors inputs{x};
  if (rule.weighted) {
    check_channels(op, "weight", weight, x, at.where);
    inputs.push_back(detail::widened(weight.tensor(), at.where));
  }
  if (rule.biased) {
    check_channels(op, "bias", bias, x, at.where);
    inputs.push_back(detail::widened(bias.tensor(), at.where));
  }
  Tensors outputs = rule.forward(inputs, at);
  const auto count = static_cast<std::int64_t>(outputs.size());
  return detail::redirect(Op(detail::CustomRule<StandardizeChannels>{rule, count}), std::move(outputs), inputs,
                          rule.name(), at.where)[0];
}

void check_normalized_shape(std::string_view op, const Tensor& x, const Shape& shape, const TensorArg& weight,
                            const TensorArg& bias, SourceLocation where) {
  bool fits = shape.rank() >= 1 && shape.rank() <= x.rank();
  for (int i = 1; fits && i <= shape.rank(); ++i) fits = x.shape()[x.rank() - i] == shape[shape.rank() - i];
  if (!fits) {
    throw Error(ErrorKind::shape, std::string(op))
        .at(where)
        .operand("input", x.spec(), fmt::format("its last axes must be {}", shape.str()));
  }
  for (const auto& [role, arg] : {std::pair<std::string_view, const TensorArg&>{"weight", weight}, {"bias", bias}}) {
    if (!present(arg) || detail::required_floating(op, role, TensorArg(arg.tensor(), where)).shape() == shape) continue;
    throw Error(ErrorKind::shape, std::string(op))
        .at(where)
        .operand("input", x.spec())
        .operand(std::string(role), arg.tensor().spec(), "expected " + shape.str());
  }
}

}  // namespace

ChannelStatistics channel_statistics(const TensorArg& x_arg) {
  const At at{x_arg.where()};
  const Tensor x = detail::widened(detail::required_floating("channel_statistics", "input", x_arg), at.where);
  check_has_channels("channel_statistics", x, at.where);
  const Axes axes = all_but_channels(x);
  const Tensor average = mean(at(x), axes, {.keepdim = true});
  const Tensor var = mean(at(square(at(at(x) - at(average)))), axes, {.keepdim = true});
  const Shape channels{x.shape()[1]};
  return {reshape(at(average), channels), reshape(at(var), channels)};
}

Tensor batch_norm(const TensorArg& x_arg, const TensorArg& mean, const TensorArg& var, const TensorArg& weight,
                  const TensorArg& bias, const NormOptions& options) {
  constexpr std::string_view op = "batch_norm";
  const At at{x_arg.where()};
  const Tensor& input = detail::required_floating(op, "input", x_arg);
  check_has_channels(op, input, at.where);
  const Tensor x = detail::widened(input, at.where);
  if (!present(mean) && !present(var)) {
    return finished(op, standardized_channels(op, x, weight, bias, options.eps, at), input.dtype(), at);
  }
  check_channels(op, "mean", mean, x, at.where);
  check_channels(op, "var", var, x, at.where);
  const Tensor centred = at(x) - at(per_channel(mean.tensor(), x, at));
  const Tensor scale = rsqrt(at(at(var.tensor()) + at(options.eps)));
  const Tensor y = at(centred) * at(per_channel(scale, x, at));
  return finished(op, affine_channels(op, y, weight, bias, at), input.dtype(), at);
}

Tensor layer_norm(const TensorArg& x_arg, const Shape& normalized_shape, const TensorArg& weight, const TensorArg& bias,
                  const NormOptions& options) {
  constexpr std::string_view op = "layer_norm";
  const At at{x_arg.where()};
  const Tensor& input = detail::required_floating(op, "input", x_arg);
  check_normalized_shape(op, input, normalized_shape, weight, bias, at.where);
  Tensor y = standardized(detail::widened(input, at.where), normalized_shape.rank(), options.eps, at);
  if (present(weight)) y = at(y) * at(weight.tensor());
  if (present(bias)) y = at(y) + at(bias.tensor());
  return finished(op, y, input.dtype(), at);
}

Tensor group_norm(const TensorArg& x_arg, std::int64_t groups, const TensorArg& weight, const TensorArg& bias,
                  const NormOptions& options) {
  constexpr std::string_view op = "group_norm";
  const At at{x_arg.where()};
  const Tensor& input = detail::required_floating(op, "input", x_arg);
  check_has_channels(op, input, at.where);
  const std::int64_t channels = input.shape()[1];
  if (groups < 1 || channels % groups != 0) {
    throw Error(ErrorKind::value, std::string(op), fmt::format("{} groups do not divide {} channels", groups, channels))
        .at(at.where)
        .operand("input", input.spec());
  }
  const std::int64_t size = input.shape().numel(1, input.rank()) / groups;
  const Tensor grouped = reshape(at(detail::widened(input, at.where)), Shape{input.shape()[0], groups, size});
  const Tensor y = reshape(at(standardized(grouped, 1, options.eps, at)), input.shape());
  return finished(op, affine_channels(op, y, weight, bias, at), input.dtype(), at);
}

Tensor instance_norm(const TensorArg& x_arg, const TensorArg& weight, const TensorArg& bias,
                     const NormOptions& options) {
  constexpr std::string_view op = "instance_norm";
  const At at{x_arg.where()};
  const Tensor& input = detail::required_floating(op, "input", x_arg);
  if (input.rank() < 3) {
    throw Error(ErrorKind::shape, std::string(op))
        .at(at.where)
        .operand("input", input.spec(), "expected 3 or more axes: (n, channels, ...)");
  }
  const Tensor y = standardized(detail::widened(input, at.where), input.rank() - 2, options.eps, at);
  return finished(op, affine_channels(op, y, weight, bias, at), input.dtype(), at);
}

Tensor rms_norm(const TensorArg& x_arg, const Shape& normalized_shape, const TensorArg& weight,
                std::optional<double> eps) {
  constexpr std::string_view op = "rms_norm";
  const At at{x_arg.where()};
  const Tensor& input = detail::required_floating(op, "input", x_arg);
  check_normalized_shape(op, input, normalized_shape, weight, Tensor(), at.where);
  const Tensor x = detail::widened(input, at.where);
  if (!eps) {
    eps = x.dtype() == DType::f64 ? std::numeric_limits<double>::epsilon()
                                  : static_cast<double>(std::numeric_limits<float>::epsilon());
  }
  const Tensor power = mean(at(square(at(x))), last_axes(normalized_shape.rank()), {.keepdim = true});
  Tensor y = at(x) * at(rsqrt(at(at(power) + at(*eps))));
  if (present(weight)) y = at(y) * at(weight.tensor());
  return finished(op, y, input.dtype(), at);
}

Tensor local_response_norm(const TensorArg& x_arg, std::int64_t size, const LocalResponseNormOptions& options) {
  constexpr std::string_view op = "local_response_norm";
  const At at{x_arg.where()};
  const Tensor& input = detail::required_floating(op, "input", x_arg);
  check_has_channels(op, input, at.where);
  detail::require_value(size >= 1, op, "size", static_cast<double>(size), "at least 1", at.where);
  const Tensor x = detail::widened(input, at.where);
  std::vector<Padding> padding(static_cast<std::size_t>(x.rank()));
  padding[1] = {size / 2, (size - 1) / 2};
  const Tensor squares = pad(at(square(at(x))), padding);
  Tensor total;
  for (std::int64_t i = 0; i < size; ++i) {
    const Tensor shifted = slice(at(squares), 1, i, i + x.shape()[1]);
    total = total.defined() ? at(total) + at(shifted) : shifted;
  }
  const Tensor scaled = at(at(total) * at(options.alpha / static_cast<double>(size))) + at(options.k);
  return finished(op, at(x) / at(pow(at(scaled), at(options.beta))), input.dtype(), at);
}

Tensor normalize(const TensorArg& x_arg, double p, int axis, double eps) {
  constexpr std::string_view op = "normalize";
  const At at{x_arg.where()};
  const Tensor& input = detail::required_floating(op, "input", x_arg);
  detail::require_value(p > 0, op, "p", p, "positive", at.where);
  const Tensor x = detail::widened(input, at.where);
  Tensor length;
  if (p == 2) {
    length = sqrt(at(sum(at(square(at(x))), axis, {.keepdim = true})));
  } else {
    length = pow(at(sum(at(pow(at(abs(at(x))), at(p))), axis, {.keepdim = true})), at(1 / p));
  }
  return finished(op, at(x) / at(maximum(at(length), at(eps))), input.dtype(), at);
}

}  // namespace gradus
