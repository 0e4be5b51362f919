#include "gradus/models/mlp.h"

#include "gradus/ops/view.h"

namespace gradus::models {
Mlp::Mlp(const MlpSettings& settings) : activation(settings.activation) {
  std::int64_t width = settings.inputs;
  for (std::int64_t next : settings.hidden) {
    layers.emplace_back(width, next);
    width = next;
  }
  layers.emplace_back(width, settings.outputs);
}

Tensor Mlp::operator()(const Tensor& examples) {
  Tensor x = flatten(examples, 1);
  for (std::size_t i = 0; i + 1 < layers.size(); ++i) x = activation(layers[i](x));
  return layers.back()(x);
}

}  // namespace gradus::models
