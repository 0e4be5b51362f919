#include "gradus/insight/doctor/finding.h"

#include <fmt/format.h>

#include "gradus/base/error.h"
#include "gradus/train/recipe_keys.h"

namespace gradus::insight::doctor {

std::string_view name_of(Severity severity) {
  switch (severity) {
    case Severity::note: return "note";
    case Severity::warning: return "warning";
    case Severity::critical: return "critical";
  }
  return "";
}

std::string recipe_value(const train::Recipe& recipe, std::string_view key) {
  train::Recipe copy = recipe;
  if (key == "model.layers") return train::detail::inline_layers(recipe.model.layers);
  for (const auto& entry : train::detail::recipe_keys()) {
    if (entry.name == key) return train::detail::toml_text(entry.slot(copy));
  }
  throw Error(ErrorKind::usage, "doctor", fmt::format("no recipe has the key {}", key));
}

Change change(const train::Recipe& recipe, std::string key, std::string value) {
  std::string was = recipe_value(recipe, key);
  return {std::move(key), std::move(value), std::move(was)};
}

Change change(const train::Recipe& recipe, std::string key, double value) {
  std::string text = fmt::format("{:.3g}", value);
  if (text.find_first_of(".e") == text.npos) text += ".0";
  return change(recipe, std::move(key), std::move(text));
}

train::Recipe changed(const train::Recipe& recipe, const std::vector<Change>& changes) {
  std::vector<std::string> settings;
  for (const Change& each : changes) settings.push_back(fmt::format("{}={}", each.key, each.value));
  return train::parse_recipe(train::recipe_text(recipe), "the recipe of the run", settings);
}

std::string text_of(const Change& change) {
  if (change.was.empty()) return fmt::format("{} = {}", change.key, change.value);
  return fmt::format("{} = {}  # was {}", change.key, change.value, change.was);
}

}  // namespace gradus::insight::doctor
