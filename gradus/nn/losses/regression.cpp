#include "gradus/nn/losses/regression.h"

#include <fmt/format.h>

#include <cmath>
#include <numbers>

#include "gradus/nn/losses/support.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/view.h"

namespace gradus {
namespace {

using detail::AtLine;

/// input - target of two floating tensors of one shape; bf16 as f32.
Tensor difference(const char* op, const TensorArg& input_arg, const TensorArg& target_arg) {
  const AtLine at{input_arg.where()};
  const Tensor& input = detail::required(op, "input", input_arg);
  const Tensor& target = detail::required(op, "target", target_arg);
  detail::require_same_shapes(op, {{"input", input}, {"target", target}}, at.where);
  return at(detail::widened(input, at.where)) - at(detail::widened(target, at.where));
}

void check_positive_variance(const Tensor& var, SourceLocation where) {
  if (!var.evaluated() || var.dtype() != DType::f32) return;
  for (const float v : var.data<float>()) {
    if (v < 0) {
      throw Error(ErrorKind::value, "gaussian_nll_loss", fmt::format("a variance is {}", v))
          .at(where)
          .operand("var", var.spec())
          .hint("let the network give log(var), and take exp() of it");
    }
  }
}

}  // namespace

Tensor mse_loss(const TensorArg& input, const TensorArg& target, const MseLossOptions& options) {
  const AtLine at{input.where()};
  return detail::reduced("mse_loss", square(at(difference("mse_loss", input, target))), options.reduction, at.where);
}

Tensor l1_loss(const TensorArg& input, const TensorArg& target, const LossOptions& options) {
  const AtLine at{input.where()};
  return detail::reduced("l1_loss", abs(at(difference("l1_loss", input, target))), options.reduction, at.where);
}

Tensor huber_loss(const TensorArg& input, const TensorArg& target, const HuberLossOptions& options) {
  const AtLine at{input.where()};
  const double delta = options.delta;
  detail::require_value(delta > 0, "huber_loss", "delta", delta, "positive", at.where);
  const Tensor d = difference("huber_loss", input, target);
  const Tensor size = abs(at(d));
  const Tensor parabola = at(square(at(d))) * at(0.5), line = at(at(size) - at(delta / 2)) * at(delta);
  return detail::reduced("huber_loss", where(at(less(at(size), at(delta))), at(parabola), at(line)), options.reduction,
                         at.where);
}

Tensor smooth_l1_loss(const TensorArg& input, const TensorArg& target, const SmoothL1LossOptions& options) {
  const AtLine at{input.where()};
  const double beta = options.beta;
  detail::require_value(beta >= 0, "smooth_l1_loss", "beta", beta, ">= 0", at.where);
  const Tensor d = difference("smooth_l1_loss", input, target);
  const Tensor size = abs(at(d));
  if (beta == 0) return detail::reduced("smooth_l1_loss", size, options.reduction, at.where);
  const Tensor parabola = at(square(at(d))) * at(0.5 / beta), line = at(size) - at(beta / 2);
  return detail::reduced("smooth_l1_loss", where(at(less(at(size), at(beta))), at(parabola), at(line)),
                         options.reduction, at.where);
}

Tensor poisson_nll_loss(const TensorArg& input_arg, const TensorArg& target_arg, const PoissonNllLossOptions& options) {
  constexpr const char* op = "poisson_nll_loss";
  const AtLine at{input_arg.where()};
  const Tensor& given = detail::required(op, "input", input_arg);
  const Tensor& wanted = detail::required(op, "target", target_arg);
  detail::require_same_shapes(op, {{"input", given}, {"target", wanted}}, at.where);
  const Tensor input = detail::widened(given, at.where), target = detail::widened(wanted, at.where);
  Tensor losses = options.log_input ? at(exp(at(input))) - at(at(target) * at(input))
                                    : at(input) - at(at(target) * at(log(at(at(input) + at(options.eps)))));
  if (options.full) {
    const Tensor counts = greater(at(target), at(1.0));
    const Tensor safe = where(at(counts), at(target), at(1.0));
    const Tensor stirling = at(at(at(safe) * at(log(at(safe)))) - at(safe)) +
                            at(at(log(at(at(safe) * at(2 * std::numbers::pi)))) * at(0.5));
    losses = at(losses) + at(where(at(counts), at(stirling), at(0.0)));
  }
  return detail::reduced(op, losses, options.reduction, at.where);
}

Tensor gaussian_nll_loss(const TensorArg& input_arg, const TensorArg& target_arg, const TensorArg& var_arg,
                         const GaussianNllLossOptions& options) {
  constexpr const char* op = "gaussian_nll_loss";
  const AtLine at{input_arg.where()};
  const Tensor& input = detail::required_floating(op, "input", input_arg);
  Tensor var = detail::required_floating(op, "var", var_arg);
  const Tensor d = difference(op, input_arg, target_arg);
  detail::require_value(options.eps > 0, op, "eps", options.eps, "positive", at.where);
  Shape shorter = input.shape(), single = input.shape();
  if (input.rank() > 0) {
    shorter.erase(input.rank() - 1);
    single.set(input.rank() - 1, 1);
  }
  if (var.shape() != input.shape() && var.shape() != shorter && var.shape() != single) {
    throw Error(ErrorKind::shape, op)
        .at(at.where)
        .operand("input", input.spec())
        .operand("var", var.spec(),
                 fmt::format("expected {}, {} or {}", input.shape().str(), shorter.str(), single.str()));
  }
  check_positive_variance(var, at.where);
  var = reshape(at(detail::widened(var, at.where)),
                var.shape() == shorter && shorter != input.shape() ? single : var.shape());
  const Tensor bounded = maximum(at(var), at(options.eps));
  const Tensor safe = at(var) + at(stop_gradient(at(at(bounded) - at(var))));
  Tensor losses = at(at(log(at(safe))) + at(at(square(at(d))) / at(safe))) * at(0.5);
  if (options.full) losses = at(losses) + at(0.5 * std::log(2 * std::numbers::pi));
  return detail::reduced(op, losses, options.reduction, at.where);
}

}  // namespace gradus
