// Multilayer perceptron.
#pragma once

#include <cstdint>
#include <vector>

#include "gradus/graph/tensor.h"
#include "gradus/models/activations.h"
#include "gradus/nn/linear.h"
#include "gradus/ops/elementwise.h"

namespace gradus::models {

struct MlpSettings {
  std::int64_t inputs = 784;
  std::vector<std::int64_t> hidden = {256, 128};  ///< width of each hidden layer; none: a linear model
  std::int64_t outputs = 10;
  Activation activation = relu;
};

/// Examples f32 [B, ...] of `inputs` elements each -> [B, outputs]. The examples are flattened; the activation stands behind
/// each hidden layer. Its keys are layers.0.weight, layers.0.bias, layers.1.weight, ...
struct Mlp {
  static constexpr int field_count = 2;

  std::vector<nn::Linear> layers;
  Activation activation = relu;

  explicit Mlp(const MlpSettings& settings = {});
  Tensor operator()(const Tensor& examples);
};

}  // namespace gradus::models
