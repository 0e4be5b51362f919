// What describes a model: a named architecture with its settings, or a list of layers.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace gradus::models {

/// One layer of a list. Which fields a type reads is said beside them; the others stay at their defaults.
struct LayerSettings {
  /// A row of layer_types.cpp (conv2d, linear, max_pool2d, ...) or an activation function (relu, gelu, ...).
  std::string type = {};
  std::int64_t in_channels = 0;                     ///< conv2d
  std::int64_t out_channels = 0;                    ///< conv2d
  std::int64_t kernel_size = 0;                     ///< conv2d, max_pool2d, avg_pool2d: height and width
  std::int64_t stride = 0;                          ///< the same; 0: 1 for conv2d, kernel_size for pooling
  std::int64_t padding = 0;                         ///< the same
  std::int64_t dilation = 1;                        ///< conv2d
  std::int64_t groups = 1;                          ///< conv2d
  std::int64_t output_size = 1;                     ///< adaptive_avg_pool2d, adaptive_max_pool2d: height and width
  std::int64_t num_features = 0;                    ///< batch_norm1d, batch_norm2d, instance_norm2d: channels
  std::int64_t num_groups = 1;                      ///< group_norm
  std::int64_t num_channels = 0;                    ///< group_norm
  std::vector<std::int64_t> normalized_shape = {};  ///< layer_norm, rms_norm: the last axes
  double eps = 1e-5;                                ///< of the norms
  double momentum = 0.1;          ///< batch_norm1d, batch_norm2d: weight of a batch in the running statistics
  double p = 0.5;                 ///< dropout, dropout2d, alpha_dropout: share that is dropped
  std::int64_t in_features = 0;   ///< linear
  std::int64_t out_features = 0;  ///< linear
  bool bias = true;               ///< conv2d, linear
  std::int64_t start_axis = 1;    ///< flatten: axes from this one to the last become one

  friend bool operator==(const LayerSettings&, const LayerSettings&) = default;
};

/// A model as a recipe describes it.
struct ModelSettings {
  /// A named architecture (see `names()`), or "layers" for the list below.
  std::string name = {};
  std::int64_t inputs = 784;                      ///< mlp: elements of one example
  std::vector<std::int64_t> hidden = {256, 128};  ///< mlp: width of each hidden layer
  std::int64_t outputs = 10;                      ///< mlp: classes
  std::string activation = "relu";                ///< mlp: a row of activations.cpp
  std::vector<LayerSettings> layers = {};         ///< layers: in order

  friend bool operator==(const ModelSettings&, const ModelSettings&) = default;
};

}  // namespace gradus::models
