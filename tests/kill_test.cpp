// Training that is interrupted, killed, or refused by the disk, and goes on as if nothing had happened.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <random>

#include "gradus/io/atomic_file.h"
#include "gradus/train/metrics.h"
#include "gradus/train/tiny_data_test.h"
#include "tests/command.h"

namespace gradus {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using testing_help::Command;
using testing_help::Outcome;
using testing_help::run_gradus;
using testing_help::TemporaryFolder;
using testing_help::wait_for_file;

class Kill : public ::testing::Test {
 protected:
  void SetUp() override { io::write_file(recipe(), testing_help::tiny_recipe(folder_, 6)); }
  std::string recipe() const { return folder_ / "tiny.toml"; }
  std::vector<std::string> train(const std::string& run) const {
    return {"train", recipe(), "--run", folder_ / run, "--set", "train.checkpoint_steps=1", "--threads", "1"};
  }
  std::vector<std::string> resume(const std::string& run) const {
    return {"train", "--resume", folder_ / run, "--threads", "1"};
  }
  Outcome finish(const std::vector<std::string>& arguments) const { return run_gradus(folder_.path(), arguments); }

  void expect_same_run(const std::string& a, const std::string& b) const {
    for (const char* file : {"/checkpoints/last.safetensors", "/checkpoints/best.safetensors"}) {
      EXPECT_TRUE(io::read_file((folder_ / a) + file) == io::read_file((folder_ / b) + file)) << file;
    }
    EXPECT_EQ(metrics(a), metrics(b));
  }
  /// Without what depends on the clock.
  std::vector<train::EpochMetrics> metrics(const std::string& run) const {
    std::vector<train::EpochMetrics> records = train::read_metrics((folder_ / run) + "/metrics.jsonl");
    for (train::EpochMetrics& record : records) record.samples_per_s = record.seconds = 0;
    return records;
  }

  TemporaryFolder folder_;
};

TEST_F(Kill, KilledAgainAndAgainAtAnyMomentIsBitIdentical) {
  ASSERT_EQ(finish(train("whole")).code, 0);
  std::mt19937 random(std::random_device{}());
  std::uniform_int_distribution<int> pause(0, 60);  // every step saves, so that many of the kills hit a save
  int kills = 0;
  Command first(folder_.path(), train("killed"));
  ASSERT_TRUE(wait_for_file(folder_ / "killed/recipe.toml"));
  std::this_thread::sleep_for(std::chrono::milliseconds(pause(random)));
  kills += first.finish(SIGKILL).code == 128 + SIGKILL ? 1 : 0;
  while (kills < 12) {
    const auto before = fs::exists(folder_ / "killed/checkpoints/last.state.safetensors")
                            ? fs::last_write_time(folder_ / "killed/checkpoints/last.state.safetensors")
                            : fs::file_time_type();
    Command next(folder_.path(), resume("killed"));
    // Let it come as far as its first save, so that it gets on, then kill it somewhere.
    while (next.running() && (!fs::exists(folder_ / "killed/checkpoints/last.state.safetensors") ||
                              fs::last_write_time(folder_ / "killed/checkpoints/last.state.safetensors") == before)) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(pause(random)));
    const Outcome outcome = next.finish(SIGKILL);
    if (outcome.code == 0) break;
    ASSERT_EQ(outcome.code, 128 + SIGKILL) << outcome.err;
    ++kills;
  }
  EXPECT_GE(kills, 1);
  const Outcome last = finish(resume("killed"));
  ASSERT_EQ(last.code, 0) << last.err;
  expect_same_run("whole", "killed");
}

TEST_F(Kill, CtrlCSavesAndTheRestIsBitIdentical) {
  ASSERT_EQ(finish(train("whole")).code, 0);
  Command command(folder_.path(), train("stopped"));
  ASSERT_TRUE(wait_for_file(folder_ / "stopped/checkpoints/last.state.safetensors"));
  const Outcome stopped = command.finish(SIGINT);
  EXPECT_EQ(stopped.code, 130);
  EXPECT_THAT(stopped.out, HasSubstr("saved. Continue with: gradus train --resume " + (folder_ / "stopped")));
  EXPECT_EQ(stopped.err, "");
  const Outcome resumed = finish(resume("stopped"));
  EXPECT_EQ(resumed.code, 0) << resumed.err;
  expect_same_run("whole", "stopped");
}

TEST_F(Kill, FullDiskKeepsTheEarlierCheckpoint) {
  ASSERT_EQ(finish(train("whole")).code, 0);
  Command command(folder_.path(), train("full"));
  ASSERT_TRUE(wait_for_file(folder_ / "full/checkpoints/last.state.safetensors"));
  ASSERT_EQ(command.finish(SIGINT).code, 130);
  const std::string weights = folder_ / "full/checkpoints/last.safetensors";
  const std::string before = io::read_file(weights);
  const Outcome refused = run_gradus(folder_.path(), resume("full"), {.largest_file = 6000, .terminal = -1});
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.err, HasSubstr("input/output error"));
  EXPECT_TRUE(io::read_file(weights) == before);
  for (const auto& entry : fs::directory_iterator(folder_ / "full/checkpoints")) {
    EXPECT_NE(entry.path().extension(), ".tmp") << entry.path();
  }
  const Outcome resumed = finish(resume("full"));
  EXPECT_EQ(resumed.code, 0) << resumed.err;
  expect_same_run("whole", "full");
}

TEST_F(Kill, UnwritableRunFolder) {
  io::write_file(folder_ / "file", "");
  std::vector<std::string> arguments = train("file/run");
  const Outcome outcome = finish(arguments);
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("cannot make the folder"));
}

TEST_F(Kill, DivergenceIsOneAndSaysWhere) {
  std::vector<std::string> arguments = train("diverged");
  for (const char* change : {"optimizer.name=sgd", "optimizer.lr=1e30", "optimizer.warmup_steps=0"}) {
    arguments.insert(arguments.end(), {"--set", change});
  }
  const Outcome outcome = finish(arguments);
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("value error in train: the loss or a gradient is not finite\n  step   "));
  EXPECT_THAT(outcome.err, HasSubstr("layers.1"));
  const Outcome measured = finish({"eval", folder_ / "diverged", "--checkpoint", "last"});
  EXPECT_EQ(measured.code, 0);
  EXPECT_THAT(measured.out, HasSubstr("numbers that are not finite: there are no further figures"));
}

}  // namespace
}  // namespace gradus
