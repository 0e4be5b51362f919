// Chapter 2: what is claimed of the structure of networks, and how it is measured.
#include "gradus/book/chapter.h"

#include <cmath>

#include "gradus/book/structure/measure.h"
#include "gradus/book/structure/own.h"
#include "gradus/insight/statistics.h"
#include "gradus/nn/fields.h"
#include "gradus/ops/ops.h"

namespace gradus::book {
namespace {

using insight::Claim;
using insight::Direction;
using insight::Pair;

const char* const all_digits = "digits, Adam, 15 epochs";

FitOptions usual(std::uint64_t seed, std::vector<std::int64_t> hidden) {
  return {.optimizer = "adam",
          .settings = {{"lr", 0.003}},
          .net = {.hidden = std::move(hidden)},
          .epochs = 15,
          .seed = seed};
}

Claim no_straight_line() {
  return {.id = "no-straight-line-does-xor",
          .sentence =
              "With eight hidden units a network learns exclusive or; a linear model gets no more than three cases of "
              "four.",
          .factor = "eight hidden ReLUs instead of none",
          .response = "share of the four cases that are right, mean of 10 starts",
          .direction = Direction::higher,
          .smallest_effect = 0.2,
          .data = "exclusive or",
          .measure = [](std::uint64_t seed) {
            return Pair{exclusive_or(8, 10, seed), exclusive_or(0, 10, seed)};
          }};
}

Claim two_units() {
  return {.id = "what-it-can-represent-it-learns",
          .sentence = "Two hidden ReLUs can represent exclusive or, so training finds it.",
          .factor = "two hidden ReLUs as trained, instead of as constructed",
          .response = "share of the four cases that are right, mean of 20 starts",
          .direction = Direction::equal,
          .smallest_effect = 0.05,
          .belief = true,
          .data = "exclusive or",
          .measure = [](std::uint64_t seed) {
            return Pair{exclusive_or(2, 20, seed), 1};
          }};
}

Claim linear_layers() {
  return {.id = "linear-layers-are-one",
          .sentence = "Without activations three hidden layers are worth no more than none.",
          .factor = "three hidden layers of 32 without activation instead of none",
          .response = "test accuracy",
          .direction = Direction::equal,
          .smallest_effect = 0.02,
          .data = all_digits,
          .measure = [](std::uint64_t seed) {
            FitOptions deep = usual(seed, {32, 32, 32}), flat = usual(seed, {});
            deep.net.activation = flat.net.activation = "none";
            flat.settings["lr"] = 0.01;
            return Pair{fit(deep).test_accuracy, fit(flat).test_accuracy};
          }};
}

Claim hidden_layer() {
  return {.id = "a-hidden-layer-helps",
          .sentence = "One hidden layer of ReLUs makes the network more accurate than none.",
          .factor = "64 hidden ReLUs instead of none",
          .response = "test accuracy",
          .direction = Direction::higher,
          .smallest_effect = 0.01,
          .data = all_digits,
          .measure = [](std::uint64_t seed) {
            FitOptions flat = usual(seed, {});
            flat.settings["lr"] = 0.01;
            return Pair{fit(usual(seed, {64})).test_accuracy, fit(flat).test_accuracy};
          }};
}

Claim square_law() {
  return {.id = "error-falls-with-the-square",
          .sentence = "The largest error of the best placed ReLUs falls with the square of their number.",
          .factor = "slope that is measured, instead of -2",
          .response = "slope of log error over log units, 16 to 256 units",
          .direction = Direction::equal,
          .smallest_effect = 0.1,
          .data = "sums of three sines",
          .measure = [](std::uint64_t seed) {
            const Smooth f(seed);
            std::vector<double> x, y;
            for (const int units : {16, 32, 64, 128, 256}) {
              x.push_back(std::log(units));
              y.push_back(std::log(constructed_error(f, units)));
            }
            return Pair{insight::fit_line(x, y).slope, -2};
          }};
}

Claim theorem_and_training(int steps) {
  return {
      .id = "training-reaches-what-the-theorem-promises",
      .sentence =
          "Networks approximate every continuous function, so training brings the error as low as the construction.",
      .factor = "64 hidden ReLUs as trained, instead of as constructed",
      .response = "log10 of the largest error",
      .direction = Direction::equal,
      .smallest_effect = 0.3,
      .belief = true,
      .data = "sums of three sines",
      .measure = [steps](std::uint64_t seed) {
        const Smooth f(seed);
        return Pair{std::log10(trained_error(f, 64, steps, seed)), std::log10(constructed_error(f, 64))};
      }};
}

Claim depth_multiplies() {
  return {.id = "depth-multiplies-pieces",
          .sentence =
              "The same number of units in four layers cuts the inputs into at least twice as many pieces as in one.",
          .factor = "four hidden layers of 16 instead of one of 64, fresh networks",
          .response = "log2 of the linear pieces between two digits, mean of 20 lines",
          .direction = Direction::higher,
          .smallest_effect = 1,
          .belief = true,
          .data = "digits",
          .measure = [](std::uint64_t seed) {
            return Pair{std::log2(fresh_pieces({16, 16, 16, 16}, seed)), std::log2(fresh_pieces({64}, seed))};
          }};
}

Claim deeper_is_better() {
  return {.id = "deeper-is-better",
          .sentence = "With the same number of parameters, a deeper network is more accurate.",
          .factor = "three hidden layers of 33 (4,729 parameters) instead of one of 64 (4,810)",
          .response = "test accuracy",
          .direction = Direction::higher,
          .smallest_effect = 0.01,
          .belief = true,
          .data = all_digits,
          .measure = [](std::uint64_t seed) {
            return Pair{fit(usual(seed, {33, 33, 33})).test_accuracy, fit(usual(seed, {64})).test_accuracy};
          }};
}

Claim strangers() {
  return {.id = "strangers-have-no-mean",
          .sentence =
              "The mean of the weights of two networks that were trained from different starts is worth far less than "
              "either.",
          .factor = "mean of both networks' weights instead of each by itself",
          .response = "test accuracy",
          .direction = Direction::lower,
          .smallest_effect = 0.1,
          .belief = true,
          .data = all_digits,
          .measure = [](std::uint64_t seed) {
            const Fit one = fit(usual(seed, {64})), other = fit(usual(seed + 1000, {64}));
            Net middle = between(*one.net, *other.net, 0.5);
            return Pair{accuracy(middle, whole(digits().test)), (one.test_accuracy + other.test_accuracy) / 2};
          }};
}

Claim twins() {
  return {.id = "equal-units-stay-equal",
          .sentence = "If all hidden units start alike they stay alike, and the network is worth one unit.",
          .factor = "64 units that start alike instead of at random",
          .response = "test accuracy",
          .direction = Direction::lower,
          .smallest_effect = 0.3,
          .data = all_digits,
          .measure = [](std::uint64_t seed) {
            FitOptions alike = usual(seed, {64});
            alike.net.start = Start::alike;
            return Pair{fit(alike).test_accuracy, fit(usual(seed, {64})).test_accuracy};
          }};
}

std::vector<Claim> claims(Effort effort) {
  return {no_straight_line(),
          hidden_layer(),
          linear_layers(),
          square_law(),
          depth_multiplies(),
          deeper_is_better(),
          twins(),
          strangers(),
          two_units(),
          theorem_and_training(effort == Effort::quick ? 1000 : 4000)};
}

}  // namespace

Chapter structure() {
  return {.summary = "units, layers, depth and width: what a network is made of, and what each part is for",
          .claims = claims,
          .measure = measure_structure,
          .oracles = {"784-256-10", "LeNet-5", "receptive field", "linear layers", "hidden units", "exclusive or",
                      "tent map"},
          .own = own_structure,
          .quick_seconds = 8,
          .standard_seconds = 15,
          .full_seconds = 35};
}

}  // namespace gradus::book
