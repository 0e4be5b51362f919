// Convolutional layers.
//
//   nn::Conv2d conv{3, 16, 5, {.stride = 2, .padding = {2, 1}}};
//   nn::ConvTranspose2d up{16, 8, 2, {.stride = 2}};
#pragma once

#include <type_traits>

#include "gradus/nn/parameter.h"
#include "gradus/ops/size2.h"

namespace gradus::nn {

/// A number for each of `Dims` axes: Size1, Size2 or Size3.
template <int Dims>
using SizeOf = std::conditional_t<Dims == 1, Size1, std::conditional_t<Dims == 2, Size2, Size3>>;

template <int Dims>
struct ConvLayerOptions {
  SizeOf<Dims> stride = 1;
  ConvPadding<SizeOf<Dims>> padding = 0;  ///< zeros on each side, or "same"
  SizeOf<Dims> dilation = 1;
  std::int64_t groups = 1;
  bool bias = true;
};

/// Convolution (n, in, spatial...) -> (n, out, spatial'...) over `Dims` axes; each of them becomes
/// (size + 2 padding - dilation (kernel - 1) - 1) / stride + 1, rounded down. Weight (out, in/groups, kernel...) and bias
/// (out) start as U(-b, b) with b = 1 / sqrt(in/groups kernel...), as PyTorch's do.
template <int Dims>
struct Conv {
  Parameter weight;
  Parameter bias;  ///< undefined without bias
  ConvLayerOptions<Dims> options;
  static constexpr int field_count = 3;

  /// Throws Error(value) for sizes out of range, or channels that the groups do not divide.
  Conv(std::int64_t in_channels, std::int64_t out_channels, SizeOf<Dims> kernel, ConvLayerOptions<Dims> options = {},
       SourceLocation where = SourceLocation::current());

  Tensor operator()(const TensorArg& x) const;

  std::int64_t in_channels() const { return weight.shape()[1] * options.groups; }
  std::int64_t out_channels() const { return weight.shape()[0]; }
  SizeOf<Dims> kernel() const;
};

using Conv1d = Conv<1>;
using Conv2d = Conv<2>;
using Conv3d = Conv<3>;
using Conv1dOptions = ConvLayerOptions<1>;
using Conv2dOptions = ConvLayerOptions<2>;
using Conv3dOptions = ConvLayerOptions<3>;

template <int Dims>
struct ConvTransposeLayerOptions {
  SizeOf<Dims> stride = 1;
  SizeOf<Dims> padding = 0;
  SizeOf<Dims> output_padding = 0;  ///< rows added behind the result; fewer than the stride or the dilation
  std::int64_t groups = 1;
  bool bias = true;
  SizeOf<Dims> dilation = 1;
};

/// Transposed convolution (n, in, spatial...) -> (n, out, spatial'...); each axis becomes
/// (size - 1) stride - 2 padding + dilation (kernel - 1) + output_padding + 1. Weight (in, out/groups, kernel...) and bias
/// (out) start as U(-b, b) with b = 1 / sqrt(out/groups kernel...).
template <int Dims>
struct ConvTranspose {
  Parameter weight;
  Parameter bias;  ///< undefined without bias
  ConvTransposeLayerOptions<Dims> options;
  static constexpr int field_count = 3;

  ConvTranspose(std::int64_t in_channels, std::int64_t out_channels, SizeOf<Dims> kernel,
                ConvTransposeLayerOptions<Dims> options = {}, SourceLocation where = SourceLocation::current());

  Tensor operator()(const TensorArg& x) const;
};

using ConvTranspose1d = ConvTranspose<1>;
using ConvTranspose2d = ConvTranspose<2>;
using ConvTranspose3d = ConvTranspose<3>;
using ConvTranspose1dOptions = ConvTransposeLayerOptions<1>;
using ConvTranspose2dOptions = ConvTransposeLayerOptions<2>;
using ConvTranspose3dOptions = ConvTransposeLayerOptions<3>;

}  // namespace gradus::nn
