// What recipes say about training beyond the optimizer: early stopping, accumulation, clipping, weights of classes, logs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "gradus/base/error.h"
#include "gradus/base/parallel.h"
#include "gradus/engine/eval.h"
#include "gradus/io/atomic_file.h"
#include "gradus/io/safetensors.h"
#include "gradus/models/mlp.h"
#include "gradus/nn/losses.h"
#include "gradus/nn/mode.h"
#include "gradus/ops/ops.h"
#include "gradus/train/early_stopping.h"
#include "gradus/train/evaluate.h"
#include "gradus/train/lr_find.h"
#include "gradus/train/objective.h"
#include "gradus/train/run_folder.h"
#include "gradus/train/setup.h"
#include "gradus/train/tiny_data_test.h"
#include "gradus/train/trainer.h"

namespace gradus::train {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using testing_help::TemporaryFolder;
using testing_help::tiny_recipe;

class Options : public ::testing::Test {
 protected:
  Options() { set_num_threads(1); }

  Recipe recipe(std::vector<std::string> changes, std::int64_t epochs = 3) {
    return parse_recipe(tiny_recipe(folder_, epochs), "tiny.toml", changes);
  }
  NamedTensors last_weights(const std::string& run) {
    return io::load(folder_ / run + "/checkpoints/last.safetensors");
  }
  /// Largest difference of the last weights of two runs.
  double difference(const std::string& a, const std::string& b) {
    const NamedTensors x = last_weights(a), y = last_weights(b);
    double largest = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      largest = std::max(largest, max(abs(x[i].second - y[i].second)).item<double>());
    }
    return largest;
  }

  TemporaryFolder folder_;
};

TEST(EarlyStopping, CountsWhatIsNoImprovement) {
  const auto stops_at = [](const EarlyStoppingOptions& options, const std::vector<double>& values) {
    EarlyStopping stopping(options);
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (stopping.update(values[i])) return static_cast<int>(i);
    }
    return -1;
  };
  EXPECT_EQ(stops_at({.patience = 2}, {3, 2, 2.5, 1, 1, 2, 0}), 5);
  EXPECT_EQ(stops_at({.patience = 2, .mode = Mode::max}, {3, 2, 2.5, 1}), 2);
  EXPECT_EQ(stops_at({.patience = 3}, {3, 2, 1, 0}), -1);
  EXPECT_EQ(stops_at({.patience = 0}, {3, 2, 2}), 2);
  EXPECT_EQ(stops_at({.patience = 1}, {3, 2, 2}), 2);
  EXPECT_EQ(stops_at({.patience = 1, .min_delta = 0.5}, {3, 2.6}), 1);
  EXPECT_EQ(stops_at({.patience = 2}, {std::nan(""), std::nan(""), 1}), 1);
  EXPECT_THROW(EarlyStopping({.patience = -1}), Error);
}

TEST(EarlyStopping, RestoresTheBestWeights) {
  models::Mlp model({.inputs = 2, .hidden = {}, .outputs = 1});
  EarlyStopping stopping({.patience = 2});
  EXPECT_THROW(stopping.restore(model), Error);
  for (const double value : {3.0, 1.0, 2.0}) {
    model.layers[0].weight = full({1, 2}, value);
    stopping.update(value, model);
  }
  stopping.restore(model);
  EXPECT_EQ(model.layers[0].weight.tensor().to_vector<double>(), (std::vector<double>{1, 1}));
  EXPECT_EQ(stopping.best(), 1);
  EXPECT_EQ(stopping.best_value(), 1);
}

TEST_F(Options, PatienceEndsARunAndKeepsTheBestEpoch) {
  const Recipe stopping = recipe({"train.patience=2", "train.min_delta=0.9", "train.monitor=val_loss"}, 9);
  const TrainResult result = start(stopping, {.run = folder_ / "run"});
  EXPECT_TRUE(result.finished);
  ASSERT_EQ(result.history.size(), 3u) << "no epoch improves the loss by 0.9 upon the first one";
  EXPECT_TRUE(result.history.back().test_accuracy.has_value());
  double least = 1e9;
  std::int64_t best = 0;
  for (const EpochMetrics& m : result.history) {
    if (m.val_loss < least) best = m.epoch;
    least = std::min(least, m.val_loss);
  }
  EXPECT_EQ(result.loop.best_epoch, best);
  const TrainResult again = resume({.run = folder_ / "run"});
  EXPECT_TRUE(again.finished);
  EXPECT_EQ(again.history.size(), 3u) << "a run that stopped early is finished";
}

TEST_F(Options, ObserversSeeAllAndMayStop) {
  struct Recorder : Observer {
    std::string events;
    void on_train_begin(std::int64_t epoch, std::int64_t epochs) override {
      events += fmt::format("begin {}/{} ", epoch, epochs);
    }
    void on_epoch_begin(std::int64_t epoch) override { events += fmt::format("[{} ", epoch); }
    void on_step(const StepReport& r) override { events += r.batch == r.batches ? ". " : ""; }
    bool wants_stop(const EpochMetrics& m) override { return m.epoch == 2; }
    void on_epoch(const EpochMetrics& m, std::int64_t) override { events += fmt::format("{}] ", m.epoch); }
    void on_train_end(bool finished) override { events += finished ? "end" : "interrupted"; }
  } first, second;
  ObserverList both({&first, nullptr, &second});
  const TrainResult result = start(recipe({}, 5), {.run = folder_ / "run", .observer = &both});
  EXPECT_EQ(first.events, "begin 0/5 [1 . 1] [2 . 2] end");
  EXPECT_EQ(second.events, first.events);
  EXPECT_TRUE(result.finished);
  EXPECT_TRUE(result.history.at(1).test_loss.has_value());
  EXPECT_EQ(resume({.run = folder_ / "run"}).history.size(), 2u);
}

TEST_F(Options, AccumulatedBatchesEqualOneLargeBatch) {
  const std::vector<std::string> sgd = {"optimizer.name=sgd", "optimizer.momentum=0.9", "optimizer.lr=0.1"};
  std::vector<std::string> large = sgd, small = sgd;
  large.insert(large.end(), {"data.batch_size=60"});
  small.insert(small.end(), {"data.batch_size=20", "train.accumulate=3"});  // 160 examples: 60, 60 and 40
  start(recipe(large), {.run = folder_ / "large"});
  const TrainResult result = start(recipe(small), {.run = folder_ / "small"});
  EXPECT_EQ(result.loop.step, 9);
  EXPECT_LE(difference("large", "small"), 2e-6);
}

TEST_F(Options, AccumulationSurvivesAStop) {
  const Recipe accumulating = recipe({"train.accumulate=4", "train.clip_norm=0.5", "train.checkpoint_steps=1"});
  start(accumulating, {.run = folder_ / "whole"});
  for (const int at : {1, 2}) {
    const std::string name = fmt::format("stopped-{}", at);
    int asked = 0;
    EXPECT_FALSE(start(accumulating, {.run = folder_ / name, .stop = [&] { return asked++ == at; }}).finished);
    EXPECT_TRUE(resume({.run = folder_ / name}).finished);
    EXPECT_EQ(difference("whole", name), 0);
  }
}

TEST_F(Options, RegularisersReachTheStep) {
  const auto size = [&](const std::string& run) { return sum(abs(last_weights(run)[0].second)).item<double>(); };
  start(recipe({}, 2), {.run = folder_ / "plain"});
  for (const std::string change :
       {"train.mixup=1", "train.input_noise=0.5", "train.l1_penalty=0.01", "train.max_norm=0.3"}) {
    SCOPED_TRACE(change);
    start(recipe({change}, 2), {.run = folder_ / change});
    start(recipe({change, "train.accumulate=1"}, 2), {.run = folder_ / (change + " again")});
    EXPECT_GT(difference("plain", change), 1e-4);
    EXPECT_EQ(difference(change, change + " again"), 0) << "equal seeds, equal bits";
  }
  EXPECT_LT(size("train.l1_penalty=0.01"), size("plain"));
  const Tensor rows = sum(square(last_weights("train.max_norm=0.3")[0].second), 1);
  EXPECT_LE(max(rows).item<double>(), 0.09001);
  EXPECT_GT(max(sum(square(last_weights("plain")[0].second), 1)).item<double>(), 0.1);
}

TEST_F(Options, TheSearchForARateTakesTheStepsOfTheRecipe) {
  const auto losses = [&](const std::string& change) {
    std::vector<double> all;
    const LrRange range =
        find_lr(recipe({change, "train.accumulate=1"}, 2), {.lowest = 1e-3, .highest = 0.1, .steps = 12});
    for (const auto& point : range.points) all.push_back(point.loss);
    return all;
  };
  const std::vector<double> plain = losses("train.accumulate=1");
  EXPECT_EQ(plain, losses("train.accumulate=1"));
  for (const char* change : {"train.mixup=1", "train.input_noise=0.5", "train.l1_penalty=0.01", "train.max_norm=0.3"})
    EXPECT_NE(plain, losses(change)) << change;
}

TEST_F(Options, MixturesResumeBitForBit) {
  const Recipe mixed = recipe({"train.mixup=0.4", "train.input_noise=0.1"}, 3);
  start(mixed, {.run = folder_ / "whole"});
  int epochs = 0;
  struct Counter : Observer {
    int* epochs;
    explicit Counter(int* e) : epochs(e) {}
    void on_epoch(const EpochMetrics&, std::int64_t) override { ++*epochs; }
  } counter(&epochs);
  start(mixed, {.run = folder_ / "parts", .observer = &counter, .stop = [&] { return epochs >= 1; }});
  EXPECT_TRUE(resume({.run = folder_ / "parts"}).finished);
  EXPECT_EQ(difference("whole", "parts"), 0);
}

TEST_F(Options, ClippingBoundsEveryStep) {
  const std::vector<std::string> plain = {"optimizer.name=sgd", "optimizer.lr=1", "optimizer.warmup_steps=0",
                                          "optimizer.schedule=constant"};
  std::vector<std::string> clipped = plain, wide = plain;
  clipped.push_back("train.clip_norm=1e-4");
  wide.push_back("train.clip_norm=1e9");
  start(recipe(plain, 1), {.run = folder_ / "plain"});
  start(recipe(clipped, 1), {.run = folder_ / "clipped"});
  start(recipe(wide, 1), {.run = folder_ / "wide"});
  EXPECT_LE(difference("plain", "wide"), 1e-5);
  manual_seed(5);
  const models::Mlp fresh({.inputs = 64, .hidden = {32}, .outputs = 4});
  const double moved = sqrt(sum(square(last_weights("clipped")[0].second - fresh.layers[0].weight))).item<double>();
  EXPECT_GT(moved, 1e-5);
  EXPECT_LE(moved, 10 * 1.001e-4) << "ten steps of at most 1e-4";
}

TEST_F(Options, DivergenceWhileAccumulatingKeepsAStateThatFailsAgain) {
  const Recipe diverging = recipe({"optimizer.name=sgd", "optimizer.lr=1e30", "optimizer.warmup_steps=0",
                                   "train.accumulate=3", "train.checkpoint_steps=0"});
  const auto refusal = [](auto body) {
    try {
      body();
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  const std::string text = refusal([&] { start(diverging, {.run = folder_ / "run"}); });
  EXPECT_THAT(text, HasSubstr("the loss or a gradient is not finite"));
  EXPECT_EQ(RunFolder::open(folder_ / "run").checkpoint("last").loop.batch % 3, 0);
  EXPECT_EQ(refusal([&] { resume({.run = folder_ / "run"}); }), text);
}

TEST_F(Options, ClassWeights) {
  const std::vector<std::int64_t> labels = {0, 0, 0, 1, 3, 3};
  EXPECT_EQ(balanced_class_weights(labels, 4), (std::vector<double>{0.5, 1.5, 0, 0.75}));
  EXPECT_THROW(balanced_class_weights(labels, 3), Error);
  const data::Dataset set("set", zeros({6, 2}), leaf<std::int64_t>({6}, std::span<const std::int64_t>(labels)));
  TrainSettings settings;
  settings.class_balance = "balanced";
  const Tensor logits = tensor({{1.f, 2.f, 0.f, -1.f}, {0.f, 1.f, 0.f, 2.f}});
  const Tensor picked = tensor<std::int64_t>({1, 3});
  const std::vector<double> each = cross_entropy(logits, picked, {.reduction = Reduction::none}).to_vector<double>();
  EXPECT_NEAR(Objective(settings, set)(logits, picked).item<double>(), (1.5 * each[0] + 0.75 * each[1]) / 2.25, 1e-6);
  settings = {};
  settings.class_weights = {1, 2};
  EXPECT_THROW(Objective(settings, set), Error);
  settings.class_weights = {0, 0, 0, 0};
  EXPECT_THROW(Objective(settings, set), Error);
  settings = {};
  settings.label_smoothing = 0.1;
  EXPECT_EQ(Objective(settings, set)(logits, picked).item<double>(),
            cross_entropy(logits, picked, {.label_smoothing = 0.1}).item<double>());
}

TEST(MultiTask, IsTheWeightedSum) {
  const Tensor a = tensor(2.f) * 1, b = tensor(3.f) * 1;
  EXPECT_EQ(multi_task_loss({{"a", a}, {"b", b, 0.5}}).item<float>(), 3.5f);
  EXPECT_THROW(multi_task_loss({}), Error);
  EXPECT_THROW(multi_task_loss({{"a", ones({2})}}), Error);
  EXPECT_THROW(multi_task_loss({{"a", a, -1}}), Error);
}

/// A recipe whose network has running statistics and dropout.
std::string normalised_recipe(const TemporaryFolder& folder) {
  std::string text = tiny_recipe(folder, 3);
  const std::size_t model = text.find("[model]"), data = text.find("[data]");
  return text.replace(model, data - model, R"([[model.layers]]
type = "conv2d"
in_channels = 1
out_channels = 4
kernel_size = 3
[[model.layers]]
type = "batch_norm2d"
num_features = 4
[[model.layers]]
type = "gelu"
[[model.layers]]
type = "flatten"
[[model.layers]]
type = "dropout"
p = 0.2
[[model.layers]]
type = "linear"
in_features = 144
out_features = 4
)");
}

TEST_F(Options, LayersThatTrainDifferentlyResumeBitForBit) {
  const Recipe recipe = parse_recipe(normalised_recipe(folder_), "tiny.toml");
  const TrainResult result = start(recipe, {.run = folder_ / "whole"});
  EXPECT_GT(result.history.back().test_accuracy.value(), 0.9);
  for (const int at : {3, 10, 17}) {
    const std::string name = fmt::format("stopped-{}", at);
    int asked = 0;
    start(recipe, {.run = folder_ / name, .stop = [&] { return asked++ == at; }});
    resume({.run = folder_ / name});
    EXPECT_EQ(difference("whole", name), 0);
    EXPECT_EQ(io::read_file(folder_ / name + "/checkpoints/best.safetensors"),
              io::read_file(folder_ / "whole/checkpoints/best.safetensors"));
  }
  bool moved = false;
  for (const auto& [key, tensor] : last_weights("whole")) {
    if (key == "1.running_mean") moved = max(abs(tensor)).item<float>() > 1e-3f;
  }
  EXPECT_TRUE(moved) << "running statistics are recorded and saved";
}

TEST_F(Options, MeasuringAModelLeavesItsModeAndStatisticsAlone) {
  const Recipe recipe = parse_recipe(normalised_recipe(folder_), "tiny.toml");
  start(recipe, {.run = folder_ / "run"});
  models::AnyModel model = load_model(RunFolder::open(folder_ / "run"), "best");
  const data::Dataset test = load_data(recipe.data, data::Split::test);
  nn::train(model);
  const NamedTensors before = nn::state_dict(model);
  const Evaluation first = evaluate(model, test), second = evaluate(model, test);
  EXPECT_EQ(first.loss, second.loss) << "nothing is dropped at random";
  check_fit(model, test);
  const NamedTensors after = nn::state_dict(model);
  for (std::size_t i = 0; i < before.size(); ++i) EXPECT_EQ(before[i].second, after[i].second) << before[i].first;
  const Tensor x = test.batch(std::vector<std::int64_t>{0, 1, 2, 3}).inputs;
  EXPECT_NE(model(x).to_vector<float>(), model(x).to_vector<float>()) << "it still trains: dropout drops";
}

TEST_F(Options, ReportAndEventFiles) {
  const Recipe logged = recipe({"log.tensorboard=true", "log.every_steps=5", "train.record=all"});
  start(logged, {.run = folder_ / "run"});
  const std::string page = io::read_file(folder_ / "run/report.html");
  for (const char* part : {"<title>run</title>", "Learning curves", "Confusion matrix", "north west", "seed = 5",
                           "Does it know what it knows?", "baseline"}) {
    EXPECT_THAT(page, HasSubstr(part));
  }
  for (const char* part : {"src=\"http", "url(http", "<link"}) EXPECT_EQ(page.find(part), page.npos) << part;
  int events = 0;
  for (const auto& entry : fs::directory_iterator(folder_ / "run")) {
    if (!entry.path().filename().string().starts_with("events.out.tfevents.")) continue;
    ++events;
    const std::string file = io::read_file(entry.path().string());
    for (const char* tag : {"gradients/layers.0.weight/norm", "updates/layers.0.weight/ratio", "activations/output/std",
                            "losses/max", "noise/signal", "inside/generalisation_gap", "inside/sharpness"})
      EXPECT_NE(file.find(tag), file.npos) << tag;
  }
  EXPECT_EQ(events, 1);
  fs::remove(folder_ / "run/report.html");
  EXPECT_TRUE(resume({.run = folder_ / "run"}).finished);
  EXPECT_TRUE(fs::exists(folder_ / "run/report.html")) << "killed before the report: resume writes it";
  start(recipe({"log.report=false"}), {.run = folder_ / "quiet"});
  EXPECT_FALSE(fs::exists(folder_ / "quiet/report.html"));
}

}  // namespace
}  // namespace gradus::train
