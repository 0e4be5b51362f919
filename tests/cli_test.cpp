// The command line as a user meets it: what is printed, what is written, exit codes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>

#include "gradus/base/version.h"
#include "gradus/data/png.h"
#include "gradus/io/atomic_file.h"
#include "gradus/train/metrics.h"
#include "gradus/train/tiny_data_test.h"
#include "tests/command.h"
#include "tests/support/paths.h"

namespace gradus {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using testing_help::Outcome;
using testing_help::run_gradus;
using testing_help::TemporaryFolder;

/// A folder with a recipe, and a run of it that was trained once for all tests.
class Cli : public ::testing::Test {
 protected:
  void SetUp() override {
    io::write_file(folder_ / "tiny.toml", testing_help::tiny_recipe(folder_, 3));
    recipe_ = folder_ / "tiny.toml";
    run_ = folder_ / "run";
  }
  Outcome run(std::vector<std::string> arguments) { return run_gradus(folder_.path(), std::move(arguments)); }
  Outcome train() { return run({"train", recipe_, "--run", run_, "--threads", "1"}); }
  std::string image(const std::string& name, const Shape& shape, std::size_t bright_quarter) {
    std::vector<std::uint8_t> pixels;
    for (std::int64_t i = 0; i < shape.numel(); ++i) {
      const std::int64_t p = i % 64;
      const std::size_t quarter = (p / 8 >= 4 ? 2u : 0u) + (p % 8 >= 4 ? 1u : 0u);
      pixels.push_back(quarter == bright_quarter ? 160 : 60);
    }
    data::write_png(folder_ / name, leaf<std::uint8_t>(shape, pixels));
    return folder_ / name;
  }

  TemporaryFolder folder_;
  std::string recipe_, run_;
};

TEST_F(Cli, HelpOfEveryCommandHasExamples) {
  const Outcome all = run({"--help"});
  EXPECT_EQ(all.code, 0);
  EXPECT_THAT(all.out, HasSubstr("Exit codes: 0 done; 1 failed"));
  for (const char* command : {"train", "eval", "predict", "summary", "runs", "lr-find", "data", "selftest", "doctor"}) {
    const Outcome help = run({command, "--help"});
    EXPECT_EQ(help.code, 0) << command;
    EXPECT_THAT(help.out, AllOf(HasSubstr("Examples:\n  gradus " + std::string(command)), HasSubstr("Exit codes")))
        << command;
    EXPECT_EQ(help.err, "") << command;
  }
  EXPECT_THAT(run({"train", "--help-recipe"}).out, HasSubstr("checkpoint_steps"));
}

TEST_F(Cli, WrongUsageIsTwo) {
  const std::vector<std::vector<std::string>> wrong = {{},
                                                       {"trian"},
                                                       {"train"},
                                                       {"train", recipe_, "--epochs", "3"},
                                                       {"train", recipe_, "--threads", "0"},
                                                       {"eval"},
                                                       {"train", recipe_, "--seed", "-1"},
                                                       {"train", "--resume", run_, "--set", "seed=3"},
                                                       {"eval", run_},
                                                       {"train", "--resume", run_},
                                                       {"predict", run_},
                                                       {"summary", folder_ / "nothing.toml"},
                                                       {"eval", run_, "--checkpoint", "first"}};
  for (const auto& arguments : wrong) {
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.code, 2) << ::testing::PrintToString(arguments) << outcome.err;
    EXPECT_NE(outcome.err, "");
    EXPECT_EQ(outcome.out, "");
  }
  EXPECT_EQ(run({"train"}).err, "usage error: which recipe? (or --resume RUN)\n  hint: gradus train --help\n");
}

TEST_F(Cli, MistakesInARecipeAreTwoAndWriteNothing) {
  const Outcome unknown = run({"train", recipe_, "--set", "optimizer.learning=1", "--run", run_});
  EXPECT_EQ(unknown.code, 2);
  io::write_file(folder_ / "bad.toml", "[model]\nname = \"lenet5\"\n[train]\nepoch = 3\n");
  const Outcome line = run({"train", folder_ / "bad.toml", "--run", run_});
  EXPECT_EQ(line.code, 2);
  EXPECT_EQ(line.err, "configuration error in " + (folder_ / "bad.toml") +
                          ":4: unknown key train.epoch\n  hint: did you mean train.epochs?\n");
  EXPECT_EQ(run({"train", recipe_, "--set", "train.epochs=0", "--run", run_}).code, 2);
  EXPECT_FALSE(fs::exists(run_));
}

TEST_F(Cli, FailuresAreOneAndWriteNothing) {
  const Outcome large = run({"train", recipe_, "--set", "data.batch_size=1000", "--run", run_});
  EXPECT_EQ(large.code, 1);
  EXPECT_THAT(large.err, HasSubstr("the batch is larger than the data set"));
  const Outcome missing = run(
      {"train", testing::source_path("recipes/fashion-lenet5.toml"), "--set", "data.folder=/nowhere", "--run", run_});
  EXPECT_EQ(missing.code, 1);
  EXPECT_THAT(missing.err, HasSubstr("apt"));
  EXPECT_FALSE(fs::exists(run_));
}

TEST_F(Cli, TrainPrintsPlainLinesAndWritesARun) {
  const Outcome outcome =
      run({"train", recipe_, "--run", run_, "--threads", "1", "--set", "train.epochs=2", "--seed", "9"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.err, "");
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("\nepoch 1/2  train loss "), HasSubstr("\nepoch 2/2  train loss "),
                                 HasSubstr("test accuracy"), HasSubstr(run_), Not(HasSubstr("\r"))));
  EXPECT_THAT(io::read_file(run_ + "/recipe.toml"),
              AllOf(HasSubstr("seed = 9\n"), HasSubstr("epochs = 2\n"), HasSubstr("eps = 1e-08\n")));
  EXPECT_EQ(train::read_metrics(run_ + "/metrics.jsonl").size(), 2u);
  const Outcome again = train();
  EXPECT_EQ(again.code, 2);
  EXPECT_THAT(again.err, HasSubstr("exists already"));
}

TEST_F(Cli, TrainWithinALimitOfMemoryGivesTheSameWeights) {
  const std::vector<std::string> arguments = {"train", recipe_, "--threads", "1", "--set", "train.epochs=1", "--run"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), arguments.begin(), arguments.end());
    return run(std::move(more));
  };
  ASSERT_EQ(with({folder_ / "free"}).code, 0);
  const Outcome limited = with({folder_ / "limited", "--memory-limit", "1"});
  ASSERT_EQ(limited.code, 0) << limited.err;
  EXPECT_THAT(io::read_file(folder_ / "limited/recipe.toml"), HasSubstr("memory_limit = 1\n"));
  EXPECT_EQ(io::read_file(folder_ / "limited/checkpoints/last.safetensors"),
            io::read_file(folder_ / "free/checkpoints/last.safetensors"));
  EXPECT_EQ(with({folder_ / "none", "--memory-limit", "0"}).code, 2);
  EXPECT_FALSE(fs::exists(folder_ / "none"));
}

TEST_F(Cli, DefaultRunFolderIsNamedAfterTheRecipeAndTheTime) {
  const fs::path old = fs::current_path();
  fs::current_path(folder_.path());
  const Outcome outcome = run({"train", "tiny.toml", "--set", "train.epochs=1", "--threads", "1", "--json"});
  fs::current_path(old);
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const std::string name = json::parse(outcome.out)["run"];
  EXPECT_TRUE(std::regex_match(name, std::regex("runs/tiny-[0-9]{8}-[0-9]{6}"))) << name;
  EXPECT_TRUE(fs::exists(folder_ / name + "/metrics.jsonl"));
}

TEST_F(Cli, TrainAndEvalAgreeInJson) {
  const Outcome trained = run({"train", recipe_, "--run", run_, "--threads", "1", "--json", "--profile"});
  ASSERT_EQ(trained.code, 0) << trained.err;
  EXPECT_THAT(trained.err, AllOf(HasSubstr("operation"), HasSubstr("layers.0"), HasSubstr("plans compiled: ")));
  const json result = json::parse(trained.out);
  EXPECT_EQ(result["finished"], true);
  EXPECT_EQ(result["last"]["epoch"], 3);
  const Outcome evaluated = run({"eval", run_, "--json", "--threads", "1"});
  ASSERT_EQ(evaluated.code, 0) << evaluated.err;
  const json figures = json::parse(evaluated.out);
  EXPECT_EQ(figures["accuracy"], result["last"]["test_accuracy"]);
  EXPECT_EQ(figures["loss"], result["last"]["test_loss"]);
  EXPECT_EQ(figures["examples"], 60);
  EXPECT_EQ(figures["baseline_accuracy"], 0.25);
  EXPECT_LT(figures["accuracy_95"][0], figures["accuracy"]);
  EXPECT_EQ(figures["classes"][2]["class"], "south west");
  EXPECT_EQ(figures["confusion"].size(), 4u);
  for (const char* name : {"f1", "mcc", "roc_auc", "calibration_error", "brier", "balanced_accuracy"}) {
    EXPECT_TRUE(figures[name].is_number()) << name;
  }
  const json validation = json::parse(run({"eval", run_, "--json", "--split", "validation", "--threads", "1"}).out);
  EXPECT_EQ(validation["accuracy"], result["best_val_accuracy"]);
  const Outcome text = run({"eval", run_, "--checkpoint", "last", "--profile", "--threads", "1"});
  EXPECT_THAT(text.out,
              AllOf(HasSubstr("checkpoint last, 60 test examples"), HasSubstr("south east"), HasSubstr("GFLOP/s")));
}

TEST_F(Cli, PredictsImages) {
  ASSERT_EQ(train().code, 0);
  const std::string a = image("a.png", {8, 8}, 3), b = image("b.png", {1, 8, 8}, 0);
  const Outcome outcome = run({"predict", run_, a, b, "--top", "2", "--json"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.err, "");
  const json answers = json::parse(outcome.out);
  ASSERT_EQ(answers.size(), 2u);
  EXPECT_EQ(answers[0]["image"], a);
  EXPECT_EQ(answers[0]["predictions"].size(), 2u);
  EXPECT_EQ(answers[0]["predictions"][0]["class"], "south east");
  EXPECT_EQ(answers[1]["predictions"][0]["class"], "north west");
  EXPECT_GT(answers[1]["predictions"][0]["probability"], answers[1]["predictions"][1]["probability"]);
  EXPECT_THAT(run({"predict", run_, a}).out, AllOf(HasSubstr(a + "\n  0."), HasSubstr("  south east\n")));
}

TEST_F(Cli, ImagesThatDoNotFit) {
  ASSERT_EQ(train().code, 0);
  const Outcome colour = run({"predict", run_, image("colour.png", {3, 8, 8}, 1)});
  EXPECT_EQ(colour.code, 0);
  EXPECT_THAT(colour.err, HasSubstr("colour.png has 3 channels; its brightness is used"));
  EXPECT_THAT(colour.out, HasSubstr("north east"));
  const Outcome size = run({"predict", run_, image("large.png", {16, 8}, 1)});
  EXPECT_EQ(size.code, 1);
  EXPECT_THAT(size.err,
              AllOf(HasSubstr("u8 [1, 16, 8]"), HasSubstr("expected u8 [1, 8, 8]"), HasSubstr("-resize 8x8")));
  io::write_file(folder_ / "text.png", "no image");
  EXPECT_EQ(run({"predict", run_, folder_ / "text.png"}).code, 1);
  EXPECT_EQ(run({"predict", run_, folder_ / "none.png"}).code, 1);
}

TEST_F(Cli, DamagedCheckpointIsRefused) {
  ASSERT_EQ(train().code, 0);
  fs::resize_file(run_ + "/checkpoints/best.safetensors", 100);
  const Outcome outcome = run({"eval", run_});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("best.safetensors is damaged"));
  EXPECT_EQ(run({"eval", run_, "--checkpoint", "last"}).code, 0);
}

TEST_F(Cli, SummaryOfRecipeAndRun) {
  const Outcome recipe = run({"summary", testing::source_path("recipes/fashion-lenet5.toml"), "--json"});
  ASSERT_EQ(recipe.code, 0) << recipe.err;
  const json figures = json::parse(recipe.out);
  EXPECT_EQ(figures["parameters"], 61706);
  EXPECT_EQ(figures["macs"], 416520);
  EXPECT_EQ(figures["input"], json({1, 28, 28}));
  EXPECT_EQ(figures["layers"][0]["layer"], "conv1");
  EXPECT_EQ(figures["layers"][3]["receptive_field"],
            json({{"size", {14.0, 14.0}}, {"stride", {2.0, 2.0}}, {"whole", {false, false}}}));
  ASSERT_EQ(train().code, 0);
  EXPECT_THAT(run({"summary", run_}).out, AllOf(HasSubstr("layers.0 (Linear)"), HasSubstr("2,212")));
  const Outcome drawn = run({"summary", run_, "--svg", folder_ / "model.svg", "--dot", folder_ / "model.dot"});
  ASSERT_EQ(drawn.code, 0) << drawn.err;
  EXPECT_THAT(io::read_file(folder_ / "model.svg"), AllOf(HasSubstr(">layers.0<"), HasSubstr(": 2,212 parameters")));
  EXPECT_THAT(io::read_file(folder_ / "model.dot"), HasSubstr("n2 -> n3;"));
  EXPECT_EQ(run({"summary", run_, "--svg", folder_ / "no/model.svg"}).code, 1);
}

TEST_F(Cli, DoctorTellsTheBuild) {
  const Outcome outcome = run({"doctor", "--build", "--json", "--threads", "1"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const json facts = json::parse(outcome.out);
  for (const char* key : {"version", "compiler", "onednn", "simd", "simd_targets", "avx512_bf16", "amx_bf16", "threads",
                          "optional_parts", "charts"}) {
    EXPECT_TRUE(facts.contains(key)) << key;
  }
  EXPECT_EQ(facts["threads"], 1);
  EXPECT_THAT(run({"doctor", "--build"}).out, HasSubstr("onednn"));
}

TEST_F(Cli, ThreadsThatWaitSpinBriefly) {
  setenv("OMP_DISPLAY_ENV", "VERBOSE", 1);
  const std::string shown = run({"doctor", "--build"}).err;
  setenv("GOMP_SPINCOUNT", "77", 1);
  const std::string chosen = run({"doctor", "--build"}).err;
  unsetenv("GOMP_SPINCOUNT");
  unsetenv("OMP_DISPLAY_ENV");
  if (shown.find("GOMP_SPINCOUNT") == std::string::npos) GTEST_SKIP() << "not GCC's OpenMP";
  EXPECT_THAT(shown, HasSubstr("GOMP_SPINCOUNT = '1000'"));
  EXPECT_THAT(chosen, HasSubstr("GOMP_SPINCOUNT = '77'"));  // what the user chose stays
}

TEST_F(Cli, ProfileWritesATrace) {
  const std::string trace = folder_ / "trace.json";
  ASSERT_EQ(run({"train", recipe_, "--run", run_, "--threads", "1", "--profile", trace}).code, 0);
  const json events = json::parse(io::read_file(trace))["traceEvents"];
  ASSERT_GT(events.size(), 100u);
  bool named = false;
  for (const json& event : events) named = named || event["args"]["module"] == "layers.0";
  EXPECT_TRUE(named);
  EXPECT_EQ(run({"eval", "--profile", run_}).code, 0) << "the run is no file for a trace";
  const Outcome wrong = run({"train", "--profile", recipe_});
  EXPECT_EQ(wrong.code, 2);
  EXPECT_THAT(wrong.err, HasSubstr("must end in .json"));
}

TEST_F(Cli, RunsAreListedComparedAndShown) {
  ASSERT_EQ(train().code, 0);
  ASSERT_EQ(run({"train", recipe_, "--run", folder_ / "other", "--threads", "1", "--set", "optimizer.lr=0.02", "--set",
                 "train.epochs=1"})
                .code,
            0);
  fs::create_directories(folder_ / "broken");
  io::write_file(folder_ / "broken/recipe.toml", "[model]\nname = 3\n");
  const json list = json::parse(run({"runs", "list", folder_.path(), "--json"}).out);
  ASSERT_EQ(list.size(), 3u);
  EXPECT_EQ(list[0]["status"], "damaged");
  EXPECT_EQ(list[1]["run"], folder_ / "other");
  EXPECT_EQ(list[1]["epochs"], 1);
  EXPECT_EQ(list[2]["status"], "finished");
  EXPECT_GT(list[2]["test_accuracy"], 0.9);
  EXPECT_THAT(run({"runs", "list", folder_.path()}).out,
              AllOf(HasSubstr("validation"), HasSubstr("3/3"), HasSubstr("model.name = 3 is an integer")));
  const Outcome compared = run({"runs", "compare", run_, folder_ / "other"});
  EXPECT_EQ(compared.code, 0) << compared.err;
  EXPECT_THAT(compared.out, AllOf(HasSubstr("optimizer.lr"), HasSubstr("0.02"), HasSubstr("train.epochs"),
                                  Not(HasSubstr("batch_size"))));
  EXPECT_EQ(json::parse(run({"runs", "compare", run_, folder_ / "other", "--json"}).out)[0]["settings"]["train.epochs"],
            "3");
  EXPECT_EQ(json::parse(run({"runs", "show", run_, "--json"}).out)[0]["history"].size(), 3u);
  EXPECT_THAT(run({"runs", "show", run_}).out, AllOf(HasSubstr("seed 5"), HasSubstr("validation accuracy")));
  EXPECT_EQ(run({"runs", "compare", run_}).code, 2);
  EXPECT_EQ(run({"runs", "list", folder_ / "nowhere"}).code, 2);
  EXPECT_EQ(run({"runs"}).code, 2);
}

TEST_F(Cli, LrFindSuggestsARateThatTrains) {
  const std::string svg = folder_ / "lr.svg";
  const Outcome outcome =
      run({"lr-find", recipe_, "--json", "--svg", svg, "--threads", "1", "--set", "optimizer.name=sgd", "--to", "1e6"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const json range = json::parse(outcome.out);
  EXPECT_EQ(range["exploded"], true);
  EXPECT_LT(range["points"].size(), 100u);
  EXPECT_GT(range["suggestion"], 1e-4);
  EXPECT_LT(range["suggestion"], range["points"].back()["lr"]);
  EXPECT_THAT(io::read_file(svg), AllOf(HasSubstr("<svg xmlns="), HasSubstr("Loss by learning rate")));
  EXPECT_THAT(run({"lr-find", recipe_}).out, HasSubstr("the loss falls fastest at "));
  EXPECT_EQ(run({"lr-find", recipe_, "--from", "1", "--to", "0.5"}).code, 1);
  EXPECT_EQ(run({"lr-find", recipe_, "--steps", "3"}).code, 2);
}

TEST_F(Cli, SelftestHolds) {
  const Outcome table = run({"selftest", "--threads", "1"});
  EXPECT_EQ(table.code, 0) << table.out;
  EXPECT_THAT(table.out, AllOf(HasSubstr("gradient check"), HasSubstr("691"), Not(HasSubstr("FAILED"))));
  for (const json& check : json::parse(run({"selftest", "--json"}).out)) EXPECT_EQ(check["passed"], true) << check;
}

TEST_F(Cli, VersionIsTheProjects) {
  EXPECT_EQ(run({"--version"}).out, std::string("gradus ") + version + "\n");
  EXPECT_THAT(io::read_file(testing::source_path("CMakeLists.txt")),
              HasSubstr(std::string("project(gradus VERSION ") + version + " "));
}

TEST_F(Cli, TerminalGetsABar) {
  const int master = posix_openpt(O_RDWR | O_NOCTTY);
  if (master < 0) GTEST_SKIP() << "this machine gives no pseudo-terminals (is /dev/pts mounted?)";
  ASSERT_EQ(grantpt(master), 0);
  ASSERT_EQ(unlockpt(master), 0);
  const int slave = open(ptsname(master), O_RDWR | O_NOCTTY);
  ASSERT_GE(slave, 0);
  testing_help::Command command(folder_.path(), {"train", recipe_, "--run", run_, "--threads", "1"},
                                {.largest_file = 0, .terminal = slave});
  close(slave);
  std::string screen;
  char buffer[4096];
  for (ssize_t got = read(master, buffer, sizeof buffer); got > 0; got = read(master, buffer, sizeof buffer)) {
    screen.append(buffer, static_cast<std::size_t>(got));
  }
  EXPECT_EQ(command.finish().code, 0);
  close(master);
  EXPECT_THAT(screen, AllOf(HasSubstr("\repoch 1/3 ["), HasSubstr(" samples/s  loss "), HasSubstr("time left")));
}

}  // namespace
}  // namespace gradus
