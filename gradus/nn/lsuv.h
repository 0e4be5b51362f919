// Initialisation from data.
#pragma once

#include <functional>

#include "gradus/nn/hooks.h"

namespace gradus::nn {

struct LsuvOptions {
  double tolerance = 0.1;   ///< how far the variance of a layer's output may be from 1
  int max_iterations = 10;  ///< per layer
};

namespace detail {
int lsuv(std::span<const FieldRef> fields, std::vector<LayerRef> layers, const std::function<void()>& forward,
         const LsuvOptions& options);
}  // namespace detail

/// Layer-sequential unit-variance initialisation (Mishkin and Matas, "All you need is a good init", 2015): every weight of
/// two or more axes becomes orthogonal, and is then scaled, layer by layer in the order of the calls, until the output of
/// its layer on `batch` has variance 1. Runs the model several times per layer; its buffers stay as they are. Returns the
/// number of layers whose output reached the tolerance.
template <class Model>
int lsuv(Model& model, const Tensor& batch, const LsuvOptions& options = {}) {
  return detail::lsuv(
      all_fields(model), detail::layers(model), [&] { model(batch); }, options);
}

}  // namespace gradus::nn
