#include "gradus/insight/compare/held_out.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gradus/base/error.h"
#include "gradus/classic/convolutional.h"
#include "gradus/classic/linear.h"
#include "gradus/classic/neighbours.h"
#include "gradus/data/embedded/embedded.h"
#include "gradus/data/embedded/friedman.h"

namespace gradus::insight {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<Contender> three() {
  return {contender({classic::baseline()}), contender({classic::logistic_regression()}),
          contender({classic::nearest_neighbours({.k = 1})})};
}

TEST(HeldOut, TheSameRowsForAllAndTheSameNumbersAgain) {
  const data::Dataset train = data::digits(data::Split::train), test = data::digits(data::Split::test);
  std::vector<std::string> told;
  const auto curve = [&](std::uint64_t seed) {
    return held_out_curve(train, test, three(), {{40, 3}, {400, 1}}, {.test_rows = 200, .seed = seed},
                          [&](const std::string& what) { told.push_back(what); });
  };
  const std::vector<HeldOutPoint> first = curve(1), again = curve(1), other = curve(2);
  EXPECT_EQ(told.size(), 36u);
  EXPECT_EQ(told[1], "40 rows, draw 1 of 3: logistic regression");
  ASSERT_EQ(first.size(), 2u);
  EXPECT_EQ(first[0].test_rows, 200);
  for (const char* name : {"baseline", "logistic regression", "nearest neighbours"}) {
    const HeldOutStanding& each = first[0].of(name);
    EXPECT_EQ(each.scores, again[0].of(name).scores) << name;
    EXPECT_EQ(each.scores.size(), 3u);
    EXPECT_NEAR(each.mean, mean_of(each.right), 1e-12) << name;
    EXPECT_LT(each.interval.low, each.mean);
    EXPECT_GT(each.interval.high, each.mean);
  }
  EXPECT_NE(first[0].of("nearest neighbours").scores, other[0].of("nearest neighbours").scores);
  EXPECT_GT(first[1].of("nearest neighbours").mean, first[0].of("nearest neighbours").mean + 0.03);
  EXPECT_EQ(first[1].of("logistic regression").parameters, 650);  // (64 + 1) * 10
  EXPECT_EQ(first[1].of("nearest neighbours").parameters, 0);
}

TEST(HeldOut, VerdictsNameWhoLeadsAndWhoCannotBeTold) {
  const auto standing = [](const char* name, const std::vector<double>& right) {
    return HeldOutStanding{.name = name,
                           .settings = {},
                           .scores = {mean_of(right)},
                           .right = right,
                           .mean = mean_of(right),
                           .interval = {}};
  };
  std::vector<double> best(200, 1.0), near(200, 1.0), far(200, 0.0);
  for (std::size_t i = 0; i < 20; ++i) best[i] = near[i + 3] = 0;
  near[40] = 0;
  for (std::size_t i = 60; i < 160; ++i) far[i] = 1;
  const HeldOutPoint point{.rows = 10,
                           .test_rows = 200,
                           .standings = {standing("best", best), standing("near", near), standing("far", far)}};
  const HeldOutVerdict verdict = verdict_of(point);
  EXPECT_EQ(verdict.leader, "best");
  EXPECT_THAT(verdict.behind, ElementsAre("far"));
  EXPECT_THAT(verdict.together, ElementsAre("near"));
  EXPECT_EQ(verdict.sentence, "best leads with 0.9000, ahead of far by more than noise; not told from near.");
  EXPECT_NEAR(point.difference("best", "far").mean, 0.4, 1e-12);
}

TEST(HeldOut, WhatContendsDependsOnTheExamples) {
  const data::Dataset digits = data::digits(data::Split::train), table = data::breast_cancer();
  EXPECT_EQ(image_contenders(digits).back().name, "convolutional network");
  EXPECT_EQ(image_contenders(table).back().name, "neural network");
}

TEST(HeldOut, AConvolutionalNetworkIsALearner) {
  const data::Dataset train = data::digits(data::Split::train), test = data::digits(data::Split::test);
  const classic::Learner learner =
      classic::convolutional({.height = 8, .width = 8, .epochs = 1, .min_steps = 200, .batch_size = 32});
  std::vector<std::int64_t> rows(300);
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<std::int64_t>(i);
  const classic::Model model = learner.fit(train.subset(rows), 3);
  EXPECT_GT(model.score(test), 0.6);
  EXPECT_EQ(model.score(test), learner.fit(train.subset(rows), 3).score(test));
  EXPECT_EQ(model.parameters(), 320 + 18496 + 73856 + 128 * 256 + 256 * 128 + 1290);
  EXPECT_TRUE(learner.network);
  EXPECT_THROW(classic::convolutional({.height = 7}), Error);
  EXPECT_THROW(classic::convolutional().fit(train), Error);  // 28 x 28, and the digits are 8 x 8
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

TEST(HeldOut, WrongUses) {
  const data::Dataset train = data::digits(data::Split::train), test = data::digits(data::Split::test),
                      numbers = data::friedman(data::Split::train);
  std::vector<Contender> varied = {contender({classic::nearest_neighbours({.k = 1}), classic::nearest_neighbours()})};
  const std::pair<std::string, const char*> rows[] = {
      {message_of([&] {
         held_out_curve(numbers, numbers, three(), {{10, 1}});
       }),
       "one of classes, not of numbers"},
      {message_of([&] { held_out_curve(train, test, three(), {}); }), "there is nothing to compare"},
      {message_of([&] {
         held_out_curve(train, test, three(), {{5000, 1}});
       }),
       "a size is 5000, must be 2 to the 1438"},
      {message_of([&] {
         held_out_curve(train, test, three(), {{10, 0}});
       }),
       "0 draws of 10 rows"},
      {message_of([&] {
         held_out_curve(train, test, three(), {{10, 1}}, {.test_rows = 1000});
       }),
       "1000 test rows are asked for, and there are 359"},
      {message_of([&] {
         held_out_curve(train, test, varied, {{10, 1}});
       }),
       "has 2 variants, must be 1"},
  };
  for (const auto& [message, part] : rows) EXPECT_THAT(message, HasSubstr(part));
}

}  // namespace
}  // namespace gradus::insight
