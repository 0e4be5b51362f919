// Chapter 6: what is claimed of vanishing gradients, and how it is measured.
#include "gradus/book/chapter.h"

#include <map>
#include <string>
#include <tuple>

#include "gradus/book/vanishing_gradients/measure.h"
#include "gradus/book/vanishing_gradients/own.h"

namespace gradus::book {
namespace {

using insight::Claim;
using insight::Direction;
using insight::Pair;

const NetOptions sigmoid_net = {.activation = "sigmoid", .start = Start::xavier};
const NetOptions tanh_net = {.activation = "tanh", .start = Start::xavier};
const NetOptions relu_net = {.activation = "relu", .start = Start::he};

const char* const at_start = "256 digits, 10 hidden layers of 64, at the start";

Claim starving() {
  return {.id = "sigmoid-starves-the-first-layer",
          .sentence =
              "In a deep network of sigmoids, the first layer's gradient is smaller than the last one's by more than "
              "two powers of ten.",
          .factor = "sigmoid with Xavier's start instead of ReLU with He's",
          .response = "log10 of the first over the last hidden layer's gradient norm",
          .direction = Direction::lower,
          .smallest_effect = 2,
          .data = at_start,
          .measure = [](std::uint64_t seed) {
            return Pair{first_to_last(some_digits(), 10, sigmoid_net, seed),
                        first_to_last(some_digits(), 10, relu_net, seed)};
          }};
}

Claim exponential() {
  return {.id = "the-loss-is-exponential",
          .sentence = "Every further layer of sigmoids costs about the same factor.",
          .factor = "factor per layer between 10 and 20 layers, instead of between 5 and 10",
          .response = "log10 of the factor per layer",
          .direction = Direction::equal,
          .smallest_effect = 0.1,
          .data = "256 digits, hidden layers of 64, at the start",
          .measure = [](std::uint64_t seed) {
            const auto at = [&](std::int64_t depth) { return first_to_last(some_digits(), depth, sigmoid_net, seed); };
            return Pair{(at(20) - at(10)) / 10, (at(10) - at(5)) / 5};
          }};
}

/// Accuracy of hidden layers of 32, each with the best of three rates. Several claims ask for the same networks: they are
/// trained once.
double deep_accuracy(NetOptions net, std::int64_t epochs, std::uint64_t seed, std::size_t depth = 8) {
  static std::map<std::tuple<std::string, Start, Norm, std::int64_t, std::uint64_t, std::size_t>, double> known;
  const auto [place, fresh] = known.try_emplace({net.activation, net.start, net.norm, epochs, seed, depth});
  if (fresh) {
    net.hidden.assign(depth, 32);
    place->second =
        best_fit({.settings = {{"momentum", 0.9}}, .net = net, .epochs = epochs, .seed = seed}, {0.01, 0.03, 0.1})
            .test_accuracy;
  }
  return place->second;
}

Claim untrained(std::int64_t epochs) {
  return {.id = "deep-sigmoids-do-not-learn",
          .sentence = "A deep network of sigmoids learns far less in the same time than one of ReLUs.",
          .factor = "sigmoid with Xavier's start instead of ReLU with He's, each with the best of three rates",
          .response = "test accuracy",
          .direction = Direction::lower,
          .smallest_effect = 0.2,
          .data = "digits, 8 hidden layers of 32",
          .measure = [epochs](std::uint64_t seed) {
            return Pair{deep_accuracy(sigmoid_net, epochs, seed), deep_accuracy(relu_net, epochs, seed)};
          }};
}

NetOptions sigmoids_with(Norm norm) {
  NetOptions net = sigmoid_net;
  net.norm = norm;
  return net;
}

Claim normalised(std::int64_t epochs) {
  return {
      .id = "batch-norm-rescues-sigmoids",
      .sentence = "Batch normalisation in front of each activation lets a deep network of sigmoids learn.",
      .factor = "with batch normalisation instead of without, each with the best of three rates",
      .response = "test accuracy",
      .direction = Direction::higher,
      .smallest_effect = 0.2,
      .data = "digits, 8 hidden layers of 32, sigmoid",
      .measure = [epochs](std::uint64_t seed) {
        return Pair{deep_accuracy(sigmoids_with(Norm::batch), epochs, seed), deep_accuracy(sigmoid_net, epochs, seed)};
      }};
}

Claim any_norm(std::int64_t epochs) {
  return {.id = "any-normalisation-does",
          .sentence = "Layer normalisation does for a deep network of sigmoids what batch normalisation does.",
          .factor = "layer normalisation instead of batch normalisation, each with the best of three rates",
          .response = "test accuracy",
          .direction = Direction::equal,
          .smallest_effect = 0.05,
          .belief = true,
          .data = "digits, 8 hidden layers of 32, sigmoid",
          .measure = [epochs](std::uint64_t seed) {
            return Pair{deep_accuracy(sigmoids_with(Norm::layer), epochs, seed),
                        deep_accuracy(sigmoids_with(Norm::batch), epochs, seed)};
          }};
}

Claim start() {
  return {.id = "he-keeps-the-signal",
          .sentence =
              "With twenty layers of ReLU, He's start gives a first layer's gradient that is more than ten times that "
              "of Xavier's.",
          .factor = "He's starting weights instead of Xavier's",
          .response = "log10 of the first hidden layer's gradient norm",
          .direction = Direction::higher,
          .smallest_effect = 1,
          .data = "256 digits, 20 hidden layers of 64, at the start",
          .measure = [](std::uint64_t seed) {
            NetOptions xavier = relu_net;
            xavier.start = Start::xavier;
            return Pair{gradient_norms(some_digits(), 20, relu_net, seed).front(),
                        gradient_norms(some_digits(), 20, xavier, seed).front()};
          }};
}

Claim residual() {
  return {
      .id = "residuals-carry-the-gradient",
      .sentence = "Connections around the layers carry the gradient of a deep network of sigmoids to its first layers.",
      .factor = "with residual connections instead of without",
      .response = "log10 of the first over the last hidden layer's gradient norm",
      .direction = Direction::higher,
      .smallest_effect = 2,
      .data = at_start,
      .measure = [](std::uint64_t seed) {
        NetOptions with = sigmoid_net;
        with.residual = true;
        return Pair{first_to_last(some_digits(), 10, with, seed), first_to_last(some_digits(), 10, sigmoid_net, seed)};
      }};
}

Claim tanh_too() {
  return {.id = "tanh-is-as-bad",
          .sentence = "The hyperbolic tangent saturates like the sigmoid, so its gradients vanish as much.",
          .factor = "tanh instead of sigmoid, both with Xavier's start",
          .response = "log10 of the first over the last hidden layer's gradient norm",
          .direction = Direction::equal,
          .smallest_effect = 1,
          .belief = true,
          .data = at_start,
          .measure = [](std::uint64_t seed) {
            return Pair{first_to_last(some_digits(), 10, tanh_net, seed),
                        first_to_last(some_digits(), 10, sigmoid_net, seed)};
          }};
}

Claim relu_cures(std::int64_t epochs) {
  return {
      .id = "relu-cures-it",
      .sentence = "ReLU solves the problem by itself: a network with twenty layers trains as well as one with two.",
      .factor =
          "twenty hidden layers instead of two, ReLU with PyTorch's default start, each with the best of three rates",
      .response = "test accuracy",
      .direction = Direction::equal,
      .smallest_effect = 0.05,
      .belief = true,
      .data = "digits, hidden layers of 32",
      .measure = [epochs](std::uint64_t seed) {
        return Pair{deep_accuracy({}, epochs, seed, 20), deep_accuracy({}, epochs, seed, 2)};
      }};
}

std::vector<Claim> claims(Effort effort) {
  const std::int64_t epochs = effort == Effort::quick ? 3 : effort == Effort::standard ? 6 : 10;
  return {starving(), exponential(), untrained(epochs), normalised(epochs), any_norm(epochs),
          start(),    residual(),    tanh_too(),        relu_cures(epochs)};
}

}  // namespace

Chapter vanishing_gradients() {
  return {.summary = "why the first layers of a deep network may learn nothing, and what keeps them alive",
          .claims = claims,
          .measure = measure_vanishing_gradients,
          .oracles = {"sigmoid chain", "sigmoid's slope", "He's gain", "tanh's gain"},
          .own = own_vanishing_gradients,
          .quick_seconds = 4,
          .standard_seconds = 11,
          .full_seconds = 42};
}

}  // namespace gradus::book
