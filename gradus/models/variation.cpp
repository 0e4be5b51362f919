#include "gradus/models/variation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "gradus/base/error.h"
#include "gradus/models/activations.h"

namespace gradus::models {
namespace {

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

Layers mlp(const ModelSettings& model) {
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
  const auto& names = activation_names();
  return std::find(names.begin(), names.end(), layer.type) != names.end();
}
bool is_weight(const LayerSettings& layer) { return layer.type == "linear" || layer.type == "conv2d"; }
bool is_norm(const LayerSettings& layer) { return layer.type.find("_norm") != std::string::npos; }
bool is_dropout(const LayerSettings& layer) { return layer.type.find("dropout") != std::string::npos; }

}  // namespace

ModelSettings as_layers(const ModelSettings& model) {
  if (model.name == "layers") return model;
  ModelSettings list;
  list.name = "layers";
  if (model.name == "mlp") {
    list.layers = mlp(model);
  } else if (model.name == "lenet5") {
    list.layers = lenet5();
  } else {
    throw Error(ErrorKind::usage, "model", "a network of this kind cannot be varied").field("model", model.name);
  }
  return list;
}

Inventory inventory_of(const ModelSettings& layers) {
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

ModelSettings with_activation(ModelSettings layers, const std::string& name) {
  for (LayerSettings& layer : layers.layers) {
    if (is_activation(layer)) layer = plain(name);
  }
  return layers;
}

ModelSettings without_activations(const ModelSettings& layers) {
  ModelSettings result = layers;
  std::erase_if(result.layers, is_activation);
  return result;
}

ModelSettings with_batch_norm(const ModelSettings& layers) {
  ModelSettings result = layers;
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

ModelSettings with_dropout(const ModelSettings& layers, double p) {
  ModelSettings result = layers;
  result.layers.clear();
  for (const LayerSettings& layer : layers.layers) {
    result.layers.push_back(layer);
    if (!is_activation(layer)) continue;
    result.layers.push_back(plain("dropout"));
    result.layers.back().p = p;
  }
  return result;
}

std::string width_is_fixed(const ModelSettings& layers) {
  if (inventory_of(layers).weights < 2) return "the network has no hidden layer";
  for (const LayerSettings& layer : layers.layers) {
    const bool follows = is_weight(layer) || is_activation(layer) || is_dropout(layer) || layer.num_features > 0 ||
                         layer.type == "flatten" || layer.type.find("pool") != std::string::npos;
    if (!follows || layer.groups > 1)
      return fmt::format("what {} would need of another width is not known", layer.type);
  }
  return "";
}

ModelSettings with_width(const ModelSettings& layers, double factor) {
  const std::string reason = width_is_fixed(layers);
  if (!reason.empty()) throw Error(ErrorKind::usage, "model", reason);
  ModelSettings result = layers;
  std::int64_t before = 1, now = 1;  // outputs of the last layer of weights, as it was and as it is
  int left = inventory_of(layers).weights;
  for (LayerSettings& layer : result.layers) {
    layer.num_features = layer.num_features / before * now;  // a channel, or all of its pixels
    if (!is_weight(layer)) continue;
    const bool flat = layer.type == "linear";
    std::int64_t &in = flat ? layer.in_features : layer.in_channels,
                 &out = flat ? layer.out_features : layer.out_channels;
    in = in / before * now;
    before = now = out;
    if (--left > 0) now = out = std::max<std::int64_t>(1, std::llround(static_cast<double>(out) * factor));
  }
  return result;
}

ModelSettings with_another_layer(const ModelSettings& layers) {
  ModelSettings result = layers;
  const Inventory has = inventory_of(layers);
  const auto last = std::find_if(result.layers.rbegin(), result.layers.rend(), is_weight);
  GRADUS_ASSERT(last != result.layers.rend() && last->type == "linear");
  const Layers more = {linear(last->in_features, last->in_features),
                       plain(has.activations > 0 ? has.activation : "relu")};
  result.layers.insert(last.base() - 1, more.begin(), more.end());
  return result;
}

}  // namespace gradus::models
