#include "gradus/optim/adam.h"

#include "gradus/optim/moments.h"
#include "gradus/optim/settings.h"

namespace gradus::optim {

Adam::Adam(ParameterList parameters, const AdamOptions& options, SourceLocation where)
    : Optimizer(std::move(parameters), "optim::Adam", where), options_(options) {
  std::vector<Setting> settings = settings_of(options_);
  settings.push_back(fixed_setting("decoupled_weight_decay", false, "0: optim::AdamW is an optimizer of its own"));
  start(options.lr, options.skip_nonfinite, std::move(settings), where);
}

std::vector<StateField> Adam::state_fields(const Tensor& parameter, double) const {
  if (options_.amsgrad) return zeros_like(parameter, {"exp_avg", "exp_avg_sq", "max_exp_avg_sq"});
  return zeros_like(parameter, {"exp_avg", "exp_avg_sq"});
}

Tensor Adam::update(const Update& u) { return adam_step(u, u.parameter, u.penalised_gradient(), options_); }

NAdam::NAdam(ParameterList parameters, const NAdamOptions& options, SourceLocation where)
    : Optimizer(std::move(parameters), "optim::NAdam", where), options_(options) {
  start(options.lr, options.skip_nonfinite, settings_of(options_), where);
}

std::vector<StateField> NAdam::state_fields(const Tensor& parameter, double) const {
  std::vector<StateField> fields = zeros_like(parameter, {"exp_avg", "exp_avg_sq"});
  fields.push_back({"mu_product", {}, DType::f32, 1});
  return fields;
}

Tensor NAdam::update(const Update& u) {
  const auto momentum = [&](std::int64_t step) {
    return options_.betas[0] * (1 - 0.5 * std::pow(0.96, static_cast<double>(step) * options_.momentum_decay));
  };
  const double mu = momentum(u.step), mu_next = momentum(u.step + 1);
  const Tensor gradient = options_.decoupled_weight_decay ? u.gradient : u.penalised_gradient();
  const Tensor p = options_.decoupled_weight_decay ? u.decayed_parameter() : u.parameter;
  update_moments(u, gradient, options_.betas);
  const DType dtype = p.dtype();
  u.state[2] = u.state[2] * cast(u.number("mu", mu), DType::f32);
  const Tensor product = cast(u.state[2], dtype);
  const Tensor one = constant(1, dtype);
  const Tensor now = u.number("now", -u.lr * (1 - mu)) / (one - product);
  const Tensor next = u.number("next", -u.lr * mu_next) / (one - product * u.number("mu next", mu_next));
  const Tensor root = sqrt(u.state[1] / u.number("correction2", seen(options_.betas[1], u.step)));
  return p + (now * gradient + next * u.state[0]) / (root + u.number("eps", options_.eps));
}

RAdam::RAdam(ParameterList parameters, const RAdamOptions& options, SourceLocation where)
    : Optimizer(std::move(parameters), "optim::RAdam", where), options_(options) {
  start(options.lr, options.skip_nonfinite, settings_of(options_), where);
}

std::vector<StateField> RAdam::state_fields(const Tensor& parameter, double) const {
  return zeros_like(parameter, {"exp_avg", "exp_avg_sq"});
}

Tensor RAdam::update(const Update& u) {
  const Tensor gradient = options_.decoupled_weight_decay ? u.gradient : u.penalised_gradient();
  const Tensor p = options_.decoupled_weight_decay ? u.decayed_parameter() : u.parameter;
  update_moments(u, gradient, options_.betas);

  const auto step = static_cast<double>(u.step);
  const double beta2 = options_.betas[1], seen2 = seen(beta2, u.step);
  const double longest = 2 / (1 - beta2) - 1;
  const double length = longest - 2 * step * std::pow(beta2, step) / seen2;  // of the average of squares
  double rectified = 0;  // 0: the average is too short to divide by it
  if (length > 5) {
    rectified = std::sqrt((length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length) * seen2);
  }
  const Tensor ratio = u.number("rectified", rectified);
  const Tensor scale = where(greater(ratio, constant(0, ratio.dtype())),
                             ratio / (sqrt(u.state[1]) + u.number("eps", options_.eps)), constant(1, ratio.dtype()));
  return p + u.number("step", -u.lr / seen(options_.betas[0], u.step)) * u.state[0] * scale;
}

Adamax::Adamax(ParameterList parameters, const AdamaxOptions& options, SourceLocation where)
    : Optimizer(std::move(parameters), "optim::Adamax", where), options_(options) {
  start(options.lr, options.skip_nonfinite, settings_of(options_), where);
}

std::vector<StateField> Adamax::state_fields(const Tensor& parameter, double) const {
  return zeros_like(parameter, {"exp_avg", "exp_inf"});
}

Tensor Adamax::update(const Update& u) {
  const Tensor gradient = u.penalised_gradient();
  u.state[0] = u.average(u.state[0], gradient, "1 - beta1", 1 - options_.betas[0]);
  u.state[1] =
      maximum(u.state[1] * u.number("beta2", options_.betas[1]), abs(gradient) + u.number("eps", options_.eps));
  return u.parameter + u.number("step", -u.lr / seen(options_.betas[0], u.step)) * u.state[0] / u.state[1];
}

}  // namespace gradus::optim
