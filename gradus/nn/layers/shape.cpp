#include "gradus/nn/layers/shape.h"

#include <fmt/format.h>

#include "gradus/base/error.h"
#include "gradus/nn/functional/argument.h"
#include "gradus/nn/observe.h"
#include "gradus/ops/views/rearrange.h"

namespace gradus::nn {
namespace {

/// One pair per axis of `x`, for `pad`.
template <int Dims>
std::vector<Padding> pairs(std::string_view layer, const TensorArg& x, const Sides<Dims>& sides) {
  const Tensor input = gradus::detail::required(layer, "input", x);
  if (input.rank() <= Dims) {
    throw Error(ErrorKind::shape, std::string(layer))
        .at(x.where())
        .operand("input", input.spec(), fmt::format("expected {} or more axes: (n, channels, ...)", Dims + 1));
  }
  std::vector<Padding> result(static_cast<std::size_t>(input.rank()), Padding{0, 0});
  for (std::size_t i = 0; i < Dims; ++i) {
    result[result.size() - 1 - i] = {sides.sizes[2 * i], sides.sizes[2 * i + 1]};
  }
  return result;
}

}  // namespace

Tensor Unflatten::operator()(const TensorArg& x) const { return observed(*this, x, unflatten(x, axis, sizes)); }

template <int Dims>
Tensor ConstantPad<Dims>::operator()(const TensorArg& x) const {
  return observed(*this, x, pad(x, pairs("nn::ConstantPad", x, padding), value));
}
template <int Dims>
Tensor ZeroPad<Dims>::operator()(const TensorArg& x) const {
  return observed(*this, x, pad(x, pairs("nn::ZeroPad", x, padding), 0.0));
}
template <int Dims>
Tensor ReflectionPad<Dims>::operator()(const TensorArg& x) const {
  return observed(*this, x, pad(x, pairs("nn::ReflectionPad", x, padding), PadMode::reflect));
}
template <int Dims>
Tensor ReplicationPad<Dims>::operator()(const TensorArg& x) const {
  return observed(*this, x, pad(x, pairs("nn::ReplicationPad", x, padding), PadMode::replicate));
}
template <int Dims>
Tensor CircularPad<Dims>::operator()(const TensorArg& x) const {
  return observed(*this, x, pad(x, pairs("nn::CircularPad", x, padding), PadMode::circular));
}

#define GRADUS_INSTANTIATE(Dims)        \
  template struct ConstantPad<Dims>;    \
  template struct ZeroPad<Dims>;        \
  template struct ReflectionPad<Dims>;  \
  template struct ReplicationPad<Dims>; \
  template struct CircularPad<Dims>;
GRADUS_INSTANTIATE(1)
GRADUS_INSTANTIATE(2)
GRADUS_INSTANTIATE(3)
#undef GRADUS_INSTANTIATE

Tensor PixelShuffle::operator()(const TensorArg& x) const {
  return observed(*this, x, pixel_shuffle(x, upscale_factor));
}

Tensor PixelUnshuffle::operator()(const TensorArg& x) const {
  return observed(*this, x, pixel_unshuffle(x, downscale_factor));
}

Tensor ChannelShuffle::operator()(const TensorArg& x) const { return observed(*this, x, channel_shuffle(x, groups)); }

Tensor Upsample::operator()(const TensorArg& x) const {
  if (size.empty() == scale_factor.empty()) {
    throw Error(ErrorKind::value, "nn::Upsample", "expected a size or a scale_factor, not both").at(x.where());
  }
  if (scale_factor.empty()) return observed(*this, x, interpolate(x, size, {mode, align_corners}));
  return observed(*this, x, interpolate(x, ScaleFactor(scale_factor), {mode, align_corners}));
}

}  // namespace gradus::nn
