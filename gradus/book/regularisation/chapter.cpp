// Chapter 13: what is claimed of regularisation, and how it is measured.
#include "gradus/book/chapter.h"

#include <algorithm>
#include <cmath>

#include "gradus/book/regularisation/measure.h"
#include "gradus/book/regularisation/own.h"

namespace gradus::book {
namespace {

using insight::Claim;
using insight::Direction;
using insight::Pair;

const char* const large = "300 digits, 256 hidden units";
const char* const misled = "300 digits, three tenths of the labels random, 256 hidden units";

double test_accuracy(FitOptions options, std::string_view name) {
  technique(name).apply(options);
  return fit(options).test_accuracy;
}

/// The test accuracy on misleading labels with a technique and without.
Claim resists(const char* id, const char* sentence, const char* factor, const char* name) {
  return {.id = id,
          .sentence = sentence,
          .factor = factor,
          .response = "test accuracy",
          .direction = Direction::higher,
          .smallest_effect = 0.02,
          .data = misled,
          .measure = [name](std::uint64_t seed) {
            return Pair{test_accuracy(misled_fit(seed), name), test_accuracy(misled_fit(seed), "nothing")};
          }};
}

/// The same, mean of several starts: for effects that are smaller than the difference between two starts.
Pair over_starts(FitOptions options, const char* name, std::uint64_t starts) {
  Pair mean;
  const std::uint64_t first = starts * options.seed;
  for (std::uint64_t start = 0; start < starts; ++start) {
    options.seed = first + start;
    mean.treated += test_accuracy(options, name) / static_cast<double>(starts);
    mean.control += test_accuracy(options, "nothing") / static_cast<double>(starts);
  }
  return mean;
}

Claim clean_data() {
  return {.id = "little-to-gain-where-little-is-wrong",
          .sentence =
              "With four times the examples and true labels, dropout changes the accuracy by less than a hundredth.",
          .factor = "dropout 0.5 instead of 0, all 1,238 digits, true labels",
          .response = "test accuracy, mean of 3 starts",
          .direction = Direction::equal,
          .smallest_effect = 0.01,
          .data = "digits, 256 hidden units",
          .measure = [](std::uint64_t seed) {
            FitOptions options = free_fit(seed);
            options.examples = 0;
            options.epochs = 15;
            return over_starts(options, "dropout", 3);
          }};
}

Claim too_small() {
  return {.id = "dropout-starves-small-networks",
          .sentence = "In a network that is too small to overfit, dropout costs accuracy.",
          .factor = "dropout 0.5 instead of 0, 8 hidden units, true labels",
          .response = "test accuracy, mean of 4 starts",
          .direction = Direction::lower,
          .smallest_effect = 0.02,
          .data = "300 digits, 8 hidden units",
          .measure = [](std::uint64_t seed) {
            FitOptions options = free_fit(seed);
            options.net.hidden = {8};
            return over_starts(options, "dropout", 4);
          }};
}

Claim exact_zeros() {
  return {
      .id = "only-thresholds-make-zeros",
      .sentence =
          "The same L1 penalty gives exact zeros when it is taken by soft thresholding, and none when descent follows "
          "its gradient.",
      .factor = "soft thresholding after each step instead of the penalty in the loss, SGD",
      .response = "share of the weights that are exactly 0",
      .direction = Direction::higher,
      .smallest_effect = 0.2,
      .data = large,
      .measure = [](std::uint64_t seed) {
        const auto share = [&](bool soft) {
          FitOptions options = free_fit(seed);
          technique("L1, thresholded").apply(options);
          options.soft = soft;
          return zeros(*fit(options).net);
        };
        return Pair{share(true), share(false)};
      }};
}

/// The best test accuracy that a choice by validation finds among several strengths.
double chosen(std::uint64_t seed, bool decoupled) {
  double best = -1, test = 0;
  for (const double strength : {0.1, 0.3, 1.0, 3.0}) {
    FitOptions options = misled_fit(seed);
    if (decoupled) {
      options.optimizer = "adamw";
      options.settings["weight_decay"] = strength;
    } else {
      options.l2 = strength / 100;
    }
    const Fit fitted = fit(options);
    if (fitted.accuracy.back() <= best) continue;
    best = fitted.accuracy.back();
    test = fitted.test_accuracy;
  }
  return test;
}

Claim decoupled_is_better() {
  return {.id = "decoupled-decay-is-more-accurate",
          .sentence = "With Adam, decoupled weight decay gives a better accuracy than an L2 penalty in the loss.",
          .factor = "AdamW's decay instead of a penalty, each with the best of four strengths by validation",
          .response = "test accuracy",
          .direction = Direction::higher,
          .smallest_effect = 0.01,
          .belief = true,
          .data = misled,
          .measure = [](std::uint64_t seed) {
            return Pair{chosen(seed, true), chosen(seed, false)};
          }};
}

Claim smoothing_confidence() {
  return {
      .id = "smoothing-lowers-the-loss",
      .sentence =
          "Trained on smoothed labels, the network has a lower cross entropy on new examples with their true labels.",
      .factor = "label smoothing 0.1 instead of 0",
      .response = "log10 of the test loss",
      .direction = Direction::lower,
      .smallest_effect = 0.1,
      .belief = true,
      .data = misled,
      .measure = [](std::uint64_t seed) {
        FitOptions options = misled_fit(seed);
        const double without = fit(options).test_loss;
        options.smoothing = 0.1;
        return Pair{std::log10(fit(options).test_loss), std::log10(without)};
      }};
}

Claim flat() {
  return {.id = "sam-ends-in-flatter-places",
          .sentence = "Where SAM ends, the training loss rises less when the weights move.",
          .factor = "SAM with radius 0.1 instead of none",
          .response = "log10 of the rise of the training loss, 0.1 along its gradient",
          .direction = Direction::lower,
          .smallest_effect = 0.1,
          .data = misled,
          .measure = [](std::uint64_t seed) {
            const auto steepness = [&](const char* name) {
              FitOptions options = misled_fit(seed);
              technique(name).apply(options);
              return std::log10(rise(options, *fit(options).net, 0.1));
            };
            return Pair{steepness("SAM"), steepness("nothing")};
          }};
}

Claim more_is_better() {
  return {.id = "all-together-is-best",
          .sentence = "If one regulariser helps, several together help more.",
          .factor = "dropout, decoupled decay, label smoothing and mixup together instead of dropout alone",
          .response = "test accuracy",
          .direction = Direction::higher,
          .smallest_effect = 0.01,
          .belief = true,
          .data = misled,
          .measure = [](std::uint64_t seed) {
            FitOptions options = misled_fit(seed);
            for (const char* name : {"decoupled decay", "label smoothing", "mixup"}) technique(name).apply(options);
            return Pair{test_accuracy(options, "dropout"), test_accuracy(misled_fit(seed), "dropout")};
          }};
}

std::vector<Claim> claims(Effort) {
  return {
      resists("dropout-resists-noise", "With wrong labels in the training data, dropout gives a better test accuracy.",
              "dropout 0.5 instead of 0", "dropout"),
      resists("mixup-resists-noise", "So does mixup.", "mixup with alpha 1 instead of none", "mixup"),
      resists("averaging-resists-noise", "So does the mean of the weights over the second half of the training.",
              "mean of the weights of epochs 30 to 60 instead of the last ones", "SWA"),
      clean_data(),
      too_small(),
      exact_zeros(),
      smoothing_confidence(),
      flat(),
      decoupled_is_better(),
      more_is_better()};
}

}  // namespace

Chapter regularisation() {
  return {.summary = "how to hold a network back: penalties, dropout, smoothing, mixup, flat places, averages",
          .claims = claims,
          .measure = measure_regularisation,
          .oracles = {"ridge = L2", "L1 = soft threshold", "early stopping", "dropout = ridge", "noise = L2",
                      "mixup, linear", "label smoothing"},
          .own = own_regularisation,
          .quick_seconds = 16,
          .standard_seconds = 25,
          .full_seconds = 55};
}

}  // namespace gradus::book
