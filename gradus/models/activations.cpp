#include "gradus/models/activations.h"

#include <fmt/format.h>

#include "gradus/base/error.h"
#include "gradus/ops/activation.h"
#include "gradus/ops/elementwise.h"

namespace gradus::models {
namespace {

struct Row {
  std::string_view name;
  Activation function;
};

constexpr Row table[] = {
    {"relu", [](const TensorArg& x) { return relu(x); }},
    {"tanh", [](const TensorArg& x) { return tanh(x); }},
    {"sigmoid", [](const TensorArg& x) { return sigmoid(x); }},
    {"gelu", [](const TensorArg& x) { return gelu(x); }},
    {"silu", [](const TensorArg& x) { return silu(x); }},
    {"mish", [](const TensorArg& x) { return mish(x); }},
    {"elu", [](const TensorArg& x) { return elu(x); }},
    {"selu", [](const TensorArg& x) { return selu(x); }},
    {"celu", [](const TensorArg& x) { return celu(x); }},
    {"leaky_relu", [](const TensorArg& x) { return leaky_relu(x); }},
    {"relu6", [](const TensorArg& x) { return relu6(x); }},
    {"softplus", [](const TensorArg& x) { return softplus(x); }},
    {"softsign", [](const TensorArg& x) { return softsign(x); }},
    {"log_sigmoid", [](const TensorArg& x) { return log_sigmoid(x); }},
    {"hardtanh", [](const TensorArg& x) { return hardtanh(x); }},
    {"hardsigmoid", [](const TensorArg& x) { return hardsigmoid(x); }},
    {"hardswish", [](const TensorArg& x) { return hardswish(x); }},
    {"tanhshrink", [](const TensorArg& x) { return tanhshrink(x); }},
    {"softshrink", [](const TensorArg& x) { return softshrink(x); }},
    {"hardshrink", [](const TensorArg& x) { return hardshrink(x); }},
};

}  // namespace

const std::vector<std::string_view>& activation_names() {
  static const std::vector<std::string_view> names = [] {
    std::vector<std::string_view> all;
    for (const Row& row : table) all.push_back(row.name);
    return all;
  }();
  return names;
}

Activation activation(std::string_view name) {
  for (const Row& row : table) {
    if (row.name == name) return row.function;
  }
  Error error(ErrorKind::config, "models::make", fmt::format("unknown activation \"{}\"", name));
  const std::string nearest = nearest_name(name, {activation_names().begin(), activation_names().end()});
  if (!nearest.empty()) error.hint(fmt::format("did you mean \"{}\"?", nearest));
  throw error;
}

}  // namespace gradus::models
