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
#include "gradus/transform/derivatives.h"

namespace gradus {

namespace nn::detail {
void set_gradients(const Tensor& loss, std::span<const FieldRef> parameters, std::span<const FieldRef> gradients,
                   SourceLocation where);
void set_products(const Tensor& loss, std::span<const FieldRef> parameters, std::span<const FieldRef> vectors,
                  std::span<const FieldRef> products, SourceLocation where);

/// Tensors that stand for one example, as a batch of one.
struct Example {
  Example(const TensorArg& inputs, const TensorArg& targets, SourceLocation where);
  void set_gradients(const Tensor& loss, std::span<const FieldRef> parameters, std::span<const FieldRef> gradients,
                     SourceLocation where) const;
  Tensors one, all;  ///< of inputs and targets
};
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
requires(std::invocable<Function&, Model&> && !std::same_as<Model, Tensors>) std::pair<Tensor, Model> value_and_grad(
    Function&& function, Model& model, SourceLocation where = SourceLocation::current()) {
  Tensor loss = std::invoke(function, model);
  Model result = gradients(loss, model, where);
  return {std::move(loss), std::move(result)};
}

/// The Hessian of the scalar `loss` with respect to the trainable parameters of `model`, times `vector`, a model of the same
/// type (gradients, for instance) whose undefined parameters count as zero. Costs a few gradients. An entry is undefined
/// where the parameter is frozen or the product is zero by structure. Throws as grad(), and Error(shape) when `vector` does
/// not fit.
///   LeNet5 g = gradients(loss, model);
///   LeNet5 curvature = hessian_vector_product(loss, model, g);
template <std::copy_constructible Model>
requires(!std::convertible_to<const Model&, std::span<const Tensor>>) Model
    hessian_vector_product(const Tensor& loss, const Model& model, const Model& vector,
                           SourceLocation where = SourceLocation::current()) {
  Model result = model;
  nn::detail::set_products(loss, nn::all_fields(model), nn::all_fields(vector), nn::all_fields(result), where);
  return result;
}

/// The gradient of every example by itself, at the price of one batch: `loss(model, input, target)`, a scalar, is
/// differentiated for each entry of axis 0 of `inputs` and `targets`. It sees batches of one ([1, ...]), so that layers work
/// as always, and a copy of the model, so that running statistics of the original stay as they are. The result holds for
/// each trainable parameter [n, axes of the parameter...]; otherwise it is as that of gradients().
///
///   auto each = per_sample_gradients([](LeNet5& m, const Tensor& x, const Tensor& y) { return cross_entropy(m(x), y); },
///                                    model, images, labels);
///   Tensor norms = sqrt(sum(square(each.fc1.weight), {1, 2}));       // [n]
///
/// Random operations inside (dropout) draw once: all examples get the same numbers. Throws as grad(), and Error(shape) when
/// inputs and targets count different numbers of examples.
template <class Function, std::copy_constructible Model>
Model per_sample_gradients(Function&& loss, const Model& model, const TensorArg& inputs, const TensorArg& targets,
                           SourceLocation where = SourceLocation::current()) {
  const nn::detail::Example example(inputs, targets, where);
  Model copy = model, result = model;
  const Tensor value = std::invoke(loss, copy, example.one[0], example.one[1]);
  example.set_gradients(value, nn::all_fields(model), nn::all_fields(result), where);
  return result;
}

namespace nn {
using gradus::gradients;
using gradus::hessian_vector_product;
using gradus::per_sample_gradients;
using gradus::value_and_grad;
}  // namespace nn

}  // namespace gradus
