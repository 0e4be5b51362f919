// What the family of Adam shares: running averages of the gradient and of its square, in state[0] and state[1].
#pragma once

#include <array>
#include <cmath>

#include "gradus/ops/elementwise.h"
#include "gradus/optim/optimizer.h"

namespace gradus::optim {

/// 1 - beta^step: what an average that began with 0 has seen.
inline double seen(double beta, std::int64_t step) { return 1 - std::pow(beta, static_cast<double>(step)); }

/// beta2 * old + (1 - beta2) gradient^2.
inline Tensor average_of_squares(const Optimizer::Update& u, const Tensor& old, const Tensor& gradient, double beta2) {
  return old * u.number("beta2", beta2) + u.number("1 - beta2", 1 - beta2) * gradient * gradient;
}

/// Takes the gradient into both averages.
inline void update_moments(const Optimizer::Update& u, const Tensor& gradient, const std::array<double, 2>& betas) {
  u.state[0] = u.average(u.state[0], gradient, "1 - beta1", 1 - betas[0]);
  u.state[1] = average_of_squares(u, u.state[1], gradient, betas[1]);
}

/// The step of Adam from `p`; `options` has betas, eps and amsgrad.
template <class Options>
Tensor adam_step(const Optimizer::Update& u, const Tensor& p, const Tensor& gradient, const Options& options) {
  update_moments(u, gradient, options.betas);
  Tensor square = u.state[1];
  if (options.amsgrad) square = u.state[2] = maximum(u.state[2], square);
  const Tensor root = sqrt(square) / u.number("correction2", std::sqrt(seen(options.betas[1], u.step)));
  return p +
         u.number("step", -u.lr / seen(options.betas[0], u.step)) * u.state[0] / (root + u.number("eps", options.eps));
}

}  // namespace gradus::optim
