// Layers that drop at random while they train, and do nothing in evaluation mode (nn/mode.h). Every call draws the next key
// of manual_seed's stream. The functions are in nn/functional/dropout.h.
#pragma once

#include "gradus/nn/parameter.h"

namespace gradus::nn {

/// Drops elements: `nn::Dropout drop{0.1}`.
struct Dropout {
  double p = 0.5;
  TrainingFlag training = true;
  static constexpr int field_count = 2;
  Tensor operator()(const TensorArg& x) const;
};

/// Drops channels of (n, c, ...) with `Dims` further axes.
template <int Dims>
struct ChannelDropout {
  double p = 0.5;
  TrainingFlag training = true;
  static constexpr int field_count = 2;
  Tensor operator()(const TensorArg& x) const;
};
using Dropout1d = ChannelDropout<1>;
using Dropout2d = ChannelDropout<2>;
using Dropout3d = ChannelDropout<3>;

/// For networks of SELU.
struct AlphaDropout {
  double p = 0.5;
  TrainingFlag training = true;
  static constexpr int field_count = 2;
  Tensor operator()(const TensorArg& x) const;
};

/// Stochastic depth: drops a residual branch for whole examples.
struct DropPath {
  double p = 0;
  TrainingFlag training = true;
  static constexpr int field_count = 2;
  Tensor operator()(const TensorArg& x) const;
};

}  // namespace gradus::nn
