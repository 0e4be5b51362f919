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
  };
  for (const auto& row : rows) {
    const Outcome outcome = run_gradus(folder.path(), row.arguments);
    EXPECT_EQ(outcome.code, 2) << row.message;
    EXPECT_THAT(outcome.err, HasSubstr(row.message));
  }
  EXPECT_FALSE(std::filesystem::exists("reports"));
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
