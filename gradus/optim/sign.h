// Optimizers that step by signs alone.
#pragma once

#include <array>

#include "gradus/optim/optimizer.h"

namespace gradus::optim {

struct RpropOptions {
  double lr = 1e-2;                            ///< the first size of the steps
  std::array<double, 2> etas{0.5, 1.2};        ///< factors of the size when the sign changes, and when it stays
  std::array<double, 2> step_sizes{1e-6, 50};  ///< least and largest size
  bool maximize = false;                       ///< climb instead of descending
  bool skip_nonfinite = false;
};

/// Each element has a step size of its own, which grows while the sign of its gradient stays and shrinks when it changes; then
/// it does not move (Riedmiller and Braun, 1993). For full batches. State: "prev", "step_size".
class Rprop final : public Optimizer {
 public:
  /// Throws Error(value) for settings out of range.
  explicit Rprop(ParameterList parameters, const RpropOptions& options = {},
                 SourceLocation where = SourceLocation::current());

 private:
  Tensor update(const Update& u) override;
  std::vector<StateField> state_fields(const Tensor& parameter, double lr) const override;
  void check(SourceLocation where) const override;

  RpropOptions options_;
};

struct LionOptions {
  double lr = 1e-4;
  std::array<double, 2> betas{0.9, 0.99};  ///< share of the average in the sign, and decay of the average
  double weight_decay = 0;                 ///< decoupled
  bool maximize = false;                   ///< climb instead of descending
  bool skip_nonfinite = false;
};

/// p = p (1 - lr weight_decay) - lr sign(beta1 m + (1 - beta1) g);  m = beta2 m + (1 - beta2) g (Chen et al., "Symbolic discovery
/// of optimization algorithms", 2023). State: "exp_avg".
class Lion final : public Optimizer {
 public:
  /// Throws Error(value) for settings out of range.
  explicit Lion(ParameterList parameters, const LionOptions& options = {},
                SourceLocation where = SourceLocation::current());

 private:
  Tensor update(const Update& u) override;
  std::vector<StateField> state_fields(const Tensor& parameter, double lr) const override;
  bool counts_steps() const override { return false; }

  LionOptions options_;
};

}  // namespace gradus::optim
