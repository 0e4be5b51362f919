#include "gradus/nn/hooks.h"

#include <fmt/format.h>

#include <algorithm>

#include "gradus/base/error.h"

namespace gradus::nn {
namespace {

thread_local Hook* newest = nullptr;

/// The call that was reported last: a layer in a Sequential reports itself, and the Sequential reports it again.
struct Reported {
  const void* layer = nullptr;
  const LayerType* type = nullptr;
  const Node* output = nullptr;
  friend bool operator==(const Reported&, const Reported&) = default;
};
thread_local Reported reported;

}  // namespace

namespace detail {

bool hooks_active() { return newest != nullptr; }

Tensor run_hooks(const void* layer, const LayerType* type, const Tensor& input, Tensor output) {
  if (reported == Reported{layer, type, output.node().get()}) return output;
  std::vector<Hook*> hooks;
  for (Hook* hook = newest; hook; hook = hook->previous_) hooks.push_back(hook);
  std::reverse(hooks.begin(), hooks.end());
  for (Hook* hook : hooks) {
    auto found = std::lower_bound(hook->layers_.begin(), hook->layers_.end(), layer,
                                  [](const LayerRef& ref, const void* p) { return std::less<>()(ref.address, p); });
    for (; found != hook->layers_.end() && found->address == layer; ++found) {
      if (found->type != type) continue;
      Tensor replacement = hook->function_({found->path, type->str(), input, output});
      if (replacement.defined()) output = std::move(replacement);
      break;
    }
  }
  reported = {layer, type, output.node().get()};
  return output;
}

std::vector<LayerRef> select_layers(std::vector<LayerRef> layers, std::string_view pattern, SourceLocation where) {
  std::vector<std::string> paths;
  for (const LayerRef& layer : layers) paths.push_back(layer.path);
  std::erase_if(layers, [&](const LayerRef& layer) { return !matches(pattern, layer.path); });
  if (!layers.empty()) return layers;
  Error error(ErrorKind::value, "nn::Hook", fmt::format("no layer matches \"{}\"", pattern));
  error.at(where);
  const std::string nearest = nearest_name(pattern, paths);
  if (!nearest.empty()) error.hint(fmt::format("the nearest name is {}", nearest));
  throw error;
}

}  // namespace detail

Hook::Hook(std::vector<LayerRef> layers, HookFunction function)
    : layers_(std::move(layers)), function_(std::move(function)), previous_(newest) {
  std::stable_sort(layers_.begin(), layers_.end(),
                   [](const LayerRef& a, const LayerRef& b) { return std::less<>()(a.address, b.address); });
  newest = this;
  reported = {};
}

Hook::~Hook() {
  Hook** link = &newest;
  while (*link && *link != this) link = &(*link)->previous_;
  GRADUS_ASSERT(*link == this);  // hooks end on the thread on which they began
  *link = previous_;
  reported = {};
}

Tensor Capture::keep(const LayerCall& call) {
  outputs_.emplace_back(call.path, call.output);
  return {};
}

const Tensor& Capture::operator[](std::string_view path) const {
  std::vector<std::string> paths;
  for (auto it = outputs_.rbegin(); it != outputs_.rend(); ++it) {
    if (it->first == path) return it->second;
    paths.push_back(it->first);
  }
  Error error(ErrorKind::value, "nn::Capture", fmt::format("no output of \"{}\" was captured", path));
  const std::string nearest = nearest_name(path, paths);
  if (!nearest.empty()) {
    error.hint(fmt::format("the nearest name is {}", nearest));
  } else {
    error.hint(outputs_.empty() ? "no layer that matches was called yet" : "captured are: " + paths.front() + ", ...");
  }
  throw error;
}

}  // namespace gradus::nn
