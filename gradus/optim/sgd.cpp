#include "gradus/optim/sgd.h"

#include <algorithm>
#include <cmath>

#include "gradus/ops/elementwise.h"
#include "gradus/optim/settings.h"

namespace gradus::optim {

SGD::SGD(ParameterList parameters, const SGDOptions& options, SourceLocation where)
    : Optimizer(std::move(parameters), "optim::SGD", where), options_(options) {
  start(options.lr, options.skip_nonfinite, settings_of(options_), where);
}

void SGD::check(SourceLocation where) const {
  if (!options_.nesterov) return;
  require(options_.momentum > 0, "momentum", options_.momentum, "> 0 with nesterov", where);
  require(options_.dampening == 0, "dampening", options_.dampening, "0 with nesterov", where);
}

std::vector<StateField> SGD::state_fields(const Tensor& parameter, double) const {
  if (options_.momentum == 0) return {};
  return zeros_like(parameter, {"momentum_buffer"});
}

Tensor SGD::update(const Update& u) {
  Tensor g = u.penalised_gradient();
  if (options_.momentum != 0) {
    // The first buffer is the gradient itself: 0 * momentum + 1 * g has the structure of all later steps.
    const double share = u.step == 1 ? 1 : 1 - options_.dampening;
    const Tensor momentum = u.number("momentum", options_.momentum);
    const Tensor buffer = u.state[0] * momentum + u.number("share", share) * g;
    u.state[0] = buffer;
    g = options_.nesterov ? g + momentum * buffer : buffer;
  }
  return u.parameter + u.number("step", -u.lr) * g;
}

ASGD::ASGD(ParameterList parameters, const ASGDOptions& options, SourceLocation where)
    : Optimizer(std::move(parameters), "optim::ASGD", where), options_(options) {
  start(options.lr, options.skip_nonfinite, settings_of(options_), where);
}

std::vector<StateField> ASGD::state_fields(const Tensor& parameter, double lr) const {
  return {{"eta", {}, DType::f32, lr}, {"mu", {}, DType::f32, 1}, zeros_like(parameter, {"ax"})[0]};
}

Tensor ASGD::update(const Update& u) {
  const auto step = static_cast<double>(u.step);
  const Tensor eta = cast(u.state[0], u.parameter.dtype());
  const Tensor p = u.parameter * (constant(1, u.parameter.dtype()) - u.number("lambd", options_.lambd) * eta) -
                   eta * u.penalised_gradient();
  const Tensor ax = u.state[2] + cast(u.state[1], p.dtype()) * (p - u.state[2]);
  // As computed tensors: the state of each parameter is its own from the first step on.
  const Tensor rate =
      u.number("lr", u.lr) / u.number("slowing", std::pow(1 + options_.lambd * u.lr * step, options_.alpha));
  u.state[0] = cast(rate, DType::f32);
  u.state[1] = cast(reciprocal(u.number("averaged", std::max(1.0, step - options_.t0))), DType::f32);
  u.state[2] = ax;
  return p;
}

}  // namespace gradus::optim
