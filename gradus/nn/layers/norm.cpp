#include "gradus/nn/layers/norm.h"

#include <fmt/format.h>

#include <array>
#include <string>

#include "gradus/base/error.h"
#include "gradus/nn/functional/argument.h"
#include "gradus/nn/functional/norm.h"
#include "gradus/nn/init.h"
#include "gradus/nn/observe.h"
#include "gradus/ops/attach.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/reduce.h"
#include "gradus/ops/view.h"

namespace gradus::nn {
namespace {

void check_features(const std::string& layer, std::int64_t features, SourceLocation where) {
  if (features >= 1) return;
  throw Error(ErrorKind::value, layer, fmt::format("num_features must be positive, not {}", features)).at(where);
}

void check_normalized_shape(const char* layer, const Shape& shape, SourceLocation where) {
  if (shape.rank() >= 1 && shape.numel() > 0) return;
  throw Error(ErrorKind::value, layer, fmt::format("normalized_shape must not be empty: {}", shape.str())).at(where);
}

/// The fields that the two families of layers with running statistics have in common.
template <class Layer>
void initialise(Layer& layer) {
  const Shape shape{layer.num_features};
  if (layer.options.affine) {
    layer.weight = init::constant(shape, 1);
    layer.bias = init::constant(shape, 0);
  }
  if (layer.options.track_running_stats) {
    layer.running_mean = init::constant(shape, 0);
    layer.running_var = init::constant(shape, 1);
    const std::int64_t none[] = {0};
    layer.num_batches_tracked = leaf<std::int64_t>({}, none);
  }
}

/// Checks (n, c, ...) with `dims` further axes, or with one less when `flat` is allowed.
void check_input(const std::string& layer, const Tensor& x, std::int64_t features, int dims, bool flat,
                 SourceLocation where) {
  const bool fits = x.rank() == dims + 2 || (flat && x.rank() == dims + 1);
  if (fits && x.shape()[1] == features) return;
  constexpr std::array<const char*, 3> shapes{"(n, c, l)", "(n, c, h, w)", "(n, c, d, h, w)"};
  const std::string expected =
      (flat ? std::string("(n, c) or ") : std::string()) + shapes[static_cast<std::size_t>(dims - 1)];
  Error error(ErrorKind::shape, layer);
  error.at(where).operand("input", x.spec(),
                          fits ? fmt::format("axis 1 is {}, expected {}", x.shape()[1], features)
                               : fmt::format("expected {} with c = {}", expected, features));
  if (!fits && x.rank() == dims + 1 && !flat) error.hint("add the axis of examples: unsqueeze(x, 0)");
  throw error;
}

/// A running statistic with the share `momentum` of a new one. The new one is a constant: no gradient flows to the state.
Tensor running(const Buffer& old, const Tensor& fresh, const TensorArg& momentum, SourceLocation where) {
  const auto at = [&](const Tensor& x) { return TensorArg(x, where); };
  const Tensor value = stop_gradient(at(cast(at(fresh), old.tensor().dtype())));
  return at(old.tensor()) + at(at(at(value) - at(old.tensor())) * momentum);
}

/// Mean and variance as unbiased estimates for `count` values.
Tensor unbiased(const Tensor& var, std::int64_t count, SourceLocation where) {
  const auto n = static_cast<double>(count);
  return TensorArg(var, where) * TensorArg(n / (n - 1), where);
}

}  // namespace

template <int Dims>
BatchNorm<Dims>::BatchNorm(std::int64_t features, BatchNormOptions norm_options, SourceLocation where)
    : options(norm_options), num_features(features) {
  check_features(fmt::format("nn::BatchNorm{}d", Dims), features, where);
  initialise(*this);
}

template <int Dims>
Tensor BatchNorm<Dims>::operator()(const TensorArg& x_arg) {
  const std::string layer = fmt::format("nn::BatchNorm{}d", Dims);
  const SourceLocation where = x_arg.where();
  const auto at = [&](const Tensor& t) { return TensorArg(t, where); };
  const Tensor x = gradus::detail::required_floating(layer, "input", x_arg);
  check_input(layer, x, num_features, Dims, Dims == 1, where);
  const NormOptions norm{options.eps};
  if (!training && running_mean.defined()) {
    return observed(*this, x_arg, batch_norm(x_arg, running_mean, running_var, weight, bias, norm));
  }
  const std::int64_t count = x.numel() / num_features;
  if (training && count < 2) {
    throw Error(ErrorKind::shape, layer, "training needs more than one value per channel")
        .at(where)
        .operand("input", x.spec(), fmt::format("{} per channel", count))
        .hint("use larger batches, drop the last incomplete one, or nn::eval_mode(model) for single examples");
  }
  const ChannelStatistics batch = channel_statistics(x_arg);  // computed once: batch_norm computes the same
  Tensor y = batch_norm(x_arg, Tensor(), Tensor(), weight, bias, norm);
  if (training && running_mean.defined()) {
    const Tensor batches = at(num_batches_tracked.tensor()) + TensorArg(1, where);
    const DType dtype = running_mean.tensor().dtype();
    const Tensor share = options.momentum ? Tensor() : TensorArg(1.0, where) / at(cast(at(batches), dtype));
    const TensorArg momentum = options.momentum ? TensorArg(*options.momentum, where) : at(share);
    num_batches_tracked = batches;
    running_mean = running(running_mean, batch.mean, momentum, where);
    running_var = running(running_var, unbiased(batch.var, count, where), momentum, where);
    y = attach(at(y), Tensors{running_mean, running_var, num_batches_tracked});
  }
  return observed(*this, x_arg, y);
}

template <int Dims>
InstanceNorm<Dims>::InstanceNorm(std::int64_t features, InstanceNormOptions norm_options, SourceLocation where)
    : options(norm_options), num_features(features) {
  check_features(fmt::format("nn::InstanceNorm{}d", Dims), features, where);
  initialise(*this);
}

template <int Dims>
Tensor InstanceNorm<Dims>::operator()(const TensorArg& x_arg) {
  const std::string layer = fmt::format("nn::InstanceNorm{}d", Dims);
  const SourceLocation where = x_arg.where();
  const auto at = [&](const Tensor& t) { return TensorArg(t, where); };
  const Tensor x = gradus::detail::required_floating(layer, "input", x_arg);
  check_input(layer, x, num_features, Dims, false, where);
  const NormOptions norm{options.eps};
  if (!training && running_mean.defined()) {
    return observed(*this, x_arg, batch_norm(x_arg, running_mean, running_var, weight, bias, norm));
  }
  const std::int64_t count = x.shape().numel(2, x.rank());
  if (training && count < 2) {
    throw Error(ErrorKind::shape, layer, "training needs more than one value per channel and example")
        .at(where)
        .operand("input", x.spec());
  }
  Tensor y = instance_norm(x_arg, weight, bias, norm);
  if (training && running_mean.defined()) {
    // (n, c, ...) as (values, examples * channels): the statistics of each channel of each example.
    const Tensor rows = transpose(at(reshape(at(x), {x.shape()[0] * num_features, count})), 0, 1);
    const ChannelStatistics each = channel_statistics(at(rows));
    const auto over_examples = [&](const Tensor& t) {
      return mean(at(reshape(at(t), {x.shape()[0], num_features})), 0);
    };
    const TensorArg momentum(options.momentum, where);
    running_mean = running(running_mean, over_examples(each.mean), momentum, where);
    running_var = running(running_var, unbiased(over_examples(each.var), count, where), momentum, where);
    y = attach(at(y), Tensors{running_mean, running_var});
  }
  return observed(*this, x_arg, y);
}

template struct BatchNorm<1>;
template struct BatchNorm<2>;
template struct BatchNorm<3>;
template struct InstanceNorm<1>;
template struct InstanceNorm<2>;
template struct InstanceNorm<3>;

LayerNorm::LayerNorm(const Shape& shape, LayerNormOptions norm_options, SourceLocation where)
    : normalized_shape(shape), options(norm_options) {
  check_normalized_shape("nn::LayerNorm", shape, where);
  if (!options.elementwise_affine) return;
  weight = init::constant(shape, 1);
  if (options.bias) bias = init::constant(shape, 0);
}

Tensor LayerNorm::operator()(const TensorArg& x) const {
  return observed(*this, x, layer_norm(x, normalized_shape, weight, bias, {options.eps}));
}

RMSNorm::RMSNorm(const Shape& shape, RmsNormOptions norm_options, SourceLocation where)
    : normalized_shape(shape), options(norm_options) {
  check_normalized_shape("nn::RMSNorm", shape, where);
  if (options.elementwise_affine) weight = init::constant(shape, 1);
}

Tensor RMSNorm::operator()(const TensorArg& x) const {
  return observed(*this, x, rms_norm(x, normalized_shape, weight, options.eps));
}

GroupNorm::GroupNorm(std::int64_t groups, std::int64_t channels, GroupNormOptions norm_options, SourceLocation where)
    : num_groups(groups), num_channels(channels), options(norm_options) {
  if (groups < 1 || channels < 1 || channels % groups != 0) {
    throw Error(ErrorKind::value, "nn::GroupNorm", fmt::format("{} groups do not divide {} channels", groups, channels))
        .at(where);
  }
  if (!options.affine) return;
  weight = init::constant({channels}, 1);
  bias = init::constant({channels}, 0);
}

Tensor GroupNorm::operator()(const TensorArg& x_arg) const {
  const Tensor x = gradus::detail::required_floating("nn::GroupNorm", "input", x_arg);
  if (x.rank() < 2 || x.shape()[1] != num_channels) {
    throw Error(ErrorKind::shape, "nn::GroupNorm")
        .at(x_arg.where())
        .operand("input", x.spec(), fmt::format("expected (n, {}, ...)", num_channels));
  }
  return observed(*this, x_arg, group_norm(x_arg, num_groups, weight, bias, {options.eps}));
}

Tensor LocalResponseNorm::operator()(const TensorArg& x) const {
  return observed(*this, x, local_response_norm(x, size, {alpha, beta, k}));
}

}  // namespace gradus::nn
