// Activation functions by name, as recipes ask for them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "gradus/graph/tensor.h"

namespace gradus::models {

/// From a tensor of any shape to one of the same; with the defaults of torch.nn.functional.
using Activation = Tensor (*)(const TensorArg&);

/// "relu", "gelu", ...
const std::vector<std::string_view>& activation_names();

/// Throws Error(config) for an unknown name, with the nearest one.
Activation activation(std::string_view name);

}  // namespace gradus::models
