#include "gradus/train/record/sharpness.h"

#include <cmath>
#include <limits>
#include <vector>

#include "gradus/engine/eval.h"
#include "gradus/nn/gradients.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/factory.h"
#include "gradus/ops/reduce.h"

namespace gradus::train {
namespace {

using Loss = std::function<Tensor(models::AnyModel&)>;

/// One tensor for each field of a model; undefined where nothing is trained.
using Direction = Tensors;

Direction random_direction(models::AnyModel& model, Key key) {
  Direction direction;
  std::uint64_t number = 0;
  for (const nn::FieldRef& field : nn::all_fields(model)) {
    const bool trained = field.parameter && field.parameter->defined() && field.parameter->trainable();
    Tensor& entry = direction.emplace_back();
    if (!trained) continue;
    std::vector<float> elements(static_cast<std::size_t>(field.tensor().numel()));
    fill_normal(elements, key.fold(number++), 0, 1);
    entry = cast(leaf<float>(field.tensor().shape(), std::span<const float>(elements)), field.tensor().dtype());
  }
  eval(direction);
  return direction;
}

Tensor dot(const Direction& a, const Direction& b) {
  Tensor total;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!a[i].defined() || !b[i].defined()) continue;
    const Tensor product = sum(cast(a[i], DType::f32) * cast(b[i], DType::f32));
    total = total.defined() ? total + product : product;
  }
  return total.defined() ? total : tensor(0.f);
}

Direction scaled(const Direction& a, const Tensor& factor) {
  Direction result;
  for (const Tensor& x : a) result.push_back(x.defined() ? x * cast(factor, x.dtype()) : Tensor());
  return result;
}

/// (Hessian - shift) times `v`, recorded.
Direction product(models::AnyModel& model, const Loss& loss, const Direction& v, const Tensor& shift) {
  models::AnyModel vector = model;
  const std::vector<nn::FieldRef> fields = nn::all_fields(vector);
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].parameter) fields[i].parameter->hold(v[i]);
  }
  const models::AnyModel curved = hessian_vector_product(loss(model), model, vector);
  Direction result;
  for (const nn::FieldRef& field : nn::all_fields(curved)) {
    const std::size_t i = result.size();
    const Tensor own = field.parameter && v[i].defined() ? v[i] * cast(-shift, v[i].dtype()) : Tensor();
    const bool given = own.defined() && field.parameter->defined();
    result.push_back(given ? field.tensor() + own : own);
  }
  return result;
}

/// The eigenvalue of Hessian - shift with the largest absolute value.
Sharpness dominant(models::AnyModel& model, const Loss& loss, double shift, const SharpnessOptions& options) {
  Sharpness result;
  Direction v = random_direction(model, options.key);
  const Tensor shift_leaf = tensor(static_cast<float>(shift));
  v = scaled(v, rsqrt(dot(v, v)));
  eval(v);
  while (result.iterations < options.max_iterations && !result.converged) {
    Tensor quotient, norm;
    Direction next;
    {
      const Direction p = product(model, loss, v, shift_leaf);
      quotient = dot(v, p);
      norm = sqrt(dot(p, p));
      next = scaled(p, reciprocal(maximum(norm, 1e-30f)));
    }
    Tensors all = next;
    all.push_back(quotient);
    all.push_back(norm);
    eval(all);
    const double before = result.eigenvalue;
    result.eigenvalue = quotient.item<double>();
    ++result.iterations;
    if (!std::isfinite(norm.item<double>())) {
      result.eigenvalue = std::numeric_limits<double>::quiet_NaN();
      return result;
    }
    const double size = std::abs(result.eigenvalue);
    result.converged = norm.item<double>() == 0 ||
                       (result.iterations > 1 && std::abs(result.eigenvalue - before) <= options.tolerance * size);
    v = std::move(next);
  }
  return result;
}

}  // namespace

Sharpness sharpness(models::AnyModel& model, const Loss& loss, const SharpnessOptions& options) {
  const Sharpness first = dominant(model, loss, 0, options);
  if (!(first.eigenvalue < 0)) return first;
  // The most negative one dominates: moved up by it, the largest does.
  Sharpness second = dominant(model, loss, first.eigenvalue, options);
  second.eigenvalue += first.eigenvalue;
  second.iterations += first.iterations;
  return second;
}

}  // namespace gradus::train
