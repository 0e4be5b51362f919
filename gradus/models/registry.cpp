#include "gradus/models/registry.h"

#include <fmt/format.h>

#include <iterator>

#include "gradus/base/error.h"
#include "gradus/models/activations.h"
#include "gradus/models/layer_types.h"
#include "gradus/models/lenet5.h"
#include "gradus/models/mlp.h"

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

constexpr Named<AnyModel (*)(const ModelSettings&)> architectures[] = {
    {"lenet5", [](const ModelSettings&) { return AnyModel(LeNet5()); }},
    {"mlp",
     [](const ModelSettings& s) {
       return AnyModel(
           Mlp({.inputs = s.inputs, .hidden = s.hidden, .outputs = s.outputs, .activation = activation(s.activation)}));
     }},
};

AnyModel make_layers(const std::vector<LayerSettings>& layers) {
  nn::Sequential net;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    try {
      add_layer(net, layers[i]);
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
