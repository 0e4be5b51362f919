// Changes of a network that claims ask for: another activation, a normalisation, dropout.
#pragma once

#include <string>

#include "gradus/models/settings.h"

namespace gradus::book {

/// The same network as a list of layers, which draws the same starting weights and gives the same answers. A list stays as it
/// is; lenet5 and mlp are written out.
models::ModelSettings as_layers(const models::ModelSettings& model);

/// What a list of layers has. All are 0 for no layers.
struct Inventory {
  int weights = 0;      ///< linear and conv2d
  int activations = 0;  ///< activation functions
  int norms = 0, dropouts = 0;
  std::string activation;  ///< of the first one
};
Inventory inventory_of(const models::ModelSettings& layers);

/// Every activation function replaced.
models::ModelSettings with_activation(models::ModelSettings layers, const std::string& name);
/// Every activation function left out: what the layers of weights make up is linear then (with pooling by the maximum: nearly).
models::ModelSettings without_activations(const models::ModelSettings& layers);
/// Batch normalisation behind every linear and conv2d but the last.
models::ModelSettings with_batch_norm(const models::ModelSettings& layers);
/// Dropout behind every activation function.
models::ModelSettings with_dropout(const models::ModelSettings& layers, double p);

/// `factor` times the outputs of every linear and conv2d but the last, at least one. Throws Error(usage) where a layer's sizes are not
/// known to follow (see `width_is_fixed`).
models::ModelSettings with_width(const models::ModelSettings& layers, double factor);
/// "" where with_width can be asked, or why not.
std::string width_is_fixed(const models::ModelSettings& layers);
/// One more linear layer of as many units as the last layer reads, with an activation, in front of the last layer, which must be linear.
models::ModelSettings with_another_layer(const models::ModelSettings& layers);

}  // namespace gradus::book
