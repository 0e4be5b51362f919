// Convolutions over images:
//
//   conv2d(images, weight, bias, {.stride = 2, .padding = {1, 2}})     (n, c, h, w) -> (n, o, h', w')
#pragma once

#include <array>
#include <cstdint>

#include "gradus/graph/op.h"
#include "gradus/graph/tensor.h"
#include "gradus/ops/size2.h"

namespace gradus {

/// Cross-correlation of images (n, c, h, w) with weights (o, c/groups, kh, kw), zeros around the images:
/// h' = (h + 2 padding - dilation (kh - 1) - 1) / stride + 1, rounded down. Attributes are {height, width}. f32 or f64.
struct Conv2d {
  std::array<std::int64_t, 2> stride{1, 1};
  std::array<std::int64_t, 2> padding{0, 0};
  std::array<std::int64_t, 2> dilation{1, 1};
  std::int64_t groups = 1;

  std::string_view name() const { return "conv2d"; }
  OpFamily family() const { return OpFamily::contraction; }
  Specs infer(std::span<const TensorSpec> inputs) const;
  Tensors vjp(const VjpArgs& args) const;
  friend bool operator==(const Conv2d&, const Conv2d&) = default;
};

/// Gradient of a convolution with respect to its images: (cotangent, weight) -> images of shape `input`.
struct Conv2dInputGradient {
  Conv2d conv;
  Shape input;

  std::string_view name() const { return "conv2d_input_gradient"; }
  OpFamily family() const { return OpFamily::contraction; }
  Specs infer(std::span<const TensorSpec> inputs) const;
  Tensors vjp(const VjpArgs& args) const;
  friend bool operator==(const Conv2dInputGradient&, const Conv2dInputGradient&) = default;
};

/// Gradient of a convolution with respect to its weights: (images, cotangent) -> weights of shape `weight`.
struct Conv2dWeightGradient {
  Conv2d conv;
  Shape weight;

  std::string_view name() const { return "conv2d_weight_gradient"; }
  OpFamily family() const { return OpFamily::contraction; }
  Specs infer(std::span<const TensorSpec> inputs) const;
  Tensors vjp(const VjpArgs& args) const;
  friend bool operator==(const Conv2dWeightGradient&, const Conv2dWeightGradient&) = default;
};

struct Conv2dOptions {
  Size2 stride = 1;
  Size2 padding = 0;
  Size2 dilation = 1;
  std::int64_t groups = 1;
};

/// Two-dimensional convolution as PyTorch defines it: `x` (n, c, h, w), `weight` (o, c/groups, kh, kw), `bias` (o) or
/// undefined. Throws Error(shape) when the sizes do not fit, Error(value) for options out of range.
Tensor conv2d(const TensorArg& x, const TensorArg& weight, const TensorArg& bias = Tensor(),
              const Conv2dOptions& options = {}, SourceLocation where = SourceLocation::current());

}  // namespace gradus
