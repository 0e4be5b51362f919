// `gradus data` as a user meets it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "gradus/data/sources.h"
#include "gradus/data/table/csv.h"
#include "tests/command.h"
#include "tests/support/files.h"

namespace gradus {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using testing::TemporaryFolder;
using testing_help::Outcome;
using testing_help::run_gradus;

class CliData : public ::testing::Test {
 protected:
  Outcome run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "data");
    return run_gradus(folder_.path(), std::move(arguments));
  }
  /// 40 rows: x counts, 10 of class "b", two rows for each person.
  std::string people() {
    std::string text = "x,class,person\n";
    for (int i = 0; i < 40; ++i) {
      text += std::to_string(i) + (i % 4 == 0 ? ",b" : ",a") + ",p" + std::to_string(i / 2) + "\n";
    }
    io::write_file(folder_ / "people.csv", text);
    return folder_ / "people.csv";
  }

  TemporaryFolder folder_;
};

TEST_F(CliData, ListNamesEverySource) {
  const Outcome plain = run({"list"});
  EXPECT_EQ(plain.code, 0) << plain.err;
  const json list = json::parse(run({"list", "--json"}).out);
  std::vector<std::string> names;
  for (const json& each : list) {
    names.push_back(each["name"]);
    EXPECT_THAT(plain.out, HasSubstr(names.back()));
  }
  EXPECT_THAT(names, ::testing::UnorderedElementsAreArray(data::source_names()));
}

TEST_F(CliData, InfoOfADataSet) {
  const Outcome outcome = run({"info", "digits", "--json"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const json info = json::parse(outcome.out);
  EXPECT_EQ(info["train"]["examples"].get<int>() + info["test"]["examples"].get<int>(), 1797);
  EXPECT_EQ(info["train"]["classes"], 10);
  EXPECT_EQ(info["train"]["class_counts"].size(), 10u);
  EXPECT_THAT(run({"info", "digits"}).out, HasSubstr("digits, train: "));
}

TEST_F(CliData, InfoOfACsvFile) {
  io::write_file(folder_ / "t.csv", "n,who\n1,ann\n3,bob\n,bob\n3,bob\n");
  const Outcome outcome = run({"info", folder_ / "t.csv", "--json"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const json info = json::parse(outcome.out);
  EXPECT_EQ(info["rows"], 4);
  EXPECT_EQ(info["duplicates"], 1);
  EXPECT_EQ(
      info["columns"][0].dump(),
      R"({"max":3.0,"mean":2.3333333333333335,"min":1.0,"missing":1,"name":"n","std":0.9428090415820634,"type":"i64"})");
  EXPECT_EQ(info["columns"][1].dump(),
            R"({"categories":2,"counts":{"ann":1,"bob":3},"missing":0,"name":"who","type":"category"})");
  EXPECT_THAT(run({"info", folder_ / "t.csv"}).out, HasSubstr("CSV, 4 rows, 1 of them equal to an earlier one"));
}

TEST_F(CliData, SplitIsStratifiedAndTheSameForTheSameSeed) {
  const std::string csv = people();
  std::filesystem::create_directory(folder_ / "one");
  std::filesystem::create_directory(folder_ / "two");
  for (const char* out : {"one", "two"}) {
    const Outcome outcome =
        run({"split", csv, "--stratify", "class", "--seed", "3", "--fractions", "0.5,0.3,0.2", "--out", folder_ / out});
    ASSERT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_THAT(outcome.out, HasSubstr("people-validation.csv: 12 rows\n"));
  }
  std::multiset<std::int64_t> all;
  for (const auto& [part, rows_of_b] : {std::pair{"train", 5}, {"validation", 3}, {"test", 2}}) {
    const std::string name = std::string("/people-") + part + ".csv";
    const data::Table one = data::read_csv(folder_ / "one" + name);
    EXPECT_EQ(one.column("x").integers, data::read_csv(folder_ / "two" + name).column("x").integers);
    int found = 0;
    for (std::int64_t row = 0; row < one.rows(); ++row) found += one.column("class").text(row) == "b";
    EXPECT_EQ(found, rows_of_b) << part;
    all.insert(one.column("x").integers.begin(), one.column("x").integers.end());
  }
  EXPECT_EQ(all.size(), 40u);
  EXPECT_EQ(std::set<std::int64_t>(all.begin(), all.end()).size(), 40u);
}

TEST_F(CliData, SplitKeepsFieldsAsTheyAreWritten) {
  const std::string row = "007,1e3,1.10,123456789012345678901,TRUE,-0,\"a, b\",NA\n";
  io::write_file(folder_ / "t.csv", "zip,a,b,c,d,e,f,g\n" + row + row);
  const Outcome outcome = run({"split", folder_ / "t.csv", "--fractions", "0.5,0.5"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  for (const char* part : {"t-train.csv", "t-test.csv"}) {
    EXPECT_EQ(testing::read_bytes(folder_ / part), "zip,a,b,c,d,e,f,g\n" + row);
  }
}

TEST_F(CliData, SplitKeepsGroupsTogether) {
  const Outcome outcome = run({"split", people(), "--group", "person", "--fractions", "0.8,0.2", "--json"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  std::set<std::string> seen;
  for (const json& part : json::parse(outcome.out)) {
    const data::Table table = data::read_csv(part["path"]);
    std::set<std::string> people;
    for (std::int64_t row = 0; row < table.rows(); ++row) people.insert(table.column("person").text(row));
    for (const std::string& person : people) EXPECT_TRUE(seen.insert(person).second) << person;
  }
  EXPECT_EQ(seen.size(), 20u);
}

TEST_F(CliData, SplitNamesTheRowWithoutAStratumOrGroup) {
  io::write_file(folder_ / "t.csv", "x,k\n1,a\n2,\n3,a\n4,b\n");
  for (const char* by : {"--stratify", "--group"}) {
    const Outcome outcome = run({"split", folder_ / "t.csv", "--fractions", "0.5,0.5", by, "k"});
    EXPECT_EQ(outcome.code, 1);
    EXPECT_THAT(outcome.err, HasSubstr("t.csv:3): column \"k\" has no value"));
    EXPECT_FALSE(std::filesystem::exists(folder_ / "t-train.csv"));
  }
}

// Names of files are bytes; JSON is UTF-8.
TEST_F(CliData, JsonOfNamesThatAreNoUtf8) {
  const std::string out = folder_ / "d\xff";
  std::filesystem::create_directory(out);
  const Outcome outcome = run({"split", people(), "--fractions", "0.8,0.2", "--json", "--out", out});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(json::parse(outcome.out).at(0).at("path").get<std::string>(),
              HasSubstr("d\xef\xbf\xbd/people-train.csv"));
  EXPECT_TRUE(std::filesystem::exists(out + "/people-train.csv"));
}

TEST_F(CliData, WrongUsageIsTwoAndFailuresAreOne) {
  const std::string csv = people();
  const std::vector<std::pair<int, std::vector<std::string>>> cases = {
      {2, {}},
      {2, {"info"}},
      {2, {"info", "digit"}},
      {2, {"info", csv, "--delimiter", ";;"}},
      {2, {"split", csv, "--stratify", "class", "--group", "person"}},
      {2, {"split", csv, "--fractions", "1"}},
      {2, {"split", csv, "--seed", "-1"}},
      {1, {"info", folder_ / "nothing.csv"}},
      {1, {"split", csv, "--stratify", "clas"}},
      {1, {"split", csv, "--fractions", "0.5,0.6"}},
      {1, {"split", csv, "--out", folder_ / "nowhere"}},
  };
  for (const auto& [code, arguments] : cases) {
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.code, code) << ::testing::PrintToString(arguments) << outcome.err;
    EXPECT_NE(outcome.err, "");
    EXPECT_EQ(outcome.out, "");
  }
  for (const char* part : {"train", "validation", "test"}) {
    EXPECT_FALSE(std::filesystem::exists(folder_ / "people-" + part + ".csv")) << part;
  }
}

TEST_F(CliData, SplitWritesAllPartsOrNone) {
  const std::string csv = people();
  std::filesystem::create_directories(folder_ / "out/people-test.csv.tmp");  // in the way of the last part
  const Outcome outcome = run({"split", csv, "--out", folder_ / "out"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_ / "out"), {}), 1);
}

TEST_F(CliData, SplitWritesOverNothing) {
  const std::string csv = people();
  ASSERT_EQ(run({"split", csv}).code, 0);
  const Outcome again = run({"split", csv});
  EXPECT_EQ(again.code, 1);
  EXPECT_THAT(again.err, HasSubstr("the file exists already"));
}

}  // namespace
}  // namespace gradus
