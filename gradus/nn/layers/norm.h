// Layers that normalise. Names, layouts and defaults are PyTorch's; the functions are in nn/functional/norm.h.
#pragma once

#include <cstdint>
#include <optional>

#include "gradus/nn/parameter.h"

namespace gradus::nn {

struct BatchNormOptions {
  double eps = 1e-5;
  /// Weight of a new batch in the running statistics; none: their plain average over all batches.
  std::optional<double> momentum = 0.1;
  bool affine = true;               ///< weight (ones) and bias (zeros) per channel
  bool track_running_stats = true;  ///< without, the batch's own statistics are used always
};

/// Batch normalisation over (n, c, ...) per channel. When it trains it normalises with the batch's statistics and records
/// new running ones (variance unbiased); they are evaluated with whatever evaluates its output, in the same plan. In
/// evaluation mode (nn/mode.h) it normalises with the running ones. State: running_mean, running_var [c],
/// num_batches_tracked (i64 scalar). An evaluation that fails leaves the statistics of the failed batch recorded; copy the
/// model before a step that may fail and is to be undone.
template <int Dims>
struct BatchNorm {
  Parameter weight, bias;
  Buffer running_mean, running_var, num_batches_tracked;
  BatchNormOptions options;
  std::int64_t num_features = 0;
  TrainingFlag training = true;
  static constexpr int field_count = 8;

  /// Throws Error(value) unless num_features is positive.
  explicit BatchNorm(std::int64_t num_features, BatchNormOptions options = {},
                     SourceLocation where = SourceLocation::current());

  /// (n, c) or (n, c, l) for BatchNorm1d, (n, c, h, w) for 2d, (n, c, d, h, w) for 3d. Throws Error(shape) for others, and
  /// when it trains on one value per channel.
  Tensor operator()(const TensorArg& x);
};

using BatchNorm1d = BatchNorm<1>;
using BatchNorm2d = BatchNorm<2>;
using BatchNorm3d = BatchNorm<3>;

struct InstanceNormOptions {
  double eps = 1e-5;
  double momentum = 0.1;
  bool affine = false;
  bool track_running_stats = false;
};

/// Normalises each channel of each example: (n, c, l) for InstanceNorm1d, (n, c, h, w) for 2d, (n, c, d, h, w) for 3d. With
/// track_running_stats it keeps the mean of the examples' statistics, and evaluates with them.
template <int Dims>
struct InstanceNorm {
  Parameter weight, bias;
  Buffer running_mean, running_var, num_batches_tracked;
  InstanceNormOptions options;
  std::int64_t num_features = 0;
  TrainingFlag training = true;
  static constexpr int field_count = 8;

  explicit InstanceNorm(std::int64_t num_features, InstanceNormOptions options = {},
                        SourceLocation where = SourceLocation::current());
  Tensor operator()(const TensorArg& x);
};

using InstanceNorm1d = InstanceNorm<1>;
using InstanceNorm2d = InstanceNorm<2>;
using InstanceNorm3d = InstanceNorm<3>;

struct LayerNormOptions {
  double eps = 1e-5;
  bool elementwise_affine = true;  ///< weight and bias of the normalised shape
  bool bias = true;
};

/// Normalises over the last axes: `nn::LayerNorm norm({512})`.
struct LayerNorm {
  Parameter weight, bias;
  Shape normalized_shape;
  LayerNormOptions options;
  static constexpr int field_count = 4;

  explicit LayerNorm(const Shape& normalized_shape, LayerNormOptions options = {},
                     SourceLocation where = SourceLocation::current());
  explicit LayerNorm(std::int64_t size, LayerNormOptions norm_options = {},
                     SourceLocation where = SourceLocation::current())
      : LayerNorm(Shape{size}, norm_options, where) {}
  Tensor operator()(const TensorArg& x) const;
};

struct RmsNormOptions {
  std::optional<double> eps;  ///< none: the spacing of numbers at 1 in the type of the input
  bool elementwise_affine = true;
};

/// Divides by the root of the mean square over the last axes.
struct RMSNorm {
  Parameter weight;
  Shape normalized_shape;
  RmsNormOptions options;
  static constexpr int field_count = 3;

  explicit RMSNorm(const Shape& normalized_shape, RmsNormOptions options = {},
                   SourceLocation where = SourceLocation::current());
  explicit RMSNorm(std::int64_t size, RmsNormOptions norm_options = {},
                   SourceLocation where = SourceLocation::current())
      : RMSNorm(Shape{size}, norm_options, where) {}
  Tensor operator()(const TensorArg& x) const;
};

struct GroupNormOptions {
  double eps = 1e-5;
  bool affine = true;
};

/// Normalises over groups of channels: (n, c, ...).
struct GroupNorm {
  Parameter weight, bias;
  std::int64_t num_groups = 1, num_channels = 1;
  GroupNormOptions options;
  static constexpr int field_count = 5;

  /// Throws Error(value) unless the groups divide the channels.
  GroupNorm(std::int64_t num_groups, std::int64_t num_channels, GroupNormOptions options = {},
            SourceLocation where = SourceLocation::current());
  Tensor operator()(const TensorArg& x) const;
};

/// See local_response_norm.
struct LocalResponseNorm {
  std::int64_t size = 5;
  double alpha = 1e-4, beta = 0.75, k = 1;
  Tensor operator()(const TensorArg& x) const;
};

}  // namespace gradus::nn
