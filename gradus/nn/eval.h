// Evaluation of whole models: eval(model), eval(model, loss).
#pragma once

#include "gradus/engine/eval.h"
#include "gradus/nn/fields.h"

namespace gradus {

/// Evaluates everything that is recorded in models (structs of gradients, averaged weights) and tensors, in one plan.
template <class... Args>
requires(!std::convertible_to<const Args&, Tensor> || ...) &&
    (!std::convertible_to<const Args&, std::span<const Tensor>> && ...) void eval(const Args&... args) {
  Tensors all;
  const auto collect = [&](const auto& arg) {
    if constexpr (std::convertible_to<decltype(arg), Tensor>) {
      all.push_back(static_cast<Tensor>(arg));
    } else {
      for (const nn::FieldRef& field : nn::all_fields(arg)) {
        if (field.parameter ? field.parameter->defined() : field.buffer->defined()) all.push_back(field.tensor());
      }
    }
  };
  (collect(args), ...);
  eval(std::span<const Tensor>(all));
}

}  // namespace gradus
