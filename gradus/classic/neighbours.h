// k nearest neighbours, and Gaussian naive Bayes: learners that store or count, and do not search.
#pragma once

#include "gradus/classic/learner.h"

namespace gradus::classic {

struct NeighboursOptions {
  std::int64_t k = 5;  ///< at most as many as there are training examples
};
/// The k nearest training examples by Euclidean distance (of equal ones the earlier) vote with equal weights; numbers are
/// averaged. Scores are shares of the votes. Fitting stores the examples; a prediction looks at all of them.
/// Throws Error(value) for k < 1, or above the number of examples when it learns.
Learner nearest_neighbours(const NeighboursOptions& options = {}, SourceLocation where = SourceLocation::current());

struct NaiveBayesOptions {
  double var_smoothing = 1e-9;  ///< share of the largest variance of a column that is added to all variances
};
/// Each class is a normal distribution with independent columns; Bayes' rule does the rest. Scores are probabilities. As
/// scikit-learn's GaussianNB. A class without training examples is never predicted.
Learner gaussian_naive_bayes(const NaiveBayesOptions& options = {}, SourceLocation where = SourceLocation::current());

}  // namespace gradus::classic
