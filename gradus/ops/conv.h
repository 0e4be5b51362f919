// Convolutions over sequences, images and volumes, and their transposes:
//
//   conv1d(x, weight, bias)                                             (n, c, l) -> (n, o, l')
//   conv2d(images, weight, bias, {.stride = 2, .padding = {1, 2}})      (n, c, h, w) -> (n, o, h', w')
//   conv3d(volumes, weight, Tensor(), {.padding = "same"})              (n, c, d, h, w) -> (n, o, d, h, w)
//   conv_transpose2d(x, weight, bias, {.stride = 2})                    (n, i, h, w) -> (n, o, h', w')
//
// Padding with something else than zeros is pad(x, padding, PadMode::reflect) in front of a convolution without padding.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "gradus/graph/op.h"
#include "gradus/graph/tensor.h"
#include "gradus/ops/size2.h"

namespace gradus {

/// Cross-correlation of x (n, c, spatial...) with weights (o, c/groups, kernel...), zeros around x, over N = 1, 2 or 3
/// spatial axes. Each becomes (size + 2 padding - dilation (kernel - 1) - 1) / stride + 1, rounded down. f32 or f64;
/// of two bf16 operands, which mixed precision writes (transform/lowering/precision.h), the result is f32. So for the gradients.
template <int N>
struct Conv {
  using Sizes = std::array<std::int64_t, static_cast<std::size_t>(N)>;

  Sizes stride = every(1);
  Sizes padding = every(0);
  Sizes dilation = every(1);
  std::int64_t groups = 1;

  static constexpr Sizes every(std::int64_t value) {
    Sizes sizes{};
    for (auto& size : sizes) size = value;
    return sizes;
  }
  std::string_view name() const { return N == 1 ? "conv1d" : N == 2 ? "conv2d" : "conv3d"; }
  OpFamily family() const { return OpFamily::contraction; }
  Specs infer(std::span<const TensorSpec> inputs) const;
  Tensors vjp(const VjpArgs& args) const;
  Tensors batch(const BatchArgs& args) const;
  friend bool operator==(const Conv&, const Conv&) = default;
};

/// Gradient of a convolution with respect to its input: (cotangent, weight) -> x of shape `input`. This is also what a
/// transposed convolution computes.
template <int N>
struct ConvInputGradient {
  Conv<N> conv;
  Shape input;

  std::string_view name() const {
    return N == 1 ? "conv1d_input_gradient" : N == 2 ? "conv2d_input_gradient" : "conv3d_input_gradient";
  }
  OpFamily family() const { return OpFamily::contraction; }
  Specs infer(std::span<const TensorSpec> inputs) const;
  Tensors vjp(const VjpArgs& args) const;
  Tensors batch(const BatchArgs& args) const;
  friend bool operator==(const ConvInputGradient&, const ConvInputGradient&) = default;
};

/// Gradient of a convolution with respect to its weights: (x, cotangent) -> weights of shape `weight`.
template <int N>
struct ConvWeightGradient {
  Conv<N> conv;
  Shape weight;

  std::string_view name() const {
    return N == 1 ? "conv1d_weight_gradient" : N == 2 ? "conv2d_weight_gradient" : "conv3d_weight_gradient";
  }
  OpFamily family() const { return OpFamily::contraction; }
  Specs infer(std::span<const TensorSpec> inputs) const;
  Tensors vjp(const VjpArgs& args) const;
  Tensors batch(const BatchArgs& args) const;
  friend bool operator==(const ConvWeightGradient&, const ConvWeightGradient&) = default;
};

using Conv1d = Conv<1>;
using Conv2d = Conv<2>;
using Conv3d = Conv<3>;
using Conv2dInputGradient = ConvInputGradient<2>;
using Conv2dWeightGradient = ConvWeightGradient<2>;

/// Options of a convolution over as many axes as `Size` has numbers.
template <class Size>
struct ConvOptions {
  Size stride = 1;
  ConvPadding<Size> padding = 0;
  Size dilation = 1;
  std::int64_t groups = 1;
};

using Conv1dOptions = ConvOptions<Size1>;
using Conv2dOptions = ConvOptions<Size2>;
using Conv3dOptions = ConvOptions<Size3>;

/// One-dimensional convolution as PyTorch defines it: `x` (n, c, l), `weight` (o, c/groups, k), `bias` (o) or undefined.
/// Throws Error(shape) when the sizes do not fit, Error(value) for options out of range.
Tensor conv1d(const TensorArg& x, const TensorArg& weight, const TensorArg& bias = Tensor(),
              const Conv1dOptions& options = {}, SourceLocation where = SourceLocation::current());
/// The same over images: `x` (n, c, h, w), `weight` (o, c/groups, kh, kw).
Tensor conv2d(const TensorArg& x, const TensorArg& weight, const TensorArg& bias = Tensor(),
              const Conv2dOptions& options = {}, SourceLocation where = SourceLocation::current());
/// The same over volumes: `x` (n, c, d, h, w), `weight` (o, c/groups, kd, kh, kw).
Tensor conv3d(const TensorArg& x, const TensorArg& weight, const TensorArg& bias = Tensor(),
              const Conv3dOptions& options = {}, SourceLocation where = SourceLocation::current());

template <class Size>
struct ConvTransposeOptions {
  Size stride = 1;
  Size padding = 0;
  Size output_padding = 0;  ///< rows added behind the result; fewer than the stride or the dilation
  std::int64_t groups = 1;
  Size dilation = 1;
};

using ConvTranspose1dOptions = ConvTransposeOptions<Size1>;
using ConvTranspose2dOptions = ConvTransposeOptions<Size2>;
using ConvTranspose3dOptions = ConvTransposeOptions<Size3>;

/// Transposed convolution as PyTorch defines it: `x` (n, i, l), `weight` (i, o/groups, k), `bias` (o) or undefined. An
/// axis becomes (size - 1) stride - 2 padding + dilation (kernel - 1) + output_padding + 1. Throws as conv1d.
Tensor conv_transpose1d(const TensorArg& x, const TensorArg& weight, const TensorArg& bias = Tensor(),
                        const ConvTranspose1dOptions& options = {}, SourceLocation where = SourceLocation::current());
/// The same over images: `x` (n, i, h, w), `weight` (i, o/groups, kh, kw).
Tensor conv_transpose2d(const TensorArg& x, const TensorArg& weight, const TensorArg& bias = Tensor(),
                        const ConvTranspose2dOptions& options = {}, SourceLocation where = SourceLocation::current());
/// The same over volumes: `x` (n, i, d, h, w), `weight` (i, o/groups, kd, kh, kw).
Tensor conv_transpose3d(const TensorArg& x, const TensorArg& weight, const TensorArg& bias = Tensor(),
                        const ConvTranspose3dOptions& options = {}, SourceLocation where = SourceLocation::current());

}  // namespace gradus
