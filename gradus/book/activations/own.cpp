#include "gradus/book/activations/own.h"

#include <fmt/format.h>

#include "gradus/book/own/setting.h"
#include "gradus/models/variation.h"

namespace gradus::book {
namespace {

using insight::Claim;
using insight::Direction;
using insight::Pair;

/// A claim on the score of another network after the same steps, with the recipe's optimizer.
Claim claim_on(const Setting& setting, const models::ModelSettings& other, const char* id, const char* sentence,
               const std::string& factor, Direction direction, double smallest_effect) {
  Claim claim{.id = id,
              .sentence = sentence,
              .factor = factor,
              .response = setting.predicts_numbers() ? "validation R2" : "validation accuracy",
              .direction = direction,
              .smallest_effect = smallest_effect,
              .data = setting.description(),
              .measure = {}};
  claim.measure = [&setting, other](std::uint64_t seed) {
    const auto score = [&](const models::ModelSettings& model) {
      return setting.fit({.recipe = setting.with_model(model), .seed = seed}).score;
    };
    return Pair{score(other), score(setting.recipe().model)};
  };
  return claim;
}

}  // namespace

std::vector<OwnClaim> own_activations(const Setting& setting) {
  const models::ModelSettings& own = setting.recipe().model;
  const models::Inventory has = inventory_of(own);
  const std::string none = has.activations == 0 ? "the network has no activation functions" : "";
  const auto instead = [&](const char* name) { return fmt::format("{} instead of {}", name, has.activation); };
  const auto unless = [&](const char* name) {
    return none.empty() && has.activation == name ? fmt::format("its activation is {} already", name) : none;
  };
  std::vector<OwnClaim> all = {
      {claim_on(setting, without_activations(own), "it-needs-its-activations",
                "Without its activations the network predicts worse: these data are no matter of straight lines.",
                "no activation functions, instead of those that it has", Direction::lower, 0.02),
       none},
      {claim_on(setting, with_activation(own, "gelu"), "gelu-is-better-here",
                "With GELU in place of its activations the network predicts better in the same steps.", instead("gelu"),
                Direction::higher, 0.01),
       unless("gelu")},
      {claim_on(setting, with_activation(own, "relu"), "relu-is-better-here",
                "With ReLU in place of its activations the network predicts better in the same steps.", instead("relu"),
                Direction::higher, 0.01),
       unless("relu")},
      {claim_on(setting, with_activation(own, "tanh"), "tanh-does-as-well-here",
                "With tanh in place of its activations the network predicts as well in the same steps.",
                instead("tanh"), Direction::equal, 0.02),
       unless("tanh")}};
  all[1].claim.belief = true;
  return all;
}

}  // namespace gradus::book
