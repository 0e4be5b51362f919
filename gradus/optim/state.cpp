// State dicts of optimizers. Loading is strict, and all or nothing.
#include <fmt/format.h>

#include <cmath>
#include <deque>

#include "gradus/base/error.h"
#include "gradus/nn/init.h"
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
  nn::Buffer* training = nullptr;
  std::vector<nn::Buffer*> state;
};

/// Puts back what it found, unless keep() was called.
class SettingsGuard {
 public:
  explicit SettingsGuard(const std::vector<Setting>& settings) : settings_(settings) {
    for (const Setting& setting : settings_) old_.push_back(setting.get());
  }
  SettingsGuard(const SettingsGuard&) = delete;
  SettingsGuard& operator=(const SettingsGuard&) = delete;
  ~SettingsGuard() {
    for (std::size_t i = 0; i < old_.size(); ++i) settings_[i].set(old_[i]);
  }
  void keep() { old_.clear(); }

 private:
  const std::vector<Setting>& settings_;
  std::vector<double> old_;
};

/// The entry for the weights of training, where there are others; y in the theory of Schedule-Free.
constexpr const char* training_weights = "y";

std::string setting_path(std::string_view name) { return fmt::format("param_groups.0.{}", name); }

}  // namespace

NamedTensors Optimizer::state_dict(SourceLocation where) const {
  if (training_ && has_evaluation_weights()) {
    throw Error(ErrorKind::state, name_, "the model has the weights of training, which are not those to save")
        .at(where)
        .hint("call optimizer.eval_mode() before saving the model and this; optimizer.train() goes on as before");
  }
  NamedTensors dict;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    const Slot& slot = slots_[i];
    if (slot.steps == 0) continue;
    if (counts_steps()) {
      dict.emplace_back(fmt::format("state.{}.step", i), nn::init::constant({}, static_cast<double>(slot.steps)));
    }
    const std::vector<StateField> fields = state_fields(parameters_[i].tensor(), lr_);
    for (std::size_t s = 0; s < fields.size(); ++s) {
      dict.emplace_back(fmt::format("state.{}.{}", i, fields[s].name), slot.state[s]);
    }
    if (slot.training.defined()) dict.emplace_back(fmt::format("state.{}.{}", i, training_weights), slot.training);
  }
  dict.emplace_back(setting_path("lr"), nn::init::constant({}, lr_, DType::f64));
  for (const Setting& setting : settings_) {
    dict.emplace_back(setting_path(setting.name), nn::init::constant({}, setting.get(), DType::f64));
  }
  return dict;
}

void Optimizer::load_state_dict(const NamedTensors& dict, SourceLocation where) {
  // The settings first: which state there is depends on them.
  Entries setting_entries;
  std::vector<nn::Buffer*> values{&setting_entries.expect(setting_path("lr"), {DType::f64, {}})};
  for (const Setting& setting : settings_) {
    values.push_back(&setting_entries.expect(setting_path(setting.name), {DType::f64, {}}));
  }
  NamedTensors setting_dict, state_dict;
  for (const auto& entry : dict) {
    (entry.first.starts_with("param_groups.") ? setting_dict : state_dict).push_back(entry);
  }
  setting_entries.load(setting_dict, where);
  const double lr = values[0]->tensor().item<double>(where);
  require(std::isfinite(lr) && lr >= 0, "lr", lr, "finite and >= 0", where);
  SettingsGuard guard(settings_);
  for (std::size_t i = 0; i < settings_.size(); ++i) {
    const double value = values[i + 1]->tensor().item<double>(where);
    settings_[i].set(value);
    require(settings_[i].get() == value, settings_[i].name, value, settings_[i].values, where);
  }
  check_settings(where);

  Entries entries;
  std::vector<SlotEntries> loaded;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const std::string prefix = fmt::format("state.{}.", i);
    if (!has_entry_below(state_dict, prefix)) continue;
    SlotEntries& slot = loaded.emplace_back(SlotEntries{i, nullptr, nullptr, {}});
    if (counts_steps()) slot.steps = &entries.expect(prefix + "step", {DType::f32, {}});
    for (const StateField& field : state_fields(parameters_[i].tensor(), lr_)) {
      slot.state.push_back(&entries.expect(prefix + field.name, {field.dtype, field.shape}));
    }
    if (has_evaluation_weights()) {
      slot.training = &entries.expect(prefix + training_weights, parameters_[i].tensor().spec());
    }
  }
  entries.load(state_dict, where);

  std::vector<Slot> slots(slots_.size());
  for (std::size_t i = 0; i < slots.size(); ++i) slots[i].group = slots_[i].group;
  for (const SlotEntries& entry : loaded) {
    Slot& slot = slots[entry.index];
    const double steps = entry.steps ? entry.steps->tensor().item<double>(where) : 1;
    require(steps >= 1 && std::floor(steps) == steps, fmt::format("state.{}.step", entry.index), steps,
            "a positive whole number", where);
    slot.steps = static_cast<std::int64_t>(steps);
    for (const nn::Buffer* tensor : entry.state) slot.state.push_back(tensor->tensor());
    if (entry.training) slot.training = entry.training->tensor();
  }
  guard.keep();
  lr_ = lr;
  training_ = !has_evaluation_weights();
  slots_ = std::move(slots);
}

}  // namespace gradus::optim
