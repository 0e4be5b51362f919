// A reader's network against other learners, on the same training examples and the same validation examples.
#pragma once

#include "gradus/book/own/setting.h"
#include "gradus/classic/learner.h"

namespace gradus::book {

/// So many training examples for all, so that the others stay quick: 1,000, or as many as there are.
std::int64_t rivalry_examples(const Setting& setting);
/// Five times the steps of an effort: the others learn until they are done.
inline constexpr int rivalry_longer = 5;

/// Score of the network after so many examples (0: all of them), with the recipe as it is.
double network_score(const Setting& setting, std::uint64_t seed, std::int64_t examples, std::int64_t shift = 0);
/// Logistic regression, or ridge regression where numbers are predicted, on standardised columns.
classic::Learner linear_rival(const Setting& setting);

/// A claim that compares the network with a learner; what is not filled in is for the chapter to say.
insight::Claim rival_claim(const Setting& setting, const classic::Learner& rival, const std::string& name,
                           std::int64_t examples);

}  // namespace gradus::book
