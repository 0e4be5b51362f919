#include "gradus/insight/doctor/remedies.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>

#include "gradus/models/variation.h"
#include "gradus/train/recipe_keys.h"

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

std::vector<Change> other_activation(const train::Recipe& recipe, const std::string& name) {
  const models::ModelSettings& model = recipe.model;
  if (model.name == "mlp" && model.activation != name)
    return {change(recipe, "model.activation", fmt::format("\"{}\"", name))};
  if (model.name != "layers" || with_activation(model, name) == model) return {};
  return {change(recipe, "model.layers", train::detail::inline_layers(with_activation(model, name).layers))};
}

std::vector<Change> with_norms(const train::Recipe& recipe) {
  if (recipe.model.name != "layers") return {};
  const models::Inventory has = inventory_of(recipe.model);
  if (has.norms > 0 || has.weights < 2) return {};
  return {change(recipe, "model.layers", train::detail::inline_layers(with_batch_norm(recipe.model).layers))};
}

std::vector<Change> more_decay(const train::Recipe& recipe) {
  const std::optional<double> decay = setting(recipe.optimizer.settings, "weight_decay");
  if (!decay) return {};
  return {change(recipe, "optimizer.weight_decay", *decay > 0 ? 10 * *decay : 1e-3)};
}

std::vector<Change> more_capacity(const train::Recipe& recipe) {
  const std::optional<double> decay = setting(recipe.optimizer.settings, "weight_decay");
  if (decay && *decay > 0.2) return {change(recipe, "optimizer.weight_decay", *decay / 100)};
  if (recipe.model.name == "layers" && width_is_fixed(recipe.model).empty())
    return {change(recipe, "model.layers", train::detail::inline_layers(with_width(recipe.model, 4).layers))};
  if (recipe.model.name != "mlp") return {};
  std::vector<std::int64_t> wider;
  for (const std::int64_t width : recipe.model.hidden) wider.push_back(std::max<std::int64_t>(4 * width, 16));
  return {change(recipe, "model.hidden", fmt::format("[{}]", fmt::join(wider, ", ")))};
}

}  // namespace gradus::insight::doctor
