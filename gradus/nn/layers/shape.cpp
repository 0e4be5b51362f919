#include "gradus/nn/layers/shape.h"

#include <fmt/format.h>

#include "gradus/base/error.h"
#include "gradus/nn/functional/argument.h"
#include "gradus/nn/observe.h"
#include "gradus/ops/view.h"

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

Tensor Unflatten::operator()(const TensorArg& x) const {
  const Tensor input = gradus::detail::required("nn::Unflatten", "input", x);
  const int at = axis < 0 ? axis + input.rank() : axis;
  if (at < 0 || at >= input.rank()) {
    throw Error(ErrorKind::axis, "nn::Unflatten", fmt::format("the axis is {}", axis))
        .at(x.where())
        .operand("input", input.spec(), fmt::format("it has {} axes", input.rank()));
  }
  std::vector<std::int64_t> shape;
  for (int i = 0; i < input.rank(); ++i) {
    if (i == at) {
      shape.insert(shape.end(), sizes.begin(), sizes.end());
    } else {
      shape.push_back(input.size(i));
    }
  }
  return observed(*this, x, reshape(x, shape));
}

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

#define GRADUS_INSTANTIATE(Dims)       \
  template struct ConstantPad<Dims>;   \
  template struct ZeroPad<Dims>;       \
  template struct ReflectionPad<Dims>; \
  template struct ReplicationPad<Dims>;
GRADUS_INSTANTIATE(1)
GRADUS_INSTANTIATE(2)
#undef GRADUS_INSTANTIATE

Tensor PixelShuffle::operator()(const TensorArg& x) const {
  const Tensor input = gradus::detail::required("nn::PixelShuffle", "input", x);
  const std::int64_t r = upscale_factor;
  if (r < 1) {
    throw Error(ErrorKind::value, "nn::PixelShuffle", fmt::format("upscale_factor is {}, must be positive", r))
        .at(x.where());
  }
  if (input.rank() != 4 || input.size(1) % (r * r) != 0) {
    throw Error(ErrorKind::shape, "nn::PixelShuffle")
        .at(x.where())
        .operand("input", input.spec(),
                 fmt::format("expected (n, channels, h, w) with a multiple of {} channels", r * r));
  }
  const std::int64_t n = input.size(0), c = input.size(1) / (r * r), h = input.size(2), w = input.size(3);
  const Tensor split = reshape(x, {n, c, r, r, h, w});
  const Tensor turned = permute(TensorArg(split, x.where()), {0, 1, 4, 2, 5, 3});
  return observed(*this, x, reshape(TensorArg(turned, x.where()), {n, c, h * r, w * r}));
}

Tensor Upsample::operator()(const TensorArg& x) const {
  return observed(*this, x, interpolate(x, size, {mode, align_corners}));
}

}  // namespace gradus::nn
