// Looking at what the layers of a model do, and replacing it, without touching the model.
//
//   nn::Capture capture(model, "encoder.*");
//   Tensor logits = model(images);                       // recorded as always
//   optimizer.minimize(cross_entropy(logits, labels));   // what was captured is evaluated with the step
//   capture["encoder.conv1"].to_vector<float>();
//
//   nn::Hook ablation(model, "fc1", [](const nn::LayerCall& call) { return call.output * 0.f; });
//
// Seen are the layers of this library, everything that stands in a Sequential, and structs that end their call with
// `return nn::observed(*this, x, y)`. Hooks see the calls of their own thread, while they are in scope; the model must stay
// where it is for as long.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "gradus/nn/fields.h"
#include "gradus/nn/observe.h"

namespace gradus::nn {

/// One call of a layer.
struct LayerCall {
  const std::string& path;
  std::string type;     ///< "Conv2d"
  const Tensor& input;  ///< the first argument
  const Tensor& output;
};

/// What a hook does: it returns the tensor that takes the place of the output, or an undefined one to leave it.
using HookFunction = std::function<Tensor(const LayerCall&)>;

namespace detail {
std::vector<LayerRef> select_layers(std::vector<LayerRef> layers, std::string_view pattern, SourceLocation where);
template <class Model>
std::vector<LayerRef> layers(Model& model) {
  FieldWalk walk;
  walk.collect_layers();
  walk("", model);
  return walk.take_layers();
}
}  // namespace detail

/// Calls a function for every call of the layers whose path matches. Hooks run in the order of their making.
class Hook {
 public:
  /// In `pattern`, `*` stands for any characters. Throws Error(value) when it matches nothing.
  template <class Model>
  Hook(Model& model, std::string_view pattern, HookFunction function, SourceLocation where = SourceLocation::current())
      : Hook(detail::select_layers(detail::layers(model), pattern, where), std::move(function)) {}
  Hook(std::vector<LayerRef> layers, HookFunction function);
  Hook(const Hook&) = delete;
  Hook& operator=(const Hook&) = delete;
  ~Hook();

 private:
  friend Tensor detail::run_hooks(const void*, const LayerType*, const Tensor&, Tensor);

  std::vector<LayerRef> layers_;  // sorted by address
  HookFunction function_;
  Hook* previous_;
};

/// Keeps what the matching layers gave, in the order of their calls.
class Capture {
 public:
  template <class Model>
  explicit Capture(Model& model, std::string_view pattern = "*", SourceLocation where = SourceLocation::current())
      : hook_(
            model, pattern, [this](const LayerCall& call) { return keep(call); }, where) {}

  /// The latest output of the layer at `path`. Throws Error(value) with the nearest name when there is none.
  const Tensor& operator[](std::string_view path) const;
  /// All outputs with their paths; a layer that was called twice is there twice.
  const NamedTensors& outputs() const { return outputs_; }
  /// Forgets them; the next calls are kept again.
  void clear() { outputs_.clear(); }

 private:
  Tensor keep(const LayerCall& call);

  NamedTensors outputs_;
  Hook hook_;
};

}  // namespace gradus::nn
