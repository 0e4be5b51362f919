// Chapter 1: what is claimed of deep and traditional learning, and how it is measured.
#include "gradus/book/chapter.h"

#include "gradus/book/deep_learning/garments.h"
#include "gradus/book/deep_learning/language.h"
#include "gradus/book/deep_learning/measure.h"
#include "gradus/book/deep_learning/own.h"
#include "gradus/classic/perceptron.h"
#include "gradus/data/embedded/embedded.h"

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

const data::Dataset& cancer_set() {
  static const data::Dataset all = data::breast_cancer();
  return all;
}

Claim learned_features() {
  return {
      .id = "learned-features-beat-random-ones",
      .sentence = "Sixteen features that were learned tell digits apart better than sixteen that were drawn at random.",
      .factor = "the hidden layer is trained instead of left at random weights",
      .response = accuracy_name,
      .direction = Direction::higher,
      .smallest_effect = 0.05,
      .data = "digits, 1,257 to train on",
      .measure = [](std::uint64_t seed) {
        return Pair{test_score(network({16}), digits_set(), seed),
                    test_score(logistic(), random_features(digits_set(), 16, seed), seed)};
      }};
}

Claim found_structure() {
  return {
      .id = "networks-find-structure",
      .sentence =
          "Where the truth has products and curves, a network explains more than a linear model of the same columns.",
      .factor = "a network of 64 hidden units instead of ridge regression",
      .response = "test R2",
      .direction = Direction::higher,
      .smallest_effect = 0.05,
      .data = "Friedman's table, 700 to train on",
      .measure = [](std::uint64_t seed) {
        return Pair{test_score(network(), friedman_plain(), seed),
                    test_score(linear_regression(), friedman_plain(), seed)};
      }};
}

Claim by_hand() {
  return {
      .id = "knowledge-beats-search",
      .sentence =
          "A linear model with the right columns, made by hand, explains more than the network that has to find them.",
      .factor = "ridge regression with two columns made by hand instead of the network",
      .response = "test R2",
      .direction = Direction::higher,
      .smallest_effect = 0.02,
      .data = "Friedman's table, 700 to train on",
      .measure = [](std::uint64_t seed) {
        return Pair{test_score(linear_regression(), friedman_by_hand(), seed),
                    test_score(network(), friedman_plain(), seed)};
      }};
}

Claim measured_columns() {
  return {.id = "no-gain-where-experts-measured",
          .sentence =
              "On thirty measurements that pathologists chose, the network is as good as logistic regression and no "
              "better.",
          .factor = "a network of 64 hidden units instead of logistic regression",
          .response = accuracy_name,
          .direction = Direction::equal,
          .smallest_effect = 0.01,
          .data = "breast cancer, 398 to train on",
          .measure = [](std::uint64_t seed) {
            return Pair{test_score(network(), cancer_set(), seed), test_score(logistic(), cancer_set(), seed)};
          }};
}

Claim few_examples() {
  return {.id = "few-examples-favour-the-simple",
          .sentence = "With sixty digits to learn from, the network is behind logistic regression.",
          .factor = "a network of 64 hidden units instead of logistic regression",
          .response = accuracy_name,
          .direction = Direction::lower,
          .smallest_effect = 0.01,
          .data = "digits, 60 to train on",
          .measure = [](std::uint64_t seed) {
            return Pair{test_score(network(), digits_set(), seed, 60), test_score(logistic(), digits_set(), seed, 60)};
          }};
}

Claim units() {
  return {
      .id = "networks-need-units",
      .sentence = "A network whose columns stand in different units is worse than one whose columns were standardised.",
      .factor = "each column multiplied by a power of ten from 10^-3 to 10^3 instead of standardised",
      .response = accuracy_name,
      .direction = Direction::lower,
      .smallest_effect = 0.02,
      .data = "breast cancer, 398 to train on",
      .measure = [](std::uint64_t seed) {
        const classic::Learner raw = classic::perceptron({.hidden = {64}, .epochs = 40});
        return Pair{test_score(raw, in_other_units(cancer_set(), seed), seed),
                    test_score(raw, standard(cancer_set()), seed)};
      }};
}

Claim deep_beats() {
  return {.id = "deep-learning-is-more-accurate",
          .sentence = "On images, a network is more accurate than a support vector machine.",
          .factor = "a network of 64 hidden units instead of an RBF SVM",
          .response = accuracy_name,
          .direction = Direction::higher,
          .smallest_effect = 0.005,
          .belief = true,
          .data = "digits, 1,257 to train on",
          .measure = [](std::uint64_t seed) {
            return Pair{test_score(network(), digits_set(), seed), test_score(svm(), digits_set(), seed)};
          }};
}

Claim deeper() {
  return {.id = "deeper-is-better",
          .sentence = "Four hidden layers are more accurate than one.",
          .factor = "four hidden layers of 64 units instead of one",
          .response = accuracy_name,
          .direction = Direction::higher,
          .smallest_effect = 0.005,
          .belief = true,
          .data = "digits, 1,257 to train on",
          .measure = [](std::uint64_t seed) {
            return Pair{test_score(network({64, 64, 64, 64}), digits_set(), seed),
                        test_score(network(), digits_set(), seed)};
          }};
}

Claim counting() {
  return {.id = "networks-read-better",
          .sentence = "A network that sees eight letters predicts the next one better than counts of five in a row do.",
          .factor = "a network of 128 hidden units instead of a 5-gram",
          .response = "bits for each letter of a text that was not seen",
          .direction = Direction::lower,
          .smallest_effect = 0.05,
          .belief = true,
          .data = "the text of this book, 20,000 letters to learn from",
          .measure = [](std::uint64_t seed) {
            return Pair{bits_of_network(seed, 20000), bits_of_counts(seed, 20000)};
          }};
}

Claim convolutions() {
  return {.id = "images-need-convolutions",
          .sentence = "With a thousand garments, a convolutional network is more accurate than an RBF SVM.",
          .factor = "a convolutional network of 421,642 parameters instead of an RBF SVM",
          .response = accuracy_name,
          .direction = Direction::higher,
          .smallest_effect = 0.005,
          .belief = true,
          .data = "Fashion-MNIST, 1,000 to train on, 2,000 to test",
          .measure = convolutions_and_kernels};
}

std::vector<Claim> claims(Effort) {
  return {learned_features(), found_structure(), by_hand(),  measured_columns(), few_examples(), units(),
          deep_beats(),       deeper(),          counting(), convolutions()};
}

std::map<std::string, std::string> left_out(Effort effort) {
  return deep_learning_left_out(effort, has_svm(), effort == Effort::full && has_garments());
}

}  // namespace

Chapter deep_learning() {
  return {.summary = "what networks learn that others are told, and what that costs",
          .claims = claims,
          .measure = measure_deep_learning,
          .oracles = {"ridge = L2", "PCA = autoencoder"},
          .left_out = left_out,
          .own = own_deep_learning,
          .quick_seconds = 8,
          .standard_seconds = 14,
          .full_seconds = 610};
}

}  // namespace gradus::book
