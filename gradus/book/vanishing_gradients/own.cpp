#include "gradus/book/vanishing_gradients/own.h"

#include <fmt/format.h>

#include "gradus/book/own/setting.h"
#include "gradus/models/variation.h"

namespace gradus::book {
namespace {

using insight::Claim;
using insight::Direction;
using insight::Pair;

const char* const ratio = "log10 of the first over the last weight's gradient, each measured against its weight";

/// A variation of the network: its layers, and its starting weights.
struct Variation {
  models::ModelSettings model;
  Start start = Start::pytorch;
};

double first_to_last(const Setting& setting, const Variation& variation, std::uint64_t seed) {
  const std::vector<double> norms =
      setting.gradients_at_start(setting.with_model(variation.model), seed, variation.start);
  return norms.front() - norms.back();
}

std::function<Pair(std::uint64_t)> ratios(const Setting& setting, Variation treated, Variation control) {
  return [&setting, treated, control](std::uint64_t seed) {
    return Pair{first_to_last(setting, treated, seed), first_to_last(setting, control, seed)};
  };
}

OwnClaim starving(const Setting& setting, const Variation& own, const models::Inventory& has) {
  Claim claim{.id = "first-layer-starves",
              .sentence =
                  "In this network, as it is, the first layer's gradient is smaller than the last one's by more than "
                  "two powers of ten.",
              .factor = "this network, instead of one whose layers learn alike",
              .response = ratio,
              .direction = Direction::lower,
              .smallest_effect = 2,
              .data = setting.description(),
              .measure = {}};
  claim.measure = [&setting, own](std::uint64_t seed) { return Pair{first_to_last(setting, own, seed), 0}; };
  return {claim, has.weights < 2 ? "the network has one layer of weights, which is first and last" : ""};
}

std::string no_other_activation(const models::Inventory& has, const std::string& name) {
  if (has.activations == 0) return "the network has no activation functions";
  return has.activation == name ? fmt::format("its activation is {} already", name) : "";
}

OwnClaim sigmoids(const Setting& setting, const Variation& own, const models::Inventory& has) {
  Claim claim{
      .id = "sigmoids-starve-it",
      .sentence = "With sigmoids in place of its activations, the first layer's gradient would be less than a tenth.",
      .factor = fmt::format("sigmoid with Xavier's start instead of {} as it is", has.activation),
      .response = ratio,
      .direction = Direction::lower,
      .smallest_effect = 1,
      .data = setting.description(),
      .measure = {}};
  claim.measure = ratios(setting, {with_activation(own.model, "sigmoid"), Start::xavier}, own);
  return {claim, no_other_activation(has, "sigmoid")};
}

OwnClaim relus(const Setting& setting, const Variation& own, const models::Inventory& has) {
  Claim claim{.id = "relu-feeds-it",
              .sentence = "With ReLU and He's start, the first layer's gradient would be more than three times larger.",
              .factor = fmt::format("ReLU with He's start instead of {} as it is", has.activation),
              .response = ratio,
              .direction = Direction::higher,
              .smallest_effect = 0.5,
              .data = setting.description(),
              .measure = {}};
  claim.measure = ratios(setting, {with_activation(own.model, "relu"), Start::he}, own);
  return {claim, no_other_activation(has, "relu")};
}

OwnClaim start(const Setting& setting, const Variation& own, const models::Inventory& has) {
  Claim claim{.id = "he-start-feeds-it",
              .sentence = "He's starting weights would more than double the first layer's share of the gradient.",
              .factor = "He's starting weights instead of PyTorch's default",
              .response = ratio,
              .direction = Direction::higher,
              .smallest_effect = 0.3,
              .belief = true,
              .data = setting.description(),
              .measure = {}};
  claim.measure = ratios(setting, {own.model, Start::he}, own);
  return {claim, has.weights < 2 ? "the network has one layer of weights" : ""};
}

OwnClaim norm(const Setting& setting, const Variation& own, const models::Inventory& has) {
  Claim claim{.id = "batch-norm-evens-it",
              .sentence = "Batch normalisation would more than double the first layer's share of the gradient.",
              .factor = "batch normalisation behind every layer but the last, instead of none",
              .response = ratio,
              .direction = Direction::higher,
              .smallest_effect = 0.3,
              .data = setting.description(),
              .measure = {}};
  claim.measure = ratios(setting, {with_batch_norm(own.model), Start::pytorch}, own);
  return {claim, has.norms > 0     ? "the network has normalisation already"
                 : has.weights < 2 ? "the network has no hidden layer to normalise"
                                   : ""};
}

OwnClaim learning(const Setting& setting, const Variation& own, const models::Inventory& has) {
  Claim claim{.id = "sigmoids-learn-less",
              .sentence = "With sigmoids in place of its activations, the network learns less in the same steps.",
              .factor = fmt::format("sigmoid instead of {}, the recipe's optimizer", has.activation),
              .response = setting.predicts_numbers() ? "validation R2" : "validation accuracy",
              .direction = Direction::lower,
              .smallest_effect = 0.02,
              .data = setting.description(),
              .measure = {}};
  claim.measure = [&setting, own](std::uint64_t seed) {
    const auto score = [&](const models::ModelSettings& model) {
      return setting.fit({.recipe = setting.with_model(model), .seed = seed}).score;
    };
    return Pair{score(with_activation(own.model, "sigmoid")), score(own.model)};
  };
  return {claim, no_other_activation(has, "sigmoid")};
}

}  // namespace

std::vector<OwnClaim> own_vanishing_gradients(const Setting& setting) {
  const Variation own{setting.recipe().model};
  const models::Inventory has = inventory_of(own.model);
  return {starving(setting, own, has), sigmoids(setting, own, has), relus(setting, own, has),
          start(setting, own, has),    norm(setting, own, has),     learning(setting, own, has)};
}

}  // namespace gradus::book
