#include "gradus/models/layer_types.h"

#include <fmt/format.h>

#include <algorithm>

#include "gradus/base/error.h"
#include "gradus/models/activations.h"
#include "gradus/nn/conv.h"
#include "gradus/nn/layers/dropout.h"
#include "gradus/nn/layers/norm.h"
#include "gradus/nn/layers/pool.h"
#include "gradus/nn/linear.h"

namespace gradus::models {
namespace {

using Net = nn::Sequential;
using S = LayerSettings;

void add_conv2d(Net& net, const S& s) {
  net.add(nn::Conv2d(s.in_channels, s.out_channels, s.kernel_size,
                     {.stride = s.stride > 0 ? s.stride : 1,
                      .padding = s.padding,
                      .dilation = s.dilation,
                      .groups = s.groups,
                      .bias = s.bias}));
}
void add_linear(Net& net, const S& s) { net.add(nn::Linear(s.in_features, s.out_features, {.bias = s.bias})); }
void add_conv1d(Net& net, const S& s) {
  net.add(nn::Conv1d(s.in_channels, s.out_channels, s.kernel_size,
                     {.stride = s.stride > 0 ? s.stride : 1,
                      .padding = s.padding,
                      .dilation = s.dilation,
                      .groups = s.groups,
                      .bias = s.bias}));
}
Shape shape_of(const std::vector<std::int64_t>& sizes) { return Shape(std::span<const std::int64_t>(sizes)); }
template <class Norm>
void add_batch_norm(Net& net, const S& s) {
  net.add(Norm(s.num_features, {.eps = s.eps, .momentum = s.momentum}));
}
void add_instance_norm2d(Net& net, const S& s) { net.add(nn::InstanceNorm2d(s.num_features, {.eps = s.eps})); }
void add_layer_norm(Net& net, const S& s) {
  net.add(nn::LayerNorm(shape_of(s.normalized_shape), {.eps = s.eps, .bias = s.bias}));
}
void add_rms_norm(Net& net, const S& s) { net.add(nn::RMSNorm(shape_of(s.normalized_shape), {.eps = s.eps})); }
void add_group_norm(Net& net, const S& s) { net.add(nn::GroupNorm(s.num_groups, s.num_channels, {.eps = s.eps})); }
template <class Dropout>
void add_dropout(Net& net, const S& s) {
  net.add(Dropout{.p = s.p});
}
void add_max_pool1d(Net& net, const S& s) {
  net.add(nn::MaxPool1d{.kernel = s.kernel_size, .stride = s.stride, .padding = s.padding});
}
void add_global_avg_pool(Net& net, const S&) { net.add(nn::GlobalAvgPool()); }
void add_max_pool2d(Net& net, const S& s) {
  net.add(nn::MaxPool2d{.kernel = s.kernel_size, .stride = s.stride, .padding = s.padding});
}
void add_avg_pool2d(Net& net, const S& s) {
  net.add(nn::AvgPool2d{.kernel = s.kernel_size, .stride = s.stride, .padding = s.padding});
}
void add_adaptive_avg_pool2d(Net& net, const S& s) { net.add(nn::AdaptiveAvgPool2d{s.output_size}); }
void add_adaptive_max_pool2d(Net& net, const S& s) { net.add(nn::AdaptiveMaxPool2d{s.output_size}); }
void add_flatten(Net& net, const S& s) { net.add(nn::Flatten{.start_axis = static_cast<int>(s.start_axis)}); }
void add_identity(Net& net, const S&) { net.add(nn::Identity()); }

}  // namespace

const std::vector<LayerType>& layer_types() {
  static const std::vector<LayerType> types = {
      {"conv2d",
       {"in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation", "groups", "bias"},
       add_conv2d},
      {"linear", {"in_features", "out_features", "bias"}, add_linear},
      {"max_pool2d", {"kernel_size", "stride", "padding"}, add_max_pool2d},
      {"avg_pool2d", {"kernel_size", "stride", "padding"}, add_avg_pool2d},
      {"adaptive_avg_pool2d", {"output_size"}, add_adaptive_avg_pool2d},
      {"adaptive_max_pool2d", {"output_size"}, add_adaptive_max_pool2d},
      {"conv1d",
       {"in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation", "groups", "bias"},
       add_conv1d},
      {"max_pool1d", {"kernel_size", "stride", "padding"}, add_max_pool1d},
      {"global_avg_pool", {}, add_global_avg_pool},
      {"batch_norm1d", {"num_features", "eps", "momentum"}, add_batch_norm<nn::BatchNorm1d>},
      {"batch_norm2d", {"num_features", "eps", "momentum"}, add_batch_norm<nn::BatchNorm2d>},
      {"instance_norm2d", {"num_features", "eps"}, add_instance_norm2d},
      {"layer_norm", {"normalized_shape", "eps", "bias"}, add_layer_norm},
      {"rms_norm", {"normalized_shape", "eps"}, add_rms_norm},
      {"group_norm", {"num_groups", "num_channels", "eps"}, add_group_norm},
      {"dropout", {"p"}, add_dropout<nn::Dropout>},
      {"dropout2d", {"p"}, add_dropout<nn::Dropout2d>},
      {"alpha_dropout", {"p"}, add_dropout<nn::AlphaDropout>},
      {"flatten", {"start_axis"}, add_flatten},
      {"identity", {}, add_identity},
  };
  return types;
}

const std::vector<std::string_view>& layer_type_names() {
  static const std::vector<std::string_view> names = [] {
    std::vector<std::string_view> all;
    for (const LayerType& type : layer_types()) all.push_back(type.name);
    all.insert(all.end(), activation_names().begin(), activation_names().end());
    return all;
  }();
  return names;
}

std::vector<std::string_view> layers_that_read(std::string_view key) {
  std::vector<std::string_view> names;
  for (const LayerType& type : layer_types()) {
    if (std::find(type.keys.begin(), type.keys.end(), key) != type.keys.end()) names.push_back(type.name);
  }
  GRADUS_ASSERT(!names.empty());
  return names;
}

void add_layer(nn::Sequential& net, const LayerSettings& settings) {
  for (const LayerType& type : layer_types()) {
    if (type.name == settings.type) return type.add(net, settings);
  }
  const auto& names = layer_type_names();
  if (std::find(names.begin(), names.end(), settings.type) != names.end()) {
    // A class, so that hooks see it as a layer.
    net.add([function = activation(settings.type)](const TensorArg& x) { return function(x); });
    return;
  }
  Error error(ErrorKind::config, "models::make", fmt::format("unknown layer type \"{}\"", settings.type));
  const std::string nearest = nearest_name(settings.type, {names.begin(), names.end()});
  if (!nearest.empty()) error.hint(fmt::format("did you mean \"{}\"?", nearest));
  throw error;
}

}  // namespace gradus::models
