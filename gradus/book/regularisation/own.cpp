#include "gradus/book/regularisation/own.h"

#include <fmt/format.h>

#include <algorithm>

#include "gradus/book/own/setting.h"

namespace gradus::book {
namespace {

using insight::Claim;
using insight::Direction;
using insight::Pair;

std::int64_t few(const Setting& setting) { return std::min<std::int64_t>(256, setting.examples()); }

/// A technique that is one number of the recipe: what it does to new examples when there are few to learn from.
OwnClaim technique(const Setting& setting, const char* id, const char* sentence, const char* key,
                   double train::TrainSettings::*option, double value, bool belief) {
  Claim claim{.id = id,
              .sentence = sentence,
              .factor = fmt::format("train.{} = {} instead of 0", key, value),
              .response = setting.predicts_numbers() ? "validation R2" : "validation accuracy",
              .direction = Direction::higher,
              .smallest_effect = 0.01,
              .belief = belief,
              .data = fmt::format("{}, {} training examples", setting.description(), few(setting)),
              .measure = {}};
  claim.measure = [&setting, option, value](std::uint64_t seed) {
    const auto with = [&](double strength) {
      Trial trial{.recipe = setting.recipe(), .seed = seed, .examples = few(setting)};
      trial.recipe.train.*option = strength;
      return setting.fit(trial).score;
    };
    return Pair{with(value), with(0)};
  };
  return {claim, ""};
}

}  // namespace

std::vector<OwnClaim> own_regularisation(const Setting& setting) {
  using S = train::TrainSettings;
  std::vector<OwnClaim> claims{
      technique(setting, "mixup-helps-it", "With few examples, mixup makes it better on new ones.", "mixup", &S::mixup,
                0.4, true),
      technique(setting, "noise-helps-it", "With few examples, noise on the inputs makes it better on new ones.",
                "input_noise", &S::input_noise, 0.1, false),
      technique(setting, "l1-helps-it", "With few examples, a penalty on the size of the weights makes it better.",
                "l1_penalty", &S::l1_penalty, 1e-4, false),
      technique(setting, "smoothing-helps-it", "With few examples, smoothed labels make it better on new ones.",
                "label_smoothing", &S::label_smoothing, 0.1, true)};
  if (setting.predicts_numbers()) claims.back().refusal = "numbers have no labels to smooth";
  return claims;
}

}  // namespace gradus::book
