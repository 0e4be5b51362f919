#include "gradus/book/own/rivalry.h"

#include <fmt/format.h>

#include <algorithm>

#include "gradus/book/rivals.h"
#include "gradus/classic/linear.h"

namespace gradus::book {

std::int64_t rivalry_examples(const Setting& setting) { return std::min<std::int64_t>(1000, setting.examples()); }

double network_score(const Setting& setting, std::uint64_t seed, std::int64_t examples, std::int64_t shift) {
  return setting
      .fit({.recipe = setting.recipe(), .seed = seed, .examples = examples, .longer = rivalry_longer, .shift = shift})
      .score;
}

classic::Learner linear_rival(const Setting& setting) {
  return setting.predicts_numbers() ? classic::standardised(classic::ridge()) : logistic();
}

insight::Claim rival_claim(const Setting& setting, const classic::Learner& rival, const std::string& name,
                           std::int64_t examples) {
  return {.id = {},
          .sentence = {},
          .factor = "the network instead of " + name,
          .response = setting.predicts_numbers() ? "validation R2" : "validation accuracy",
          .direction = insight::Direction::higher,
          .smallest_effect = 0.01,
          .data = fmt::format("{}, but {} steps and {} training examples", setting.description(),
                              rivalry_longer * setting.steps(), examples),
          .measure = [&setting, rival, examples](std::uint64_t seed) {
            return insight::Pair{network_score(setting, seed, examples), setting.score(rival, seed, examples)};
          }};
}

}  // namespace gradus::book
