// State dicts of optimizers. Loading is strict, and all or nothing.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <unordered_set>

#include "gradus/base/error.h"
#include "gradus/nn/init.h"
#include "gradus/ops/factory.h"
#include "gradus/optim/optimizer.h"
#include "gradus/optim/state/entries.h"

namespace gradus::optim {
namespace {

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

constexpr const char* groups_prefix = "param_groups.";

std::string group_path(std::size_t group, std::string_view name) {
  return fmt::format("{}{}.{}", groups_prefix, group, name);
}

/// What PyTorch's groups say about how to compute, not what: switches of its implementations, the memory of its schedules.
bool is_of_pytorch_alone(std::string_view path) {
  constexpr std::array<std::string_view, 5> names{"foreach", "capturable", "differentiable", "fused", "initial_lr"};
  const std::string_view name = path.substr(path.rfind('.') + 1);
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool contains(const NamedTensors& dict, std::string_view name) {
  return std::any_of(dict.begin(), dict.end(), [&](const auto& entry) { return entry.first == name; });
}

Tensor number(double value) { return nn::init::constant({}, value, DType::f64); }

}  // namespace

/// The settings of a group as a dict has them.
struct Optimizer::LoadedGroup {
  const nn::Buffer* lr;
  std::vector<const nn::Buffer*> settings;  // null: fixed, and not in the dict
  const nn::Buffer* indices;
};

std::vector<std::vector<std::size_t>> Optimizer::members_of_groups() const {
  std::vector<std::vector<std::size_t>> members(groups_.size());
  for (std::size_t i = 0; i < slots_.size(); ++i) members[slots_[i].group].push_back(i);
  return members;
}

NamedTensors Optimizer::state_dict(SourceLocation where) const {
  if (training_ && has_evaluation_weights()) {
    throw Error(ErrorKind::state, name_, "the model has the weights of training, which are not those to save")
        .at(where)
        .hint("call optimizer.eval_mode() before saving the model and this; optimizer.train() goes on as before");
  }
  NamedTensors states, settings;
  std::int64_t index = 0;
  const std::vector<std::vector<std::size_t>> members = members_of_groups();
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    settings.emplace_back(group_path(g, "lr"), number(lr_ * groups_[g].lr_factor));
    for (const Setting& setting : settings_) {
      const bool own = setting.name == "weight_decay" && groups_[g].weight_decay;
      settings.emplace_back(group_path(g, setting.name), number(own ? *groups_[g].weight_decay : setting.get()));
    }
    std::vector<std::int64_t> indices;
    for (const std::size_t i : members[g]) {
      append_state(states, i, index);
      indices.push_back(index++);
    }
    settings.emplace_back(group_path(g, "params"), from_span(indices));
  }
  states.insert(states.end(), settings.begin(), settings.end());
  return states;
}

void Optimizer::append_state(NamedTensors& dict, std::size_t i, std::int64_t index) const {
  const Slot& slot = slots_[i];
  if (slot.steps == 0) return;
  const std::string prefix = fmt::format("state.{}.", index);
  if (counts_steps()) dict.emplace_back(prefix + "step", nn::init::constant({}, static_cast<double>(slot.steps)));
  const std::vector<StateField> fields = state_fields(parameters_[i].tensor(), lr_);
  for (std::size_t s = 0; s < fields.size(); ++s) dict.emplace_back(prefix + fields[s].name, slot.state[s]);
  if (slot.training.defined()) dict.emplace_back(prefix + training_weights, slot.training);
}

detail::Entries Optimizer::entries() const {
  return {name_, "its state",
          fmt::format("it continues from the state of an {} with the same groups over parameters of the same shapes",
                      name_)};
}

void Optimizer::load_state_dict(const NamedTensors& dict, SourceLocation where) {
  NamedTensors settings, states;
  for (const auto& entry : dict) {
    const bool of_group = entry.first.starts_with(groups_prefix);
    if (!(of_group && is_of_pytorch_alone(entry.first))) (of_group ? settings : states).push_back(entry);
  }
  // The settings first: which state there is depends on them.
  detail::Entries reader = entries();
  const std::vector<LoadedGroup> loaded = read_groups(reader, settings, where);
  SettingsGuard guard(settings_);
  const double lr = loaded[0].lr->tensor().item<double>(where);
  std::vector<GroupOptions> groups = take_groups(loaded, lr, where);
  check_settings(where);
  std::vector<Slot> slots = read_slots(states, read_indices(loaded, where), where);
  guard.keep();
  lr_ = lr;
  groups_ = std::move(groups);
  slots_ = std::move(slots);
  training_ = !has_evaluation_weights();
}

std::vector<Optimizer::LoadedGroup> Optimizer::read_groups(detail::Entries& reader, const NamedTensors& dict,
                                                           SourceLocation where) const {
  std::int64_t last = 0;
  for (const auto& [name, tensor] : dict) last = std::max(last, detail::index_after(name, groups_prefix));
  if (last + 1 != static_cast<std::int64_t>(groups_.size())) {
    throw Error(ErrorKind::state, name_,
                fmt::format("the state has {} groups of parameters, the optimizer {}", last + 1, groups_.size()))
        .at(where)
        .hint("call set_group() first, as the program did that saved the state");
  }
  std::vector<LoadedGroup> groups;
  const std::vector<std::vector<std::size_t>> members = members_of_groups();
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    LoadedGroup& group = groups.emplace_back();
    group.lr = &reader.expect(group_path(g, "lr"), {DType::f64, {}});
    for (const Setting& setting : settings_) {
      const std::string path = group_path(g, setting.name);
      const bool expected = !setting.fixed || contains(dict, path);
      group.settings.push_back(expected ? &reader.expect(path, {DType::f64, {}}) : nullptr);
    }
    group.indices =
        &reader.expect(group_path(g, "params"), {DType::i64, {static_cast<std::int64_t>(members[g].size())}});
  }
  reader.load(dict, where);
  return groups;
}

/// Takes the settings over, and returns what the groups have of their own.
std::vector<GroupOptions> Optimizer::take_groups(const std::vector<LoadedGroup>& loaded, double lr,
                                                 SourceLocation where) {
  require(std::isfinite(lr) && lr >= 0, "lr", lr, "finite and >= 0", where);
  std::vector<GroupOptions> groups = groups_;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const double own = loaded[g].lr->tensor().item<double>(where);
    require(std::isfinite(own) && own >= 0 && (lr > 0 || own == 0), group_path(g, "lr"), own,
            lr > 0 ? "finite and >= 0" : "0 as that of the first group", where);
    if (lr * groups[g].lr_factor != own) groups[g].lr_factor = own / lr;
    for (std::size_t i = 0; i < settings_.size(); ++i) {
      const Setting& setting = settings_[i];
      if (!loaded[g].settings[i]) continue;
      const double value = loaded[g].settings[i]->tensor().item<double>(where);
      if (g == 0) {
        setting.set(value);
        require(setting.get() == value, setting.name, value, setting.values, where);
      } else if (setting.name == "weight_decay") {
        require(std::isfinite(value) && value >= 0, group_path(g, setting.name), value, "finite and >= 0", where);
        groups[g].weight_decay = value;
      } else {
        require(setting.get() == value, group_path(g, setting.name), value,
                "that of the first group; groups have their own lr and weight_decay", where);
      }
    }
  }
  return groups;
}

/// The number that stands for each parameter in a dict: its groups list theirs in the order of ours.
std::vector<std::int64_t> Optimizer::read_indices(const std::vector<LoadedGroup>& loaded, SourceLocation where) const {
  std::vector<std::int64_t> indices(slots_.size());
  std::unordered_set<std::int64_t> seen;
  const std::vector<std::vector<std::size_t>> members = members_of_groups();
  for (std::size_t g = 0; g < members.size(); ++g) {
    const std::vector<std::int64_t> listed = loaded[g].indices->tensor().to_vector<std::int64_t>(where);
    for (std::size_t m = 0; m < listed.size(); ++m) {
      require(listed[m] >= 0 && seen.insert(listed[m]).second, fmt::format("{}.{}", group_path(g, "params"), m),
              static_cast<double>(listed[m]), "a number of its own", where);
      indices[members[g][m]] = listed[m];
    }
  }
  return indices;
}

std::vector<Optimizer::Slot> Optimizer::read_slots(const NamedTensors& dict, const std::vector<std::int64_t>& indices,
                                                   SourceLocation where) const {
  std::unordered_set<std::int64_t> present;
  for (const auto& [name, tensor] : dict) present.insert(detail::index_after(name, "state."));
  struct Entry {
    std::size_t slot;
    const nn::Buffer* steps = nullptr;
    const nn::Buffer* training = nullptr;
    std::vector<const nn::Buffer*> state = {};
  };
  detail::Entries reader = entries();
  std::vector<Entry> found;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (!present.contains(indices[i])) continue;
    const std::string prefix = fmt::format("state.{}.", indices[i]);
    Entry& entry = found.emplace_back(Entry{i});
    if (counts_steps()) entry.steps = &reader.expect(prefix + "step", {DType::f32, {}});
    const Tensor& parameter = parameters_[i].tensor();
    for (const StateField& field : state_fields(parameter, lr_)) {
      entry.state.push_back(&reader.expect(prefix + field.name, {field.dtype, field.shape}));
    }
    if (has_evaluation_weights()) entry.training = &reader.expect(prefix + training_weights, parameter.spec());
  }
  reader.load(dict, where);

  std::vector<Slot> slots(slots_.size());
  for (std::size_t i = 0; i < slots.size(); ++i) slots[i].group = slots_[i].group;
  for (const Entry& entry : found) {
    Slot& slot = slots[entry.slot];
    const double steps = entry.steps ? entry.steps->tensor().item<double>(where) : 1;
    require(steps >= 1 && std::floor(steps) == steps, fmt::format("state.{}.step", indices[entry.slot]), steps,
            "a positive whole number", where);
    slot.steps = static_cast<std::int64_t>(steps);
    for (const nn::Buffer* tensor : entry.state) slot.state.push_back(tensor->tensor());
    if (entry.training) slot.training = entry.training->tensor();
  }
  return slots;
}

}  // namespace gradus::optim
