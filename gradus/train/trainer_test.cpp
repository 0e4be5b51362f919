#include "gradus/train/trainer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "gradus/base/error.h"
#include "gradus/base/parallel.h"
#include "gradus/data/idx.h"
#include "gradus/engine/plan_cache.h"
#include "gradus/graph/node.h"
#include "gradus/io/atomic_file.h"
#include "gradus/io/safetensors.h"
#include "gradus/kernel/onednn/bf16.h"
#include "gradus/train/evaluate.h"
#include "gradus/train/run_folder.h"
#include "gradus/train/setup.h"
#include "gradus/train/tiny_data_test.h"

namespace gradus::train {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using testing_help::TemporaryFolder;
using testing_help::tiny_recipe;

/// One thread: the networks are tiny, and the tests run beside each other.
class Trainer : public ::testing::Test {
 protected:
  Trainer() { set_num_threads(1); }
};

/// Everything in a record that does not depend on the clock.
std::vector<EpochMetrics> without_clock(std::vector<EpochMetrics> records) {
  for (EpochMetrics& record : records) record.samples_per_s = record.seconds = 0;
  return records;
}

std::string bytes_of(const std::string& path) { return io::read_file(path); }

void expect_same_run(const std::string& a, const std::string& b) {
  for (const char* file : {"/checkpoints/last.safetensors", "/checkpoints/best.safetensors"}) {
    EXPECT_TRUE(bytes_of(a + file) == bytes_of(b + file)) << file;
  }
  EXPECT_EQ(without_clock(read_metrics(a + "/metrics.jsonl")), without_clock(read_metrics(b + "/metrics.jsonl")));
}

template <class Body>
std::string refusal(Body body) {
  try {
    body();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST_F(Trainer, LearnsAndWritesTheRun) {
  const TemporaryFolder folder;
  const Recipe recipe = parse_recipe(tiny_recipe(folder, 4), "tiny.toml");
  const TrainResult result = start(recipe, {.run = folder / "run"});
  EXPECT_TRUE(result.finished);
  ASSERT_EQ(result.history.size(), 4u);
  EXPECT_EQ(result.history.back().step, 4 * 10);
  EXPECT_GT(result.history.back().test_accuracy.value(), 0.95);
  EXPECT_LT(result.history.back().train_loss, result.history.front().train_loss);
  EXPECT_FALSE(result.history.front().test_loss.has_value());
  EXPECT_EQ(read_metrics(folder / "run/metrics.jsonl"), result.history);
  EXPECT_EQ(read_recipe(folder / "run/recipe.toml"), recipe);
  EXPECT_EQ(io::load(folder / "run/checkpoints/best.safetensors").front().first, "layers.0.weight");
  // The test figures are those of the best checkpoint, as anyone can compute them again.
  models::AnyModel best = load_model(RunFolder::open(folder / "run"), "best");
  const Evaluation again = evaluate(best, load_data(recipe.data, data::Split::test));
  EXPECT_EQ(again.loss, *result.history.back().test_loss);
  EXPECT_EQ(again.accuracy, *result.history.back().test_accuracy);
}

TEST_F(Trainer, MetricsHaveExactlyTheseFields) {
  EXPECT_EQ(to_json({.epoch = 1, .step = 2, .train_loss = 0.5, .lr = 0.1, .test_loss = 1.0, .test_accuracy = 0.25}),
            R"({"epoch":1,"step":2,"train_loss":0.5,"train_accuracy":0.0,"val_loss":0.0,"val_accuracy":0.0,"lr":0.1,)"
            R"("samples_per_s":0.0,"seconds":0.0,"test_loss":1.0,"test_accuracy":0.25})");
  EXPECT_EQ(from_json(to_json({.epoch = 3, .val_loss = 0.1})), (EpochMetrics{.epoch = 3, .val_loss = 0.1}));
  EXPECT_THROW(from_json("{\"epoch\": 1}"), Error);
}

TEST_F(Trainer, WorkersDoNotChangeABit) {
  const TemporaryFolder folder;
  Recipe recipe = parse_recipe(tiny_recipe(folder), "tiny.toml");
  set_num_threads(2);
  for (int workers : {0, 1, 4}) {
    recipe.data.workers = workers;
    start(recipe, {.run = folder / std::to_string(workers)});
  }
  expect_same_run(folder / "0", folder / "1");
  expect_same_run(folder / "0", folder / "4");
}

TEST_F(Trainer, SeedsDiffer) {
  const TemporaryFolder folder;
  Recipe recipe = parse_recipe(tiny_recipe(folder, 1), "tiny.toml");
  start(recipe, {.run = folder / "a"});
  recipe.seed = 6;
  start(recipe, {.run = folder / "b"});
  EXPECT_FALSE(bytes_of(folder / "a/checkpoints/last.safetensors") ==
               bytes_of(folder / "b/checkpoints/last.safetensors"));
}

TEST_F(Trainer, StoppedAndResumedIsBitIdentical) {
  const TemporaryFolder folder;
  for (const char* optimizer : {"adamw", "sgd"}) {
    std::vector<std::string> changes = {fmt::format("optimizer.name={}", optimizer)};
    if (optimizer == std::string("sgd")) changes.push_back("optimizer.momentum=0.9");
    const Recipe recipe = parse_recipe(tiny_recipe(folder), "tiny.toml", changes);
    const std::string whole = folder / (std::string(optimizer) + "-whole");
    start(recipe, {.run = whole});
    for (int at : {0, 1, 7, 10, 23}) {  // the first step, within an epoch, between two epochs
      const std::string run = folder / fmt::format("{}-{}", optimizer, at);
      int asked = 0;
      const TrainResult first = start(recipe, {.run = run, .stop = [&] { return asked++ == at; }});
      EXPECT_FALSE(first.finished);
      EXPECT_EQ(first.loop.step, at);
      EXPECT_TRUE(resume({.run = run}).finished);
      expect_same_run(whole, run);
    }
  }
}

TEST_F(Trainer, ALimitOfMemoryChangesNoBitAndMayBeRaised) {
  const TemporaryFolder folder;
  // 16 layers of 64 units, whose activations for 160 images do not fit beside weights and state: some are computed again.
  std::vector<std::string> changes = {"model.hidden=[64,64,64,64,64,64,64,64,64,64,64,64,64,64,64,64]",
                                      "data.batch_size=160", "train.epochs=9"};
  start(parse_recipe(tiny_recipe(folder), "tiny.toml", changes), {.run = folder / "free"});
  changes.push_back("train.memory_limit=2");
  start(parse_recipe(tiny_recipe(folder), "tiny.toml", changes), {.run = folder / "limited"});
  EXPECT_EQ(bytes_of(folder / "free/checkpoints/last.safetensors"),
            bytes_of(folder / "limited/checkpoints/last.safetensors"));
  int asked = 0;
  start(parse_recipe(tiny_recipe(folder), "tiny.toml", changes),
        {.run = folder / "raised", .stop = [&] { return asked++ == 4; }});
  std::string recipe = io::read_file(folder / "raised/recipe.toml");
  const auto put = [&](const std::string& limit) {
    const std::size_t at = recipe.find("memory_limit = ");
    recipe.replace(at, recipe.find('\n', at) - at, "memory_limit = " + limit);
    io::write_file(folder / "raised/recipe.toml", recipe);
  };
  put("1");  // weights and state alone take more
  try {
    resume({.run = folder / "raised"});
    FAIL() << "trained within 1 MB";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("the limit is 1.0 MB"), std::string::npos) << error.what();
  }
  put("0");
  EXPECT_TRUE(resume({.run = folder / "raised"}).finished);
  EXPECT_EQ(bytes_of(folder / "free/checkpoints/last.safetensors"),
            bytes_of(folder / "raised/checkpoints/last.safetensors"));
}

TEST_F(Trainer, InBf16StoppedAndResumedIsBitIdentical) {
  const TemporaryFolder folder;
  const std::string changes[] = {"train.precision=bf16"};
  const Recipe recipe = parse_recipe(tiny_recipe(folder), "tiny.toml", changes);
  const TrainResult whole = start(recipe, {.run = folder / "whole"});
  EXPECT_GT(whole.history.back().test_accuracy.value(), 0.9);
  int asked = 0;
  EXPECT_FALSE(start(recipe, {.run = folder / "run", .stop = [&] { return asked++ == 7; }}).finished);
  EXPECT_TRUE(resume({.run = folder / "run"}).finished);
  expect_same_run(folder / "whole", folder / "run");
  // Evaluation stays f32: the figures of the run are those of its weights.
  models::AnyModel best = load_model(RunFolder::open(folder / "run"), "best");
  EXPECT_EQ(evaluate(best, load_data(recipe.data, data::Split::test)).loss, *whole.history.back().test_loss);
  // Weights differ from those of f32 where the machine has bf16, and only there.
  start(parse_recipe(tiny_recipe(folder), "tiny.toml"), {.run = folder / "f32"});
  std::string reason;
  EXPECT_EQ(kernel::bf16_pays(reason), bytes_of(folder / "f32/checkpoints/last.safetensors") !=
                                           bytes_of(folder / "run/checkpoints/last.safetensors"));
}

TEST_F(Trainer, ResumeWithoutCheckpointStartsAndOfAFinishedRunDoesNothing) {
  const TemporaryFolder folder;
  const Recipe recipe = parse_recipe(tiny_recipe(folder), "tiny.toml");
  start(recipe, {.run = folder / "whole"});
  RunFolder::create(folder / "killed-at-once", recipe);
  resume({.run = folder / "killed-at-once"});
  expect_same_run(folder / "whole", folder / "killed-at-once");
  const auto before = fs::last_write_time(folder / "whole/checkpoints/last.safetensors");
  EXPECT_TRUE(resume({.run = folder / "whole"}).finished);
  EXPECT_EQ(fs::last_write_time(folder / "whole/checkpoints/last.safetensors"), before);
}

TEST_F(Trainer, KilledBetweenLastAndBestWritesBestAgain) {
  const TemporaryFolder folder;
  const Recipe recipe = parse_recipe(tiny_recipe(folder, 1), "tiny.toml");
  start(recipe, {.run = folder / "whole"});
  fs::copy(folder / "whole", folder / "killed", fs::copy_options::recursive);
  fs::remove(folder / "killed/checkpoints/best.safetensors");
  fs::remove(folder / "killed/checkpoints/best.state.safetensors");
  resume({.run = folder / "killed"});
  expect_same_run(folder / "whole", folder / "killed");
}

TEST_F(Trainer, ResumeRefusesWhatDoesNotBelong) {
  const TemporaryFolder folder;
  Recipe recipe = parse_recipe(tiny_recipe(folder), "tiny.toml");
  int asked = 0;
  start(recipe, {.run = folder / "run", .stop = [&] { return asked++ == 12; }});
  EXPECT_THAT(refusal([&] { resume({.run = folder / "nowhere"}); }), HasSubstr("there is no run folder"));
  EXPECT_THAT(refusal([&] { resume({.run = folder.path()}); }), HasSubstr("is not the folder of a run"));
  testing_help::write_images(folder / "train-images", folder / "train-labels", 190, 8, 1);
  EXPECT_EQ(
      refusal([&] { resume({.run = folder / "run"}); }),
      "state error in resume: the training data were changed since the last checkpoint\n  examples  150\n  then      "
      "160\n  hint: undo the change, or start a new run");
  testing_help::write_images(folder / "train-images", folder / "train-labels", 200, 8, 1);
  recipe.optimizer.lr = 0.5;
  io::write_file(folder / "run/recipe.toml", recipe_text(recipe));
  EXPECT_THAT(refusal([&] { resume({.run = folder / "run"}); }), HasSubstr("was changed since the last checkpoint"));
}

TEST_F(Trainer, CheckpointOfAnotherModel) {
  const TemporaryFolder folder;
  Recipe recipe = parse_recipe(tiny_recipe(folder, 1), "tiny.toml");
  start(recipe, {.run = folder / "run"});
  recipe.model.hidden = {16};
  io::write_file(folder / "run/recipe.toml", recipe_text(recipe));
  const std::string text = refusal([&] { load_model(RunFolder::open(folder / "run"), "best"); });
  EXPECT_THAT(text, HasSubstr("layers.0.weight"));
  EXPECT_THAT(text, HasSubstr("the checkpoint is of another model than"));
}

TEST_F(Trainer, RefusesBeforeAnythingIsWritten) {
  const TemporaryFolder folder;
  const Recipe good = parse_recipe(tiny_recipe(folder, 1), "tiny.toml");
  const auto text = [&](auto change) {
    Recipe recipe = good;
    change(recipe);
    const std::string message = refusal([&] { start(recipe, {.run = folder / "run"}); });
    EXPECT_FALSE(fs::exists(folder / "run"));
    return message;
  };
  EXPECT_THAT(text([](Recipe& r) { r.data.batch_size = 161; }), HasSubstr("the batch is larger than the data set"));
  EXPECT_THAT(text([](Recipe& r) { r.data.validation = 200; }), HasSubstr("200"));
  EXPECT_THAT(text([](Recipe& r) { r.data.train_images = "/nowhere/images"; }), HasSubstr("/nowhere/images"));
  EXPECT_THAT(text([](Recipe& r) {
                r.data = DataSettings();
                r.data.folder = "/nowhere";
              }),
              HasSubstr("dataset-fashion-mnist"));
  EXPECT_THAT(text([](Recipe& r) { r.model.inputs = 65; }), HasSubstr("shape error in linear"));
  EXPECT_THAT(text([](Recipe& r) { r.model.outputs = 3; }), HasSubstr("does not answer with one number per class"));
}

TEST_F(Trainer, RefusesToOverwriteARun) {
  const TemporaryFolder folder;
  const Recipe recipe = parse_recipe(tiny_recipe(folder, 1), "tiny.toml");
  start(recipe, {.run = folder / "run"});
  const std::string text = refusal([&] { start(recipe, {.run = folder / "run"}); });
  EXPECT_THAT(text, HasSubstr("exists already"));
  EXPECT_THAT(text, HasSubstr("--resume"));
  fs::create_directories(folder / "empty");
  EXPECT_TRUE(start(recipe, {.run = folder / "empty"}).finished);
}

TEST_F(Trainer, DivergenceStopsNamesItsOriginAndKeepsTheLastGoodState) {
  const TemporaryFolder folder;
  const std::vector<std::string> changes = {"optimizer.name=sgd", "optimizer.lr=1e30", "optimizer.warmup_steps=0"};
  const Recipe recipe = parse_recipe(tiny_recipe(folder), "tiny.toml", changes);
  const std::string text = refusal([&] { start(recipe, {.run = folder / "run"}); });
  EXPECT_THAT(text, ::testing::StartsWith("value error in train: the loss or a gradient is not finite\n  step   "));
  EXPECT_THAT(text, HasSubstr("(epoch 1, batch "));
  EXPECT_THAT(text, HasSubstr("matmul in layers.1"));
  const Checkpoint kept = RunFolder::open(folder / "run").checkpoint("last");
  EXPECT_GE(kept.loop.step, 1);
  for (const auto& [name, tensor] : kept.weights) {
    for (float value : tensor.data<float>()) ASSERT_TRUE(std::isfinite(value)) << name;
  }
  EXPECT_EQ(refusal([&] { resume({.run = folder / "run"}); }), text)
      << "the same step fails again, and nothing was lost";
}

TEST_F(Trainer, BadLabelIsNamed) {
  const TemporaryFolder folder;
  const Recipe recipe = parse_recipe(tiny_recipe(folder, 1), "tiny.toml");
  std::vector<std::uint8_t> labels(60, 0);
  labels[17] = 9;
  data::write_idx(folder / "test-labels", leaf<std::uint8_t>({60}, labels));
  const std::string text = refusal([&] { start(recipe, {.run = folder / "run"}); });
  EXPECT_THAT(text, HasSubstr("17"));
  EXPECT_THAT(text, HasSubstr("9"));
}

TEST_F(Trainer, SteadyStepsCompileNothingAndLeakNoNodes) {
  const TemporaryFolder folder;
  const Recipe recipe = parse_recipe(tiny_recipe(folder, 3), "tiny.toml");
  std::vector<std::int64_t> compiled, nodes;
  start(recipe, {.run = folder / "run", .stop = [&] {
                   compiled.push_back(engine::compile_count());
                   nodes.push_back(live_nodes());
                   return false;
                 }});
  ASSERT_EQ(compiled.size(), 30u);
  EXPECT_EQ(compiled[29], compiled[11]) << "plans are made in the first epoch only";
  EXPECT_EQ(nodes[29], nodes[1]);
}

TEST(Evaluate, ConfidenceIntervalIsWilsons) {
  const Interval interval = confidence_interval(90, 100);
  EXPECT_NEAR(interval.low, 0.8256, 1e-4);
  EXPECT_NEAR(interval.high, 0.9448, 1e-4);
  EXPECT_EQ(confidence_interval(0, 10).low, 0);
  EXPECT_NEAR(confidence_interval(10, 10).high, 1, 1e-12);
}

}  // namespace
}  // namespace gradus::train
