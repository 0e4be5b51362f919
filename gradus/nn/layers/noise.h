// Noise while training, nothing in evaluation mode (nn/mode.h).
#pragma once

#include "gradus/nn/parameter.h"

namespace gradus::nn {

/// Adds independent normal noise of standard deviation `stddev`: `nn::GaussianNoise noise{0.1}`. For a linear model trained on
/// squared error its expectation is an L2 penalty (Bishop, "Training with noise is equivalent to Tikhonov regularization", 1995).
/// Every call draws the next key of manual_seed's stream. Throws Error(dtype) unless x is floating, Error(value) unless
/// stddev is finite and >= 0.
struct GaussianNoise {
  double stddev = 0.1;
  TrainingFlag training = true;
  static constexpr int field_count = 2;
  Tensor operator()(const TensorArg& x) const;
};

}  // namespace gradus::nn
