// A model's tensors by name, and back.
//
//   io::save("model.safetensors", nn::state_dict(model));
//   nn::load_state_dict(model, io::load("model.safetensors"));
//
// Names and layouts are PyTorch's, so its weights load unchanged.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "gradus/nn/fields.h"

namespace gradus::nn {

using StateDict = NamedTensors;

struct LoadOptions {
  /// Missing and unexpected names are errors. When false they are passed by and reported in the result.
  bool strict = true;
};

/// What a load with {.strict = false} passed by.
struct LoadReport {
  std::vector<std::string> missing;     ///< in the model, not in the dict: these keep their values
  std::vector<std::string> unexpected;  ///< in the dict, not in the model
};

namespace detail {

/// What a refusal says: who refuses, what it is that has the tensors, and what would be accepted.
struct LoadWords {
  std::string op = "load_state_dict";
  std::string whole = "the model";
  std::string hint = "{.strict = false} loads what fits";
};

StateDict state_dict(std::span<const FieldRef> fields);
LoadReport load_state_dict(std::span<const FieldRef> fields, const StateDict& dict, LoadOptions options,
                           SourceLocation where, const LoadWords& words = {});

}  // namespace detail

/// Parameters and buffers by path, in the order of the fields. Copies handles, not elements.
template <class Model>
StateDict state_dict(const Model& model) {
  return detail::state_dict(all_fields(model));
}

/// Gives every parameter and buffer the tensor of its path, cast to its type where both are floating.
///
/// Throws Error(state) that lists everything that is wrong at once: missing, unexpected, repeated and mis-shaped tensors,
/// each with the nearest name. The model is changed only when nothing is wrong.
template <class Model>
LoadReport load_state_dict(Model& model, const StateDict& dict, LoadOptions options = {},
                           SourceLocation where = SourceLocation::current()) {
  return detail::load_state_dict(all_fields(model), dict, options, where);
}

}  // namespace gradus::nn
