// Decision trees and random forests, of classes and of numbers.
#pragma once

#include "gradus/classic/learner.h"

namespace gradus::classic {

struct TreeOptions {
  std::int64_t max_depth = 0;         ///< questions on the way to an answer; 0: no limit
  std::int64_t min_samples_leaf = 1;  ///< training examples that each answer rests on
  std::int64_t max_features = 0;      ///< columns that are looked at for each question, drawn anew; 0: all
};
/// CART (Breiman et al., 1984): yes-or-no questions about one column each, chosen so that the Gini impurity (of numbers the
/// variance) falls most, until no question helps. Thresholds lie half-way between neighbouring values. Scores are the shares of the
/// classes among the training examples of the leaf. Throws Error(value) for settings out of range.
Learner decision_tree(const TreeOptions& options = {}, SourceLocation where = SourceLocation::current());

struct ForestOptions {
  std::int64_t trees = 100;
  std::int64_t min_samples_leaf = 1;
  std::int64_t max_features = 0;  ///< 0: the square root of the columns; of numbers a third
};
/// The mean of trees that see different bootstrap samples of the examples and different columns at each question (Breiman, "Random
/// forests", 2001). Trees grow in parallel; the seed alone decides what they become.
Learner random_forest(const ForestOptions& options = {}, SourceLocation where = SourceLocation::current());

}  // namespace gradus::classic
