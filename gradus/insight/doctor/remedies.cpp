#include "gradus/insight/doctor/remedies.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>

namespace gradus::insight::doctor {
namespace {

/// A number among the settings of a choice.
std::optional<double> setting(const train::Settings& settings, const std::string& name) {
  const auto found = settings.find(name);
  if (found == settings.end() || !std::holds_alternative<double>(found->second)) return {};
  return std::get<double>(found->second);
}

}  // namespace

std::vector<Change> standardise(const train::Recipe& recipe) {
  if (recipe.data.standardize || !recipe.data.std.empty()) return {};
  std::vector<Change> changes;
  if (!recipe.data.mean.empty()) changes.push_back(change(recipe, "data.mean", "[]"));
  changes.push_back(change(recipe, "data.standardize", "true"));
  return changes;
}

std::vector<Change> standardise_targets(const train::Recipe& recipe) {
  if (!train::predicts_numbers(recipe) || recipe.data.target_mean != 0 || recipe.data.target_std != 1) return {};
  return standardise(recipe);
}

std::vector<Change> slower_schedule(const train::Recipe& recipe) {
  const std::optional<double> gamma = setting(recipe.schedule, "gamma");
  if (!gamma || *gamma >= 1) return {};
  return {change(recipe, "schedule.gamma", 1 - (1 - *gamma) / 10)};
}

std::vector<Change> more_decay(const train::Recipe& recipe) {
  const std::optional<double> decay = setting(recipe.optimizer.settings, "weight_decay");
  if (!decay) return {};
  return {change(recipe, "optimizer.weight_decay", *decay > 0 ? 10 * *decay : 1e-3)};
}

std::vector<Change> more_capacity(const train::Recipe& recipe) {
  const std::optional<double> decay = setting(recipe.optimizer.settings, "weight_decay");
  if (decay && *decay > 0.2) return {change(recipe, "optimizer.weight_decay", *decay / 100)};
  if (recipe.model.name != "mlp") return {};
  std::vector<std::int64_t> wider;
  for (const std::int64_t width : recipe.model.hidden) wider.push_back(std::max<std::int64_t>(4 * width, 16));
  return {change(recipe, "model.hidden", fmt::format("[{}]", fmt::join(wider, ", ")))};
}

}  // namespace gradus::insight::doctor
