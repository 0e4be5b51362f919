// The family of Adam with the decay as an L2 penalty; AdamW is in adamw.h.
#pragma once

#include <array>

#include "gradus/optim/optimizer.h"

namespace gradus::optim {

struct AdamOptions {
  double lr = 1e-3;
  std::array<double, 2> betas{0.9, 0.999};  ///< decay of the averages of gradients and of their squares, in [0, 1)
  double eps = 1e-8;
  double weight_decay = 0;  ///< L2 penalty: adds weight_decay * parameter to the gradient
  bool amsgrad = false;     ///< divide by the largest average of squares so far (Reddi et al., 2018)
  bool maximize = false;    ///< climb instead of descending
  bool skip_nonfinite = false;
};

/// g = gradient + weight_decay * p;  p = p - lr m' / (sqrt(v') + eps), where m' and v' are the bias-corrected averages of g and
/// of its square (Kingma and Ba, "Adam: a method for stochastic optimization", 2015). State: "exp_avg", "exp_avg_sq", with
/// amsgrad "max_exp_avg_sq".
class Adam final : public Optimizer {
 public:
  /// Throws Error(value) for settings out of range.
  explicit Adam(ParameterList parameters, const AdamOptions& options = {},
                SourceLocation where = SourceLocation::current());

 private:
  Tensor update(const Update& u) override;
  std::vector<StateField> state_fields(const Tensor& parameter, double lr) const override;

  AdamOptions options_;
};

struct NAdamOptions {
  double lr = 2e-3;
  std::array<double, 2> betas{0.9, 0.999};  ///< decay of the averages of gradients and of their squares, in [0, 1)
  double eps = 1e-8;
  double weight_decay = 0;
  double momentum_decay = 4e-3;         ///< how slowly the momentum rises to betas[0]
  bool decoupled_weight_decay = false;  ///< as AdamW, not as a penalty
  bool maximize = false;                ///< climb instead of descending
  bool skip_nonfinite = false;
};

/// Adam that looks ahead along its momentum (Dozat, "Incorporating Nesterov momentum into Adam", 2016), with the momentum
/// mu_t = beta1 (1 - 0.96^(t momentum_decay) / 2) of PyTorch. State: "mu_product", "exp_avg", "exp_avg_sq".
class NAdam final : public Optimizer {
 public:
  /// Throws Error(value) for settings out of range.
  explicit NAdam(ParameterList parameters, const NAdamOptions& options = {},
                 SourceLocation where = SourceLocation::current());

 private:
  Tensor update(const Update& u) override;
  std::vector<StateField> state_fields(const Tensor& parameter, double lr) const override;

  NAdamOptions options_;
};

struct RAdamOptions {
  double lr = 1e-3;
  std::array<double, 2> betas{0.9, 0.999};  ///< decay of the averages of gradients and of their squares, in [0, 1)
  double eps = 1e-8;
  double weight_decay = 0;
  bool decoupled_weight_decay = false;  ///< as AdamW, not as a penalty
  bool maximize = false;                ///< climb instead of descending
  bool skip_nonfinite = false;
};

/// Adam that waits with its division until the average of squares means something, and then rectifies its variance (Liu et
/// al., "On the variance of the adaptive learning rate and beyond", 2020). State: "exp_avg", "exp_avg_sq".
class RAdam final : public Optimizer {
 public:
  /// Throws Error(value) for settings out of range.
  explicit RAdam(ParameterList parameters, const RAdamOptions& options = {},
                 SourceLocation where = SourceLocation::current());

 private:
  Tensor update(const Update& u) override;
  std::vector<StateField> state_fields(const Tensor& parameter, double lr) const override;

  RAdamOptions options_;
};

struct AdamaxOptions {
  double lr = 2e-3;
  std::array<double, 2> betas{0.9, 0.999};  ///< decay of the averages of gradients and of their squares, in [0, 1)
  double eps = 1e-8;
  double weight_decay = 0;  ///< L2 penalty: adds weight_decay * parameter to the gradient
  bool maximize = false;    ///< climb instead of descending
  bool skip_nonfinite = false;
};

/// Adam with the largest recent |g| + eps in the place of the root of the average square (Kingma and Ba, 2015). State:
/// "exp_avg", "exp_inf".
class Adamax final : public Optimizer {
 public:
  /// Throws Error(value) for settings out of range.
  explicit Adamax(ParameterList parameters, const AdamaxOptions& options = {},
                  SourceLocation where = SourceLocation::current());

 private:
  Tensor update(const Update& u) override;
  std::vector<StateField> state_fields(const Tensor& parameter, double lr) const override;

  AdamaxOptions options_;
};

}  // namespace gradus::optim
