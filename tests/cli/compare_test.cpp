// `gradus compare`: should I use deep learning here?
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fmt/format.h>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "gradus/classic/boosting.h"
#include "gradus/classic/svm.h"
#include "gradus/io/atomic_file.h"
#include "tests/command.h"
#include "tests/support/files.h"

namespace gradus {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using testing_help::Outcome;
using testing_help::run_gradus;

std::string csv_file(const testing::TemporaryFolder& folder, const std::string& name, const std::string& text) {
  testing::write_bytes(folder / name, text);
  return folder / name;
}

/// Rows in which the class follows from x, with everything that real files have: row numbers, names, free gaps, constants.
std::string real_table(int rows) {
  std::string text = "id,name,x,job,blank,same,class\n";
  for (int i = 0; i < rows; ++i) {
    const bool good = i * 7 % 10 < 5;
    text += fmt::format("{},customer {},{},{},,1,{}\n", 100 + i, i,
                        i % 9 == 0 ? "" : fmt::format("{}", good ? i % 5 : 10 + i % 5), i % 3 == 0 ? "clerk" : "cook",
                        i == 3 ? ""
                        : good ? "good"
                               : "bad");
  }
  return text;
}

TEST(CliCompare, AnswersOnATableAsItIs) {
  const testing::TemporaryFolder folder;
  const std::string csv = csv_file(folder, "table.csv", real_table(60));
  const Outcome text =
      run_gradus(folder.path(), {"compare", csv, "--target", "class", "--quick", "--out", folder / "page.html"});
  EXPECT_EQ(text.code, 0) << text.err;
  EXPECT_EQ(text.err, "");
  for (const char* part :
       {"59 rows, 2 columns, predicting class (bad 30, good 29)", "1 rows without a value of \"class\"",
        "\"id\" was left out: row numbers", "\"name\" was left out: a name for every row",
        "\"blank\" was left out: no values", "\"same\" was left out: constant", "7 missing values were filled in",
        "neural network", "baseline", "Should you use deep learning here?"})
    EXPECT_THAT(text.out, HasSubstr(part));
  const std::string page = io::read_file(folder / "page.html");
  EXPECT_THAT(page, HasSubstr("logistic regression"));
  EXPECT_THAT(page, Not(HasSubstr("<script")));

  const auto json = [&] {
    return nlohmann::json::parse(
        run_gradus(folder.path(), {"compare", csv, "--target", "class", "--quick", "--json"}).out);
  };
  const auto first = json(), second = json();
  EXPECT_EQ(first.at("task"), "classification");
  EXPECT_EQ(first.at("rows"), 59);
  const bool whole = classic::svm_libraries().size() == 2 && !classic::boosting_library().empty();
  EXPECT_EQ(first.at("learners").size() == 10u, whole);
  const auto by_loss = nlohmann::json::parse(
      run_gradus(folder.path(), {"compare", csv, "--target", "class", "--quick", "--json", "--metric", "log-loss"})
          .out);
  EXPECT_EQ(by_loss.at("score"), "log-loss");
  EXPECT_THAT(by_loss.at("notes").dump(), HasSubstr("support vector machines were left out"));
  EXPECT_LE(by_loss.at("learners")[0].at("mean"), by_loss.at("learners")[1].at("mean"));
  for (const auto& learner : first.at("learners")) {
    EXPECT_GE(learner.at("interval")[0], 0);
    EXPECT_LE(learner.at("interval")[1], 1);  // also where all answers are right
    EXPECT_TRUE(learner.at("others").contains("auc"));
  }
  for (std::size_t i = 0; i < first.at("learners").size(); ++i) {
    EXPECT_EQ(first["learners"][i]["scores"], second["learners"][i]["scores"]);  // the same seed
    EXPECT_EQ(first["learners"][i]["scores"].size(), 5u);
  }
}

TEST(CliCompare, NumbersAndACurve) {
  const testing::TemporaryFolder folder;
  std::string text = "x;y\n";
  for (int i = 0; i < 60; ++i) text += fmt::format("{};{}\n", i * 37 % 60, 0.5 + 2 * (i * 37 % 60));
  const Outcome outcome = run_gradus(folder.path(), {"compare", csv_file(folder, "line.csv", text), "--target", "y",
                                                     "--delimiter", ";", "--rows", "50", "--folds", "3", "--json"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const auto json = nlohmann::json::parse(outcome.out);
  EXPECT_EQ(json.at("task"), "regression");
  EXPECT_EQ(json.at("score"), "R2");
  EXPECT_EQ(json.at("rows"), 50);
  EXPECT_EQ(json.at("splits"), 6);
  EXPECT_EQ(json.at("learners")[0].at("learner"), "ridge regression");  // the truth is a line
  EXPECT_GT(json.at("learners")[0].at("mean"), 0.999);
  EXPECT_FALSE(json.at("curve").empty());
  EXPECT_THAT(json.at("notes").dump(), HasSubstr("50 of 60 rows were drawn at random"));
}

TEST(CliCompare, ALearningCurveOnATestPart) {
  const testing::TemporaryFolder folder;
  const std::vector<std::string> arguments = {"compare", "digits", "--learning-curve", "30,60",
                                              "--seeds", "2,1",    "--test-rows",      "100"};
  const auto with = [&](std::vector<std::string> more) {
    std::vector<std::string> all = arguments;
    all.insert(all.end(), more.begin(), more.end());
    return run_gradus(folder.path(), all);
  };
  const Outcome text = with({"--out", folder / "curve.html"});
  ASSERT_EQ(text.code, 0) << text.err;
  for (const char* part : {"1438 examples to draw from, 100 of the test part, 10 classes", "30 examples, 2 draws",
                           "60 examples, 1 draw\n", "convolutional network", " leads with ", "another one may turn it"})
    EXPECT_THAT(text.out, HasSubstr(part));
  const std::string page = io::read_file(folder / "curve.html");
  EXPECT_THAT(page, HasSubstr("How many examples does it take?"));
  EXPECT_THAT(page, HasSubstr("<svg"));
  const auto first = nlohmann::json::parse(with({"--json"}).out), second = nlohmann::json::parse(with({"--json"}).out);
  ASSERT_EQ(first.at("curve").size(), 2u);
  EXPECT_EQ(first["curve"][0]["learners"].size(), classic::svm_libraries().size() == 2 ? 5u : 4u);
  for (std::size_t i = 0; i < first["curve"][0]["learners"].size(); ++i) {
    EXPECT_EQ(first["curve"][0]["learners"][i]["scores"].size(), 2u);
    EXPECT_EQ(first["curve"][0]["learners"][i]["scores"], second["curve"][0]["learners"][i]["scores"]);
  }
}

TEST(CliCompare, WrongUses) {
  const testing::TemporaryFolder folder;
  const std::string table = csv_file(folder, "table.csv", real_table(60)),
                    one =
                        csv_file(folder, "one.csv", "x,y\n" + std::string("1,a\n2,a\n3,a\n4,a\n5,a\n6,a\n7,a\n8,a\n")),
                    few = csv_file(folder, "few.csv", "x,y\n1,a\n2,b\n"),
                    alone = csv_file(folder, "alone.csv", "y\na\nb\na\nb\na\nb\na\nb\n");
  std::string rare_text = "x,y\n";
  for (int i = 0; i < 40; ++i) rare_text += fmt::format("{},{}\n", i % 7, i == 5 ? "rare" : i % 2 == 0 ? "a" : "b");
  const std::string rare = csv_file(folder, "rare.csv", rare_text);
  const struct {
    std::vector<std::string> arguments;
    int code;
    const char* message;
  } rows[] = {
      {{table}, 2, "--target is required"},
      {{table, "--target", "class", "--seeds", "3"}, 2, "--seeds and --test-rows are for data sets with a test part"},
      {{table, "--target", "class", "--quick", "--learning-curve", "900"}, 2, "asks for 900 rows, and a split trains"},
      {{"digits", "--learning-curve", "30,60", "--seeds", "3,2,1"}, 2, "--seeds has 3 numbers, and --learning-curve 2"},
      {{"digits", "--learning-curve", "3000"}, 1, "a size is 3000, must be 2 to the 1438 training rows"},
      {{"digits", "--metric", "auc"}, 2, "accuracy is measured, and not auc"},
      {{"digits", "--drop", "x"}, 2, "--task and --drop are for tables"},
      {{"friedman"}, 1, "one of classes, not of numbers"},
      {{table, "--target", "clas"}, 1, "did you mean \"class\"?"},
      {{table, "--target", "class", "--drop", "jib"}, 1, "did you mean \"job\"?"},
      {{table, "--target", "class", "--task", "regression"}, 1, "holds no numbers"},
      {{table, "--target", "class", "--task", "ranking"}, 2, "--task"},
      {{table, "--target", "class", "--folds", "1"}, 2, "--folds"},
      {{table, "--target", "class", "--metric", "kappa"}, 2, "--metric"},
      {{table, "--target", "class", "--metric", "rmse"}, 1, "rmse is no metric of classes\n"},
      {{table, "--target", "class", "--delimiter", "ab"}, 2, "expected one character"},
      {{table, "--target", "class", "--drop", "x,job"}, 1, "no column is left to predict \"class\" from"},
      {{one, "--target", "y", "--folds", "2"}, 1, "has the same value in all rows"},
      {{few, "--target", "y"}, 1, "2 rows are too few for 5 folds"},
      {{alone, "--target", "y", "--folds", "2"}, 1, "no column is left"},
      {{rare, "--target", "y"}, 1, "class \"rare\" has 1 rows, fewer than the 5 folds\n  hint: leave out its rows"},
      {{folder / "absent.csv", "--target", "y"}, 1, "absent.csv"},
  };
  for (const auto& row : rows) {
    std::vector<std::string> arguments = {"compare"};
    arguments.insert(arguments.end(), row.arguments.begin(), row.arguments.end());
    const Outcome outcome = run_gradus(folder.path(), arguments);
    EXPECT_EQ(outcome.code, row.code) << row.message << "\n" << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr(row.message));
  }
}

}  // namespace
}  // namespace gradus
