#include "gradus/book/limits/own.h"

#include <fmt/format.h>

#include <algorithm>

#include "gradus/book/own/rivalry.h"
#include "gradus/book/rivals.h"

namespace gradus::book {
namespace {

using insight::Claim;
using insight::Direction;
using insight::Pair;

OwnClaim grows_with_data(const Setting& setting) {
  const std::int64_t many = rivalry_examples(setting), few = 60;
  Claim claim = rival_claim(setting, linear_rival(setting), "a linear model", many);
  claim.id = "more-data-pays-more";
  claim.sentence = "It gains more from more examples than a linear model does.";
  claim.factor = fmt::format("{} examples to train on instead of {}", many, few);
  claim.response += " of the network minus that of a linear model";
  claim.measure = [&setting, many](std::uint64_t seed) {
    const auto ahead = [&](std::int64_t examples) {
      return network_score(setting, seed, examples) - setting.score(linear_rival(setting), seed, examples);
    };
    return Pair{ahead(many), ahead(few)};
  };
  return {claim, many >= 4 * few ? "" : fmt::format("it has {} training examples, and {} would be few", many, few)};
}

OwnClaim against_a_forest(const Setting& setting) {
  Claim claim = rival_claim(setting, forest(), "a random forest", rivalry_examples(setting));
  claim.id = "it-beats-a-forest";
  claim.sentence = "It is better than a random forest.";
  claim.belief = true;
  return {claim, ""};
}

OwnClaim moved(const Setting& setting) {
  const Shape shape = setting.example_shape();
  const bool images = shape.rank() == 3 && shape[2] >= 8;
  const std::int64_t pixels = images ? shape[2] / 8 : 0, examples = rivalry_examples(setting);
  Claim claim = rival_claim(setting, {}, "", examples);
  claim.id = "a-shift-is-a-catastrophe";
  claim.sentence = "Moving the images by an eighth of their width costs it a tenth of its accuracy and more.";
  claim.factor = fmt::format("validation images moved to the right by {} pixel{}", pixels, pixels == 1 ? "" : "s");
  claim.direction = Direction::lower;
  claim.smallest_effect = 0.1;
  claim.measure = [&setting, pixels, examples](std::uint64_t seed) {
    return Pair{network_score(setting, seed, examples, pixels), network_score(setting, seed, examples)};
  };
  return {claim, images ? "" : "its examples are no images of 8 pixels at least"};
}

}  // namespace

std::vector<OwnClaim> own_limits(const Setting& setting) {
  return {grows_with_data(setting), against_a_forest(setting), moved(setting)};
}

}  // namespace gradus::book
