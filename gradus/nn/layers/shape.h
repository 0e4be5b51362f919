// Layers that rearrange, pad and resize; they have no parameters.
#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <vector>

#include "gradus/graph/tensor.h"
#include "gradus/ops/views/windows.h"

namespace gradus::nn {

/// Splits `axis` into axes of the given sizes, of which one may be -1: `nn::Unflatten{1, {2, -1}}`. Throws Error(axis), and
/// Error(shape) when they do not make up the axis.
struct Unflatten {
  int axis = 1;
  std::vector<std::int64_t> sizes;
  static constexpr int field_count = 2;
  Tensor operator()(const TensorArg& x) const;
};

/// How much is added around the last `Dims` axes: one number for all sides, or PyTorch's list from the last axis on:
/// {left, right}, {left, right, top, bottom}, {left, right, top, bottom, front, back}.
template <int Dims>
struct Sides {
  std::array<std::int64_t, 2 * Dims> sizes{};

  constexpr Sides() = default;
  constexpr Sides(std::int64_t all) { sizes.fill(all); }  // NOLINT: `nn::ZeroPad2d{2}`
  template <std::convertible_to<std::int64_t>... T>
  requires(sizeof...(T) == 2 * Dims) constexpr Sides(T... numbers) : sizes{static_cast<std::int64_t>(numbers)...} {}
};

/// Adds `value` around the last `Dims` axes of (n, c, spatial...). This and the other padding layers throw Error(shape) for
/// fewer axes, and what `pad` throws.
template <int Dims>
struct ConstantPad {
  Sides<Dims> padding;
  double value = 0;
  Tensor operator()(const TensorArg& x) const;
};
using ConstantPad1d = ConstantPad<1>;
using ConstantPad2d = ConstantPad<2>;
using ConstantPad3d = ConstantPad<3>;

template <int Dims>
struct ZeroPad {
  Sides<Dims> padding;
  Tensor operator()(const TensorArg& x) const;
};
using ZeroPad1d = ZeroPad<1>;
using ZeroPad2d = ZeroPad<2>;
using ZeroPad3d = ZeroPad<3>;

/// Mirrors without the border.
template <int Dims>
struct ReflectionPad {
  Sides<Dims> padding;
  Tensor operator()(const TensorArg& x) const;
};
using ReflectionPad1d = ReflectionPad<1>;
using ReflectionPad2d = ReflectionPad<2>;
using ReflectionPad3d = ReflectionPad<3>;

/// Repeats the border.
template <int Dims>
struct ReplicationPad {
  Sides<Dims> padding;
  Tensor operator()(const TensorArg& x) const;
};
using ReplicationPad1d = ReplicationPad<1>;
using ReplicationPad2d = ReplicationPad<2>;
using ReplicationPad3d = ReplicationPad<3>;

/// Repeats what lies at the other end.
template <int Dims>
struct CircularPad {
  Sides<Dims> padding;
  Tensor operator()(const TensorArg& x) const;
};
using CircularPad1d = CircularPad<1>;
using CircularPad2d = CircularPad<2>;
using CircularPad3d = CircularPad<3>;

/// See pixel_shuffle and pixel_unshuffle.
struct PixelShuffle {
  std::int64_t upscale_factor = 1;
  Tensor operator()(const TensorArg& x) const;
};
struct PixelUnshuffle {
  std::int64_t downscale_factor = 1;
  Tensor operator()(const TensorArg& x) const;
};

/// See channel_shuffle.
struct ChannelShuffle {
  std::int64_t groups = 1;
  Tensor operator()(const TensorArg& x) const;
};

/// `interpolate` to a size, or by a factor, of its own: one number for each axis behind the channels (one factor serves
/// all). `nn::Upsample{.scale_factor = {2}, .mode = Interpolation::bilinear}`. Throws Error(value) unless exactly one is
/// given.
struct Upsample {
  std::vector<std::int64_t> size = {};
  std::vector<double> scale_factor = {};
  Interpolation mode = Interpolation::nearest;
  bool align_corners = false;
  static constexpr int field_count = 4;
  Tensor operator()(const TensorArg& x) const;
};

}  // namespace gradus::nn
