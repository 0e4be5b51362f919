// Loading the state of an optimizer: strict, and all or nothing.
#include <fmt/format.h>

#include <cmath>
#include <deque>

#include "gradus/base/error.h"
#include "gradus/nn/state_dict.h"
#include "gradus/ops/factory.h"
#include "gradus/optim/optimizer.h"

namespace gradus::optim {
namespace {

bool has_entry_below(const NamedTensors& dict, const std::string& prefix) {
  for (const auto& [name, tensor] : dict) {
    if (name.starts_with(prefix)) return true;
  }
  return false;
}

/// The entries that a dict must have, as buffers that the strict loading of nn fills.
class Entries {
 public:
  nn::Buffer& expect(std::string path, const TensorSpec& spec) {
    nn::Buffer& buffer = buffers_.emplace_back(zeros(spec.shape, spec.dtype));
    fields_.push_back({std::move(path), nullptr, &buffer});
    return buffer;
  }
  void load(const NamedTensors& dict, SourceLocation where) {
    nn::detail::load_state_dict(fields_, dict, {.strict = true}, where);
  }

 private:
  std::deque<nn::Buffer> buffers_;  // stable addresses
  std::vector<nn::FieldRef> fields_;
};

struct SlotEntries {
  std::size_t index;
  nn::Buffer* steps = nullptr;
  std::vector<nn::Buffer*> state;
};

}  // namespace

void Optimizer::load_state_dict(const NamedTensors& dict, SourceLocation where) {
  Entries entries;
  std::vector<SlotEntries> loaded;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const std::string prefix = fmt::format("state.{}.", i);
    if (!has_entry_below(dict, prefix)) continue;
    SlotEntries& slot = loaded.emplace_back(SlotEntries{i, nullptr, {}});
    if (counts_steps()) slot.steps = &entries.expect(prefix + "step", {DType::f32, {}});
    for (const std::string& name : state_names()) {
      slot.state.push_back(&entries.expect(prefix + name, parameters_[i].tensor().spec()));
    }
  }
  std::vector<nn::Buffer*> settings_entries{&entries.expect("param_groups.0.lr", {DType::f64, {}})};
  for (const auto& [name, value] : settings()) {
    settings_entries.push_back(&entries.expect("param_groups.0." + name, {DType::f64, {}}));
  }
  entries.load(dict, where);

  std::vector<double> values;
  for (const nn::Buffer* entry : settings_entries) values.push_back(entry->tensor().item<double>(where));
  std::vector<Slot> slots(slots_.size());
  for (const SlotEntries& entry : loaded) {
    Slot& slot = slots[entry.index];
    const double steps = entry.steps ? entry.steps->tensor().item<double>(where) : 1;
    require(steps >= 1 && std::floor(steps) == steps, fmt::format("state.{}.step", entry.index), steps,
            "a positive whole number", where);
    slot.steps = static_cast<std::int64_t>(steps);
    for (const nn::Buffer* tensor : entry.state) slot.state.push_back(tensor->tensor());
  }
  require(std::isfinite(values[0]) && values[0] >= 0, "lr", values[0], "finite and >= 0", where);
  set_settings(std::span(values).subspan(1), where);
  lr_ = values[0];
  slots_ = std::move(slots);
}

}  // namespace gradus::optim
