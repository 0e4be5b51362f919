// Losses of numbers: input and target have one shape.
#pragma once

#include "gradus/nn/losses/reduction.h"

namespace gradus {

using MseLossOptions = LossOptions;
/// (input - target)^2. Throws Error(shape, dtype), as all of these do.
Tensor mse_loss(const TensorArg& input, const TensorArg& target, const MseLossOptions& options = {});
/// |input - target|.
Tensor l1_loss(const TensorArg& input, const TensorArg& target, const LossOptions& options = {});

struct HuberLossOptions {
  double delta = 1;  ///< where the parabola becomes a line; > 0
  Reduction reduction = Reduction::mean;
};
/// d^2 / 2 for |d| < delta, else delta (|d| - delta / 2), with d = input - target. Huber, 1964.
Tensor huber_loss(const TensorArg& input, const TensorArg& target, const HuberLossOptions& options = {});

struct SmoothL1LossOptions {
  double beta = 1;  ///< where the parabola becomes a line; >= 0
  Reduction reduction = Reduction::mean;
};
/// d^2 / (2 beta) for |d| < beta, else |d| - beta / 2: the Huber loss over beta.
Tensor smooth_l1_loss(const TensorArg& input, const TensorArg& target, const SmoothL1LossOptions& options = {});

struct PoissonNllLossOptions {
  bool log_input = true;  ///< the input is the logarithm of the rate
  bool full = false;      ///< add Stirling's approximation of log(target!) for targets above 1
  double eps = 1e-8;      ///< keeps log(input) finite when log_input is false
  Reduction reduction = Reduction::mean;
};
/// exp(input) - target input, or input - target log(input + eps).
Tensor poisson_nll_loss(const TensorArg& input, const TensorArg& target, const PoissonNllLossOptions& options = {});

struct GaussianNllLossOptions {
  bool full = false;  ///< add log(2 pi) / 2
  double eps = 1e-6;  ///< the least variance
  Reduction reduction = Reduction::mean;
};
/// (log(var) + (input - target)^2 / var) / 2 with var at least eps; no gradient flows through that bound. All of one
/// shape, or `var` without the last axis, or with size 1 there. Nix and Weigend, 1994. Variances in memory are checked
/// at once: Error(value) for a negative one.
Tensor gaussian_nll_loss(const TensorArg& input, const TensorArg& target, const TensorArg& var,
                         const GaussianNllLossOptions& options = {});

}  // namespace gradus
