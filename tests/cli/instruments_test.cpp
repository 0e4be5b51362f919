// What a run records of its inside, from the command line to the library.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "gradus/base/error.h"
#include "gradus/insight/instruments.h"
#include "tests/command.h"
#include "tests/support/files.h"

namespace gradus {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using testing_help::Outcome;
using testing_help::run_gradus;

class CliInstruments : public ::testing::Test {
 protected:
  CliInstruments() {
    testing::write_bytes(folder_ / "r.toml",
                         "[model]\nname = \"mlp\"\ninputs = 64\nhidden = [16]\nactivation = \"tanh\"\n"
                         "[data]\nname = \"digits\"\nvalidation = 200\n[train]\nepochs = 2\n");
  }
  Outcome run(const std::vector<std::string>& arguments) { return run_gradus(folder_.path(), arguments); }
  std::string train(const std::string& name, const std::string& change) {
    const std::string path = folder_ / name;
    EXPECT_EQ(run({"train", folder_ / "r.toml", "--run", path, "--set", change}).code, 0);
    return path;
  }
  testing::TemporaryFolder folder_;
};

TEST_F(CliInstruments, AreRecordedAndShown) {
  const std::string path = train("seen", "train.record=[\"all\"]");
  const insight::Instruments seen = insight::read_instruments(path);
  ASSERT_FALSE(seen.steps.empty());
  EXPECT_EQ(seen.epochs.size(), 2u);
  EXPECT_THAT(run({"runs", "show", path}).out,
              AllOf(HasSubstr("layers.0.weight"), HasSubstr("tanh"), HasSubstr("gradient noise scale"),
                    HasSubstr("epoch 2: loss of its batches"), HasSubstr("calibration error"), HasSubstr("sharpness")));
  const auto json = nlohmann::json::parse(run({"runs", "show", path, "--json"}).out)[0].at("instruments");
  EXPECT_EQ(json.at("steps"), seen.steps.size());
  EXPECT_EQ(json.at("last_step").at("step"), seen.steps.back().step);
  EXPECT_EQ(json.at("epochs").size(), 2u);
  EXPECT_THAT(testing::read_bytes(path + "/report.html"), HasSubstr("Inside the network"));
}

TEST_F(CliInstruments, NothingIsRecordedUnasked) {
  const std::string path = train("plain", "seed=1");
  EXPECT_TRUE(insight::read_instruments(path).empty());
  EXPECT_FALSE(std::filesystem::exists(path + "/instruments.jsonl"));
  EXPECT_THAT(run({"runs", "show", path}).out, Not(HasSubstr("looked at")));
  EXPECT_FALSE(nlohmann::json::parse(run({"runs", "show", path, "--json"}).out)[0].contains("instruments"));
  EXPECT_THAT(testing::read_bytes(path + "/report.html"), Not(HasSubstr("Inside the network")));
  EXPECT_THROW(insight::read_instruments(folder_ / "nowhere"), Error);
}

TEST_F(CliInstruments, TheLossAroundARun) {
  const std::string path = train("run", "seed=2");
  EXPECT_THAT(run({"surface", path}).out, HasSubstr("training loss"));
  const auto json = nlohmann::json::parse(
      run({"surface", path, "--plane", "--points", "3", "--range", "0.5", "--examples", "64", "--json"}).out);
  EXPECT_EQ(json.at("examples"), 64);
  EXPECT_EQ(json.at("steps"), (std::vector<double>{-0.5, 0, 0.5}));
  ASSERT_EQ(json.at("losses").size(), 3u);
  EXPECT_EQ(json.at("losses")[1][1], json.at("loss"));
  EXPECT_LT(json.at("loss").get<double>(), json.at("losses")[0][0].get<double>()) << "training went downhill";
  EXPECT_THAT(run({"surface", path, "--points", "4"}).err, HasSubstr("points is 4, must be odd and >= 3"));
  EXPECT_THAT(run({"surface", folder_ / "nowhere"}).err, HasSubstr("there is no run folder"));
}

TEST_F(CliInstruments, HelpAndMistakes) {
  EXPECT_THAT(run({"train", "--help-recipe"}).out,
              AllOf(HasSubstr("record           some of gradients, activations"), HasSubstr("record_every_steps")));
  const Outcome wrong = run({"train", folder_ / "r.toml", "--set", "train.record=[\"sharpnes\"]"});
  EXPECT_EQ(wrong.code, 2);
  EXPECT_THAT(wrong.err, AllOf(HasSubstr("expected some of gradients, "), HasSubstr("did you mean \"sharpness\"?")));
}

}  // namespace
}  // namespace gradus
