#include "gradus/optim/sign.h"

#include "gradus/ops/elementwise.h"
#include "gradus/optim/settings.h"

namespace gradus::optim {

Rprop::Rprop(ParameterList parameters, const RpropOptions& options, SourceLocation where)
    : Optimizer(std::move(parameters), "optim::Rprop", where), options_(options) {
  start(options.lr, options.skip_nonfinite, settings_of(options_), where);
}

void Rprop::check(SourceLocation where) const {
  require(options_.etas[0] > 0 && options_.etas[0] < 1, "etas.0", options_.etas[0], "in (0, 1)", where);
  require(options_.etas[1] > 1, "etas.1", options_.etas[1], "> 1", where);
  require(options_.step_sizes[0] <= options_.step_sizes[1], "step_sizes.0", options_.step_sizes[0],
          "at most step_sizes.1", where);
}

std::vector<StateField> Rprop::state_fields(const Tensor& parameter, double lr) const {
  return {{"prev", parameter.shape(), parameter.dtype(), 0}, {"step_size", parameter.shape(), parameter.dtype(), lr}};
}

Tensor Rprop::update(const Update& u) {
  const Tensor zero = constant(0, u.parameter.dtype()), one = constant(1, u.parameter.dtype());
  const Tensor agreement = u.gradient * u.state[0];
  const Tensor turned = less(agreement, zero);
  const Tensor factor = where(turned, u.number("shrink", options_.etas[0]),
                              where(greater(agreement, zero), u.number("grow", options_.etas[1]), one));
  const Tensor size = clamp(u.state[1] * factor, u.number("least", options_.step_sizes[0]),
                            u.number("largest", options_.step_sizes[1]));
  const Tensor gradient = where(turned, zero, u.gradient);
  u.state[0] = gradient;
  u.state[1] = size;
  return u.parameter - sign(gradient) * size;
}

Lion::Lion(ParameterList parameters, const LionOptions& options, SourceLocation where)
    : Optimizer(std::move(parameters), "optim::Lion", where), options_(options) {
  start(options.lr, options.skip_nonfinite, settings_of(options_), where);
}

std::vector<StateField> Lion::state_fields(const Tensor& parameter, double) const {
  return zeros_like(parameter, {"exp_avg"});
}

Tensor Lion::update(const Update& u) {
  const auto [beta1, beta2] = options_.betas;
  const Tensor direction = sign(u.average(u.state[0], u.gradient, "1 - beta1", 1 - beta1));
  u.state[0] = u.average(u.state[0], u.gradient, "1 - beta2", 1 - beta2);
  return u.decayed_parameter() + u.number("step", -u.lr) * direction;
}

}  // namespace gradus::optim
