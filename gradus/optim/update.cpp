// What a step does to gradients before the rules see them, and what the rules are written with.
#include "gradus/nn/init.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/reduce.h"
#include "gradus/optim/optimizer.h"

namespace gradus::optim {

Tensor Optimizer::shared_number(std::string_view role, std::size_t group, double value, DType dtype) {
  for (const Number& known : numbers_) {
    if (known.role == role && known.group == group && known.value == value && known.leaf.dtype() == dtype) {
      return known.leaf;
    }
  }
  return numbers_.emplace_back(Number{role, group, value, nn::init::constant({}, value, dtype)}).leaf;
}

Tensor Optimizer::clipped_adaptively(const Tensor& gradient, const Tensor& parameter) {
  const DType dtype = gradient.dtype();
  std::vector<int> axes;  // of one unit
  for (int axis = gradient.shape().rank() > 1 ? 1 : 0; axis < gradient.shape().rank(); ++axis) axes.push_back(axis);
  const auto norm = [&](const Tensor& x) {
    return sqrt(sum(square(x), std::span<const int>(axes), {.keepdim = true}));
  };
  const Tensor own = norm(gradient), least = shared_number("clip_adaptive least", 0, 1e-3, dtype);
  const Tensor most =
      shared_number("clip_adaptive", 0, clip_adaptive_, dtype) * maximum(norm(cast(parameter, dtype)), least);
  return where(less(own, most), gradient,
               gradient * (most / maximum(own, shared_number("clip_adaptive eps", 0, 1e-6, dtype))));
}

/// Turns the gradients when the loss is to grow, and clips them: unit by unit, then by value, then by their common norm.
void Optimizer::prepare(Tensors& gradients) {
  numbers_.clear();
  const bool maximize = setting("maximize") != 0;
  Tensor squares;
  for (std::size_t i = 0; i < gradients.size(); ++i) {
    Tensor& gradient = gradients[i];
    if (!gradient.defined()) continue;
    const DType dtype = gradient.dtype() == DType::bf16 ? DType::f32 : gradient.dtype();
    gradient = cast(maximize ? -gradient : gradient, dtype);
    if (clip_adaptive_ > 0) gradient = clipped_adaptively(gradient, parameters_[i]);
    if (clip_value_ > 0) {
      const Tensor limit = shared_number("clip_value", 0, clip_value_, dtype);
      gradient = clamp(gradient, -limit, limit);
    }
    if (clip_norm_ == 0) continue;
    const Tensor own = sum(square(gradient));
    squares = squares.defined() ? squares + own : own;
  }
  if (!squares.defined()) return;
  // 1e-6 as in PyTorch's clip_grad_norm_.
  const Tensor norm = sqrt(squares) + shared_number("clip_norm eps", 0, 1e-6, squares.dtype());
  const Tensor factor =
      minimum(shared_number("clip_norm", 0, clip_norm_, squares.dtype()) / norm, constant(1, squares.dtype()));
  for (Tensor& gradient : gradients) {
    if (gradient.defined()) gradient = gradient * cast(factor, gradient.dtype());
  }
}

Tensor Optimizer::Update::number(std::string_view role, double value) const {
  return optimizer.shared_number(role, group, value, parameter.dtype());
}

Tensor Optimizer::Update::penalised_gradient() const {
  if (weight_decay == 0) return gradient;
  return gradient + number("weight_decay", weight_decay) * parameter;
}

Tensor Optimizer::Update::decayed_parameter() const {
  if (weight_decay == 0) return parameter;
  return parameter * number("decay", 1 - lr * weight_decay);
}

Tensor Optimizer::Update::average(const Tensor& old, const Tensor& now, std::string_view role, double share) const {
  return old + number(role, share) * (now - old);
}

std::vector<StateField> Optimizer::zeros_like(const Tensor& parameter, std::initializer_list<const char*> names) {
  std::vector<StateField> fields;
  for (const char* name : names) fields.push_back({name, parameter.shape(), parameter.dtype(), 0});
  return fields;
}

}  // namespace gradus::optim
