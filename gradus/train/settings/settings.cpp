#include "gradus/train/settings/settings.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "gradus/optim/registry.h"

namespace gradus::train {
namespace {

bool is_whole(double value) { return std::isfinite(value) && std::trunc(value) == value && std::abs(value) < 1e15; }

/// Settings that recipes have a key of their own for, or that training takes care of.
constexpr std::array<std::string_view, 4> own = {"lr", "warmup_steps", "skip_nonfinite", "maximize"};

Choice optimizer_choice(const std::string& name) {
  Choice choice{name};
  for (const optim::SettingDefault& setting : optim::optimizer_defaults(name, {})) {
    if (std::find(own.begin(), own.end(), setting.name) != own.end()) continue;
    const std::size_t dot = setting.name.find('.');
    const std::string key = setting.name.substr(0, dot);
    if (dot == setting.name.npos) {
      SettingInfo info{.name = key, .initial = setting.value, .whole = setting.is_whole};
      if (setting.is_switch) info.initial = setting.value != 0;
      choice.settings.push_back(std::move(info));
    } else {
      if (choice.settings.empty() || choice.settings.back().name != key)
        choice.settings.push_back({key, std::vector<double>()});
      std::get<std::vector<double>>(choice.settings.back().initial).push_back(setting.value);
    }
  }
  return choice;
}

}  // namespace

const std::vector<Choice>& optimizer_choices() {
  static const std::vector<Choice>& choices = *[] {
    auto* all = new std::vector<Choice>;
    for (const std::string& name : optim::optimizer_names()) all->push_back(optimizer_choice(name));
    return all;
  }();
  return choices;
}

double default_lr(std::string_view optimizer) {
  for (const optim::SettingDefault& setting : optim::optimizer_defaults(optimizer, {})) {
    if (setting.name == "lr") return setting.value;
  }
  return 1e-3;
}

std::map<std::string, double> flat(const Settings& settings) {
  std::map<std::string, double> numbers;
  for (const auto& [name, value] : settings) {
    if (const auto* list = std::get_if<std::vector<double>>(&value)) {
      for (std::size_t i = 0; i < list->size(); ++i) numbers[fmt::format("{}.{}", name, i)] = (*list)[i];
    } else if (const auto* number = std::get_if<double>(&value)) {
      numbers[name] = *number;
    } else if (const auto* on = std::get_if<bool>(&value)) {
      numbers[name] = *on ? 1 : 0;
    }
  }
  return numbers;
}

const Choice* find_choice(const std::vector<Choice>& choices, std::string_view name) {
  const auto found = std::find_if(choices.begin(), choices.end(), [&](const Choice& c) { return c.name == name; });
  return found == choices.end() ? nullptr : &*found;
}

std::string_view type_name(const SettingValue& value) {
  constexpr std::string_view names[] = {"true or false", "a number", "a string", "a list of numbers"};
  return names[value.index()];
}

std::string expected(const SettingInfo& info) {
  if (!info.choices.empty()) return fmt::format("one of {}", fmt::join(info.choices, ", "));
  const std::string_view number = info.whole ? "integer" : "number";
  if (const auto* list = std::get_if<std::vector<double>>(&info.initial)) {
    return list->empty() ? fmt::format("a list of {}s", number) : fmt::format("a list of {} {}s", list->size(), number);
  }
  if (info.whole) return "an integer";
  return std::string(type_name(info.initial));
}

bool fits(const SettingInfo& info, const SettingValue& value) {
  if (value.index() != info.initial.index()) return false;
  if (const auto* text = std::get_if<std::string>(&value))
    return std::find(info.choices.begin(), info.choices.end(), *text) != info.choices.end();
  if (const auto* number = std::get_if<double>(&value)) return !info.whole || is_whole(*number);
  if (const auto* list = std::get_if<std::vector<double>>(&value)) {
    const std::size_t length = std::get<std::vector<double>>(info.initial).size();
    if (length > 0 && list->size() != length) return false;
    return !info.whole || std::all_of(list->begin(), list->end(), is_whole);
  }
  return true;
}

void fill_in(Settings& settings, const Choice& choice) {
  for (const SettingInfo& info : choice.settings) {
    if (!info.required) settings.try_emplace(info.name, info.initial);
  }
}

}  // namespace gradus::train
