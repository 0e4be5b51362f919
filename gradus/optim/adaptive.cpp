#include "gradus/optim/adaptive.h"

#include <algorithm>
#include <cmath>

#include "gradus/ops/elementwise.h"
#include "gradus/ops/reduce.h"
#include "gradus/optim/settings.h"

namespace gradus::optim {

RMSprop::RMSprop(ParameterList parameters, const RMSpropOptions& options, SourceLocation where)
    : Optimizer(std::move(parameters), "optim::RMSprop", where), options_(options) {
  start(options.lr, options.skip_nonfinite, settings_of(options_), where);
}

void RMSprop::check(SourceLocation where) const {
  require(options_.alpha <= 1, "alpha", options_.alpha, "in [0, 1]", where);
}

std::vector<StateField> RMSprop::state_fields(const Tensor& parameter, double) const {
  std::vector<StateField> fields = zeros_like(parameter, {"square_avg"});
  if (options_.momentum > 0) fields.push_back(zeros_like(parameter, {"momentum_buffer"})[0]);
  if (options_.centered) fields.push_back(zeros_like(parameter, {"grad_avg"})[0]);
  return fields;
}

Tensor RMSprop::update(const Update& u) {
  const Tensor gradient = u.penalised_gradient();
  const Tensor rest = u.number("1 - alpha", 1 - options_.alpha);
  u.state[0] = u.state[0] * u.number("alpha", options_.alpha) + rest * gradient * gradient;
  Tensor square = u.state[0];
  if (options_.centered) {
    Tensor& mean = u.state.back();
    mean = mean + rest * (gradient - mean);
    square = square - mean * mean;
  }
  Tensor step = gradient / (sqrt(square) + u.number("eps", options_.eps));
  if (options_.momentum > 0) step = u.state[1] = u.state[1] * u.number("momentum", options_.momentum) + step;
  return u.parameter + u.number("step", -u.lr) * step;
}

Adagrad::Adagrad(ParameterList parameters, const AdagradOptions& options, SourceLocation where)
    : Optimizer(std::move(parameters), "optim::Adagrad", where), options_(options) {
  start(options.lr, options.skip_nonfinite, settings_of(options_), where);
}

std::vector<StateField> Adagrad::state_fields(const Tensor& parameter, double) const {
  return {{"sum", parameter.shape(), parameter.dtype(), options_.initial_accumulator_value}};
}

Tensor Adagrad::update(const Update& u) {
  const Tensor gradient = u.penalised_gradient();
  const double rate = u.lr / (1 + static_cast<double>(u.step - 1) * options_.lr_decay);
  u.state[0] = u.state[0] + gradient * gradient;
  return u.parameter + u.number("step", -rate) * gradient / (sqrt(u.state[0]) + u.number("eps", options_.eps));
}

Adadelta::Adadelta(ParameterList parameters, const AdadeltaOptions& options, SourceLocation where)
    : Optimizer(std::move(parameters), "optim::Adadelta", where), options_(options) {
  start(options.lr, options.skip_nonfinite, settings_of(options_), where);
}

void Adadelta::check(SourceLocation where) const {
  require(options_.rho <= 1, "rho", options_.rho, "in [0, 1]", where);
}

std::vector<StateField> Adadelta::state_fields(const Tensor& parameter, double) const {
  return zeros_like(parameter, {"square_avg", "acc_delta"});
}

Tensor Adadelta::update(const Update& u) {
  const Tensor gradient = u.penalised_gradient();
  const Tensor rho = u.number("rho", options_.rho), rest = u.number("1 - rho", 1 - options_.rho);
  const Tensor eps = u.number("eps", options_.eps);
  u.state[0] = u.state[0] * rho + rest * gradient * gradient;
  const Tensor delta = sqrt(u.state[1] + eps) / sqrt(u.state[0] + eps) * gradient;
  u.state[1] = u.state[1] * rho + rest * delta * delta;
  return u.parameter + u.number("step", -u.lr) * delta;
}

Adafactor::Adafactor(ParameterList parameters, const AdafactorOptions& options, SourceLocation where)
    : Optimizer(std::move(parameters), "optim::Adafactor", where), options_(options) {
  start(options.lr, options.skip_nonfinite, settings_of(options_), where);
}

void Adafactor::check(SourceLocation where) const {
  require(options_.beta2_decay <= 0, "beta2_decay", options_.beta2_decay, "<= 0", where);
  require(options_.d >= 1, "d", options_.d, ">= 1", where);
}

std::vector<StateField> Adafactor::state_fields(const Tensor& parameter, double) const {
  if (parameter.rank() < 2) return zeros_like(parameter, {"variance"});
  Shape rows = parameter.shape(), columns = parameter.shape();
  rows.set(parameter.rank() - 1, 1);
  columns.set(parameter.rank() - 2, 1);
  return {{"row_var", rows, parameter.dtype(), 0}, {"col_var", columns, parameter.dtype(), 0}};
}

Tensor Adafactor::update(const Update& u) {
  const auto step = static_cast<double>(u.step);
  const DType dtype = u.parameter.dtype();
  const double own_eps = dtype == DType::f64 ? 0x1p-52 : 0x1p-23;
  const double eps = options_.eps[0] == 0 ? own_eps : options_.eps[0];
  const auto root_mean_square = [](const Tensor& x) { return sqrt(mean(square(x))); };

  const Tensor share = u.number("share", std::pow(step, options_.beta2_decay));
  const Tensor squares = square(u.gradient);
  Tensor estimate;
  if (u.parameter.rank() < 2) {
    estimate = u.state[0] = u.state[0] + share * (squares - u.state[0]);
  } else {
    const Tensor rows = u.state[0] + share * (mean(squares, {-1}, {.keepdim = true}) - u.state[0]);
    const Tensor columns = u.state[1] + share * (mean(squares, {-2}, {.keepdim = true}) - u.state[1]);
    u.state[0] = rows;
    u.state[1] = columns;
    estimate = rows * columns / maximum(mean(rows, {-2}, {.keepdim = true}), u.number("eps", eps));
  }
  const Tensor direction = u.gradient * rsqrt(maximum(estimate, u.number("eps squared", eps * eps)));
  const Tensor excess = maximum(root_mean_square(direction) / u.number("d", options_.d), constant(1, dtype));
  const Tensor size = maximum(root_mean_square(u.parameter), u.number("least size", options_.eps[1]));
  const Tensor rate = u.number("step", -std::min(u.lr, 1 / std::sqrt(step))) * size / excess;
  return u.decayed_parameter() + rate * direction;
}

}  // namespace gradus::optim
