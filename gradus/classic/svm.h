// Support vector machines, by LIBLINEAR (Fan et al., 2008) and LIBSVM (Chang and Lin, 2011).
#pragma once

#include "gradus/classic/learner.h"

namespace gradus::classic {

struct LinearSvmOptions {
  double C = 1;  ///< weight of the examples against that of the penalty, > 0
};
/// A linear support vector machine for classes: squared hinge loss, each class against the rest, with a bias as a column of
/// ones. Scores are distances from the border, scaled by |w|. Throws Error(value) for C out of range, and Error(state) when it learns and
/// LIBLINEAR is not there (see svm_libraries).
Learner linear_svm(const LinearSvmOptions& options = {}, SourceLocation where = SourceLocation::current());

struct RbfSvmOptions {
  double C = 1;      ///< > 0
  double gamma = 0;  ///< of exp(-gamma |x - y|^2); 0: 1 / (columns * variance of all elements), scikit-learn's "scale"
  double epsilon = 0.1;  ///< of numbers: errors below it cost nothing, in units of their standard deviation
};
/// A support vector machine with the kernel exp(-gamma |x - y|^2): for two classes the scores are +- the decision value, for
/// more the votes of all pairs, and below that the sum of their values. Numbers are learned by support vector regression. Throws
/// as linear_svm, of LIBSVM.
Learner rbf_svm(const RbfSvmOptions& options = {}, SourceLocation where = SourceLocation::current());

/// Which of the libraries can be used: {"LIBLINEAR 2.30", "LIBSVM 3.24"}.
std::vector<std::string> svm_libraries();

}  // namespace gradus::classic
