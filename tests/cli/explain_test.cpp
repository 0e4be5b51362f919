// `gradus explain` as far as it needs no experiment; the chapters themselves are in gradus/book/book_test.cpp.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "tests/command.h"
#include "tests/support/files.h"

namespace gradus {
namespace {

using ::testing::HasSubstr;
using testing_help::Outcome;
using testing_help::run_gradus;

TEST(CliExplain, ListsTheChapters) {
  const testing::TemporaryFolder folder;
  const Outcome list = run_gradus(folder.path(), {"explain"});
  EXPECT_EQ(list.code, 0);
  EXPECT_THAT(list.out, HasSubstr(" 5  gradient-descent"));
  EXPECT_THAT(list.out, HasSubstr("20  ethics"));
  const auto json = nlohmann::json::parse(run_gradus(folder.path(), {"explain", "--json"}).out);
  ASSERT_EQ(json.size(), 20u);
  EXPECT_EQ(json[4].at("written"), true);
}

TEST(CliExplain, WrongUses) {
  const testing::TemporaryFolder folder;
  const struct {
    std::vector<std::string> arguments;
    const char* message;
  } rows[] = {
      {{"explain", "vanishing-gradient"}, "did you mean vanishing-gradients?"},
      {{"explain", "who won the match yesterday"}, "the book does not cover this question"},
      {{"explain", "20"}, "chapter ethics is not written yet"},
      {{"explain", "5", "--quick", "--full"}, "--quick excludes --full"},
      {{"explain", "5", "--all"}, "excludes"},
      {{"explain", "6", "--on", "nowhere"}, "there is no run folder nowhere"},
      {{"explain", "6", "--on", "run", "--model", "recipe.toml"}, "excludes"},
      {{"explain", "6", "--set", "seed=1"}, "requires --model"},
      {{"explain", "--on", "run"}, "requires what"},
      {{"explain", "10", "--on", "run"}, "not written yet"},
  };
  for (const auto& row : rows) {
    const Outcome outcome = run_gradus(folder.path(), row.arguments);
    EXPECT_EQ(outcome.code, 2) << row.message;
    EXPECT_THAT(outcome.err, HasSubstr(row.message));
  }
  EXPECT_FALSE(std::filesystem::exists("reports"));
}

/// The claims of a chapter on a network of one's own: by a recipe, and by the run that it made.
TEST(CliExplain, OnANetworkOfOnesOwn) {
  const testing::TemporaryFolder folder;
  testing::write_bytes(folder / "own.toml",
                       "[model]\nname = \"mlp\"\ninputs = 64\nhidden = [16, 16]\n[data]\nvalidation = 200\n");
  const auto explained = [&](std::vector<std::string> more) {
    std::vector<std::string> arguments = {"explain", "vanishing-gradients", "--quick", "--json",
                                          "--out",   folder / "reports"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Outcome outcome = run_gradus(folder.path(), arguments);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return nlohmann::json::parse(outcome.out);
  };
  const auto by_recipe = explained({"--model", folder / "own.toml", "--data", "digits", "--set", "data.batch_size=16"});
  EXPECT_EQ(by_recipe.at("setting"), "mlp on digits, 60 steps of 16");
  EXPECT_EQ(by_recipe.at("claims").size(), 5u);
  EXPECT_EQ(by_recipe.at("refused").at(0).at("claim"), "relu-feeds-it");
  EXPECT_TRUE(std::filesystem::exists(folder / "reports/vanishing-gradients.on.own.html"));
  EXPECT_TRUE(std::filesystem::exists(folder / "reports/vanishing-gradients.on.own.claims.jsonl"));
  EXPECT_EQ(run_gradus(folder.path(), {"train", folder / "own.toml", "--set", "data.name=digits", "--set",
                                       "data.batch_size=16", "--set", "train.epochs=1", "--run", folder / "run"})
                .code,
            0);
  const auto by_run = explained({"--on", folder / "run/"});
  EXPECT_EQ(by_run.at("on"), "run");
  EXPECT_EQ(by_run.at("claims"), by_recipe.at("claims"));
}

TEST(CliExplain, AFolderThatCannotBeMadeIsTold) {
  const testing::TemporaryFolder folder;
  testing::write_bytes(folder / "file", "");
  const Outcome outcome = run_gradus(folder.path(), {"explain", "3", "--quick", "--out", folder / "file/x"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("cannot make the folder"));
  EXPECT_THAT(outcome.err, HasSubstr("--out names another one"));
}

}  // namespace
}  // namespace gradus
