#include "gradus/optim/sgd.h"

#include "gradus/ops/elementwise.h"

namespace gradus::optim {

SGD::SGD(ParameterList parameters, const SGDOptions& options, SourceLocation where)
    : Optimizer(std::move(parameters), options.lr, "optim::SGD", where), options_(options) {
  check(options, where);
  set_skip_nonfinite(options.skip_nonfinite);
}

void SGD::check(const SGDOptions& o, SourceLocation where) const {
  require(o.momentum >= 0, "momentum", o.momentum, ">= 0", where);
  require(o.weight_decay >= 0, "weight_decay", o.weight_decay, ">= 0", where);
  require(o.dampening == o.dampening, "dampening", o.dampening, "a number", where);
  if (!o.nesterov) return;
  require(o.momentum > 0, "momentum", o.momentum, "> 0 with nesterov", where);
  require(o.dampening == 0, "dampening", o.dampening, "0 with nesterov", where);
}

Tensor SGD::update(const Tensor& parameter, const Tensor& gradient, std::span<Tensor> state, std::int64_t step) {
  const auto n = [&](const char* role, double value) { return number(role, value, parameter.dtype()); };
  Tensor g = gradient;
  if (options_.weight_decay != 0) g = g + n("weight_decay", options_.weight_decay) * parameter;
  if (options_.momentum != 0) {
    // The first buffer is the gradient itself: 0 * momentum + 1 * g has the structure of all later steps.
    const double share = step == 1 ? 1 : 1 - options_.dampening;
    const Tensor buffer = state[0] * n("momentum", options_.momentum) + n("share", share) * g;
    state[0] = buffer;
    g = options_.nesterov ? g + n("momentum", options_.momentum) * buffer : buffer;
  }
  return parameter + n("step", -lr_) * g;
}

std::vector<std::string> SGD::state_names() const {
  if (options_.momentum == 0) return {};
  return {"momentum_buffer"};
}

std::vector<std::pair<std::string, double>> SGD::settings() const {
  return {{"momentum", options_.momentum},
          {"dampening", options_.dampening},
          {"weight_decay", options_.weight_decay},
          {"nesterov", options_.nesterov ? 1 : 0}};
}

void SGD::set_settings(std::span<const double> values, SourceLocation where) {
  SGDOptions options = options_;
  options.momentum = values[0];
  options.dampening = values[1];
  options.weight_decay = values[2];
  options.nesterov = values[3] != 0;
  check(options, where);
  options_ = options;
}

}  // namespace gradus::optim
