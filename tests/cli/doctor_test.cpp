// `gradus doctor` of runs; what it says of the program itself is in cli_test.cpp.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

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

class CliDoctor : public ::testing::Test {
 protected:
  /// Trains on the tiny data, changed so.
  void train(std::vector<std::string> changes) {
    io::write_file(folder_ / "t.toml", testing_help::tiny_recipe(folder_, 4, 400));
    std::vector<std::string> arguments = {"train", folder_ / "t.toml", "--run", run_, "--threads", "1"};
    for (const std::string& change : changes) arguments.insert(arguments.end(), {"--set", change});
    const Outcome outcome = run(arguments);
    ASSERT_EQ(outcome.code, 0) << outcome.err;
  }
  Outcome run(std::vector<std::string> arguments) { return run_gradus(folder_.path(), std::move(arguments)); }

  TemporaryFolder folder_;
  std::string run_ = folder_ / "run";
};

TEST_F(CliDoctor, AHealthyRunIsToldSo) {
  train({});
  const Outcome outcome = run({"doctor", run_, "--threads", "1"});
  EXPECT_EQ(outcome.code, 0) << outcome.out << outcome.err;
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("4 of 4 epochs"), HasSubstr("healthy: none of"),
                                 HasSubstr("how far to trust"), HasSubstr("95 % interval")));
  const json found = json::parse(run({"doctor", run_, "--json", "--threads", "1"}).out);
  EXPECT_EQ(found["healthy"], true);
  EXPECT_GE(found["suite"]["sensitivity"], 0.85);
  EXPECT_LE(found["suite"]["false_alarms"], 0.1);
}

TEST_F(CliDoctor, AFaultIsFoundAndItsRemedyTried) {
  train({"optimizer.lr=1e-6"});
  const Outcome outcome = run({"doctor", run_, "--threads", "1"});
  EXPECT_EQ(outcome.code, 3);
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("learning-rate-too-low (warning)"), HasSubstr("seen "),
                                 HasSubstr("because "), HasSubstr("optimizer.lr = "), HasSubstr("# was 1e-06")));
  const Outcome tried = run({"doctor", run_, "--trial", "--seeds", "4", "--threads", "1"});
  EXPECT_EQ(tried.code, 3);
  EXPECT_THAT(tried.out, AllOf(HasSubstr("trial: 4 seeds"), HasSubstr("accepted           optimizer.lr = ")));
  EXPECT_THAT(tried.err, HasSubstr("seed 4 of 4, remedy 1: "));
  const json found = json::parse(run({"doctor", run_, "--trial", "1", "--seeds", "4", "--json", "--threads", "1"}).out);
  EXPECT_EQ(found["findings"][0]["changes"][0]["key"], "optimizer.lr");
  EXPECT_EQ(found["trial"]["remedies"][0]["accepted"], true);
}

TEST_F(CliDoctor, WrongUses) {
  train({});
  std::filesystem::create_directory(folder_ / "empty");
  const struct {
    std::vector<std::string> arguments;
    int code;
    const char* message;
  } rows[] = {
      {{"doctor", folder_ / "none"}, 2, "there is no run folder"},
      {{"doctor", folder_ / "empty"}, 2, "is not the folder of a run"},
      {{"doctor", "--trial"}, 2, "--trial requires run"},
      {{"doctor", run_, "--seeds", "4"}, 2, "--seeds requires --trial"},
      {{"doctor", run_, "--trial", "--seeds", "1"}, 2, "not in range"},
      {{"doctor", run_, "--suite"}, 2, "excludes"},
      {{"doctor", run_, "--build"}, 2, "excludes"},
      {{"doctor", "--seed", "3"}, 2, "--seed requires --suite"},
  };
  for (const auto& row : rows) {
    const Outcome outcome = run(row.arguments);
    EXPECT_EQ(outcome.code, row.code) << row.message << outcome.out;
    EXPECT_THAT(outcome.err, HasSubstr(row.message));
  }
  std::filesystem::remove(folder_ / "train-labels");
  const Outcome missing = run({"doctor", run_});
  EXPECT_EQ(missing.code, 1);
  EXPECT_THAT(missing.err, HasSubstr("train-labels"));
}

}  // namespace
}  // namespace gradus
