// Adam with decoupled weight decay.
#pragma once

#include <array>

#include "gradus/optim/optimizer.h"

namespace gradus::optim {

struct AdamWOptions {
  double lr = 1e-3;
  std::array<double, 2> betas{0.9, 0.999};  ///< decay of the averages of gradients and of their squares, in [0, 1)
  double eps = 1e-8;
  double weight_decay = 0.01;
  bool amsgrad = false;   ///< divide by the largest average of squares so far (Reddi et al., 2018)
  bool maximize = false;  ///< climb instead of descending
  bool skip_nonfinite = false;
};

/// p = p (1 - lr weight_decay) - lr m' / (sqrt(v') + eps), where m' and v' are the bias-corrected averages of the gradient
/// and of its square (Loshchilov and Hutter, "Decoupled weight decay regularization", 2019). Formulas, defaults and state
/// ("step", "exp_avg", "exp_avg_sq", with amsgrad "max_exp_avg_sq") are PyTorch's.
///   optim::AdamW optimizer(model, {.lr = 3e-4, .betas = {0.9, 0.95}});
class AdamW final : public Optimizer {
 public:
  /// Throws Error(value) for settings out of range.
  explicit AdamW(ParameterList parameters, const AdamWOptions& options = {},
                 SourceLocation where = SourceLocation::current());

 private:
  Tensor update(const Update& u) override;
  std::vector<StateField> state_fields(const Tensor& parameter, double) const override;

  AdamWOptions options_;
};

}  // namespace gradus::optim
