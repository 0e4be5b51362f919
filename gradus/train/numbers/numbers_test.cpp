// Recipes that predict numbers: losses, units, metrics, resume, report.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "gradus/base/parallel.h"
#include "gradus/base/random.h"
#include "gradus/data/embedded/friedman.h"
#include "gradus/engine/eval.h"
#include "gradus/io/atomic_file.h"
#include "gradus/nn/losses.h"
#include "gradus/ops/factory.h"
#include "gradus/train/evaluate.h"
#include "gradus/train/metrics/regression.h"
#include "gradus/train/setup.h"
#include "gradus/train/tiny_data_test.h"
#include "gradus/train/trainer.h"

namespace gradus::train {
namespace {

using ::testing::HasSubstr;
using testing_help::TemporaryFolder;

/// Houses of two kinds, whose price in thousands follows from their size: numbers far from 0.
std::string houses(std::uint64_t seed, int rows) {
  std::vector<double> sizes(static_cast<std::size_t>(rows)), noise(sizes.size());
  fill_uniform(std::span<double>(sizes), Key{seed}, 40, 200);
  fill_normal(std::span<double>(noise), Key{seed}.fold(1), 0, 5);
  std::string text = "kind,size,price\n";
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const bool villa = i % 3 == 0;
    text += fmt::format("{},{:.1f},{:.2f}\n", villa ? "villa" : "flat", sizes[i],
                        (villa ? 900 : 500) + 4 * sizes[i] + noise[i]);
  }
  return text;
}

class Numbers : public ::testing::Test {
 protected:
  Numbers() {
    set_num_threads(1);
    io::write_file(folder_ / "train.csv", houses(1, 200));
    io::write_file(folder_ / "test.csv", houses(2, 60));
  }
  Recipe recipe(const std::vector<std::string>& changes = {}) {
    return parse_recipe(fmt::format(R"(seed = 3
[model]
name = "mlp"
inputs = 3
hidden = [16]
outputs = 1
[data]
name = "csv"
task = "regression"
train_path = "{0}/train.csv"
test_path = "{0}/test.csv"
target = "price"
standardize = true
validation = 40
batch_size = 16
[optimizer]
lr = 2e-2
[train]
epochs = 12
)",
                                    folder_.path()),
                        "houses.toml", changes);
  }

  TemporaryFolder folder_;
};

TEST_F(Numbers, AreLearnedInTheirOwnUnit) {
  const TrainResult result = start(recipe(), {.run = folder_ / "run"});
  const EpochMetrics& last = result.history.back();
  ASSERT_TRUE(last.val_fit && last.test_fit);
  EXPECT_FALSE(last.test_accuracy.has_value());
  EXPECT_GT(last.test_fit->r2, 0.98);
  EXPECT_LT(last.test_fit->rmse, 40) << "prices spread by about 270";
  EXPECT_EQ(read_metrics(folder_ / "run/metrics.jsonl"), result.history);
  const Recipe kept = RunFolder::open(folder_ / "run").recipe();
  EXPECT_GT(kept.data.target_mean, 900);
  EXPECT_GT(kept.data.target_std, 100);
  // The figures are those that anyone can compute from the best checkpoint.
  models::AnyModel best = load_model(RunFolder::open(folder_ / "run"), "best");
  const data::Dataset test = load_data(kept.data, data::Split::test);
  const std::vector<double> predicted = predicted_numbers(best, test, number_task(kept));
  metrics::Regression figures;
  figures.update(leaf<double>({60}, std::span<const double>(predicted)), test.labels());
  EXPECT_NEAR(figures.rmse(), last.test_fit->rmse, 1e-4);
  EXPECT_NEAR(figures.r2(), last.test_fit->r2, 1e-6);
}

TEST_F(Numbers, EveryLoss) {
  const Tensor answer = tensor({{0.f}, {3.f}, {-1.f}}), targets = tensor({100.f, 104.f, 112.f});  // 0, 0.4, 1.2 of 10
  const double a = 0, b = 2.6, c = 2.2;
  const auto loss = [&](const char* name, double delta, Reduction reduction = Reduction::mean) {
    return NumberTask{.loss = name, .delta = delta, .mean = 100, .std = 10}
        .loss_of(answer, targets, reduction)
        .item<double>();
  };
  EXPECT_NEAR(loss("mse", 1), (a + b * b + c * c) / 3, 1e-5);
  EXPECT_NEAR(loss("mse", 1, Reduction::sum), b * b + c * c, 1e-5);
  EXPECT_NEAR(loss("l1", 1), (b + c) / 3, 1e-5);
  EXPECT_NEAR(loss("huber", 2), (2 * (b - 1) + 2 * (c - 1)) / 3, 1e-5);
  EXPECT_NEAR(loss("smooth_l1", 2), ((b - 1) + (c - 1)) / 3, 1e-5);
  EXPECT_EQ((NumberTask{.mean = 100, .std = 10}.numbers(answer).to_vector<double>()),
            (std::vector<double>{100, 130, 90}));
  for (const char* name : {"l1", "huber", "smooth_l1"}) {
    const TrainResult result = start(recipe({fmt::format("train.loss={}", name)}), {.run = folder_ / name});
    EXPECT_GT(result.history.back().test_fit->r2, 0.97) << name;
  }
}

TEST_F(Numbers, MonitorsAndPatience) {
  for (const char* monitor : {"val_r2", "val_mae", "val_rmse"}) {
    const TrainResult result =
        start(recipe({fmt::format("train.monitor={}", monitor), "train.epochs=4"}), {.run = folder_ / monitor});
    const auto value = [&](const EpochMetrics& m) {
      if (monitor == std::string("val_r2")) return -m.val_fit->r2;
      return monitor == std::string("val_mae") ? m.val_fit->mae : m.val_fit->rmse;
    };
    std::int64_t best = 1;
    for (const EpochMetrics& m : result.history) {
      if (value(m) < value(result.history.at(static_cast<std::size_t>(best - 1)))) best = m.epoch;
    }
    EXPECT_EQ(result.loop.best_epoch, best) << monitor;
  }
}

TEST_F(Numbers, ResumeBitForBit) {
  for (const char* accumulate : {"train.accumulate=1", "train.accumulate=2"}) {
    const Recipe regression = recipe({accumulate, "train.epochs=3", "train.ema=0.9"});
    const std::string whole = folder_ / (std::string("whole-") + accumulate);
    start(regression, {.run = whole});
    for (const int at : {3, 11}) {
      const std::string run = whole + std::to_string(at);
      int asked = 0;
      EXPECT_FALSE(start(regression, {.run = run, .stop = [&] { return asked++ == at; }}).finished);
      EXPECT_TRUE(resume({.run = run}).finished);
      for (const char* file : {"/checkpoints/last.safetensors", "/checkpoints/best.safetensors"}) {
        EXPECT_TRUE(io::read_file(whole + file) == io::read_file(run + file)) << file;
      }
    }
  }
}

TEST_F(Numbers, ReportAndEventFiles) {
  start(recipe({"train.epochs=2", "log.tensorboard=true"}), {.run = folder_ / "run"});
  const std::string page = io::read_file(folder_ / "run/report.html");
  for (const char* part : {"<title>run</title>", "Learning curves", "RMSE", "always the mean", "Prediction by truth",
                           "The largest errors", "R2"}) {
    EXPECT_THAT(page, HasSubstr(part));
  }
  for (const char* part : {"src=\"http", "url(http", "<link", "Confusion", "ccuracy"})
    EXPECT_EQ(page.find(part), page.npos) << part;
}

TEST(Friedman, IsWhatItsFormulaSays) {
  const data::Table train = data::friedman_table(data::Split::train), test = data::friedman_table(data::Split::test);
  EXPECT_EQ(train.rows(), 1000);
  EXPECT_EQ(test.rows(), 500);
  double mean = 0, squares = 0;
  for (std::int64_t r = 0; r < train.rows(); ++r) {
    const auto x = [&](const char* name) { return train.column(name).number(r); };
    const double noise = x("y") - (10 * std::sin(std::acos(-1.0) * x("x1") * x("x2")) +
                                   20 * std::pow(x("x3") - 0.5, 2) + 10 * x("x4") + 5 * x("x5"));
    mean += noise / 1000;
    squares += noise * noise / 1000;
  }
  EXPECT_NEAR(mean, 0, 0.1);
  EXPECT_NEAR(squares, 1, 0.15);
  EXPECT_NE(train.column("x1").number(0), test.column("x1").number(0));
}

}  // namespace
}  // namespace gradus::train
