// Learners against scikit-learn: the cases of tools/golden/classic.py.
#include <gtest/gtest.h>

#include "tests/golden.h"

namespace gradus::classic {
namespace {

using testing::expect_close;
using testing::golden;
using testing::GoldenFile;

TEST(GoldenClassic, LearnersAnswerAsScikitLearns) {
  const GoldenFile file = golden("classic");
  const Tensor x = file.at("x"), asked = file.at("asked");
  const data::Dataset classes("three classes", x, file.at("labels")), two("two classes", x, file.at("two")),
      numbers("numbers", x, file.at("y"));
  const struct {
    const char* name;
    const data::Dataset& train;
    Learner learner;
    double bound;
  } rows[] = {
      {"logistic", classes, logistic_regression({.C = 2}), 1e-3},  // both stop when the gradient is small
      {"ridge", numbers, ridge({.alpha = 0.7}), 1e-9},
      {"neighbours", classes, nearest_neighbours({.k = 3}), 1e-12},
      {"neighbours_numbers", numbers, nearest_neighbours({.k = 5}), 1e-12},
      {"bayes", classes, gaussian_naive_bayes(), 1e-9},
      {"tree_numbers", numbers, decision_tree({.min_samples_leaf = 3}), 1e-9},
      {"linear_svm", classes, linear_svm({.C = 0.5}), 1e-3},
      {"rbf_svm", classes, rbf_svm({.C = 10}), 2e-3},
      {"rbf_svm_numbers", numbers, rbf_svm({.C = 3}), 2e-3},
  };
  const std::vector<std::string> libraries = svm_libraries();
  for (const auto& row : rows) {
    const std::string name = row.name;
    if (name.find("svm") != name.npos && libraries.size() < 2) continue;
    expect_close(row.learner.fit(row.train).scores(asked), file.at(name), name, row.bound);
  }
  if (libraries.size() < 2) return;
  for (const auto& [name, learner] : {std::pair("linear_svm_two", linear_svm({.C = 0.5})),
                                      std::pair("rbf_svm_two", rbf_svm({.C = 10, .gamma = 0.3}))}) {
    const Tensor scores = learner.fit(two).scores(asked);  // of both classes: -d and d
    expect_close(select(scores, 1, 1), file.at(name), name, 2e-3);
    expect_close(-select(scores, 1, 0), file.at(name), name, 2e-3);
  }
}

TEST(GoldenClassic, ComponentsAndClusters) {
  const GoldenFile file = golden("classic");
  const Pca found = pca(file.at("x"), 3);
  expect_close(found.explained_variance, file.at("pca.variance"), "variance", 1e-9);
  expect_close(abs(found.transform(file.at("asked"))), file.at("pca.transform"), "transform", 1e-9);
  // The best of many starts is the best there is.
  const KMeans clusters = k_means(file.at("x"), {.clusters = 4, .n_init = 100});
  EXPECT_NEAR(clusters.inertia, file.at("k_means").to_vector<double>()[0], 1e-6);
}

}  // namespace
}  // namespace gradus::classic
