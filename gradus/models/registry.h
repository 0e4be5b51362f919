// Models by name and from lists of layers.
#pragma once

#include <string>
#include <vector>

#include "gradus/models/any_model.h"
#include "gradus/models/settings.h"

namespace gradus::models {

/// Names of the architectures that `make` knows, "layers" excepted.
std::vector<std::string> names();

/// The model that `settings` describe, freshly initialised from the default random stream. A list of layers becomes an
/// nn::Sequential, so its keys are 0.weight, 0.bias, 3.weight, ... Throws Error(config) for an unknown name, type or
/// activation (with the nearest one), and what the layers throw for sizes out of range.
AnyModel make(const ModelSettings& settings);

}  // namespace gradus::models
