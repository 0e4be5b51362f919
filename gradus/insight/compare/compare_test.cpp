#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "gradus/base/error.h"
#include "gradus/classic/linear.h"
#include "gradus/classic/neighbours.h"
#include "gradus/classic/perceptron.h"
#include "gradus/classic/svm.h"
#include "gradus/classic/tree.h"
#include "gradus/data/embedded/embedded.h"
#include "gradus/data/embedded/friedman.h"
#include "gradus/data/table/csv.h"
#include "gradus/insight/compare/advice.h"
#include "gradus/insight/compare/protocol.h"
#include "tests/golden.h"

namespace gradus::insight {
namespace {

using ::testing::HasSubstr;

std::vector<Contender> two() {
  return {contender({classic::baseline()}),
          contender({classic::nearest_neighbours({.k = 1}), classic::nearest_neighbours({.k = 5})})};
}

TEST(Compare, EqualSeedsGiveEqualScores) {
  const Problem problem = problem_of(data::breast_cancer());
  std::vector<std::string> told;
  const Comparison a = compare(problem, two(), {.folds = 5, .repeats = 2, .seed = 3},
                               [&](const std::string& what) { told.push_back(what); });
  const Comparison b = compare(problem, two(), {.folds = 5, .repeats = 2, .seed = 3});
  ASSERT_EQ(a.standings.size(), 2u);
  EXPECT_EQ(told.size(), 20u);
  EXPECT_EQ(told.back(), "split 10 of 10: nearest neighbours");
  EXPECT_EQ(a.standings[0].name, "nearest neighbours");
  EXPECT_EQ(a.score_name(), "accuracy");
  EXPECT_NEAR(static_cast<double>(a.train_rows), 455, 1);
  EXPECT_NEAR(static_cast<double>(a.test_rows), 114, 1);
  for (const char* name : {"baseline", "nearest neighbours"}) EXPECT_EQ(a.of(name).scores, b.of(name).scores) << name;
  EXPECT_NE(a.of("baseline").scores.size(), 0u);
  // Stratified: each test part holds the share of the larger class, within a row.
  for (const double score : a.of("baseline").scores) EXPECT_NEAR(score, 357.0 / 569, 0.009);
  const PairedTest test = a.difference("nearest neighbours", "baseline");
  EXPECT_NEAR(test.mean, a.standings[0].mean - a.standings[1].mean, 1e-12);
  EXPECT_GT(test.interval.low, 0.2);
  EXPECT_THROW(a.of("nobody"), Error);
}

TEST(Compare, ValidationChoosesBetweenVariants) {
  // With alpha this large, ridge is the mean.
  const Problem problem = problem_of(data::friedman(data::Split::train));
  const Comparison found =
      compare(problem, {contender({classic::ridge({.alpha = 1e9}), classic::ridge({.alpha = 1})})}, {.repeats = 1});
  EXPECT_EQ(found.score_name(), "R2");
  EXPECT_EQ(found.standings[0].usual_settings(), "alpha 1");
  EXPECT_GT(found.standings[0].mean, 0.6);
}

TEST(Compare, TrainingPartsOfEverySize) {
  const Problem problem = problem_of(data::digits());
  const std::vector<CurvePoint> curve = learning_curve(problem, two(), {50, 400}, {.folds = 3, .repeats = 1});
  ASSERT_EQ(curve.size(), 2u);
  EXPECT_EQ(curve[0].comparison.train_rows, 50);
  EXPECT_EQ(curve[1].comparison.train_rows, 400);
  EXPECT_EQ(curve[0].comparison.test_rows, curve[1].comparison.test_rows);
  EXPECT_GT(curve[1].comparison.of("nearest neighbours").mean,
            curve[0].comparison.of("nearest neighbours").mean + 0.05);
}

TEST(Compare, GapsAreFilledFromTheTrainingPartAlone) {
  std::string text = "x,y\n";
  for (int i = 0; i < 40; ++i) text += i % 10 == 0 ? ",a\n" : i % 2 == 0 ? "1,a\n" : "100000,b\n";
  const Problem problem =
      problem_of(data::parse_csv(text, "gaps.csv"), {.target = "y", .missing = data::Missing::mean});
  data::Rows high, low;
  for (std::int64_t i = 0; i < 40; ++i) (i % 2 == 1 ? high : low).push_back(i);
  const auto [train, test] = problem.parts(high, low);
  // The training part has no gap and the mean 100,000, whatever the other part holds.
  EXPECT_EQ(test.examples().to_vector<float>()[0], 100000);
  EXPECT_EQ(train.num_classes(), 2);
}

Comparison made(std::vector<Standing> standings) {
  Comparison c{.metric = Metric::accuracy, .train_rows = 800, .test_rows = 200, .standings = std::move(standings)};
  for (Standing& each : c.standings) each.mean = mean_of(each.scores);
  std::stable_sort(c.standings.begin(), c.standings.end(),
                   [](const auto& a, const auto& b) { return a.mean > b.mean; });
  return c;
}

Standing standing(std::string name, std::vector<double> scores, bool network = false) {
  return {.name = std::move(name), .network = network, .scores = std::move(scores), .settings = {}, .interval = {}};
}

TEST(Advice, FollowsTheEvidence) {
  const auto around = [](double middle) {
    return std::vector<double>{middle, middle + 0.002, middle - 0.002, middle + 0.001, middle - 0.001};
  };
  const auto with = [&](double network, double forest) {
    return advise(made({standing("baseline", around(0.7)), standing("neural network", around(network), true),
                        standing("random forest", {forest, forest, forest + 0.001, forest, forest})}));
  };
  EXPECT_EQ(with(0.95, 0.85).answer, Answer::yes);
  EXPECT_THAT(with(0.95, 0.85).sentence, HasSubstr("Yes"));
  EXPECT_EQ(with(0.80, 0.85).answer, Answer::no);
  EXPECT_THAT(with(0.80, 0.85).sentence, HasSubstr("random forest"));
  EXPECT_EQ(with(0.851, 0.85).answer, Answer::no_difference);
  EXPECT_EQ(with(0.70, 0.701).answer, Answer::nothing_learned);
  const Advice open = advise(made({standing("neural network", {0.8, 0.9, 0.7, 0.95, 0.75}, true),
                                   standing("baseline", {0.5, 0.5, 0.5, 0.5, 0.51}),
                                   standing("random forest", {0.9, 0.75, 0.85, 0.7, 0.85})}));
  EXPECT_EQ(open.answer, Answer::undecided);
  EXPECT_FALSE(open.reasons.empty());
}

TEST(Compare, ByOtherMetrics) {
  const Problem classes = problem_of(data::breast_cancer()), numbers = problem_of(data::friedman(data::Split::train));
  const std::vector<Contender> for_classes = {contender({classic::baseline()}),
                                              contender({classic::standardised(classic::logistic_regression())})},
                               for_numbers = {contender({classic::baseline()}), contender({classic::ridge()})};
  for (const bool of_classes : {true, false}) {
    for (const Metric metric : metrics_of(of_classes)) {
      const Comparison found = compare(of_classes ? classes : numbers, of_classes ? for_classes : for_numbers,
                                       {.metric = metric, .folds = 4, .repeats = 1});
      const Standing& best = found.standings[0];
      EXPECT_NE(best.name, "baseline") << name_of(metric);
      EXPECT_GT(found.gain(best.name, "baseline").interval.low, 0) << name_of(metric);
      EXPECT_EQ(is_loss(metric), best.mean < found.of("baseline").mean);
      EXPECT_EQ(best.others.size(), metrics_of(of_classes).size() - 1);
      for (const auto& [other, mean] : best.others) {  // the same splits, whatever is asked for
        EXPECT_NE(other, metric);
        EXPECT_EQ(mean, compare(of_classes ? classes : numbers, of_classes ? for_classes : for_numbers,
                                {.metric = other, .folds = 4, .repeats = 1})
                            .of(best.name)
                            .mean);
      }
      for (const Standing& each : found.standings) {
        EXPECT_LE(each.interval.low, each.mean);
        EXPECT_GE(each.interval.high, each.mean);
        EXPECT_GE(each.interval.low, metric == Metric::r2 ? -INFINITY : 0);
        EXPECT_LE(each.interval.high, has_unit(metric) ? INFINITY : 1) << name_of(metric);
      }
    }
  }
  EXPECT_EQ(metric_of("r2"), Metric::r2);
  EXPECT_EQ(metric_of("balanced-accuracy"), Metric::balanced_accuracy);
}

TEST(Compare, MetricsAreThoseOfScikitLearn) {
  const testing::GoldenFile file = testing::golden("classic");
  const auto figures = [&](const classic::Learner& learner, const char* train, const char* labels) {
    const classic::Model model = learner.fit({"golden", file.at("x"), file.at(train)});
    return figures_of(model.scores(file.at("asked")), file.at(labels), metrics_of(model.classes() > 0));
  };
  const std::pair<const char*, std::vector<double>> rows[] = {
      {"figures.three", figures(classic::gaussian_naive_bayes(), "labels", "asked_labels")},
      {"figures.two", figures(classic::gaussian_naive_bayes(), "two", "asked_two")},
      {"figures.numbers", figures(classic::ridge({.alpha = 0.7}), "y", "asked_y")}};
  for (const auto& [name, found] : rows) {
    const std::vector<double> expected = file.at(name).to_vector<double>();
    ASSERT_EQ(found.size(), expected.size()) << name;
    for (std::size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i], 1e-6) << name << ", figure " << i;
  }
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

TEST(Compare, WrongUses) {
  const data::Dataset one(
      "one", leaf<float>({4, 1}, std::span<const float>(std::vector<float>{1, 2, 3, 4})),
      leaf<std::int64_t>({4}, std::span<const std::int64_t>(std::vector<std::int64_t>{1, 1, 1, 1})));
  const data::Dataset rare(
      "rare", one.examples(),
      leaf<std::int64_t>({4}, std::span<const std::int64_t>(std::vector<std::int64_t>{0, 1, 1, 1})));
  const Problem cancer = problem_of(data::breast_cancer());
  const std::pair<std::string, const char*> rows[] = {
      {message_of([&] { compare(problem_of(one), two()); }), "all rows are of one class"},
      {message_of([&] { compare(problem_of(rare), two(), {.folds = 2}); }),
       "class 0 has 1 rows, fewer than the 2 folds"},
      {message_of([&] { compare(cancer, {}); }), "there is nothing to compare"},
      {message_of([&] { compare(cancer, {{.name = "empty", .variants = {}}}); }), "empty has no variants"},
      {message_of([&] { compare(cancer, two(), {.folds = 1}); }), "folds 1"},
      {message_of([&] { compare(cancer, two(), {.metric = Metric::mae}); }), "mae is no metric of classes"},
      {message_of([&] { compare(cancer, {contender({classic::rbf_svm()})}, {.metric = Metric::log_loss}); }),
       "log-loss asks for probabilities, and RBF SVM has none"},
      {message_of([] { metric_of("kappa"); }), "there is no metric \"kappa\""},
      {message_of([&] { compare(cancer, two(), {.validation = 1}); }), "validation 1"},
      {message_of([&] { compare(cancer, two(), {.train_rows = 1}); }), "1 rows are too few to train on"},
  };
  for (const auto& [message, part] : rows) EXPECT_THAT(message, HasSubstr(part));
}

TEST(Compare, TheUsualContendersFitTheTask) {
  const Problem classes = problem_of(data::breast_cancer()), numbers = problem_of(data::friedman(data::Split::train));
  for (const Problem* problem : {&classes, &numbers}) {
    const std::vector<Contender> all = usual_contenders(*problem, {.quick = true});
    EXPECT_EQ(all.front().name, "baseline");
    EXPECT_TRUE(all.back().network);
    EXPECT_GE(all.size() + missing_contenders().size(), problem == &classes ? 10u : 8u) << problem->name;
  }
}

}  // namespace
}  // namespace gradus::insight
