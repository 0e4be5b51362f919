// Linear models: logistic regression and ridge regression.
#pragma once

#include "gradus/classic/learner.h"

namespace gradus::classic {

struct LogisticOptions {
  double C = 1;                 ///< weight of the examples against that of the penalty, as in scikit-learn; > 0
  std::int64_t max_iter = 100;  ///< directions of L-BFGS
};
/// Multinomial logistic regression: a network without hidden layers, and convex. Minimises
/// C sum_i -log p(label_i) + |W|^2 / 2 over weights and biases (which are not penalised), by L-BFGS with a strong Wolfe line
/// search in f64, until no element of the gradient of the mean loss is above 1e-4. Scores are probabilities.
/// Throws Error(value) for settings out of range.
Learner logistic_regression(const LogisticOptions& options = {}, SourceLocation where = SourceLocation::current());

struct RidgeOptions {
  double alpha = 1;  ///< weight of the penalty, >= 0
};
/// Least squares with a penalty on the weights, |y - X w - b|^2 + alpha |w|^2, solved in closed form (LAPACK, f64). With alpha 0 it
/// is the solution of least norm. Throws Error(value) for a negative alpha.
Learner ridge(const RidgeOptions& options = {}, SourceLocation where = SourceLocation::current());

namespace detail {
/// x weight + bias: row-major [rows, outputs], of weight [columns, outputs] and bias [outputs].
std::vector<double> linear_scores(const Query& asked, const std::vector<double>& weight,
                                  const std::vector<double>& bias);
}  // namespace detail

}  // namespace gradus::classic
