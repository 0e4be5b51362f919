// gradus predict for tables and pictures, as a user meets it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "gradus/data/table/csv.h"
#include "gradus/io/atomic_file.h"
#include "gradus/train/tiny_data_test.h"
#include "tests/command.h"

namespace gradus {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using testing_help::Outcome;
using testing_help::run_gradus;
using testing_help::TemporaryFolder;

/// Big red and small blue things; sizes are missing here and there.
std::string things(int first, int rows) {
  std::string text = "colour,size,note,class,price\n";
  for (int i = first; i < first + rows; ++i) {
    const bool big = i % 3 == 0;
    const int size = (big ? 900 : 100) + i % 50;
    text += std::string(i % 2 == 0 ? "red" : "blue") + "," + (i % 10 == 9 ? "" : std::to_string(size)) + ",n" +
            std::to_string(i) + "," + (big ? "big" : "small") + "," + std::to_string(10 + size / 4.0) + "\n";
  }
  return text;
}

class Predict : public ::testing::Test {
 protected:
  void SetUp() override {
    io::write_file(folder_ / "train.csv", things(0, 150));
    io::write_file(folder_ / "test.csv", things(150, 60));
  }
  /// Trains on the table; `target` is "class" or "price".
  void train(const std::string& target, const std::string& options) {
    const bool numbers = target == "price";
    const std::string drop = numbers ? "[\"note\", \"class\"]" : "[\"note\", \"price\"]";
    io::write_file(folder_ / "t.toml",
                   "[model]\nname = \"mlp\"\ninputs = 4\nhidden = [8]\noutputs = " + std::string(numbers ? "1" : "2") +
                       "\n[data]\nname = \"csv\"\ntrain_path = \"" + (folder_ / "train.csv") + "\"\ntest_path = \"" +
                       (folder_ / "test.csv") + "\"\ntarget = \"" + target + "\"\ndrop = " + drop +
                       "\nmissing = \"indicator\"\nstandardize = true\nvalidation = 30\nbatch_size = 10\n" + options +
                       "[optimizer]\nlr = 3e-2\n[train]\nepochs = 8\n");
    const Outcome outcome = run({"train", folder_ / "t.toml", "--run", run_, "--threads", "1"});
    ASSERT_EQ(outcome.code, 0) << outcome.err;
  }
  Outcome run(std::vector<std::string> arguments) { return run_gradus(folder_.path(), std::move(arguments)); }
  Outcome predict(const std::string& text, std::vector<std::string> options = {}) {
    io::write_file(folder_ / "new.csv", text);
    options.insert(options.begin(), {"predict", run_, folder_ / "new.csv", "--threads", "1"});
    return run(options);
  }

  TemporaryFolder folder_;
  std::string run_ = folder_ / "run";
};

TEST_F(Predict, ClassesOfATable) {
  train("class", "");
  const json measured = json::parse(run({"eval", run_, "--json", "--threads", "1"}).out);
  // The training file is gone: the run knows how it was encoded.
  std::filesystem::remove(folder_ / "train.csv");
  const Outcome outcome = predict(things(150, 60));
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const data::Table answers = data::parse_csv(outcome.out, "answers");
  EXPECT_EQ(answers.column_names(),
            (std::vector<std::string>{"prediction", "probability of big", "probability of small"}));
  ASSERT_EQ(answers.rows(), 60);
  int correct = 0;
  for (std::int64_t row = 0; row < 60; ++row) {
    const std::string truth = (150 + row) % 3 == 0 ? "big" : "small", guess = answers.columns[0].text(row);
    correct += guess == truth ? 1 : 0;
    const double big = answers.columns[1].number(row), small = answers.columns[2].number(row);
    EXPECT_NEAR(big + small, 1, 1e-6);
    EXPECT_EQ(guess, big > small ? "big" : "small");
  }
  EXPECT_NEAR(measured["accuracy"].get<double>(), correct / 60.0, 1e-9) << "the same rows, the same answers";
  // Without target and dropped columns, in another order, and as JSON.
  const json found = json::parse(predict("size,colour\n905,red\n103.5,blue\n", {"--json"}).out);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0]["prediction"], "big");
  EXPECT_EQ(found[1]["prediction"], "small");
  EXPECT_GT(found[1]["probabilities"]["small"], 0.5);
  EXPECT_EQ(predict("size,colour\n905,red\n", {"--out", folder_ / "answers.csv"}).out, "");
  EXPECT_THAT(io::read_file(folder_ / "answers.csv"), HasSubstr("prediction,probability of big"));
}

TEST_F(Predict, NumbersOfATable) {
  train("price", "task = \"regression\"\n");
  const Outcome trained = run({"runs", "show", run_});
  EXPECT_THAT(trained.out, HasSubstr("validation R2"));
  const Outcome evaluated = run({"eval", run_, "--threads", "1"});
  EXPECT_THAT(evaluated.out, AllOf(HasSubstr("R2  "), HasSubstr("RMSE  "), HasSubstr("always the mean: ")));
  const json figures = json::parse(run({"eval", run_, "--json", "--threads", "1"}).out);
  EXPECT_GT(figures["r2"], 0.8);
  EXPECT_LT(figures["rmse"], figures["baseline_rmse"]);
  const Outcome outcome = predict("colour,size\nred,905\nblue,103\n");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const data::Table answers = data::parse_csv(outcome.out, "answers");
  ASSERT_EQ(answers.column_names(), std::vector<std::string>{"prediction"});
  EXPECT_NEAR(answers.columns[0].number(0), 10 + 905 / 4.0, 40);
  EXPECT_NEAR(answers.columns[0].number(1), 10 + 103 / 4.0, 40);
  const json found = json::parse(predict("colour,size\nred,905\n", {"--json"}).out);
  EXPECT_EQ(found[0]["row"], 0);
  EXPECT_NEAR(found[0]["prediction"].get<double>(), answers.columns[0].number(0), 1e-3);
}

TEST_F(Predict, TablesThatDoNotFit) {
  train("class", "");
  const auto refusal = [&](const std::string& text) {
    const Outcome outcome = predict(text);
    EXPECT_EQ(outcome.code, 1);
    EXPECT_EQ(outcome.out, "");
    std::string message = outcome.err;
    for (std::size_t at; (at = message.find(folder_.path())) != message.npos;)
      message.replace(at, folder_.path().size(), "DIR");
    return message;
  };
  EXPECT_EQ(refusal("colour,sise\nred,3\n"),
            "value error in predict (DIR/new.csv): the columns are not those of the training\n  missing     size\n  "
            "unknown     sise (did you mean size?)\n  trained on  colour, size\n");
  EXPECT_EQ(refusal("colour\nred\n"),
            "value error in predict (DIR/new.csv): the columns are not those of the training\n  missing     size\n  "
            "trained on  colour, size\n");
  EXPECT_EQ(refusal("colour,size\nred,905\ngreen,100\n"),
            "value error in encode (DIR/new.csv:3): \"green\" in column \"colour\" does not occur in the training "
            "table\n  known  blue, red\n");
  EXPECT_THAT(refusal("colour,size\nred,large\n"), HasSubstr("DIR/new.csv:2"));
  EXPECT_EQ(refusal("colour,size\n"), "value error in predict (DIR/new.csv): there are no rows to predict\n");
  io::write_file(run_ + "/encoder.json", "{\"version\": 1}");
  EXPECT_THAT(refusal("colour,size\nred,905\n"), HasSubstr("the file holds no encoder of a table"));
  io::write_file(run_ + "/encoder.json", "{\"version\": 9}");
  EXPECT_THAT(refusal("colour,size\nred,905\n"), HasSubstr("is of version 9, and this program reads version 1"));
  EXPECT_EQ(run({"predict", run_, "a.csv", "b.csv"}).code, 2);
}

}  // namespace
}  // namespace gradus
