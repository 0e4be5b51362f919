// Gradients of whole models.
//
//   LeNet5 g = gradients(loss, model);                 // a LeNet5 whose parameters hold gradients
//   auto size = sum(square(g.fc1.weight));             // recorded, not evaluated: can be differentiated again
#pragma once

#include <concepts>
#include <functional>
#include <span>
#include <utility>

#include "gradus/nn/fields.h"

namespace gradus {

namespace nn::detail {
void set_gradients(const Tensor& loss, std::span<const FieldRef> parameters, std::span<const FieldRef> gradients,
                   SourceLocation where);
}  // namespace nn::detail

/// Gradients of the scalar `loss` with respect to the trainable parameters of `model`, as a model of the same type. A
/// gradient is undefined where the parameter is frozen or the loss does not depend on it; buffers are undefined; settings
/// are copied. Throws as grad(): the loss must not have been evaluated.
template <std::copy_constructible Model>
Model gradients(const Tensor& loss, const Model& model, SourceLocation where = SourceLocation::current()) {
  Model result = model;
  nn::detail::set_gradients(loss, nn::all_fields(model), nn::all_fields(result), where);
  return result;
}

/// The loss `function(model)` and its gradients.
///   auto [loss, g] = value_and_grad([&](LeNet5& m) { return cross_entropy(m(images), labels); }, model);
template <class Function, std::copy_constructible Model>
requires std::invocable<Function&, Model&> std::pair<Tensor, Model> value_and_grad(
    Function&& function, Model& model, SourceLocation where = SourceLocation::current()) {
  Tensor loss = std::invoke(function, model);
  Model result = gradients(loss, model, where);
  return {std::move(loss), std::move(result)};
}

namespace nn {
using gradus::gradients;
using gradus::value_and_grad;
}  // namespace nn

}  // namespace gradus
