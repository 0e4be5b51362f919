// Stochastic gradient descent, plain and averaged.
#pragma once

#include "gradus/optim/optimizer.h"

namespace gradus::optim {

struct SGDOptions {
  double lr = 1e-3;
  double momentum = 0;
  double dampening = 0;
  double weight_decay = 0;  ///< L2 penalty: adds weight_decay * parameter to the gradient
  bool nesterov = false;    ///< look ahead along the momentum; needs momentum > 0 and no dampening
  bool maximize = false;    ///< climb instead of descending
  bool skip_nonfinite = false;
};

/// g = gradient + weight_decay * p;  b = momentum * b + (1 - dampening) * g (the first time b = g);
/// p = p - lr * b, with Nesterov p - lr * (g + momentum * b). Formulas and defaults are PyTorch's; with momentum its state
/// has "momentum_buffer". Without momentum there is none.
class SGD final : public Optimizer {
 public:
  /// Throws Error(value) for settings out of range.
  explicit SGD(ParameterList parameters, const SGDOptions& options = {},
               SourceLocation where = SourceLocation::current());

 private:
  Tensor update(const Update& u) override;
  std::vector<StateField> state_fields(const Tensor& parameter, double) const override;
  bool counts_steps() const override { return false; }
  void check(SourceLocation where) const override;
  bool may_be_negative(std::string_view setting) const override { return setting == "dampening"; }

  SGDOptions options_;
};

struct ASGDOptions {
  double lr = 1e-2;
  double lambd = 1e-4;  ///< decay of the rate, and of the parameter
  double alpha = 0.75;  ///< power of the decay of the rate
  double t0 = 1e6;      ///< the step at which the averaging starts
  double weight_decay = 0;
  bool maximize = false;
  bool skip_nonfinite = false;
};

/// Averaged gradient descent (Polyak and Juditsky, "Acceleration of stochastic approximation by averaging", 1992): with the
/// rate eta = lr / (1 + lambd lr t)^alpha of the step t before, p = p (1 - lambd eta) - eta g. The average is the state
/// "ax", the parameter itself until step t0; "eta" and "mu" (its next share) are PyTorch's, too.
class ASGD final : public Optimizer {
 public:
  /// Throws Error(value) for settings out of range.
  explicit ASGD(ParameterList parameters, const ASGDOptions& options = {},
                SourceLocation where = SourceLocation::current());

 private:
  Tensor update(const Update& u) override;
  std::vector<StateField> state_fields(const Tensor& parameter, double) const override;

  ASGDOptions options_;
};

}  // namespace gradus::optim
