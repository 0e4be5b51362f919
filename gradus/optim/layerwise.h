// Optimizers whose step is proportional to the size of the parameter, layer by layer: for large batches.
#pragma once

#include <array>

#include "gradus/optim/optimizer.h"

namespace gradus::optim {

struct LAMBOptions {
  double lr = 1e-3;
  std::array<double, 2> betas{0.9, 0.999};  ///< decay of the averages of gradients and of their squares, in [0, 1)
  double eps = 1e-6;
  double weight_decay = 0;
  bool maximize = false;  ///< climb instead of descending
  bool skip_nonfinite = false;
};

/// r = m' / (sqrt(v') + eps) + weight_decay * p with the bias-corrected averages of Adam;  p = p - lr r |p| / |r|, and the
/// quotient is 1 where a norm is 0 (You et al., "Large batch optimization for deep learning", 2020). State: "exp_avg",
/// "exp_avg_sq".
class LAMB final : public Optimizer {
 public:
  /// Throws Error(value) for settings out of range.
  explicit LAMB(ParameterList parameters, const LAMBOptions& options = {},
                SourceLocation where = SourceLocation::current());

 private:
  Tensor update(const Update& u) override;
  std::vector<StateField> state_fields(const Tensor& parameter, double lr) const override;

  LAMBOptions options_;
};

struct LARSOptions {
  double lr = 1e-3;
  double momentum = 0.9;
  double weight_decay = 0;
  double trust_coefficient = 1e-3;
  bool maximize = false;  ///< climb instead of descending
  bool skip_nonfinite = false;
};

/// b = momentum * b + lr * trust (g + weight_decay * p) with trust = trust_coefficient |p| / (|g| + weight_decay |p|), 1 where
/// a norm is 0;  p = p - b (You et al., "Large batch training of convolutional networks", 2017). State: "momentum_buffer".
class LARS final : public Optimizer {
 public:
  /// Throws Error(value) for settings out of range.
  explicit LARS(ParameterList parameters, const LARSOptions& options = {},
                SourceLocation where = SourceLocation::current());

 private:
  Tensor update(const Update& u) override;
  std::vector<StateField> state_fields(const Tensor& parameter, double lr) const override;
  bool counts_steps() const override { return false; }

  LARSOptions options_;
};

}  // namespace gradus::optim
