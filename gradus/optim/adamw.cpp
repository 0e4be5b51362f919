#include "gradus/optim/adamw.h"

#include <cmath>

#include "gradus/ops/elementwise.h"

namespace gradus::optim {

AdamW::AdamW(ParameterList parameters, const AdamWOptions& options, SourceLocation where)
    : Optimizer(std::move(parameters), options.lr, "optim::AdamW", where), options_(options) {
  check(options, where);
  set_skip_nonfinite(options.skip_nonfinite);
}

void AdamW::check(const AdamWOptions& o, SourceLocation where) const {
  for (const double beta : o.betas) require(beta >= 0 && beta < 1, "one of betas", beta, "in [0, 1)", where);
  require(o.eps >= 0, "eps", o.eps, ">= 0", where);
  require(o.weight_decay >= 0, "weight_decay", o.weight_decay, ">= 0", where);
}

Tensor AdamW::update(const Tensor& parameter, const Tensor& gradient, std::span<Tensor> state, std::int64_t step) {
  const auto n = [&](const char* role, double value) { return number(role, value, parameter.dtype()); };
  const auto [beta1, beta2] = options_.betas;
  Tensor p = parameter;
  if (options_.weight_decay != 0) p = p * n("decay", 1 - lr_ * options_.weight_decay);

  const Tensor mean = state[0] + n("1 - beta1", 1 - beta1) * (gradient - state[0]);
  const Tensor mean_square = state[1] * n("beta2", beta2) + n("1 - beta2", 1 - beta2) * gradient * gradient;
  state[0] = mean;
  state[1] = mean_square;

  const double correction1 = 1 - std::pow(beta1, static_cast<double>(step));
  const double correction2 = 1 - std::pow(beta2, static_cast<double>(step));
  const Tensor denominator = sqrt(mean_square) / n("correction2", std::sqrt(correction2)) + n("eps", options_.eps);
  return p + n("step", -lr_ / correction1) * mean / denominator;
}

std::vector<std::pair<std::string, double>> AdamW::settings() const {
  return {{"betas.0", options_.betas[0]},
          {"betas.1", options_.betas[1]},
          {"eps", options_.eps},
          {"weight_decay", options_.weight_decay}};
}

void AdamW::set_settings(std::span<const double> values, SourceLocation where) {
  AdamWOptions options = options_;
  options.betas = {values[0], values[1]};
  options.eps = values[2];
  options.weight_decay = values[3];
  check(options, where);
  options_ = options;
}

}  // namespace gradus::optim
