// Normalisation: means and variances are biased, as PyTorch's are when they normalise. bf16 is computed in f32.
//
//   layer_norm(x, {512}, weight, bias)         over the last axes, for each example and position
//   group_norm(images, 8, weight, bias)        over the channels of a group and all pixels, for each example
//   batch_norm(x, mean, var, weight, bias)     with given statistics, per channel (axis 1)
#pragma once

#include <cstdint>
#include <optional>

#include "gradus/graph/tensor.h"

namespace gradus {

struct NormOptions {
  double eps = 1e-5;  ///< added to the variance
};

/// Mean and biased variance per channel (axis 1) of `x` (n, c, ...): both [c].
struct ChannelStatistics {
  Tensor mean, var;
};
ChannelStatistics channel_statistics(const TensorArg& x);

/// (x - mean) / sqrt(var + eps) * weight + bias per channel (axis 1): `x` (n, c, ...), all others [c]. Undefined statistics
/// are those of `x` itself; weight and bias may be undefined. Ioffe and Szegedy, 2015. The layers nn::BatchNorm1d..3d also
/// keep running statistics. Throws Error(shape, dtype).
Tensor batch_norm(const TensorArg& x, const TensorArg& mean, const TensorArg& var, const TensorArg& weight = Tensor(),
                  const TensorArg& bias = Tensor(), const NormOptions& options = {});

/// Normalises over the last axes, whose sizes `normalized_shape` repeats; weight and bias have that shape or are undefined.
/// Ba, Kiros and Hinton, 2016. Throws Error(shape, dtype).
Tensor layer_norm(const TensorArg& x, const Shape& normalized_shape, const TensorArg& weight = Tensor(),
                  const TensorArg& bias = Tensor(), const NormOptions& options = {});

/// Normalises `x` (n, c, ...) over each of `groups` groups of channels and all further axes; weight and bias [c] or
/// undefined. Wu and He, 2018. Throws Error(shape, dtype, value) when the groups do not divide the channels.
Tensor group_norm(const TensorArg& x, std::int64_t groups, const TensorArg& weight = Tensor(),
                  const TensorArg& bias = Tensor(), const NormOptions& options = {});

/// Normalises each channel of each example of `x` (n, c, ...) over all further axes. Ulyanov et al., 2016.
Tensor instance_norm(const TensorArg& x, const TensorArg& weight = Tensor(), const TensorArg& bias = Tensor(),
                     const NormOptions& options = {});

/// x / sqrt(mean(x^2) + eps) * weight over the last axes. Without eps: the spacing of numbers at 1 in the type of `x`.
/// Zhang and Sennrich, 2019.
Tensor rms_norm(const TensorArg& x, const Shape& normalized_shape, const TensorArg& weight = Tensor(),
                std::optional<double> eps = {});

struct LocalResponseNormOptions {
  double alpha = 1e-4, beta = 0.75, k = 1;
};
/// x / (k + alpha * mean of x^2 over `size` neighbouring channels)^beta for `x` (n, c, ...); zeros beyond the first and last
/// channel. Krizhevsky et al., 2012, with PyTorch's mean.
Tensor local_response_norm(const TensorArg& x, std::int64_t size, const LocalResponseNormOptions& options = {});

/// Scales slices along `axis` to length 1 in the norm of order `p`; shorter ones than eps are divided by eps.
Tensor normalize(const TensorArg& x, double p = 2, int axis = 1, double eps = 1e-12);

}  // namespace gradus
