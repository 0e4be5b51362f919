#include "gradus/optim/schedule_free.h"

#include <algorithm>
#include <cmath>

#include "gradus/optim/moments.h"
#include "gradus/optim/settings.h"

namespace gradus::optim {
namespace {

/// z and the sums of the weights: state[0] to state[2].
std::vector<StateField> schedule_free_fields(const Tensor& parameter) {
  return {{"z", parameter.shape(), parameter.dtype(), 0, true},
          {"weight_sum", {}, DType::f64, 0},
          {"lr_max", {}, DType::f64, 0}};
}

/// Moves z along `direction`, and returns y after the step. x needs no storage: from the three lines of the header,
/// y' = y + c (z - y) + lr (beta (1 - c) - 1) d.
template <class Options>
Tensor schedule_free_step(const Optimizer::Update& u, const Tensor& direction, double beta, const Options& options) {
  const auto step = static_cast<double>(u.step);
  const auto exact = [&](std::string_view role, double value) { return cast(u.number(role, value), DType::f64); };
  const double warm = options.warmup_steps > 0 ? std::min(1.0, step / static_cast<double>(options.warmup_steps)) : 1;
  const Tensor lr = exact("lr", u.lr * warm);
  const Tensor largest = maximum(u.state[2], lr);
  const Tensor weight =
      exact("step^r", std::pow(step, options.r)) * pow(largest, exact("power", options.weight_lr_power));
  const Tensor sum = u.state[1] + weight, zero = constant(0, DType::f64), one = constant(1, DType::f64);
  const Tensor share = where(greater(sum, zero), weight / where(greater(sum, zero), sum, one), zero);
  const Tensor factor = lr * (exact("beta", beta) * (one - share) - one);
  u.state[1] = sum;
  u.state[2] = largest;

  const Tensor z = u.state[0];
  u.state[0] = z - cast(lr, z.dtype()) * direction;
  return u.parameter + cast(share, z.dtype()) * (z - u.parameter) + cast(factor, z.dtype()) * direction;
}

/// x from y and z.
Tensor average_of(const Optimizer::Update& u, double beta) {
  return u.average(u.parameter, u.state[0], "1 - 1 / beta", 1 - 1 / beta);
}

}  // namespace

SGDScheduleFree::SGDScheduleFree(ParameterList parameters, const SGDScheduleFreeOptions& options, SourceLocation where)
    : Optimizer(std::move(parameters), "optim::SGDScheduleFree", where), options_(options) {
  start(options.lr, options.skip_nonfinite, settings_of(options_), where);
}

void SGDScheduleFree::check(SourceLocation where) const {
  const double beta = options_.momentum;
  require(beta > 0 && beta < 1, "momentum", beta, "in (0, 1)", where);
}

std::vector<StateField> SGDScheduleFree::state_fields(const Tensor& parameter, double) const {
  return schedule_free_fields(parameter);
}

Tensor SGDScheduleFree::update(const Update& u) {
  return schedule_free_step(u, u.penalised_gradient(), options_.momentum, options_);
}

Tensor SGDScheduleFree::evaluation_weights(const Update& u) const { return average_of(u, options_.momentum); }

AdamWScheduleFree::AdamWScheduleFree(ParameterList parameters, const AdamWScheduleFreeOptions& options,
                                     SourceLocation where)
    : Optimizer(std::move(parameters), "optim::AdamWScheduleFree", where), options_(options) {
  start(options.lr, options.skip_nonfinite, settings_of(options_), where);
}

void AdamWScheduleFree::check(SourceLocation where) const {
  require(options_.betas[0] > 0, "betas.0", options_.betas[0], "in (0, 1)", where);
}

std::vector<StateField> AdamWScheduleFree::state_fields(const Tensor& parameter, double) const {
  std::vector<StateField> fields = schedule_free_fields(parameter);
  fields.push_back(zeros_like(parameter, {"exp_avg_sq"})[0]);
  return fields;
}

Tensor AdamWScheduleFree::update(const Update& u) {
  u.state[3] = average_of_squares(u, u.state[3], u.gradient, options_.betas[1]);
  const Tensor root = sqrt(u.state[3] / u.number("correction2", seen(options_.betas[1], u.step)));
  Tensor direction = u.gradient / (root + u.number("eps", options_.eps));
  if (u.weight_decay != 0) direction = direction + u.number("weight_decay", u.weight_decay) * u.parameter;
  return schedule_free_step(u, direction, options_.betas[0], options_);
}

Tensor AdamWScheduleFree::evaluation_weights(const Update& u) const { return average_of(u, options_.betas[0]); }

}  // namespace gradus::optim
