// Chapter 4: what is claimed of the advantages and limits of networks, and how it is measured.
#include "gradus/book/chapter.h"

#include <cmath>

#include "gradus/book/limits/measure.h"
#include "gradus/book/limits/own.h"
#include "gradus/classic/tree.h"
#include "gradus/data/embedded/embedded.h"
#include "gradus/data/embedded/friedman.h"

namespace gradus::book {
namespace {

using insight::Claim;
using insight::Direction;
using insight::Pair;

const char* const accuracy_name = "test accuracy";

const data::Dataset& digits_set() {
  static const data::Dataset all = data::digits();
  return all;
}

Claim grows_with_data() {
  return {.id = "more-data-pays-more",
          .sentence = "A network gains more from twenty times the digits than logistic regression does.",
          .factor = "1,257 digits to train on instead of 60",
          .response = "test accuracy of the network minus that of logistic regression",
          .direction = Direction::higher,
          .smallest_effect = 0.01,
          .data = "digits",
          .measure = [](std::uint64_t seed) {
            const auto ahead = [&](std::int64_t examples) {
              return test_score(network(), digits_set(), seed, examples) -
                     test_score(logistic(), digits_set(), seed, examples);
            };
            return Pair{ahead(1257), ahead(60)};
          }};
}

Claim smooth_truth() {
  return {.id = "smooth-functions-suit-networks",
          .sentence = "Where the truth is smooth, a network explains more than a random forest.",
          .factor = "a network of 64 hidden units instead of a random forest",
          .response = "test R2",
          .direction = Direction::higher,
          .smallest_effect = 0.03,
          .data = "Friedman's table, 700 to train on",
          .measure = [](std::uint64_t seed) {
            static const data::Dataset table = data::friedman(data::Split::train);
            return Pair{test_score(network(), table, seed), test_score(forest(), table, seed)};
          }};
}

Claim best_on_tables() {
  return {.id = "networks-are-best-on-tables",
          .sentence = "On a table of numbers and categories, a network is more accurate than a random forest.",
          .factor = "a network of 64 hidden units instead of a random forest",
          .response = accuracy_name,
          .direction = Direction::higher,
          .smallest_effect = 0.01,
          .belief = true,
          .data = "German credit, 700 to train on",
          .measure = [](std::uint64_t seed) {
            return Pair{test_score(network(), credit(), seed), test_score(forest(), credit(), seed)};
          }};
}

Claim forest_rotated() {
  return {
      .id = "rotation-hurts-forests",
      .sentence =
          "A forest, which asks about one column at a time, becomes worse when the columns are mixed by a rotation.",
      .factor = "columns turned by a random rotation",
      .response = accuracy_name,
      .direction = Direction::lower,
      .smallest_effect = 0.01,
      .data = "digits, 600 to train on",
      .measure = [](std::uint64_t seed) {
        const classic::Learner trees = classic::random_forest({.trees = 50});
        return Pair{test_score(trees, rotated(digits_set(), seed), seed, 600),
                    test_score(trees, standard(digits_set()), seed, 600)};
      }};
}

Claim network_rotated() {
  return {.id = "rotation-does-not-matter-to-networks",
          .sentence = "A network does not notice the rotation.",
          .factor = "columns turned by a random rotation",
          .response = accuracy_name,
          .direction = Direction::equal,
          .smallest_effect = 0.01,
          .data = "digits, 600 to train on",
          .measure = [](std::uint64_t seed) {
            return Pair{test_score(network(), rotated(digits_set(), seed), seed, 600),
                        test_score(network(), standard(digits_set()), seed, 600)};
          }};
}

Claim noise_columns() {
  return {.id = "noise-columns-hurt-networks-most",
          .sentence = "A hundred columns of noise cost a network more accuracy than they cost a random forest.",
          .factor = "a network of 64 hidden units instead of a random forest",
          .response = "test accuracy lost by a hundred columns of noise",
          .direction = Direction::higher,
          .smallest_effect = 0.01,
          .belief = true,
          .data = "German credit, 700 to train on",
          .measure = [](std::uint64_t seed) {
            return Pair{loss_by_noise(network(), 100, seed), loss_by_noise(forest(), 100, seed)};
          }};
}

Claim one_pixel() {
  return {.id = "a-shift-is-a-catastrophe",
          .sentence =
              "Moving the test digits by one pixel costs a network that never saw moved ones a tenth of its accuracy "
              "and more.",
          .factor = "test digits moved to the right by one pixel",
          .response = accuracy_name,
          .direction = Direction::lower,
          .smallest_effect = 0.1,
          .data = "digits, 1,257 to train on",
          .measure = [](std::uint64_t seed) {
            return Pair{shifted_score(network(), 1, seed), shifted_score(network(), 0, seed)};
          }};
}

Claim extrapolation() {
  return {.id = "nothing-beyond-the-data",
          .sentence = "Outside the range of its examples a network's error is more than three times that inside.",
          .factor = "x from 3 to 6 instead of -3 to 3",
          .response = "log10 of the root mean squared error",
          .direction = Direction::higher,
          .smallest_effect = 0.5,
          .data = "200 points of a sine with noise",
          .measure = [](std::uint64_t seed) {
            const classic::Learner learner = network({64}, 150);
            return Pair{std::log10(sine_error(learner, 3, 6, seed)), std::log10(sine_error(learner, -3, 3, seed))};
          }};
}

Claim forgets() {
  return {.id = "networks-forget",
          .sentence = "A network that learns new classes forgets the old ones.",
          .factor = "ten epochs with the digits 5 to 9, after ten with 0 to 4",
          .response = "test accuracy on 0 to 4",
          .direction = Direction::lower,
          .smallest_effect = 0.5,
          .data = "digits",
          .measure = [](std::uint64_t seed) {
            const Forgetting found = forgetting(seed, 10);
            return Pair{found.old_digits.back(), found.old_digits[9]};
          }};
}

std::vector<Claim> claims(Effort) {
  return {grows_with_data(), smooth_truth(), best_on_tables(), noise_columns(), forest_rotated(),
          network_rotated(), one_pixel(),    extrapolation(),  forgets()};
}

}  // namespace

Chapter limits() {
  return {.summary = "where networks win, where they lose, and how to tell beforehand",
          .claims = claims,
          .measure = measure_limits,
          .oracles = {"least norm", "ridge = L2"},
          .own = own_limits,
          .quick_seconds = 13,
          .standard_seconds = 20,
          .full_seconds = 46};
}

}  // namespace gradus::book
