#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "gradus/base/error.h"
#include "gradus/base/parallel.h"
#include "gradus/base/random.h"
#include "gradus/classic/boosting.h"
#include "gradus/classic/decomposition.h"
#include "gradus/classic/linear.h"
#include "gradus/classic/neighbours.h"
#include "gradus/classic/ngram.h"
#include "gradus/classic/perceptron.h"
#include "gradus/classic/svm.h"
#include "gradus/classic/tree.h"
#include "gradus/data/embedded/embedded.h"
#include "gradus/data/embedded/friedman.h"
#include "gradus/engine/eval.h"
#include "gradus/ops/ops.h"

namespace gradus::classic {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// All learners that this build has.
std::vector<Learner> all_learners() {
  std::vector<Learner> all = {baseline(),
                              logistic_regression(),
                              ridge(),
                              nearest_neighbours(),
                              gaussian_naive_bayes(),
                              decision_tree({.min_samples_leaf = 3}),
                              random_forest({.trees = 30}),
                              perceptron({.hidden = {16}, .epochs = 20})};
  if (svm_libraries().size() == 2) all.insert(all.end(), {linear_svm(), rbf_svm({.C = 10})});
  if (!boosting_library().empty()) all.push_back(gradient_boosting({.rounds = 50}));
  return all;
}

TEST(Learners, LearnClasses) {
  const data::Dataset train = data::breast_cancer(data::Split::train), test = data::breast_cancer(data::Split::test);
  for (const Learner& plain : all_learners()) {
    if (plain.name == "ridge regression") continue;
    const Learner learner = standardised(plain);
    const Model model = learner.fit(train, 1);
    const double score = model.score(test), least = learner.name == "baseline" ? 0.6 : 0.88;
    EXPECT_GT(score, least) << learner.name;
    EXPECT_LT(score, learner.name == "baseline" ? 0.66 : 1.01) << learner.name;
    EXPECT_GT(model.bytes(), 0) << learner.name;
    const Tensor inputs = test.batch(std::vector<std::int64_t>{0, 1, 2, 3}).inputs;
    EXPECT_EQ(model.scores(inputs).spec(), (TensorSpec{DType::f64, {4, 2}})) << learner.name;
    EXPECT_EQ(model.predict(inputs).spec(), (TensorSpec{DType::i64, {4}})) << learner.name;
    // The same seed, the same bits, for any number of threads.
    const int threads = num_threads();
    set_num_threads(threads == 1 ? 2 : 1);
    EXPECT_EQ(learner.fit(train, 1).scores(inputs).to_vector<double>(), model.scores(inputs).to_vector<double>())
        << learner.name;
    set_num_threads(threads);
  }
}

TEST(Learners, LearnNumbers) {
  const data::Dataset train = data::friedman(data::Split::train), test = data::friedman(data::Split::test);
  for (const Learner& plain : all_learners()) {
    if (plain.name == "logistic regression" || plain.name == "naive Bayes" || plain.name == "linear SVM") continue;
    const Model model = standardised(plain).fit(train, 1);
    const double score = model.score(test);
    if (plain.name == "baseline") {
      EXPECT_NEAR(score, 0, 0.02);
    } else {
      EXPECT_GT(score, plain.name == "decision tree" ? 0.5 : 0.65) << plain.name;
    }
    EXPECT_EQ(model.predict(test.batch(std::vector<std::int64_t>{0, 1}).inputs).spec(), (TensorSpec{DType::f64, {2}}));
  }
}

/// Points on a line with classes or numbers.
data::Dataset line(std::vector<float> x, std::vector<std::int64_t> labels) {
  return {"line", leaf<float>({static_cast<std::int64_t>(x.size()), 1}, std::span<const float>(x)),
          leaf<std::int64_t>({static_cast<std::int64_t>(x.size())}, std::span<const std::int64_t>(labels))};
}

TEST(Learners, ATreeAsksWhatCanBeFoundByHand) {
  const data::Dataset train = line({1, 2, 3, 10, 11, 12}, {0, 0, 0, 1, 1, 0});
  const Tensor asked = tensor({{6.4f}, {6.6f}, {11.4f}, {11.6f}});
  // One question: 6.5 lowers the impurity from 6 (1 - 5/9) = 2.667 to 3 (1 - 5/9) = 1.333, more than any other.
  EXPECT_THAT(select(decision_tree({.max_depth = 1}).fit(train).scores(asked), 1, 1).to_vector<double>(),
              ElementsAre(0, 2.0 / 3, 2.0 / 3, 2.0 / 3));
  EXPECT_THAT(decision_tree().fit(train).predict(asked).to_vector<std::int64_t>(), ElementsAre(0, 1, 1, 0));
  // Answers of at least three examples: only 6.5 is left.
  EXPECT_THAT(decision_tree({.min_samples_leaf = 3}).fit(train).predict(asked).to_vector<std::int64_t>(),
              ElementsAre(0, 1, 1, 1));
}

/// Targets for x = 0, 1, ...
Sample numbers(std::vector<double> targets) {
  Sample sample;
  sample.rows = static_cast<std::int64_t>(targets.size());
  sample.columns = 1;
  for (std::int64_t i = 0; i < sample.rows; ++i) sample.x.push_back(static_cast<float>(i));
  sample.targets = std::move(targets);
  return sample;
}

TEST(Learners, NumbersOfAnyScaleAreLearned) {
  std::vector<Learner> learners = {decision_tree(), random_forest({.trees = 50, .min_samples_leaf = 1})};
  if (!boosting_library().empty()) learners.push_back(gradient_boosting());
  for (const Learner& learner : learners) {
    for (const auto& [offset, unit] : {std::pair(0.0, 1.0), {0.0, 1e-6}, {0.0, 1e12}, {1e8, 1.0}, {-3e9, 0.5}}) {
      std::vector<double> y;
      for (const int step : {0, 0, 0, 0, 1, 1, 1, 1, 4, 4, 4, 4}) y.push_back(offset + unit * step);
      const Sample train = numbers(y);
      const std::vector<double> found = learner.learn(train, 1).answer({train.x, train.rows, 1});
      for (const std::size_t i : {0u, 1u, 5u, 6u, 10u, 11u})
        EXPECT_NEAR(found[i], y[i], 0.2 * unit) << learner.name << ' ' << offset << ' ' << unit;
    }
  }
}

/// The sums of equal numbers and of their squares round, but that is no spread.
TEST(Learners, EqualNumbersAreNotParted) {
  for (const double equal : {0.1, 1e8 + 0.1, -1e-9}) {
    const Model tree = decision_tree().learn(numbers(std::vector<double>(1000, equal)), 0);
    EXPECT_LT(tree.bytes(), 100) << equal;
    EXPECT_EQ(tree.answer({std::vector<float>{3}, 1, 1})[0], equal);
  }
}

TEST(Learners, OneClassIsEnough) {
  const data::Dataset train("one", tensor({{1.f, 5.f}, {2.f, 5.f}, {4.f, 5.f}}), tensor({1, 1, 1}), {.num_classes = 2});
  for (const Learner& learner : all_learners()) {
    if (learner.name == "ridge regression" || learner.name == "nearest neighbours") continue;  // 3 examples, k = 5
    EXPECT_EQ(standardised(learner).fit(train).score(train), 1) << learner.name;
  }
}

TEST(Learners, StandardisingForgetsUnits) {
  const data::Dataset train = data::breast_cancer(data::Split::train), test = data::breast_cancer(data::Split::test);
  const auto shifted = [](const data::Dataset& set) {
    const Tensor x = set.examples() * 1000 + 5;
    eval(x);
    return data::Dataset(set.name(), x, set.labels(), {.num_classes = 2});
  };
  const Learner learner = standardised(nearest_neighbours());
  EXPECT_NEAR(learner.fit(train).score(test), learner.fit(shifted(train)).score(shifted(test)), 0.009);
  EXPECT_LT(nearest_neighbours().fit(train).score(test), learner.fit(train).score(test));
}

template <class Body>
std::string message_of(const Body& body) {
  try {
    body();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(Learners, WrongUses) {
  const data::Dataset classes = line({1, 2}, {0, 1});
  const data::Dataset numbers("numbers", tensor({{1.f}, {2.f}}), tensor({1.f, 2.f}));
  const Model model = gaussian_naive_bayes().fit(classes);
  const std::pair<std::string, const char*> rows[] = {
      {message_of([&] { ridge().fit(classes); }), "learns numbers, and the labels are classes"},
      {message_of([&] { logistic_regression().fit(numbers); }), "learns classes, and the labels are numbers"},
      {message_of([&] { nearest_neighbours({.k = 3}).fit(classes); }), "k is 3, and there are 2 examples"},
      {message_of([&] { nearest_neighbours({.k = 0}); }), "k is 0, must be 1 or more"},
      {message_of([&] { logistic_regression({.C = 0}); }), "C is 0 and max_iter 100, both must be positive"},
      {message_of([&] { rbf_svm({.C = -1}); }), "C is -1, must be positive"},
      {message_of([&] { random_forest({.trees = 0}); }), "trees 0"},
      {message_of([&] { gradient_boosting({.learning_rate = 2}); }), "learning_rate 2"},
      {message_of([&] {
         perceptron({.hidden = {8, 0}});
       }),
       "hidden [8, 0]"},
      {message_of([&] {
         model.predict(zeros({3, 2}));
       }),
       "expected 1 elements for each example"},
      {message_of([&] {
         model.predict(zeros({3, 1}, DType::f64));
       }),
       "expected f32"},
      {message_of([&] { model.score(numbers); }), "the model predicts classes, the labels are numbers"},
      {message_of([&] {
         gaussian_naive_bayes().fit(data::Dataset("gap", tensor({{1.f}, {NAN}}), tensor({0, 1})));
       }),
       "element 0 of example 1 is nan"},
      {message_of([] { NGram(""); }), "there is no text"},
      {message_of([] { NGram("ab", {.history = 17}); }), "history is 17, must be 0 to 16"},
      {message_of([] {
         pca(zeros({5, 3}), 4);
       }),
       "4 components of 5 examples with 3 columns: there are 1 to 3"},
      {message_of([] {
         k_means(zeros({5, 3}), {.clusters = 6});
       }),
       "clusters 6 of 5 examples"},
      {message_of([] {
         k_means(zeros({0, 3}));
       }),
       "not empty"},
      {message_of([] {
         k_means(tensor({{1.f, 2.f}, {3.f, NAN}}), {.clusters = 1});
       }),
       "element 1 of example 1 is nan"},
      {message_of([] {
         k_means(tensor({{-INFINITY}, {2.f}}), {.clusters = 1});
       }),
       "element 0 of example 0 is -inf"},
      {message_of([] {
         k_means(tensor({{1e200}, {2.0}}), {.clusters = 1});
       }),
       "element 0 of example 0 is 1e+200"},
  };
  for (const auto& [message, part] : rows) EXPECT_THAT(message, HasSubstr(part));
}

TEST(NGram, CountsByHand) {
  // abab: a twice, b twice; behind a always b, behind b once a. Two different bytes, and one more for what was never seen.
  const NGram zero("abab", {.history = 0});
  EXPECT_DOUBLE_EQ(zero.probability("", 'a'), (2 + 2.0 / 3) / (4 + 2));
  const NGram one("abab", {.history = 1});
  const double b = (2 + 2.0 / 3) / 6;
  EXPECT_DOUBLE_EQ(one.probability("xxa", 'b'), (2 + b) / (2 + 1));
  EXPECT_DOUBLE_EQ(one.probability("b", 'b'), (0 + b) / (1 + 1));
  EXPECT_DOUBLE_EQ(one.probability("x", 'b'), b);  // x was never seen
  for (const char* before : {"", "a", "b", "?"})
    EXPECT_NEAR(one.probability(before, 'a') + one.probability(before, 'b') + one.probability(before, '?'), 1, 1e-15);
  EXPECT_DOUBLE_EQ(zero.bits_per_byte("ab"), -std::log2(b));
  EXPECT_GT(one.bytes(), 0);
}

TEST(Decomposition, PcaTurnsPointsBack) {
  // Points on a line in the plane: one component tells everything.
  const Tensor x = tensor({{1.0, 1.0}, {2.0, 3.0}, {3.0, 5.0}, {5.0, 9.0}});
  const Pca found = pca(x, 1);
  const std::vector<double> direction = found.components.to_vector<double>();
  EXPECT_NEAR(direction[0], 1 / std::sqrt(5), 1e-12);
  EXPECT_NEAR(direction[1], 2 / std::sqrt(5), 1e-12);
  EXPECT_NEAR(found.explained_variance.to_vector<double>()[0], found.total_variance, 1e-12);
  const std::vector<double> back = found.inverse(found.transform(x)).to_vector<double>(), truth = x.to_vector<double>();
  for (std::size_t i = 0; i < truth.size(); ++i) EXPECT_NEAR(back[i], truth[i], 1e-12);
}

TEST(Decomposition, KMeansFindsClusters) {
  const Tensor x = tensor({{0.0}, {1.0}, {10.0}, {11.0}, {20.0}, {21.0}});
  const KMeans found = k_means(x, {.clusters = 3, .seed = 1});
  EXPECT_NEAR(found.inertia, 1.5, 1e-12);
  const std::vector<std::int64_t> labels = found.labels.to_vector<std::int64_t>();
  for (const std::size_t pair : {0u, 2u, 4u}) EXPECT_EQ(labels[pair], labels[pair + 1]);
  EXPECT_NE(labels[0], labels[2]);
  EXPECT_EQ(k_means(x, {.clusters = 6}).inertia, 0);
  EXPECT_EQ(k_means(zeros({4, 2}), {.clusters = 3}).inertia, 0);  // equal points
}

}  // namespace
}  // namespace gradus::classic
