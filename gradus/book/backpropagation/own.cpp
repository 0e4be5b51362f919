#include "gradus/book/backpropagation/own.h"

#include "gradus/book/own/setting.h"
#include "gradus/models/variation.h"

namespace gradus::book {
namespace {

using insight::Claim;
using insight::Direction;
using insight::Pair;

OwnClaim confirmed(const Setting& setting) {
  Claim claim{.id = "differences-confirm-its-gradient",
              .sentence = "Central differences with a step of 1e-5 confirm its gradient to six digits or more.",
              .factor = "the measured error, instead of 1e-6",
              .response = "log10 of the relative error",
              .direction = Direction::lower,
              .smallest_effect = 0.5,
              .data = setting.description() + "; 16 examples, f64, a random direction",
              .measure = [&setting](std::uint64_t seed) {
                return Pair{setting.difference_error(seed, 1e-5), -6};
              }};
  return {claim, ""};
}

OwnClaim smaller(const Setting& setting) {
  Claim claim{.id = "smaller-steps-are-more-exact",
              .sentence = "The smaller the step, the more exact are the differences.",
              .factor = "a step of 1e-11 instead of 1e-5",
              .response = "log10 of the relative error",
              .direction = Direction::lower,
              .smallest_effect = 0.5,
              .belief = true,
              .data = setting.description() + "; 16 examples, f64, a random direction",
              .measure = [&setting](std::uint64_t seed) {
                return Pair{setting.difference_error(seed, 1e-11), setting.difference_error(seed, 1e-5)};
              }};
  return {claim, ""};
}

OwnClaim hidden_layers(const Setting& setting) {
  const models::Inventory has = inventory_of(setting.recipe().model);
  Claim claim{.id = "its-hidden-layers-must-learn",
              .sentence = "It is better than the same network with all layers but the last left as they start.",
              .factor = "all layers trained instead of the last one",
              .response = setting.predicts_numbers() ? "validation R2" : "validation accuracy",
              .direction = Direction::higher,
              .smallest_effect = 0.02,
              .data = setting.description(),
              .measure = [&setting](std::uint64_t seed) {
                return Pair{setting.fit({.recipe = setting.recipe(), .seed = seed}).score,
                            setting.fit({.recipe = setting.recipe(), .seed = seed, .last_layer_only = true}).score};
              }};
  return {claim, has.weights < 2 ? "the network has no hidden layer" : ""};
}

}  // namespace

std::vector<OwnClaim> own_backpropagation(const Setting& setting) {
  return {confirmed(setting), smaller(setting), hidden_layers(setting)};
}

}  // namespace gradus::book
