// Optimizers and schedules by name, in recipes and in runs.
#include "gradus/train/settings/settings.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>

#include "gradus/base/parallel.h"
#include "gradus/base/random.h"
#include "gradus/engine/eval.h"
#include "gradus/io/atomic_file.h"
#include "gradus/models/registry.h"
#include "gradus/nn/state_dict.h"
#include "gradus/train/settings/schedules.h"
#include "gradus/train/setup.h"
#include "gradus/train/tiny_data_test.h"
#include "gradus/train/trainer.h"

namespace gradus::train {
namespace {

using testing_help::TemporaryFolder;
using testing_help::tiny_recipe;

/// Rates of a recipe with 4 epochs of 10 steps and the rate 0.8.
std::vector<double> rates(const std::vector<std::string>& changes) {
  std::vector<std::string> all = {"optimizer.lr=0.8", "train.epochs=4"};
  all.insert(all.end(), changes.begin(), changes.end());
  const LearningRate lr = make_learning_rate(parse_recipe("[model]\nname = \"lenet5\"\n", "r.toml", all), 10);
  std::vector<double> rates;
  for (std::int64_t step = 0; step < 40; ++step) rates.push_back(lr(step));
  return rates;
}

TEST(LearningRate, EverySchedule) {
  struct Expectation {
    std::vector<std::string> changes;
    std::map<int, double> rates;
  };
  const double pi = std::acos(-1.0);
  const std::map<std::string, Expectation> schedules = {
      {"constant", {{}, {{0, 0.8}, {39, 0.8}}}},
      {"cosine", {{"schedule.min_lr=0.2"}, {{0, 0.8}, {20, 0.5}, {39, 0.5 + 0.3 * std::cos(pi * 39 / 40)}}}},
      {"linear", {{}, {{0, 0.8}, {10, 0.6}, {39, 0.02}}}},
      {"polynomial", {{"schedule.power=2"}, {{0, 0.8}, {20, 0.2}}}},
      {"one-cycle", {{"schedule.anneal=linear", "schedule.pct_start=0.5"}, {{0, 0.032}, {19, 0.8}, {39, 3.2e-6}}}},
      {"warmup-stable-decay", {{"schedule.decay=10"}, {{0, 0.8}, {30, 0.8}, {35, 0.4}}}},
      {"step", {{"schedule.step_size=2", "schedule.unit=epoch", "schedule.gamma=0.5"}, {{19, 0.8}, {20, 0.4}}}},
      {"multistep", {{"schedule.milestones=[5, 7]"}, {{4, 0.8}, {5, 0.08}, {6, 0.08}, {7, 0.008}}}},
      {"exponential", {{"schedule.gamma=0.5", "schedule.unit=epoch"}, {{9, 0.8}, {10, 0.4}, {39, 0.1}}}},
      {"cosine-restarts", {{"schedule.period=10"}, {{5, 0.4}, {10, 0.8}, {15, 0.4}}}},
      {"constant-warmup", {{"schedule.length=3", "schedule.factor=0.5"}, {{2, 0.4}, {3, 0.8}}}},
      {"cyclic", {{"schedule.max_lr=1.8", "schedule.step_size_up=10"}, {{0, 0.8}, {10, 1.8}, {20, 0.8}}}},
      {"reduce-on-plateau", {{}, {{0, 0.8}, {39, 0.8}}}},
  };
  for (const Choice& choice : schedule_choices()) {
    SCOPED_TRACE(choice.name);
    ASSERT_TRUE(schedules.contains(choice.name));
    const Expectation& expectation = schedules.at(choice.name);
    std::vector<std::string> changes = expectation.changes;
    changes.push_back("optimizer.schedule=" + choice.name);
    const std::vector<double> found = rates(changes);
    for (const auto& [step, rate] : expectation.rates) {
      EXPECT_NEAR(found[static_cast<std::size_t>(step)], rate, 1e-12) << step;
    }
    changes.push_back("optimizer.warmup_steps=4");
    const std::vector<double> warmed = rates(changes);
    for (std::size_t step = 0; step < 4; ++step)
      EXPECT_NEAR(warmed[step], found[0] * static_cast<double>(step + 1) / 4, 1e-12);
    EXPECT_EQ(warmed[4], found[0]) << "the schedule starts after the warm-up";
  }
}

TEST(LearningRate, PlateauFollowsTheMetric) {
  LearningRate lr({.schedule = "reduce-on-plateau",
                   .settings = {{"patience", 1.0}, {"factor", 0.5}},
                   .lr = 0.8,
                   .better = optim::Better::more});
  std::vector<double> rates;
  for (const double accuracy : {0.5, 0.6, 0.6, 0.6, 0.7, 0.1, 0.1}) {
    lr.end_epoch(accuracy);
    rates.push_back(lr(0));
  }
  EXPECT_EQ(rates, (std::vector<double>{0.8, 0.8, 0.8, 0.4, 0.4, 0.4, 0.2}));
}

class SettingsRun : public ::testing::Test {
 protected:
  SettingsRun() { set_num_threads(1); }

  /// Trains whole, and stopped in the middle of the second epoch and resumed: the same bits.
  TrainResult expect_resumes(const std::string& name, const std::vector<std::string>& changes) {
    const Recipe recipe = parse_recipe(text_, "tiny.toml", changes);
    const TrainResult whole = start(recipe, {.run = folder_ / name});
    int asked = 0;
    start(recipe, {.run = folder_ / (name + "-2"), .stop = [&] { return asked++ == 15; }});
    EXPECT_TRUE(resume({.run = folder_ / (name + "-2")}).finished);
    for (const char* file : {"last", "best"}) {
      const std::string end = fmt::format("/checkpoints/{}.safetensors", file);
      EXPECT_TRUE(io::read_file(folder_ / name + end) == io::read_file(folder_ / name + "-2" + end)) << file;
    }
    return whole;
  }

  TemporaryFolder folder_;
  std::string text_ = tiny_recipe(folder_, 3);
};

/// The same network without biases, for what trains matrices only.
std::string without_biases(std::string text) {
  const std::size_t model = text.find("[model]"), data = text.find("[data]");
  return text.replace(model, data - model, R"([[model.layers]]
type = "flatten"
[[model.layers]]
type = "linear"
in_features = 64
out_features = 32
bias = false
[[model.layers]]
type = "relu"
[[model.layers]]
type = "linear"
in_features = 32
out_features = 4
bias = false
)");
}

TEST_F(SettingsRun, EveryOptimizerLearnsAndResumesBitForBit) {
  for (const Choice& choice : optimizer_choices()) {
    SCOPED_TRACE(choice.name);
    const std::string text = text_;
    if (choice.name == "muon") text_ = without_biases(text_);
    const bool large = choice.name == "adadelta" || choice.name == "lars";
    const TrainResult result =
        expect_resumes(choice.name, {"optimizer.name=" + choice.name, large ? "optimizer.lr=3" : "optimizer.lr=0.01",
                                     "train.clip_norm=2", "train.clip_value=1", "log.report=false", "train.epochs=2"});
    EXPECT_LT(result.history.back().train_loss, result.history.front().train_loss);
    text_ = text;
  }
}

TEST_F(SettingsRun, PlateauResumesBitForBit) {
  const TrainResult result = expect_resumes(
      "plateau", {"optimizer.schedule=reduce-on-plateau", "schedule.patience=0", "schedule.threshold=0.5",
                  "schedule.threshold_mode=absolute", "schedule.factor=0.5", "optimizer.warmup_steps=0"});
  EXPECT_EQ(result.history.at(0).lr, 0.01);
  EXPECT_EQ(result.history.at(2).lr, 0.005) << "the second accuracy is not better by 0.5";
}

TEST_F(SettingsRun, ClippedElementsBoundEveryStep) {
  const auto moved = [&](const std::string& name, const std::vector<std::string>& changes) {
    std::vector<std::string> all = {"optimizer.name=sgd", "optimizer.schedule=constant", "optimizer.warmup_steps=0",
                                    "optimizer.lr=1", "train.epochs=1"};
    all.insert(all.end(), changes.begin(), changes.end());
    const Recipe recipe = parse_recipe(text_, "tiny.toml", all);
    start(recipe, {.run = folder_ / (name + "-run")});
    return load_model(RunFolder::open(folder_ / (name + "-run")), "last");
  };
  models::AnyModel a = moved("a", {"train.clip_value=1e-4"}), b = moved("b", {"train.clip_value=1e9"});
  models::AnyModel c = moved("c", {});
  manual_seed(5);
  const Recipe recipe = parse_recipe(text_, "tiny.toml");
  models::AnyModel fresh = models::make(recipe.model);
  const auto largest = [](models::AnyModel& x, models::AnyModel& y) {
    double most = 0;
    const auto first = nn::state_dict(x), second = nn::state_dict(y);
    for (std::size_t i = 0; i < first.size(); ++i) {
      const auto p = first[i].second.to_vector<double>(), q = second[i].second.to_vector<double>();
      for (std::size_t j = 0; j < p.size(); ++j) most = std::max(most, std::abs(p[j] - q[j]));
    }
    return most;
  };
  EXPECT_EQ(largest(b, c), 0);
  EXPECT_LE(largest(a, fresh), 10 * 1.01e-4) << "ten steps of at most 1e-4";
  EXPECT_GT(largest(c, fresh), 10 * 1.01e-4);
}

}  // namespace
}  // namespace gradus::train
