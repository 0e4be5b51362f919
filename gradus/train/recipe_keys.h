// The one description of a recipe's keys, from which reading, checking, writing and the help text come.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "gradus/train/recipe.h"

namespace gradus::train::detail {

/// Where a key's value lies; the alternative is its type.
using Slot = std::variant<std::int64_t*, double*, std::optional<double>*, bool*, std::string*,
                          std::vector<std::int64_t>*, std::vector<double>*, std::vector<std::string>*, SettingValue*>;

/// Numbers, and each number of a list, must lie in [low, high], or in [low, high) when `open`.
struct Range {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool open = false;
  std::size_t count = 0;  ///< length of a list; 0: any
};

/// A key that means something only where another key has one of these values.
struct Condition {
  std::string_view key;
  std::vector<std::string_view> values;
};

using Choices = std::vector<std::string_view>;

/// One key: where its value lies, and what it may be.
template <class Owner>
struct Key {
  Key(std::string_view its_name, std::function<Slot(Owner&)> its_slot, std::string_view its_doc = {})
      : name(its_name), slot(std::move(its_slot)), doc(its_doc) {}

  Key& at_least(double low) { return in({.low = low}); }
  Key& in(const Range& its_range) {
    range = its_range;
    return *this;
  }
  Key& one_of(Choices its_choices) {
    choices = std::move(its_choices);
    return *this;
  }
  Key& only_for(const Condition& condition) {
    only_if = condition;
    return *this;
  }
  Key& must_be_given() {
    required = true;
    return *this;
  }
  Key& explained(std::string text) {
    values = std::move(text);
    return *this;
  }

  std::string_view name;  ///< "optimizer.lr"
  std::function<Slot(Owner&)> slot;
  std::string_view doc;
  Range range;
  Choices choices;  ///< of a text
  Condition only_if;
  bool required = false;
  std::string values;  ///< for the help text, in place of what it says otherwise: of a setting with several owners
};

const std::vector<Key<Recipe>>& recipe_keys();
/// Keys of one entry of [[model.layers]].
const std::vector<Key<models::LayerSettings>>& layer_keys();

/// The settings that the names chosen in the recipe have, and where they lie.
struct ChosenSettings {
  std::string_view prefix;  ///< "optimizer."
  std::string_view key;     ///< "optimizer.name"
  const Choice* choice;     ///< what is chosen
  Settings* settings;
};
std::vector<ChosenSettings> chosen_settings(Recipe& recipe);

/// "an integer", "a list of numbers", ...
std::string_view type_name(const Slot& slot);
/// "an integer >= 1", "one of adamw, sgd".
std::string expected(const Slot& slot, const Range& range, std::span<const std::string_view> choices);
/// Layers as a value of model.layers on one line: [{type = "flatten"}, ...]. What stands at its default is left out.
std::string inline_layers(const std::vector<models::LayerSettings>& layers);

/// The value in TOML; "" for an absent optional.
std::string toml_text(const Slot& slot);
bool in_range(double value, const Range& range);

/// True when `key` means something in `owner`.
template <class Owner>
bool applies(const Key<Owner>& key, const std::vector<Key<Owner>>& all, Owner& owner) {
  if (key.only_if.key.empty()) return true;
  for (const Key<Owner>& other : all) {
    if (other.name != key.only_if.key) continue;
    const std::string& value = *std::get<std::string*>(other.slot(owner));
    for (std::string_view wanted : key.only_if.values) {
      if (wanted == value) return true;
    }
  }
  return false;
}

}  // namespace gradus::train::detail
