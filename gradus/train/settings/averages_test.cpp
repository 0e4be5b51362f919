// Averages of the weights in runs: what is measured and saved, and that they resume bit for bit.
#include <gtest/gtest.h>

#include "gradus/base/parallel.h"
#include "gradus/engine/eval.h"
#include "gradus/io/atomic_file.h"
#include "gradus/ops/ops.h"
#include "gradus/train/evaluate.h"
#include "gradus/train/setup.h"
#include "gradus/train/tiny_data_test.h"
#include "gradus/train/trainer.h"

namespace gradus::train {
namespace {

using testing_help::TemporaryFolder;
using testing_help::tiny_recipe;

class Averages : public ::testing::Test {
 protected:
  Averages() { set_num_threads(1); }

  Recipe recipe(const std::vector<std::string>& changes) { return parse_recipe(text_, "tiny.toml", changes); }
  /// The checkpoint of a run of ten steps an epoch that was stopped after `steps`.
  Checkpoint stopped(const Recipe& recipe, int steps) {
    const std::string run = folder_ / std::to_string(runs_++);
    int asked = 0;
    start(recipe, {.run = run, .stop = [&] { return asked++ == steps; }});
    return RunFolder::open(run).checkpoint("last");
  }
  static std::vector<double> numbers(const NamedTensors& tensors) {
    std::vector<double> all;
    for (const auto& [name, tensor] : tensors) {
      for (const double x : tensor.to_vector<double>()) all.push_back(x);
    }
    return all;
  }
  static void expect_near(const std::vector<double>& a, const std::vector<double>& b) {
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t i = 0; i < a.size(); ++i) ASSERT_NEAR(a[i], b[i], 1e-6) << i;
  }

  TemporaryFolder folder_;
  std::string text_ = tiny_recipe(folder_, 3);
  int runs_ = 0;
};

TEST_F(Averages, ExponentialOneFollowsEveryStep) {
  const Recipe averaging = recipe({"train.ema=0.8"});
  std::vector<double> average;
  for (int step = 1; step <= 4; ++step) {
    const Checkpoint now = stopped(averaging, step);
    EXPECT_EQ(now.averaged, step);
    const std::vector<double> trained = numbers(now.trained);
    if (step == 1) average = trained;
    for (std::size_t i = 0; i < trained.size(); ++i) average[i] = 0.8 * average[i] + 0.2 * trained[i];
    expect_near(numbers(now.weights), average);
  }
  const Checkpoint plain = stopped(recipe({}), 4);
  EXPECT_EQ(plain.averaged, 0);
  EXPECT_TRUE(plain.trained.empty());
  EXPECT_EQ(numbers(plain.weights), numbers(stopped(averaging, 4).trained))
      << "the average changes nothing in training";
}

TEST_F(Averages, MeanBeginsWithItsEpoch) {
  const Recipe averaging = recipe({"train.swa_start=2", "train.swa_lr=0.003"});
  EXPECT_EQ(stopped(averaging, 15).averaged, 0);
  const Checkpoint second = stopped(averaging, 20);
  EXPECT_EQ(second.averaged, 1);
  EXPECT_EQ(numbers(second.weights), numbers(second.trained));
  const TrainResult result = start(averaging, {.run = folder_ / "whole"});
  const Checkpoint last = RunFolder::open(folder_ / "whole").checkpoint("last");
  EXPECT_EQ(last.averaged, 2);
  std::vector<double> mean = numbers(second.trained);
  const std::vector<double> third = numbers(last.trained);
  for (std::size_t i = 0; i < mean.size(); ++i) mean[i] = (mean[i] + third[i]) / 2;
  expect_near(numbers(last.weights), mean);
  EXPECT_NE(result.history.at(0).lr, 0.003);
  EXPECT_EQ(result.history.at(1).lr, 0.003);
  EXPECT_EQ(result.history.at(2).lr, 0.003);
}

TEST_F(Averages, AreMeasured) {
  const Recipe averaging = recipe({"train.ema=0.9", "train.monitor=val_loss"});
  const TrainResult result = start(averaging, {.run = folder_ / "run"});
  for (const char* which : {"last", "best"}) {
    models::AnyModel model = load_model(RunFolder::open(folder_ / "run"), which);
    const std::size_t epoch = static_cast<std::size_t>(which == std::string("last") ? 3 : result.loop.best_epoch);
    EXPECT_EQ(evaluate(model, load_training_data(averaging).validation).loss, result.history.at(epoch - 1).val_loss);
  }
  models::AnyModel best = load_model(RunFolder::open(folder_ / "run"), "best");
  EXPECT_EQ(evaluate(best, load_data(averaging.data, data::Split::test)).loss, *result.history.back().test_loss);
}

TEST_F(Averages, ResumeBitForBit) {
  const std::vector<std::vector<std::string>> variants = {
      {"train.ema=0.9", "train.accumulate=2"}, {"train.swa_start=2", "train.swa_lr=0.01"}, {"train.ema=0.99"}};
  for (const std::vector<std::string>& changes : variants) {
    const Recipe averaging = recipe(changes);
    const std::string whole = folder_ / std::to_string(runs_++);
    start(averaging, {.run = whole});
    for (const int at : {4, 10, 14}) {
      const std::string run = folder_ / std::to_string(runs_++);
      int asked = 0;
      EXPECT_FALSE(start(averaging, {.run = run, .stop = [&] { return asked++ == at; }}).finished);
      EXPECT_TRUE(resume({.run = run}).finished);
      for (const char* file : {"last", "best"}) {
        const std::string end = std::string("/checkpoints/") + file;
        EXPECT_TRUE(io::read_file(whole + end + ".safetensors") == io::read_file(run + end + ".safetensors")) << file;
        const Checkpoint a = RunFolder::open(whole).checkpoint(file), b = RunFolder::open(run).checkpoint(file);
        EXPECT_EQ(numbers(a.trained), numbers(b.trained));
        EXPECT_EQ(a.averaged, b.averaged);
      }
    }
  }
}

TEST_F(Averages, MeanHasRunningStatisticsOfItsOwn) {
  const std::size_t model = text_.find("[model]"), data = text_.find("[data]");
  text_.replace(model, data - model, R"([[model.layers]]
type = "conv2d"
in_channels = 1
out_channels = 4
kernel_size = 3
[[model.layers]]
type = "batch_norm2d"
num_features = 4
[[model.layers]]
type = "relu"
[[model.layers]]
type = "flatten"
[[model.layers]]
type = "linear"
in_features = 144
out_features = 4
)");
  const Recipe averaging = recipe({"train.swa_start=2"});
  const TrainResult result = start(averaging, {.run = folder_ / "whole"});
  EXPECT_GT(result.history.back().val_accuracy, 0.9);
  const Checkpoint last = RunFolder::open(folder_ / "whole").checkpoint("last");
  // Of the first layer's outputs over all training examples, with the mean weights.
  NamedTensors weights = last.weights;
  const auto find = [&](const std::string& name) {
    for (const auto& [key, value] : weights) {
      if (key == name) return value;
    }
    return Tensor();
  };
  const data::Dataset train = load_training_data(averaging).train;
  std::vector<std::int64_t> rows(static_cast<std::size_t>(train.size()));
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<std::int64_t>(i);
  const Tensor seen = conv2d(train.batch(rows).inputs, find("0.weight"), find("0.bias"));
  const std::vector<double> wanted = mean(seen, {0, 2, 3}).to_vector<double>();
  const std::vector<double> found = find("1.running_mean").to_vector<double>();
  ASSERT_EQ(found.size(), wanted.size());
  for (std::size_t c = 0; c < wanted.size(); ++c) EXPECT_NEAR(found[c], wanted[c], 1e-4);
  int asked = 0;
  start(averaging, {.run = folder_ / "part", .stop = [&] { return asked++ == 25; }});
  resume({.run = folder_ / "part"});
  EXPECT_TRUE(io::read_file(folder_ / "whole/checkpoints/last.safetensors") ==
              io::read_file(folder_ / "part/checkpoints/last.safetensors"));
}

}  // namespace
}  // namespace gradus::train
