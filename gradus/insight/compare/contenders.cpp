// Which learners an engineer would try on a table.
#include <algorithm>

#include "gradus/classic/boosting.h"
#include "gradus/classic/linear.h"
#include "gradus/classic/neighbours.h"
#include "gradus/classic/perceptron.h"
#include "gradus/classic/svm.h"
#include "gradus/classic/tree.h"
#include "gradus/insight/compare/protocol.h"

namespace gradus::insight {
namespace {

using classic::Learner;

/// A learner on standardised columns for each of these settings.
template <class Options, class Make>
Contender varied(const Make& make, const std::vector<Options>& settings, bool scaled = true) {
  std::vector<Learner> variants;
  for (const Options& each : settings) variants.push_back(scaled ? classic::standardised(make(each)) : make(each));
  return contender(std::move(variants));
}

bool has_svm(std::string_view name) {
  const std::vector<std::string> libraries = classic::svm_libraries();
  return std::any_of(libraries.begin(), libraries.end(), [&](const auto& each) { return each.starts_with(name); });
}

Contender neighbours(std::int64_t rows) {
  std::vector<classic::NeighboursOptions> settings;
  for (const std::int64_t k : {1, 5, 15, 45})
    if (k == 1 || 4 * k <= rows) settings.push_back({k});
  return varied([](const auto& o) { return classic::nearest_neighbours(o); }, settings);
}

/// Widths, depths and decays, with as many epochs as make some thousand steps.
Contender networks(std::int64_t rows, bool quick) {
  const std::int64_t steps = quick ? 1000 : 3000, batch = rows > 20000 ? 256 : rows > 2000 ? 64 : 32;
  const std::int64_t epochs = std::clamp<std::int64_t>(steps * batch / std::max<std::int64_t>(rows, 1), 5, 200);
  std::vector<classic::PerceptronOptions> settings;
  for (const double decay : {0.01, 1.0})
    for (const std::vector<std::int64_t>& hidden : {std::vector<std::int64_t>{64}, {128, 64}})
      settings.push_back({.hidden = hidden, .epochs = epochs, .batch_size = batch, .weight_decay = decay});
  return varied([](const auto& o) { return classic::perceptron(o); }, settings);
}

}  // namespace

std::vector<Contender> usual_contenders(const Problem& problem, const ContenderOptions& options) {
  const bool classes = !problem.labels.empty(), quick = options.quick;
  const std::int64_t rows = options.rows > 0 ? options.rows : problem.rows * 4 / 5;
  std::vector<Contender> all = {contender({classic::baseline()})};
  if (classes) {
    all.push_back(varied<classic::LogisticOptions>([](const auto& o) { return classic::logistic_regression(o); },
                                                   {{.C = 0.01}, {.C = 0.1}, {.C = 1}, {.C = 10}}));
    all.push_back(contender({classic::standardised(classic::gaussian_naive_bayes())}));
    if (has_svm("LIBLINEAR"))
      all.push_back(varied<classic::LinearSvmOptions>([](const auto& o) { return classic::linear_svm(o); },
                                                      {{.C = 0.001}, {.C = 0.01}, {.C = 0.1}, {.C = 1}}));
  } else {
    all.push_back(varied<classic::RidgeOptions>([](const auto& o) { return classic::ridge(o); },
                                                {{.alpha = 0.1}, {.alpha = 1}, {.alpha = 10}, {.alpha = 100}}));
  }
  if (has_svm("LIBSVM"))
    all.push_back(varied<classic::RbfSvmOptions>([](const auto& o) { return classic::rbf_svm(o); },
                                                 {{.C = 0.3}, {.C = 1}, {.C = 10}, {.C = 100}}));
  all.push_back(neighbours(rows));
  all.push_back(varied<classic::TreeOptions>(
      [](const auto& o) { return classic::decision_tree(o); },
      {{.min_samples_leaf = 1}, {.min_samples_leaf = 5}, {.min_samples_leaf = 20}}, false));
  const std::int64_t trees = quick ? 60 : 200;
  all.push_back(varied<classic::ForestOptions>([](const auto& o) { return classic::random_forest(o); },
                                               {{.trees = trees}, {.trees = trees, .min_samples_leaf = 4}}, false));
  if (!classic::boosting_library().empty()) {
    std::vector<classic::BoostingOptions> settings = {{.rounds = 50, .max_depth = 2}, {.rounds = 100}};
    if (!quick) settings.push_back({.rounds = 300, .learning_rate = 0.05, .max_depth = 5, .subsample = 0.8});
    all.push_back(varied([](const auto& o) { return classic::gradient_boosting(o); }, settings, false));
  }
  all.push_back(networks(rows, quick));
  if (options.probabilities) std::erase_if(all, [](const Contender& each) { return !each.variants[0].probabilities; });
  return all;
}

std::vector<std::string> missing_contenders() {
  std::vector<std::string> missing;
  if (!has_svm("LIBLINEAR")) missing.emplace_back("linear SVM (LIBLINEAR)");
  if (!has_svm("LIBSVM")) missing.emplace_back("RBF SVM (LIBSVM)");
  if (classic::boosting_library().empty()) missing.emplace_back("gradient boosting (XGBoost)");
  return missing;
}

}  // namespace gradus::insight
