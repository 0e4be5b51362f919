#include "gradus/book/own/variation.h"

#include <algorithm>

#include "gradus/base/error.h"
#include "gradus/models/activations.h"

namespace gradus::book {
namespace {

using models::LayerSettings;
using Layers = std::vector<LayerSettings>;

LayerSettings plain(const std::string& type) {
  LayerSettings layer;
  layer.type = type;
  return layer;
}
LayerSettings linear(std::int64_t in, std::int64_t out) {
  LayerSettings layer = plain("linear");
  layer.in_features = in;
  layer.out_features = out;
  return layer;
}
LayerSettings conv(std::int64_t in, std::int64_t out, std::int64_t padding) {
  LayerSettings layer = plain("conv2d");
  layer.in_channels = in;
  layer.out_channels = out;
  layer.kernel_size = 5;
  layer.padding = padding;
  return layer;
}
LayerSettings pool() {
  LayerSettings layer = plain("max_pool2d");
  layer.kernel_size = 2;
  return layer;
}

Layers mlp(const models::ModelSettings& model) {
  Layers layers = {plain("flatten")};
  std::int64_t from = model.inputs;
  for (const std::int64_t width : model.hidden) {
    layers.push_back(linear(from, width));
    layers.push_back(plain(model.activation));
    from = width;
  }
  layers.push_back(linear(from, model.outputs));
  return layers;
}

Layers lenet5() {
  return {conv(1, 6, 2),    plain("relu"),    pool(),        conv(6, 16, 0),  plain("relu"), pool(),
          plain("flatten"), linear(400, 120), plain("relu"), linear(120, 84), plain("relu"), linear(84, 10)};
}

bool is_activation(const LayerSettings& layer) {
  const auto& names = models::activation_names();
  return std::find(names.begin(), names.end(), layer.type) != names.end();
}
bool is_weight(const LayerSettings& layer) { return layer.type == "linear" || layer.type == "conv2d"; }
bool is_norm(const LayerSettings& layer) { return layer.type.find("_norm") != std::string::npos; }
bool is_dropout(const LayerSettings& layer) { return layer.type.find("dropout") != std::string::npos; }

}  // namespace

models::ModelSettings as_layers(const models::ModelSettings& model) {
  if (model.name == "layers") return model;
  models::ModelSettings list;
  list.name = "layers";
  if (model.name == "mlp") {
    list.layers = mlp(model);
  } else if (model.name == "lenet5") {
    list.layers = lenet5();
  } else {
    throw Error(ErrorKind::usage, "explain", "a network of this kind cannot be varied").field("model", model.name);
  }
  return list;
}

Inventory inventory_of(const models::ModelSettings& layers) {
  Inventory found;
  for (const LayerSettings& layer : layers.layers) {
    found.weights += is_weight(layer) ? 1 : 0;
    found.norms += is_norm(layer) ? 1 : 0;
    found.dropouts += is_dropout(layer) ? 1 : 0;
    if (!is_activation(layer)) continue;
    if (found.activations++ == 0) found.activation = layer.type;
  }
  return found;
}

models::ModelSettings with_activation(models::ModelSettings layers, const std::string& name) {
  for (LayerSettings& layer : layers.layers) {
    if (is_activation(layer)) layer = plain(name);
  }
  return layers;
}

models::ModelSettings without_activations(const models::ModelSettings& layers) {
  models::ModelSettings result = layers;
  std::erase_if(result.layers, is_activation);
  return result;
}

models::ModelSettings with_batch_norm(const models::ModelSettings& layers) {
  models::ModelSettings result = layers;
  result.layers.clear();
  int left = inventory_of(layers).weights;
  for (const LayerSettings& layer : layers.layers) {
    result.layers.push_back(layer);
    if (!is_weight(layer) || --left == 0) continue;
    const bool flat = layer.type == "linear";
    LayerSettings norm = plain(flat ? "batch_norm1d" : "batch_norm2d");
    norm.num_features = flat ? layer.out_features : layer.out_channels;
    result.layers.push_back(norm);
  }
  return result;
}

models::ModelSettings with_dropout(const models::ModelSettings& layers, double p) {
  models::ModelSettings result = layers;
  result.layers.clear();
  for (const LayerSettings& layer : layers.layers) {
    result.layers.push_back(layer);
    if (!is_activation(layer)) continue;
    result.layers.push_back(plain("dropout"));
    result.layers.back().p = p;
  }
  return result;
}

}  // namespace gradus::book
