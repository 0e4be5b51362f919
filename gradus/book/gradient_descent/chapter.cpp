// Chapter 5: what is claimed of gradient descent, and how it is measured.
#include "gradus/book/chapter.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "gradus/book/gradient_descent/measure.h"
#include "gradus/book/gradient_descent/own.h"
#include "gradus/book/lab.h"

namespace gradus::book {
namespace {

using insight::Claim;
using insight::Direction;
using insight::Pair;

const std::vector<double> sgd_rates = {0.01, 0.03, 0.1, 0.3, 1};
const std::vector<double> momentum_rates = {0.003, 0.01, 0.03, 0.1, 0.3};
const std::vector<double> adam_rates = {0.0003, 0.001, 0.003, 0.01, 0.03};

Claim stability() {
  return {
      .id = "edge-of-stability",
      .sentence = "Two hundredths above the rate 2/L gradient descent diverges; two hundredths below, it converges.",
      .factor = "learning rate 1.02 x 2/L instead of 0.98 x 2/L",
      .response = "log10 of the distance from the optimum after 500 steps, relative to the start",
      .direction = Direction::higher,
      .smallest_effect = 1,
      .data = "breast cancer, least squares",
      .measure = [](std::uint64_t seed) {
        const LeastSquares& problem = least_squares();
        const auto end = [&](double share) {
          return std::log10(descend(problem, seed, {{"lr", share * 2 / problem.steepest}}, 500).distance.back());
        };
        return Pair{end(1.02), end(0.98)};
      }};
}

Claim momentum() {
  return {.id = "momentum-saves-steps",
          .sentence = "On an ill-conditioned problem, momentum needs less than a third of the steps.",
          .factor = "heavy ball instead of gradient descent, both with their best constants",
          .response = "log10 of the steps to a hundredth of the distance",
          .direction = Direction::lower,
          .smallest_effect = std::log10(3),
          .data = "breast cancer, least squares",
          .measure = [](std::uint64_t seed) {
            const LeastSquares& problem = least_squares();
            const auto steps = [&](const std::map<std::string, double>& sgd) {
              return std::log10(static_cast<double>(descend(problem, seed, sgd, 20000, 0.01).steps()));
            };
            return Pair{steps(best_heavy_ball(problem)), steps(best_descent(problem))};
          }};
}

Claim minibatches(std::int64_t epochs) {
  return {
      .id = "small-batches-learn-sooner",
      .sentence =
          "For the same number of examples looked at, small batches learn more than the whole data set in every step.",
      .factor = "batches of 32 instead of all 1,238 examples, each with the best of five rates",
      .response = "test accuracy",
      .direction = Direction::higher,
      .smallest_effect = 0.02,
      .data = "digits, one hidden layer of 32",
      .measure = [epochs](std::uint64_t seed) {
        return Pair{best_fit({.batch_size = 32, .epochs = epochs, .seed = seed}, sgd_rates).test_accuracy,
                    best_fit({.batch_size = 0, .epochs = epochs, .seed = seed}, sgd_rates).test_accuracy};
      }};
}

Claim noise(int draws) {
  return {.id = "noise-falls-with-the-batch",
          .sentence = "The variance of a batch's gradient falls in proportion to the batch.",
          .factor = "slope that is measured, instead of -1",
          .response = "slope of log variance over log batch size",
          .direction = Direction::equal,
          .smallest_effect = 0.1,
          .data = "digits, one hidden layer of 32, at the start",
          .measure = [draws](std::uint64_t seed) {
            return Pair{noise_by_batch(seed, draws).line.slope, -1};
          }};
}

/// The training loss at the end with a cosine, and with the same rate kept.
Pair cosine_and_constant(FitOptions options) {
  const auto end = [&](bool cosine) {
    options.cosine = cosine;
    return std::log10(fit(options).loss.back());
  };
  return {end(true), end(false)};
}

Claim decay() {
  return {
      .id = "a-falling-rate-calms-the-noise",
      .sentence =
          "Where noise rules, with a large rate and small batches, a rate that falls to zero ends with a lower loss.",
      .factor = "cosine from 0.5 to 0 instead of the constant rate 0.5, batches of 8, 5 epochs",
      .response = "log10 of the training loss in the last epoch",
      .direction = Direction::lower,
      .smallest_effect = 0.1,
      .data = "digits, one hidden layer of 32",
      .measure = [](std::uint64_t seed) {
        return cosine_and_constant({.settings = {{"lr", 0.5}}, .batch_size = 8, .epochs = 5, .seed = seed});
      }};
}

Claim always_decay() {
  return {.id = "a-falling-rate-is-always-better",
          .sentence = "Letting the rate fall ends with a lower training loss than keeping it.",
          .factor = "cosine from 0.3 to 0 instead of the constant rate 0.3, batches of 32, 10 epochs",
          .response = "log10 of the training loss in the last epoch",
          .direction = Direction::lower,
          .smallest_effect = 0.1,
          .belief = true,
          .data = "digits, one hidden layer of 32",
          .measure = [](std::uint64_t seed) {
            return cosine_and_constant({.settings = {{"lr", 0.3}}, .epochs = 10, .seed = seed});
          }};
}

Claim adam(std::int64_t epochs) {
  return {
      .id = "adam-is-more-accurate",
      .sentence = "Adam trains to a better test accuracy than gradient descent with momentum.",
      .factor = "Adam instead of momentum 0.9, each with the best of five rates",
      .response = "test accuracy",
      .direction = Direction::higher,
      .smallest_effect = 0.01,
      .belief = true,
      .data = "digits, one hidden layer of 32",
      .measure = [epochs](std::uint64_t seed) {
        return Pair{
            best_fit({.optimizer = "adam", .epochs = epochs, .seed = seed}, adam_rates).test_accuracy,
            best_fit({.settings = {{"momentum", 0.9}}, .epochs = epochs, .seed = seed}, momentum_rates).test_accuracy};
      }};
}

Claim nesterov(std::int64_t epochs) {
  return {.id = "nesterov-beats-heavy-ball",
          .sentence = "Looking ahead, as Nesterov's momentum does, trains a network faster than plain momentum.",
          .factor = "Nesterov's momentum 0.9 instead of plain momentum 0.9, rate 0.1",
          .response = "log10 of the training loss in the last epoch",
          .direction = Direction::lower,
          .smallest_effect = 0.1,
          .belief = true,
          .data = "digits, one hidden layer of 32",
          .measure = [epochs](std::uint64_t seed) {
            FitOptions options{.settings = {{"lr", 0.1}, {"momentum", 0.9}}, .epochs = epochs, .seed = seed};
            const auto end = [&](double on) {
              options.settings["nesterov"] = on;
              return std::log10(fit(options).loss.back());
            };
            return Pair{end(1), end(0)};
          }};
}

std::vector<Claim> claims(Effort effort) {
  const std::int64_t epochs = effort == Effort::quick ? 5 : 10;
  return {stability(), momentum(),     minibatches(epochs), noise(effort == Effort::full ? 400 : 100),
          decay(),     always_decay(), adam(epochs),        nesterov(epochs)};
}

}  // namespace

Chapter gradient_descent() {
  return {
      .summary = "walking downhill: how far a step may go, momentum, noise, schedules, and which optimizer",
      .claims = claims,
      .measure = measure_gradient_descent,
      .oracles = {"gradient descent", "heavy ball", "below 2 / L", "above 2 / L", "least norm", "Adam's first step"},
      .own = own_gradient_descent,
      .quick_seconds = 3,
      .standard_seconds = 7,
      .full_seconds = 16};
}

}  // namespace gradus::book
