// "Should I use deep learning here?": what a comparison says, in words.
#pragma once

#include <string>
#include <vector>

#include "gradus/insight/compare/protocol.h"

namespace gradus::insight {

enum class Answer {
  yes,              ///< the network is better than everything else, and by enough to matter
  no,               ///< something simpler is better
  no_difference,    ///< no difference that matters: take what is cheaper
  undecided,        ///< too few rows to tell
  nothing_learned,  ///< nothing is better than the baseline
};
std::string_view name_of(Answer answer);

struct Advice {
  Answer answer = Answer::undecided;
  std::string sentence;              ///< one or two, with the evidence
  std::vector<std::string> reasons;  ///< further facts: cost, what else is as good as the best
};

/// Compares the best network with the best of the others. `margin`: the smallest difference of scores that would matter,
/// for losses and errors as a share of the baseline's. A winner among many
/// is in part a lucky one, which favours neither side much here: there are few networks, and they are tuned most. Error(value) when the
/// comparison has no network, no other learner, or no baseline.
Advice advise(const Comparison& comparison, double margin = 0.01);

}  // namespace gradus::insight
