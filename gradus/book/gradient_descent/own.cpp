#include "gradus/book/gradient_descent/own.h"

#include <fmt/format.h>

#include <algorithm>

#include "gradus/book/own/setting.h"

namespace gradus::book {
namespace {

using insight::Claim;
using insight::Direction;
using insight::Pair;

const char* const loss = "log10 of the training loss at the end, 2 for a run that diverged";
const std::vector<double> sgd_rates = {0.01, 0.03, 0.1}, adam_rates = {0.0003, 0.001, 0.003};

OwnClaim rate(const Setting& setting, double times, const char* id, const char* sentence) {
  const double own = setting.recipe().optimizer.lr.value_or(0);
  Claim claim{.id = id,
              .sentence = sentence,
              .factor = fmt::format("learning rate {:g} instead of {:g}", own * times, own),
              .response = loss,
              .direction = Direction::higher,
              .smallest_effect = 0.05,
              .data = setting.description(),
              .measure = {}};
  claim.measure = [&setting, own, times](std::uint64_t seed) {
    const auto end = [&](double lr) {
      Trial trial{.recipe = setting.recipe(), .seed = seed};
      trial.recipe.optimizer.lr = lr;
      return setting.fit(trial).loss;
    };
    return Pair{end(own * times), end(own)};
  };
  return {claim, own > 0 ? "" : "the recipe's learning rate is 0"};
}

OwnClaim schedule(const Setting& setting) {
  const std::string name = setting.recipe().optimizer.schedule;
  Claim claim{
      .id = "its-schedule-pays",
      .sentence = "The recipe's schedule of the learning rate ends with a lower training loss than a constant rate.",
      .factor = fmt::format("{} instead of constant", name),
      .response = loss,
      .direction = Direction::lower,
      .smallest_effect = 0.02,
      .belief = true,
      .data = setting.description(),
      .measure = {}};
  claim.measure = [&setting](std::uint64_t seed) {
    const train::Recipe& own = setting.recipe();
    train::Recipe constant = setting.with_optimizer(own.optimizer.name, *own.optimizer.lr, own.optimizer.settings);
    constant.optimizer.warmup_steps = own.optimizer.warmup_steps;
    return Pair{setting.fit({.recipe = own, .seed = seed}).loss, setting.fit({.recipe = constant, .seed = seed}).loss};
  };
  return {claim, name == "constant" ? "the recipe's rate is constant" : ""};
}

const Outcome& with_momentum(const Setting& setting, double momentum, std::uint64_t seed) {
  const train::Recipe recipe = setting.with_optimizer("sgd", sgd_rates[0], {{"momentum", momentum}});
  return setting.best_fit({.recipe = recipe, .seed = seed}, sgd_rates);
}

OwnClaim momentum(const Setting& setting) {
  Claim claim{.id = "momentum-helps-here",
              .sentence = "Momentum trains this network to a lower loss in the same steps.",
              .factor = "gradient descent with momentum 0.9 instead of 0, each with the best of three rates",
              .response = loss,
              .direction = Direction::lower,
              .smallest_effect = 0.05,
              .data = setting.description(),
              .measure = {}};
  claim.measure = [&setting](std::uint64_t seed) {
    return Pair{with_momentum(setting, 0.9, seed).loss, with_momentum(setting, 0, seed).loss};
  };
  return {claim, ""};
}

OwnClaim adam(const Setting& setting) {
  Claim claim{.id = "adam-predicts-better-here",
              .sentence = "Adam leads to better predictions than momentum in the same steps.",
              .factor = "Adam instead of momentum 0.9, each with the best of three rates by the training loss",
              .response = setting.predicts_numbers() ? "validation R2" : "validation accuracy",
              .direction = Direction::higher,
              .smallest_effect = 0.01,
              .belief = true,
              .data = setting.description(),
              .measure = {}};
  claim.measure = [&setting](std::uint64_t seed) {
    const train::Recipe recipe = setting.with_optimizer("adam", adam_rates[0]);
    return Pair{setting.best_fit({.recipe = recipe, .seed = seed}, adam_rates).score,
                with_momentum(setting, 0.9, seed).score};
  };
  return {claim, ""};
}

}  // namespace

std::vector<OwnClaim> own_gradient_descent(const Setting& setting) {
  return {
      rate(setting, 10, "ten-times-the-rate", "Ten times the recipe's learning rate ends with a higher training loss."),
      rate(setting, 0.1, "a-tenth-of-the-rate",
           "A tenth of the recipe's learning rate ends with a higher training loss."),
      schedule(setting), momentum(setting), adam(setting)};
}

}  // namespace gradus::book
