// Changes of a network that is described by settings: another activation, a normalisation, another width.
#pragma once

#include <string>

#include "gradus/models/settings.h"

namespace gradus::models {

/// The same network as a list of layers, which draws the same starting weights and gives the same answers. A list stays as it
/// is; lenet5 and mlp are written out.
ModelSettings as_layers(const ModelSettings& model);

/// What a list of layers has. All are 0 for no layers.
struct Inventory {
  int weights = 0;      ///< linear and conv2d
  int activations = 0;  ///< activation functions
  int norms = 0, dropouts = 0;
  std::string activation;  ///< of the first one
};
Inventory inventory_of(const ModelSettings& layers);

/// Every activation function replaced.
ModelSettings with_activation(ModelSettings layers, const std::string& name);
/// Every activation function left out: what the layers of weights make up is linear then (with pooling by the maximum: nearly).
ModelSettings without_activations(const ModelSettings& layers);
/// Batch normalisation behind every linear and conv2d but the last.
ModelSettings with_batch_norm(const ModelSettings& layers);
/// Dropout behind every activation function.
ModelSettings with_dropout(const ModelSettings& layers, double p);

/// `factor` times the outputs of every linear and conv2d but the last, at least one. Throws Error(usage) where a layer's sizes are not
/// known to follow (see `width_is_fixed`).
ModelSettings with_width(const ModelSettings& layers, double factor);
/// "" where with_width can be asked, or why not.
std::string width_is_fixed(const ModelSettings& layers);
/// One more linear layer of as many units as the last layer reads, with an activation, in front of the last layer, which must be linear.
ModelSettings with_another_layer(const ModelSettings& layers);

}  // namespace gradus::models
