// Pooling layers: (n, c, spatial...) over as many axes as their name says. The functions are in ops/pool.h and
// ops/adaptive_pool.h.
//
//   nn::MaxPool2d pool{2};                       // nn::MaxPool2d{.kernel = 3, .stride = 2, .padding = 1}
#pragma once

#include <optional>
#include <vector>

#include "gradus/nn/conv.h"
#include "gradus/ops/pooling/adaptive_pool.h"

namespace gradus::nn {

template <int Dims>
struct MaxPool {
  SizeOf<Dims> kernel;
  SizeOf<Dims> stride = 0;  ///< 0: the kernel's size
  SizeOf<Dims> padding = 0;
  SizeOf<Dims> dilation = 1;
  bool ceil_mode = false;
  Tensor operator()(const TensorArg& x) const;
};
using MaxPool1d = MaxPool<1>;
using MaxPool2d = MaxPool<2>;
using MaxPool3d = MaxPool<3>;

template <int Dims>
struct AvgPool {
  SizeOf<Dims> kernel;
  SizeOf<Dims> stride = 0;  ///< 0: the kernel's size
  SizeOf<Dims> padding = 0;
  bool count_include_pad = true;
  bool ceil_mode = false;
  std::int64_t divisor_override = 0;  ///< 0: the number of elements
  Tensor operator()(const TensorArg& x) const;
};
using AvgPool1d = AvgPool<1>;
using AvgPool2d = AvgPool<2>;
using AvgPool3d = AvgPool<3>;

/// Divides each axis into as many parts as `output_size` says.
template <int Dims>
struct AdaptiveAvgPool {
  SizeOf<Dims> output_size;
  Tensor operator()(const TensorArg& x) const;
};
using AdaptiveAvgPool1d = AdaptiveAvgPool<1>;
using AdaptiveAvgPool2d = AdaptiveAvgPool<2>;
using AdaptiveAvgPool3d = AdaptiveAvgPool<3>;

template <int Dims>
struct AdaptiveMaxPool {
  SizeOf<Dims> output_size;
  Tensor operator()(const TensorArg& x) const;
};
using AdaptiveMaxPool1d = AdaptiveMaxPool<1>;
using AdaptiveMaxPool2d = AdaptiveMaxPool<2>;
using AdaptiveMaxPool3d = AdaptiveMaxPool<3>;

template <int Dims>
struct LpPool {
  double norm_type = 2;
  SizeOf<Dims> kernel;
  SizeOf<Dims> stride = 0;  ///< 0: the kernel's size
  bool ceil_mode = false;
  Tensor operator()(const TensorArg& x) const;
};
using LpPool1d = LpPool<1>;
using LpPool2d = LpPool<2>;
using LpPool3d = LpPool<3>;

/// Puts pooled maxima back to their places: max_pool2d_with_indices gives both arguments.
template <int Dims>
struct MaxUnpool {
  SizeOf<Dims> kernel;
  SizeOf<Dims> stride = 0;  ///< 0: the kernel's size
  SizeOf<Dims> padding = 0;
  Tensor operator()(const TensorArg& x, const TensorArg& indices) const;
};
using MaxUnpool1d = MaxUnpool<1>;
using MaxUnpool2d = MaxUnpool<2>;
using MaxUnpool3d = MaxUnpool<3>;

/// Mean over all axes behind the channels, which are dropped: (n, c, ...) -> (n, c). Global pooling in front of a
/// classifier.
struct GlobalAvgPool {
  Tensor operator()(const TensorArg& x) const;
};

}  // namespace gradus::nn
