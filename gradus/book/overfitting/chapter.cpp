// Chapter 7: what is claimed of overfitting, and how it is measured.
#include "gradus/book/chapter.h"

#include <algorithm>
#include <cmath>

#include "gradus/book/overfitting/measure.h"
#include "gradus/book/overfitting/own.h"

namespace gradus::book {
namespace {

using insight::Claim;
using insight::Direction;
using insight::Pair;

const char* const large = "300 digits, 256 hidden units";
const char* const noisy = "300 digits, three tenths of the labels random, 256 hidden units";

FitOptions noisy_fit(std::uint64_t seed) {
  FitOptions options = large_fit(seed);
  options.label_noise = 0.3;
  return options;
}

Claim memorises() {
  return {
      .id = "networks-learn-random-labels",
      .sentence = "A network that is large enough learns labels that were drawn at random as perfectly as true ones.",
      .factor = "random labels instead of true ones",
      .response = "accuracy on the training examples",
      .direction = Direction::equal,
      .smallest_effect = 0.03,
      .data = large,
      .measure = [](std::uint64_t seed) {
        FitOptions random = large_fit(seed);
        random.label_noise = 1;
        random.epochs = 150;
        return Pair{fit(random).train_accuracy, fit(large_fit(seed)).train_accuracy};
      }};
}

Claim nothing_learned() {
  return {.id = "memory-does-not-generalise",
          .sentence = "What it learned from random labels is worth nothing on other examples.",
          .factor = "random labels instead of true ones",
          .response = "test accuracy",
          .direction = Direction::lower,
          .smallest_effect = 0.5,
          .data = large,
          .measure = [](std::uint64_t seed) {
            FitOptions random = large_fit(seed);
            random.label_noise = 1;
            return Pair{fit(random).test_accuracy, fit(large_fit(seed)).test_accuracy};
          }};
}

Claim more_data() {
  return {.id = "more-examples-close-the-gap",
          .sentence = "With twelve times the examples, the gap between training and test accuracy shrinks.",
          .factor = "1,200 training examples instead of 100, the same number of steps",
          .response = "training minus test accuracy",
          .direction = Direction::lower,
          .smallest_effect = 0.05,
          .data = "digits, 256 hidden units",
          .measure = [](std::uint64_t seed) {
            const auto gap = [&](std::int64_t examples) {
              FitOptions options = large_fit(seed);
              options.examples = examples;
              options.epochs = 12000 / examples;
              const Fit fitted = fit(options);
              return fitted.train_accuracy - fitted.test_accuracy;
            };
            return Pair{gap(1200), gap(100)};
          }};
}

Claim early_stopping() {
  return {.id = "early-stopping-helps",
          .sentence =
              "With wrong labels in the training data, stopping at the best validation loss gives a better test loss "
              "than training to the end.",
          .factor = "the epoch with the lowest validation loss instead of the last one",
          .response = "log10 of the test loss",
          .direction = Direction::lower,
          .smallest_effect = 0.1,
          .data = noisy,
          .measure = [](std::uint64_t seed) {
            FitOptions options = noisy_fit(seed);
            options.watch = true;
            const Fit fitted = fit(options);
            const auto best = std::min_element(fitted.validation_losses.begin(), fitted.validation_losses.end()) -
                              fitted.validation_losses.begin();
            return Pair{std::log10(fitted.test_losses[static_cast<std::size_t>(best)]),
                        std::log10(fitted.test_losses.back())};
          }};
}

Claim weight_decay() {
  return {.id = "weight-decay-resists-noise",
          .sentence = "With wrong labels in the training data, strong weight decay gives a better test accuracy.",
          .factor = "decoupled weight decay 1 instead of 0 (AdamW)",
          .response = "test accuracy",
          .direction = Direction::higher,
          .smallest_effect = 0.02,
          .data = noisy,
          .measure = [](std::uint64_t seed) {
            FitOptions options = noisy_fit(seed);
            options.optimizer = "adamw";
            const auto with = [&](double decay) {
              options.settings["weight_decay"] = decay;
              return fit(options).test_accuracy;
            };
            return Pair{with(1), with(0)};
          }};
}

Claim second_descent(int draws) {
  return {
      .id = "the-second-descent",
      .sentence =
          "Least squares with four times as many features as examples predicts far better than with exactly as many.",
      .factor = "160 features instead of 40, 40 examples, the solution of smallest norm",
      .response = "log10 of the expected squared error beyond the noise",
      .direction = Direction::lower,
      .smallest_effect = 0.5,
      .data = "normal features, noise of variance 0.25",
      .measure = [draws](std::uint64_t seed) {
        return Pair{std::log10(minimum_norm_risk(40, 160, 0.25, draws, seed)),
                    std::log10(minimum_norm_risk(40, 40, 0.25, draws, seed))};
      }};
}

Claim larger_is_worse() {
  return {.id = "larger-networks-overfit-more",
          .sentence =
              "A network with a hundred weights for each example is less accurate on new examples than one with a few.",
          .factor = "512 hidden units instead of 16",
          .response = "test accuracy",
          .direction = Direction::lower,
          .smallest_effect = 0.01,
          .belief = true,
          .data = "300 digits, one hidden layer",
          .measure = [](std::uint64_t seed) {
            const auto with = [&](std::int64_t width) {
              FitOptions options = large_fit(seed);
              options.net.hidden = {width};
              return fit(options).test_accuracy;
            };
            return Pair{with(512), with(16)};
          }};
}

Claim loss_means_accuracy() {
  return {.id = "loss-up-means-accuracy-down",
          .sentence = "When the validation loss has begun to rise, the accuracy falls.",
          .factor = "the last epoch instead of the one with the lowest validation loss, true labels",
          .response = "validation accuracy",
          .direction = Direction::lower,
          .smallest_effect = 0.01,
          .belief = true,
          .data = large,
          .measure = [](std::uint64_t seed) {
            FitOptions options = large_fit(seed);
            options.epochs = 150;
            options.watch = true;
            const Fit fitted = fit(options);
            const auto best = std::min_element(fitted.validation_losses.begin(), fitted.validation_losses.end()) -
                              fitted.validation_losses.begin();
            return Pair{fitted.accuracy.back(), fitted.accuracy[static_cast<std::size_t>(best)]};
          }};
}

std::vector<Claim> claims(Effort effort) {
  return {memorises(),       nothing_learned(),    more_data(),
          early_stopping(),  weight_decay(),       second_descent(effort == Effort::quick ? 10 : 50),
          larger_is_worse(), loss_means_accuracy()};
}

}  // namespace

Chapter overfitting() {
  return {.summary = "learning by heart: when it happens, when it harms, and what helps",
          .claims = claims,
          .measure = measure_overfitting,
          .oracles = {"ridge = L2", "least norm"},
          .own = own_overfitting,
          .quick_seconds = 6,
          .standard_seconds = 9,
          .full_seconds = 20};
}

}  // namespace gradus::book
