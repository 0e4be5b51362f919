// The recipes that need nothing but the library, trained as they stand.
#include <gtest/gtest.h>

#include "gradus/data/statistics.h"
#include "gradus/io/atomic_file.h"
#include "gradus/train/evaluate.h"
#include "gradus/train/setup.h"
#include "gradus/train/tiny_data_test.h"
#include "gradus/train/trainer.h"
#include "tests/support/paths.h"

namespace gradus {
namespace {

using testing_help::TemporaryFolder;

train::TrainResult trained(const std::string& recipe, const std::string& run) {
  return train::start(train::read_recipe(testing::source_path("recipes/" + recipe)), {.run = run});
}

TEST(EmbeddedRecipes, DigitsAreLearned) {
  const TemporaryFolder folder;
  EXPECT_GE(trained("digits-mlp.toml", folder / "run").history.back().test_accuracy.value(), 0.92);
}

TEST(EmbeddedRecipes, TumoursAreLearnedAndTheRunKeepsItsScaling) {
  const TemporaryFolder folder;
  const train::TrainResult result = trained("breast-cancer-mlp.toml", folder / "run");
  EXPECT_GE(result.history.back().test_accuracy.value(), 0.94);
  const train::RunFolder run = train::RunFolder::open(folder / "run");
  const train::Recipe kept = run.recipe();
  EXPECT_FALSE(kept.data.standardize);
  ASSERT_EQ(kept.data.mean.size(), 30u);
  const data::Dataset train = train::load_training_data(kept).train;  // the validation rows had no say
  for (const data::ChannelStatistics& s : data::channel_statistics(train)) {
    EXPECT_NEAR(s.mean, 0, 1e-6);
    EXPECT_NEAR(s.std, 1, 1e-6);
  }
  models::AnyModel model = train::load_model(run, "best");
  EXPECT_EQ(train::evaluate(model, train::load_data(kept.data, data::Split::test)).accuracy,
            result.history.back().test_accuracy);
}

TEST(EmbeddedRecipes, NumbersArePredictedAlmostAsWellAsTheNoiseLets) {
  const TemporaryFolder folder;
  const train::TrainResult result = trained("friedman-mlp.toml", folder / "run");
  EXPECT_LT(result.history.back().test_fit->rmse, 1.4) << "1 is the noise, 5 the spread";
  EXPECT_GT(result.history.back().test_fit->rmse, 0.9);
}

TEST(EmbeddedRecipes, TablesOfOnesOwn) {
  const TemporaryFolder folder;
  std::string rows = "colour,size,note,class\n";
  for (int i = 0; i < 120; ++i) {
    const bool big = i % 3 == 0;
    rows += std::string(i % 2 == 0 ? "red" : "blue") + "," +
            (i % 10 == 9 ? "" : std::to_string((big ? 900 : 100) + i)) + "," + std::to_string(i * 7919) + "," +
            (big ? "big" : "small") + "\n";
  }
  io::write_file(folder / "t.csv", rows);
  const std::string text =
      "[model]\nname = \"mlp\"\ninputs = 4\nhidden = [8]\noutputs = 2\n[data]\nname = \"csv\"\ntrain_path = \"" +
      (folder / "t.csv") + "\"\ntest_path = \"" + (folder / "t.csv") +
      "\"\ntarget = \"class\"\ndrop = [\"note\"]\nmissing = \"indicator\"\nstandardize = true\nvalidation = 20\n"
      "batch_size = 10\n[optimizer]\nlr = 3e-2\n[train]\nepochs = 20\n";
  const train::TrainResult result = train::start(train::parse_recipe(text, "t.toml"), {.run = folder / "run"});
  EXPECT_GE(result.history.back().test_accuracy.value(), 0.85);
}

}  // namespace
}  // namespace gradus
