// Chapter 3: what is claimed of backpropagation, and how it is measured.
#include <algorithm>
#include <cmath>

#include "gradus/book/backpropagation/measure.h"
#include "gradus/book/backpropagation/own.h"
#include "gradus/book/chapter.h"

namespace gradus::book {
namespace {

using insight::Claim;
using insight::Direction;
using insight::Pair;

const char* const network = "digits, two hidden layers of 32";

double best_taught(Teacher teacher, const std::vector<double>& rates, std::int64_t epochs, std::uint64_t seed) {
  double best = -1, test = 0;
  for (const double rate : rates) {
    const std::vector<double> accuracies = taught(teacher, rate, epochs, seed);
    const double validation = accuracies[accuracies.size() - 2];
    if (validation <= best) continue;
    best = validation;
    test = accuracies.back();
  }
  return test;
}

Claim curve() {
  return {.id = "differences-confirm-it",
          .sentence =
              "With a step of 1e-5, central differences confirm the gradient of reverse mode to eight digits or more.",
          .factor = "the measured error, instead of 1e-8",
          .response = "log10 of the relative error",
          .direction = Direction::lower,
          .smallest_effect = 0.5,
          .data = "64 digits, 32 tanh units, f64",
          .measure = [](std::uint64_t seed) {
            return Pair{std::log10(difference_error(1e-5, seed)), -8};
          }};
}

Claim smaller_is_better() {
  return {.id = "smaller-steps-are-more-exact",
          .sentence = "The smaller the step, the more exact is the difference quotient.",
          .factor = "a step of 1e-11 instead of 1e-5",
          .response = "log10 of the relative error",
          .direction = Direction::lower,
          .smallest_effect = 0.5,
          .belief = true,
          .data = "64 digits, 32 tanh units, f64",
          .measure = [](std::uint64_t seed) {
            return Pair{std::log10(difference_error(1e-11, seed)), std::log10(difference_error(1e-5, seed))};
          }};
}

Claim recomputed() {
  return {.id = "recomputing-changes-nothing",
          .sentence =
              "Computing activations again in the backward pass instead of keeping them gives the same gradient, bit "
              "for bit.",
          .factor = "checkpointed layers instead of kept activations",
          .response = "largest difference of a gradient",
          .direction = Direction::equal,
          .smallest_effect = 1e-12,
          .data = "64 digits, 12 hidden layers of 32",
          .measure = [](std::uint64_t seed) {
            return Pair{checkpoint_difference(seed), 0};
          }};
}

Claim hidden_layers(std::int64_t epochs) {
  return {.id = "hidden-layers-must-learn",
          .sentence =
              "A network whose hidden layers are trained is more accurate than one that trains its last layer alone.",
          .factor = "all layers instead of the last one, each with the best of three rates",
          .response = "test accuracy",
          .direction = Direction::higher,
          .smallest_effect = 0.02,
          .data = network,
          .measure = [epochs](std::uint64_t seed) {
            return Pair{best_taught(Teacher::backpropagation, {0.1, 0.3, 1}, epochs, seed),
                        best_taught(Teacher::last_layer, {0.1, 0.3, 1}, epochs, seed)};
          }};
}

Claim one_direction(std::int64_t epochs) {
  return {
      .id = "one-direction-is-not-enough",
      .sentence =
          "An unbiased guess of the gradient from one random direction learns far less in the same number of steps.",
      .factor = "backpropagation instead of one random direction, each with the best of three rates",
      .response = "test accuracy",
      .direction = Direction::higher,
      .smallest_effect = 0.1,
      .data = network,
      .measure = [epochs](std::uint64_t seed) {
        return Pair{best_taught(Teacher::backpropagation, {0.1, 0.3, 1}, epochs, seed),
                    best_taught(Teacher::direction, {0.001, 0.003, 0.01}, epochs, seed)};
      }};
}

std::vector<Claim> claims(Effort effort) {
  const std::int64_t epochs = effort == Effort::quick ? 4 : 10;
  return {curve(), smaller_is_better(), recomputed(), hidden_layers(epochs), one_direction(epochs)};
}

}  // namespace

Chapter backpropagation() {
  return {.summary = "the chain rule as bookkeeping: why all derivatives of a loss cost little more than the loss",
          .claims = claims,
          .measure = measure_backpropagation,
          .oracles = {"gradient check", "softmax + cross entropy", "sum over the classes", "sigmoid chain",
                      "fourth derivative", "Hessian"},
          .own = own_backpropagation,
          .quick_seconds = 1,
          .standard_seconds = 3,
          .full_seconds = 8};
}

}  // namespace gradus::book
