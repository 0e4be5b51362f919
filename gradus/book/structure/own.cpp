#include "gradus/book/structure/own.h"

#include <fmt/format.h>

#include <algorithm>

#include "gradus/book/own/setting.h"
#include "gradus/models/variation.h"

namespace gradus::book {
namespace {

using insight::Claim;
using insight::Direction;
using insight::Pair;

/// Times the steps of an effort: what a network is capable of shows late.
constexpr int longer = 3;

/// A claim on the validation score of a variation of the network, against the network as it is.
Claim variation(const Setting& setting, const models::ModelSettings& model, Start start = Start::pytorch) {
  return {.id = {},
          .sentence = {},
          .factor = {},
          .response = setting.predicts_numbers() ? "validation R2" : "validation accuracy",
          .direction = Direction::lower,
          .smallest_effect = 0.01,
          .data = fmt::format("{}, but {} steps", setting.description(), longer * setting.steps()),
          .measure = [&setting, model, start](std::uint64_t seed) {
            Trial trial{.recipe = setting.recipe(), .seed = seed, .longer = longer};
            const double as_it_is = setting.fit(trial).score;
            trial.recipe = setting.with_model(model);
            trial.start = start;
            return Pair{setting.fit(trial).score, as_it_is};
          }};
}

OwnClaim linear(const Setting& setting) {
  const models::ModelSettings& own = setting.recipe().model;
  const models::Inventory has = inventory_of(own);
  Claim claim = variation(setting, without_activations(own));
  claim.id = "it-needs-its-activations";
  claim.sentence = "Without its activation functions, which makes its layers worth one, it would be worse.";
  claim.factor = fmt::format("no activation functions instead of {}", has.activation);
  return {claim, has.activations == 0 ? "the network has no activation functions"
                 : has.weights < 2    ? "the network has one layer of weights"
                                      : ""};
}

OwnClaim wider(const Setting& setting) {
  const models::ModelSettings& own = setting.recipe().model;
  const std::string reason = width_is_fixed(own);
  Claim claim = variation(setting, reason.empty() ? with_width(own, 2) : own);
  claim.id = "wider-is-better";
  claim.sentence = "Twice the units in its hidden layers would make it better.";
  claim.factor = "twice the units in each hidden layer";
  claim.direction = Direction::higher;
  claim.belief = true;
  return {claim, reason};
}

OwnClaim narrower(const Setting& setting) {
  const models::ModelSettings& own = setting.recipe().model;
  const std::string reason = width_is_fixed(own);
  Claim claim = variation(setting, reason.empty() ? with_width(own, 0.25) : own);
  claim.id = "a-quarter-of-it-would-do";
  claim.sentence = "A quarter of the units in its hidden layers would do as well.";
  claim.factor = "a quarter of the units in each hidden layer";
  claim.direction = Direction::equal;
  return {claim, reason};
}

OwnClaim deeper(const Setting& setting) {
  const models::ModelSettings& own = setting.recipe().model;
  const auto last = std::find_if(own.layers.rbegin(), own.layers.rend(),
                                 [](const auto& layer) { return layer.type == "linear" || layer.type == "conv2d"; });
  const bool possible = last != own.layers.rend() && last->type == "linear";
  Claim claim = variation(setting, possible ? with_another_layer(own) : own);
  claim.id = "deeper-is-better";
  claim.sentence = "Another hidden layer would make it better.";
  claim.factor = "one more hidden layer in front of the last layer";
  claim.direction = Direction::higher;
  claim.belief = true;
  return {claim, possible ? "" : "its last layer is not linear"};
}

OwnClaim alike(const Setting& setting) {
  const models::Inventory has = inventory_of(setting.recipe().model);
  Claim claim = variation(setting, setting.recipe().model, Start::alike);
  claim.id = "equal-units-stay-equal";
  claim.sentence = "If all units of a layer started alike, it would be much worse: they would stay alike.";
  claim.factor = "units that start alike instead of at random";
  claim.smallest_effect = 0.1;
  return {claim, has.weights < 2    ? "the network has no hidden layer"
                 : has.dropouts > 0 ? "dropout would tell its units apart"
                                    : ""};
}

}  // namespace

std::vector<OwnClaim> own_structure(const Setting& setting) {
  return {linear(setting), wider(setting), narrower(setting), deeper(setting), alike(setting)};
}

}  // namespace gradus::book
