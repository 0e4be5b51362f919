// Chapter 8: what is claimed of activation functions, and how it is measured.
#include "gradus/book/chapter.h"

#include <cmath>

#include "gradus/book/activations/measure.h"
#include "gradus/book/activations/own.h"

namespace gradus::book {
namespace {

using insight::Claim;
using insight::Direction;
using insight::Pair;

const char* const spirals = "two spirals, 400 points to train on and 400 to test";
const char* const small_net = "digits, two hidden layers of 32";

Claim linear(std::int64_t steps) {
  return {.id = "depth-needs-an-activation",
          .sentence = "Without an activation three hidden layers are worth no more than none.",
          .factor = "three hidden layers without activation instead of a linear model",
          .response = "test accuracy",
          .direction = Direction::equal,
          .smallest_effect = 0.05,
          .data = spirals,
          .measure = [steps](std::uint64_t seed) {
            return Pair{spiral_accuracy("none", 3, steps, seed), spiral_accuracy("none", 0, steps, seed)};
          }};
}

Claim bent(std::int64_t steps) {
  return {.id = "relu-parts-the-arms",
          .sentence = "With ReLU in between, the same three layers solve what no straight line can.",
          .factor = "ReLU instead of no activation, three hidden layers",
          .response = "test accuracy",
          .direction = Direction::higher,
          .smallest_effect = 0.2,
          .data = spirals,
          .measure = [steps](std::uint64_t seed) {
            return Pair{spiral_accuracy("relu", 3, steps, seed), spiral_accuracy("none", 3, steps, seed)};
          }};
}

/// Two hidden layers of 32, the best of four rates.
double tuned(const char* activation, std::int64_t epochs, std::uint64_t seed) {
  return best_fit({.settings = {{"momentum", 0.9}},
                   .net = {.hidden = {32, 32}, .activation = activation},
                   .epochs = epochs,
                   .seed = seed},
                  {0.01, 0.03, 0.1, 0.3})
      .test_accuracy;
}

Claim sigmoid_slow() {
  return {.id = "relu-learns-sooner-than-sigmoid",
          .sentence = "In a few epochs a network of ReLUs learns more than one of sigmoids.",
          .factor = "ReLU instead of sigmoid, each with the best of four rates, 3 epochs",
          .response = "test accuracy",
          .direction = Direction::higher,
          .smallest_effect = 0.02,
          .data = small_net,
          .measure = [](std::uint64_t seed) {
            return Pair{tuned("relu", 3, seed), tuned("sigmoid", 3, seed)};
          }};
}

Claim dying(std::int64_t epochs) {
  return {.id = "large-rates-kill-relus",
          .sentence = "A learning rate that is ten times too large kills more than a tenth of the ReLUs for good.",
          .factor = "rate 0.3 instead of 0.03, momentum 0.9",
          .response = "share of hidden units that are 0 for every training example",
          .direction = Direction::higher,
          .smallest_effect = 0.1,
          .data = small_net,
          .measure = [epochs](std::uint64_t seed) {
            return Pair{dead_share("relu", 0.3, epochs, seed), dead_share("relu", 0.03, epochs, seed)};
          }};
}

Claim selu_keeps() {
  return {.id = "selu-normalises-itself",
          .sentence = "Through thirty layers SELU keeps the mean square of the signal where it was.",
          .factor = "after the thirtieth layer instead of the first, SELU with LeCun's start",
          .response = "log10 of the mean square of the outputs",
          .direction = Direction::equal,
          .smallest_effect = 0.3,
          .data = "normal inputs, hidden layers of 64, at the start",
          .measure = [](std::uint64_t seed) {
            const std::vector<double> squares = signal("selu", Start::lecun, seed);
            return Pair{squares.back(), squares.front()};
          }};
}

Claim relu_halves() {
  return {
      .id = "relu-halves-the-signal",
      .sentence = "With weights that suit a linear layer, ReLU halves the mean square of the signal in every layer.",
      .factor = "the measured factor per layer, instead of a half",
      .response = "log10 of the factor",
      .direction = Direction::equal,
      .smallest_effect = 0.1,
      .data = "normal inputs, 30 hidden layers of 64, LeCun's start",
      .measure = [](std::uint64_t seed) {
        const std::vector<double> squares = signal("relu", Start::lecun, seed);
        return Pair{(squares.back() - squares.front()) / 29, std::log10(0.5)};
      }};
}

Claim gelu_better(std::int64_t epochs) {
  return {.id = "gelu-is-more-accurate",
          .sentence = "GELU, the activation of transformers, is more accurate than ReLU.",
          .factor = "GELU instead of ReLU, each with the best of four rates",
          .response = "test accuracy",
          .direction = Direction::higher,
          .smallest_effect = 0.01,
          .belief = true,
          .data = small_net,
          .measure = [epochs](std::uint64_t seed) {
            return Pair{tuned("gelu", epochs, seed), tuned("relu", epochs, seed)};
          }};
}

Claim leaky_better(std::int64_t epochs) {
  return {.id = "leaky-relu-is-more-accurate",
          .sentence = "Leaky ReLU, which cannot die, is more accurate than ReLU.",
          .factor = "leaky ReLU instead of ReLU, each with the best of four rates",
          .response = "test accuracy",
          .direction = Direction::higher,
          .smallest_effect = 0.01,
          .belief = true,
          .data = small_net,
          .measure = [epochs](std::uint64_t seed) {
            return Pair{tuned("leaky_relu", epochs, seed), tuned("relu", epochs, seed)};
          }};
}

std::vector<Claim> claims(Effort effort) {
  const bool quick = effort == Effort::quick;
  const std::int64_t steps = quick ? 300 : 600, epochs = quick ? 5 : 10;
  return {linear(steps), bent(steps),   sigmoid_slow(),      dying(epochs),
          selu_keeps(),  relu_halves(), gelu_better(epochs), leaky_better(epochs)};
}

}  // namespace

Chapter activations() {
  return {
      .summary = "why layers need something between them, what each function does to signal and gradient, dying units",
      .claims = claims,
      .measure = measure_activations,
      .oracles = {"largest slope", "sigmoid's slope", "tanh's gain", "He's gain", "SELU's fixed point", "GELU",
                  "GELU by tanh", "SiLU"},
      .own = own_activations,
      .quick_seconds = 4,
      .standard_seconds = 10,
      .full_seconds = 24};
}

}  // namespace gradus::book
