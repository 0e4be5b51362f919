#include "gradus/book/overfitting/own.h"

#include <fmt/format.h>

#include <algorithm>

#include "gradus/book/own/setting.h"
#include "gradus/models/variation.h"

namespace gradus::book {
namespace {

using insight::Claim;
using insight::Direction;
using insight::Pair;

std::int64_t few(const Setting& setting) { return std::min<std::int64_t>(256, setting.examples()); }

std::string score(const Setting& setting) { return setting.predicts_numbers() ? "R2" : "accuracy"; }

std::string on_few(const Setting& setting, int longer) {
  return fmt::format("{}, {} training examples{}", setting.description(), few(setting),
                     longer > 1 ? fmt::format(", {} times the steps", longer) : "");
}

OwnClaim memorises(const Setting& setting) {
  constexpr int longer = 4;
  Claim claim{.id = "it-can-learn-by-heart",
              .sentence = "The network can learn labels in random order by heart, as well as true ones.",
              .factor = "the labels of the training examples in random order",
              .response = score(setting) + " on the training examples",
              .direction = Direction::equal,
              .smallest_effect = 0.05,
              .data = on_few(setting, longer),
              .measure = {}};
  claim.measure = [&setting](std::uint64_t seed) {
    const auto learned = [&](bool shuffled) {
      return setting
          .fit({.recipe = setting.recipe(),
                .seed = seed,
                .examples = few(setting),
                .shuffled_labels = shuffled,
                .longer = longer})
          .train_score;
    };
    return Pair{learned(true), learned(false)};
  };
  return {claim, ""};
}

OwnClaim more_data(const Setting& setting) {
  const std::int64_t all = setting.examples(), tenth = all / 10;
  Claim claim{.id = "more-examples-help-it",
              .sentence = "Ten times the examples make it better on new ones, with the same number of steps.",
              .factor = fmt::format("{} training examples instead of {}", all, tenth),
              .response = "validation " + score(setting),
              .direction = Direction::higher,
              .smallest_effect = 0.01,
              .data = setting.description(),
              .measure = {}};
  claim.measure = [&setting, tenth](std::uint64_t seed) {
    return Pair{setting.fit({.recipe = setting.recipe(), .seed = seed}).score,
                setting.fit({.recipe = setting.recipe(), .seed = seed, .examples = tenth}).score};
  };
  return {claim, tenth < 10 ? fmt::format("{} training examples are too few to take a tenth of them", all) : ""};
}

OwnClaim dropout(const Setting& setting) {
  const models::Inventory has = inventory_of(setting.recipe().model);
  Claim claim{.id = "dropout-closes-its-gap",
              .sentence = "Dropout makes the gap between training and validation smaller.",
              .factor = "dropout of 0.5 behind every activation, instead of none",
              .response = "training minus validation " + score(setting),
              .direction = Direction::lower,
              .smallest_effect = 0.02,
              .data = on_few(setting, 1),
              .measure = {}};
  claim.measure = [&setting](std::uint64_t seed) {
    const auto gap = [&](const models::ModelSettings& model) {
      return setting.fit({.recipe = setting.with_model(model), .seed = seed, .examples = few(setting)}).gap();
    };
    return Pair{gap(with_dropout(setting.recipe().model, 0.5)), gap(setting.recipe().model)};
  };
  return {claim, has.dropouts > 0       ? "the network has dropout already"
                 : has.activations == 0 ? "the network has no hidden units to drop"
                                        : ""};
}

OwnClaim weight_decay(const Setting& setting) {
  const auto& settings = setting.recipe().optimizer.settings;
  Claim claim{.id = "weight-decay-helps-it",
              .sentence = "With few examples, weight decay makes it better on new ones.",
              .factor = "weight decay 0.1 instead of 0",
              .response = "validation " + score(setting),
              .direction = Direction::higher,
              .smallest_effect = 0.01,
              .belief = true,
              .data = on_few(setting, 1),
              .measure = {}};
  claim.measure = [&setting](std::uint64_t seed) {
    const auto with = [&](double decay) {
      Trial trial{.recipe = setting.recipe(), .seed = seed, .examples = few(setting)};
      trial.recipe.optimizer.settings["weight_decay"] = decay;
      return setting.fit(trial).score;
    };
    return Pair{with(0.1), with(0)};
  };
  return {claim, settings.count("weight_decay") > 0
                     ? ""
                     : fmt::format("{} has no weight decay", setting.recipe().optimizer.name)};
}

}  // namespace

std::vector<OwnClaim> own_overfitting(const Setting& setting) {
  return {memorises(setting), more_data(setting), dropout(setting), weight_decay(setting)};
}

}  // namespace gradus::book
