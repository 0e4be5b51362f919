// The network among the learners: a multilayer perceptron, trained by Gradus as any other.
#pragma once

#include <vector>

#include "gradus/classic/learner.h"

namespace gradus::classic {

struct PerceptronOptions {
  std::vector<std::int64_t> hidden = {64};  ///< width of each hidden layer; none: a linear model
  std::int64_t epochs = 50;
  std::int64_t batch_size = 32;  ///< of fewer examples: all of them
  double lr = 3e-3;              ///< of AdamW; falls to 0 along half a cosine
  double weight_decay = 0.01;
};
/// models::Mlp with ReLU, trained on cross entropy or, for numbers (which it sees with mean 0 and variance 1), on squared errors. Scores
/// are probabilities. It wants standardised columns. The default random stream is left as it was. Throws Error(value) for
/// settings out of range.
Learner perceptron(const PerceptronOptions& options = {}, SourceLocation where = SourceLocation::current());

}  // namespace gradus::classic
