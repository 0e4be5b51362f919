// Stochastic gradient descent.
#pragma once

#include "gradus/optim/optimizer.h"

namespace gradus::optim {

struct SGDOptions {
  double lr = 1e-3;
  double momentum = 0;
  double dampening = 0;
  double weight_decay = 0;  ///< L2 penalty: adds weight_decay * parameter to the gradient
  bool nesterov = false;    ///< look ahead along the momentum; needs momentum > 0 and no dampening
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
  Tensor update(const Tensor& parameter, const Tensor& gradient, std::span<Tensor> state, std::int64_t step) override;
  std::vector<std::string> state_names() const override;
  bool counts_steps() const override { return false; }
  std::vector<std::pair<std::string, double>> settings() const override;
  void set_settings(std::span<const double> values, SourceLocation where) override;
  void check(const SGDOptions& options, SourceLocation where) const;

  SGDOptions options_;
};

}  // namespace gradus::optim
