#include "gradus/nn/lsuv.h"

#include <cmath>
#include <map>
#include <string>

#include "gradus/engine/eval.h"
#include "gradus/nn/init.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/reduce.h"

namespace gradus::nn::detail {
namespace {

/// Biased variance of all elements.
double variance(const Tensor& x) { return mean(square(x - mean(x))).item<double>(); }

}  // namespace

int lsuv(std::span<const FieldRef> fields, std::vector<LayerRef> layers, const std::function<void()>& forward,
         const LsuvOptions& options) {
  std::map<std::string, Parameter*> weights;  // by the path of their layer
  std::vector<std::pair<Buffer*, Tensor>> state;
  for (const FieldRef& field : fields) {
    if (field.buffer) state.emplace_back(field.buffer, field.buffer->tensor());
    if (!field.parameter || !field.parameter->defined() || !field.path.ends_with("weight")) continue;
    if (field.parameter->shape().rank() < 2) continue;
    *field.parameter = init::orthogonal(field.parameter->shape(), 1, next_key(), field.parameter->dtype());
    weights.emplace(field.path.substr(0, field.path.size() - std::min<std::size_t>(field.path.size(), 7)),
                    field.parameter);
  }
  std::erase_if(layers, [&](const LayerRef& layer) { return !weights.contains(layer.path); });
  const auto run = [&] {
    forward();
    for (const auto& [buffer, value] : state) *buffer = value;
  };
  std::vector<std::string> order;
  {
    const Hook hook(layers, [&](const LayerCall& call) {
      order.push_back(call.path);
      return Tensor();
    });
    run();
  }
  int reached = 0;
  for (const std::string& path : order) {
    Tensor output;
    const Hook hook(layers, [&](const LayerCall& call) {
      if (call.path == path) output = call.output;
      return Tensor();
    });
    for (int i = 0; i <= options.max_iterations; ++i) {
      run();
      const double found = variance(output);
      if (std::abs(found - 1) <= options.tolerance) {
        ++reached;
        break;
      }
      if (!(found > 0) || i == options.max_iterations) break;
      Parameter& weight = *weights.at(path);
      Tensor scaled = weight.tensor() * (1 / std::sqrt(found));
      eval(scaled);
      weight = std::move(scaled);
    }
  }
  return reached;
}

}  // namespace gradus::nn::detail
