// Sharpness-aware minimisation around any optimizer.
#pragma once

#include <concepts>
#include <functional>

#include "gradus/optim/optimizer.h"

namespace gradus::optim {

struct SAMOptions {
  double rho = 0.05;      ///< length of the step towards the steepest ascent
  bool adaptive = false;  ///< measure it relative to the size of each parameter (Kwon et al., "ASAM", 2021)
};

/// Trains with the gradient at the worst point nearby: p + rho g / |g|, where |g| is the norm of all gradients together. Foret
/// et al., "Sharpness-aware minimization", 2021. The two gradients and the base optimizer's update are one plan.
///
///   optim::SGD base(model, {.lr = 0.1, .momentum = 0.9});
///   optim::SAM optimizer(base);
///   Tensor loss = optimizer.minimize([&] { return cross_entropy(model(images), labels); });
///
/// The optimizer underneath must outlive it. Running statistics of the model see the batch twice.
class SAM {
 public:
  /// Throws Error(value) unless rho is finite and >= 0.
  explicit SAM(Optimizer& base, const SAMOptions& options = {}, SourceLocation where = SourceLocation::current());

  /// One step. `loss` computes the scalar loss from the parameters as they are and is called twice; it must not evaluate what
  /// it returns. Returns its first value, at the parameters before the step, evaluated. A gradient of zero leaves the first
  /// point where it is. When an Error is thrown, the parameters are those of before. Throws as Optimizer::minimize().
  template <std::invocable Function>
  requires std::convertible_to<std::invoke_result_t<Function&>, Tensor> Tensor
  minimize(Function&& loss, SourceLocation where = SourceLocation::current()) {
    return take_step([&]() -> Tensor { return std::invoke(loss); }, where);
  }

 private:
  Tensor take_step(const std::function<Tensor()>& loss, SourceLocation where);

  Optimizer& base_;
  SAMOptions options_;
};

}  // namespace gradus::optim
