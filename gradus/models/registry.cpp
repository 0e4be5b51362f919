#include "gradus/models/registry.h"

#include <fmt/format.h>

#include <iterator>

#include "gradus/base/error.h"
#include "gradus/models/lenet5.h"
#include "gradus/models/mlp.h"
#include "gradus/nn/conv.h"
#include "gradus/nn/linear.h"
#include "gradus/nn/sequential.h"

namespace gradus::models {
namespace {

template <class Value>
struct Named {
  const char* name;
  Value value;
};

/// The value called `name`, or an Error(config) with the nearest name.
template <class Value, std::size_t N>
const Value& find(const Named<Value> (&table)[N], const std::string& name, const char* what) {
  std::vector<std::string> known;
  for (const Named<Value>& entry : table) {
    if (name == entry.name) return entry.value;
    known.emplace_back(entry.name);
  }
  Error error(ErrorKind::config, "models::make", fmt::format("unknown {} \"{}\"", what, name));
  const std::string nearest = nearest_name(name, known);
  if (!nearest.empty()) error.hint(fmt::format("did you mean \"{}\"?", nearest));
  throw error;
}

Activation activation_of(const std::string& name) {
  static constexpr Named<Activation> table[] = {
      {"relu", Activation::relu}, {"tanh", Activation::tanh}, {"sigmoid", Activation::sigmoid}};
  return find(table, name, "activation");
}

constexpr Named<AnyModel (*)(const ModelSettings&)> architectures[] = {
    {"lenet5", [](const ModelSettings&) { return AnyModel(LeNet5()); }},
    {"mlp",
     [](const ModelSettings& s) {
       return AnyModel(Mlp(
           {.inputs = s.inputs, .hidden = s.hidden, .outputs = s.outputs, .activation = activation_of(s.activation)}));
     }},
};

constexpr Named<void (*)(nn::Sequential&, const LayerSettings&)> layer_types[] = {
    {"conv2d",
     [](nn::Sequential& net, const LayerSettings& s) {
       net.add(nn::Conv2d(s.in_channels, s.out_channels, s.kernel_size,
                          {.stride = s.stride > 0 ? s.stride : 1, .padding = s.padding, .bias = s.bias}));
     }},
    {"linear", [](nn::Sequential& net,
                  const LayerSettings& s) { net.add(nn::Linear(s.in_features, s.out_features, {.bias = s.bias})); }},
    {"relu", [](nn::Sequential& net, const LayerSettings&) { net.add(nn::ReLU()); }},
    {"tanh", [](nn::Sequential& net, const LayerSettings&) { net.add(nn::Tanh()); }},
    {"sigmoid", [](nn::Sequential& net, const LayerSettings&) { net.add(nn::Sigmoid()); }},
    {"max_pool2d",
     [](nn::Sequential& net, const LayerSettings& s) {
       net.add(nn::MaxPool2d{.kernel = s.kernel_size, .stride = s.stride, .padding = s.padding});
     }},
    {"avg_pool2d",
     [](nn::Sequential& net, const LayerSettings& s) {
       net.add(nn::AvgPool2d{.kernel = s.kernel_size, .stride = s.stride, .padding = s.padding});
     }},
    {"flatten", [](nn::Sequential& net,
                   const LayerSettings& s) { net.add(nn::Flatten{.start_axis = static_cast<int>(s.start_axis)}); }},
};

AnyModel make_layers(const std::vector<LayerSettings>& layers) {
  nn::Sequential net;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    try {
      find(layer_types, layers[i].type, "layer type")(net, layers[i]);
    } catch (Error& error) {
      error.context(fmt::format("model.layers[{}]", i));
      throw;
    }
  }
  return net;
}

}  // namespace

std::vector<std::string> names() {
  std::vector<std::string> all;
  for (const auto& entry : architectures) all.emplace_back(entry.name);
  return all;
}

AnyModel make(const ModelSettings& settings) {
  if (settings.name == "layers") return make_layers(settings.layers);
  return find(architectures, settings.name, "model")(settings);
}

}  // namespace gradus::models
