// Convolutional layers.
#pragma once

#include "gradus/nn/parameter.h"
#include "gradus/ops/size2.h"

namespace gradus::nn {

struct Conv2dOptions {
  Size2 stride = 1;
  Size2 padding = 0;  ///< zeros on each side
  Size2 dilation = 1;
  std::int64_t groups = 1;
  bool bias = true;
};

/// Two-dimensional convolution (n, in, h, w) -> (n, out, h', w') with
/// h' = (h + 2 padding - dilation (kernel - 1) - 1) / stride + 1, rounded down. Weight (out, in/groups, kh, kw) and bias
/// (out) start as U(-b, b) with b = 1 / sqrt(in/groups kh kw), as PyTorch's do.
///   nn::Conv2d conv{3, 16, 5, {.stride = 2, .padding = {2, 1}}};
struct Conv2d {
  Parameter weight;
  Parameter bias;  ///< undefined without bias
  Conv2dOptions options;
  static constexpr int field_count = 3;

  /// Throws Error(value) for sizes out of range, or channels that the groups do not divide.
  Conv2d(std::int64_t in_channels, std::int64_t out_channels, Size2 kernel, Conv2dOptions options = {},
         SourceLocation where = SourceLocation::current());

  Tensor operator()(const TensorArg& x) const;

  std::int64_t in_channels() const { return weight.shape()[1] * options.groups; }
  std::int64_t out_channels() const { return weight.shape()[0]; }
  Size2 kernel() const { return {weight.shape()[2], weight.shape()[3]}; }
};

}  // namespace gradus::nn
