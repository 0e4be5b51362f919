// The layers that a recipe may list: one row of a table each.
#pragma once

#include <string_view>
#include <vector>

#include "gradus/models/settings.h"
#include "gradus/nn/sequential.h"

namespace gradus::models {

struct LayerType {
  std::string_view name;
  std::vector<std::string_view> keys;  ///< fields of LayerSettings that it reads, `type` excepted
  void (*add)(nn::Sequential& net, const LayerSettings& settings);
};

/// All but the activation functions, which are layers, too (see activations.h).
const std::vector<LayerType>& layer_types();

/// Names of all layers, activation functions included.
const std::vector<std::string_view>& layer_type_names();

/// The layers that read the setting `key`.
std::vector<std::string_view> layers_that_read(std::string_view key);

/// Appends one layer. Throws Error(config) for an unknown type, with the nearest one, and what the layer throws.
void add_layer(nn::Sequential& net, const LayerSettings& settings);

}  // namespace gradus::models
