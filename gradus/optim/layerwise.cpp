#include "gradus/optim/layerwise.h"

#include "gradus/ops/reduce.h"
#include "gradus/optim/moments.h"
#include "gradus/optim/settings.h"

namespace gradus::optim {
namespace {

/// a / b, and 1 where one of the two norms is 0.
Tensor ratio(const Tensor& a, const Tensor& b) {
  const Tensor zero = constant(0, a.dtype()), one = constant(1, a.dtype());
  const Tensor both = logical_and(greater(a, zero), greater(b, zero));
  return where(both, a / where(both, b, one), one);
}

Tensor length(const Tensor& x) { return sqrt(sum(square(x))); }

}  // namespace

LAMB::LAMB(ParameterList parameters, const LAMBOptions& options, SourceLocation where)
    : Optimizer(std::move(parameters), "optim::LAMB", where), options_(options) {
  start(options.lr, options.skip_nonfinite, settings_of(options_), where);
}

std::vector<StateField> LAMB::state_fields(const Tensor& parameter, double) const {
  return zeros_like(parameter, {"exp_avg", "exp_avg_sq"});
}

Tensor LAMB::update(const Update& u) {
  update_moments(u, u.gradient, options_.betas);
  const Tensor mean = u.state[0] / u.number("correction1", seen(options_.betas[0], u.step));
  const Tensor square = u.state[1] / u.number("correction2", seen(options_.betas[1], u.step));
  Tensor r = mean / (sqrt(square) + u.number("eps", options_.eps));
  if (u.weight_decay != 0) r = r + u.number("weight_decay", u.weight_decay) * u.parameter;
  return u.parameter + u.number("step", -u.lr) * ratio(length(u.parameter), length(r)) * r;
}

LARS::LARS(ParameterList parameters, const LARSOptions& options, SourceLocation where)
    : Optimizer(std::move(parameters), "optim::LARS", where), options_(options) {
  start(options.lr, options.skip_nonfinite, settings_of(options_), where);
}

std::vector<StateField> LARS::state_fields(const Tensor& parameter, double) const {
  return zeros_like(parameter, {"momentum_buffer"});
}

Tensor LARS::update(const Update& u) {
  const Tensor size = length(u.parameter), slope = length(u.gradient);
  const Tensor decay = u.number("weight_decay", u.weight_decay);
  const Tensor zero = constant(0, size.dtype()), one = constant(1, size.dtype());
  const Tensor both = logical_and(greater(size, zero), greater(slope, zero));
  const Tensor trusted = u.number("trust", options_.trust_coefficient) * size / where(both, slope + decay * size, one);
  const Tensor rate = u.number("step", u.lr) * where(both, trusted, one);
  u.state[0] = u.state[0] * u.number("momentum", options_.momentum) + rate * u.penalised_gradient();
  return u.parameter - u.state[0];
}

}  // namespace gradus::optim
