#include "gradus/insight/doctor/trial.h"

#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>

#include "gradus/base/error.h"
#include "gradus/base/parallel.h"
#include "gradus/insight/doctor/remedies.h"
#include "gradus/models/variation.h"
#include "gradus/train/tiny_data_test.h"

namespace gradus::insight::doctor {
namespace {

using testing_help::TemporaryFolder;

train::Recipe tiny(const TemporaryFolder& folder, std::vector<std::string> changes = {}) {
  return train::parse_recipe(testing_help::tiny_recipe(folder, 1), "tiny", changes);
}

Finding remedy(const train::Recipe& recipe, const std::string& key, const std::string& value) {
  return {.rule = "a rule", .changes = {change(recipe, key, value)}};
}

TEST(DoctorTrial, AcceptsWhatHelps) {
  set_num_threads(1);  // networks this small gain nothing from more
  const TemporaryFolder folder;
  const train::Recipe recipe = tiny(folder, {"optimizer.lr=1e-6"});
  std::size_t told = 0;
  const TrialResult result = run_trial(
      recipe, {remedy(recipe, "optimizer.lr", "0.01"), remedy(recipe, "data.workers", "2"), {.rule = "leaked-rows"}},
      {.seeds = 4, .progress = [&](std::size_t, std::size_t, double) { ++told; }});
  ASSERT_EQ(result.remedies.size(), 2u) << "a finding without a change has nothing to try";
  EXPECT_EQ(told, 12u);
  EXPECT_EQ(result.seeds, (std::vector<std::uint64_t>{5, 6, 7, 8}));
  EXPECT_TRUE(result.remedies[0].accepted()) << text_of(result);
  // What changes nothing gives the same bits, and is called by its name.
  EXPECT_EQ(result.remedies[1].scores, result.untouched);
  EXPECT_FALSE(result.remedies[1].accepted());
  EXPECT_NE(text_of(result).find("did nothing        data.workers = 2"), std::string::npos) << text_of(result);
  const auto json = nlohmann::json::parse(json_of(result));
  EXPECT_EQ(json["remedies"][0]["accepted"], true);
  EXPECT_EQ(json["remedies"][1]["accepted"], false);
  EXPECT_EQ(json["remedies"][1]["gain"], 0.0);
}

/// A deep list of sigmoids on the digits, as a user writes one.
TEST(DoctorTrial, LayersAreChanged) {
  set_num_threads(1);
  std::string text =
      "seed = 1\n[data]\nname = \"digits\"\nvalidation = 200\n[optimizer]\nname = \"adamw\"\nlr = "
      "3e-3\n[train]\nepochs = 2\n"
      "[[model.layers]]\ntype = \"flatten\"\n";
  for (int i = 0; i < 6; ++i)
    text += std::string("[[model.layers]]\ntype = \"linear\"\nin_features = ") + (i == 0 ? "64" : "32") +
            "\nout_features = 32\n[[model.layers]]\ntype = \"sigmoid\"\n";
  text += "[[model.layers]]\ntype = \"linear\"\nin_features = 32\nout_features = 10\n";
  const train::Recipe recipe = train::parse_recipe(text, "deep.toml");
  const std::vector<Change> norms = with_norms(recipe), relus = other_activation(recipe, "relu");
  ASSERT_EQ(norms.size(), 1u);
  EXPECT_EQ(norms[0].key, "model.layers");
  EXPECT_EQ(inventory_of(changed(recipe, norms).model).norms, 6);
  EXPECT_EQ(inventory_of(changed(recipe, relus).model).activation, "relu");
  EXPECT_EQ(changed(recipe, {{"model.layers", relus[0].was, ""}}), recipe);
  EXPECT_TRUE(other_activation(recipe, "sigmoid").empty());
  EXPECT_TRUE(with_norms(changed(recipe, norms)).empty());
  const TrialResult result = run_trial(recipe, {{.rule = "vanishing-gradients", .changes = norms}}, {.seeds = 4});
  EXPECT_TRUE(result.remedies.at(0).accepted()) << text_of(result);
}

// The stated level is 5 %: of 20 changes that cannot matter at most one may be accepted. A change of the number of workers
// stands for them, and each runs with random numbers of its own, so that scores differ by chance and nothing else.
TEST(DoctorTrial, PlacebosAreNotAcceptedMoreOftenThanTheLevelSays) {
  set_num_threads(1);  // networks this small gain nothing from more
  const TemporaryFolder folder;
  const train::Recipe recipe = tiny(folder, {"optimizer.lr=0.003"});
  std::map<std::pair<std::int64_t, std::int64_t>, double> known;
  const Score by_chance = [&](const train::Recipe& asked) {
    train::Recipe run = asked;
    run.seed += 1000 * run.data.workers;
    const auto [place, fresh] = known.try_emplace({run.seed, run.data.workers}, 0);
    if (fresh) place->second = validation_score(run);
    return place->second;
  };
  int accepted = 0;
  bool differ = false;
  for (int i = 0; i < 20; ++i) {
    const TrialResult result =
        run_trial(recipe, {remedy(recipe, "data.workers", std::to_string(i + 2))}, {.seeds = 4, .score = by_chance});
    accepted += result.remedies.at(0).accepted() ? 1 : 0;
    differ = differ || result.remedies[0].scores != result.untouched;
  }
  EXPECT_TRUE(differ) << "placebos that give the same bits prove nothing";
  EXPECT_LE(accepted, 1);
}

TEST(DoctorTrial, LongRunsAreShortened) {
  const TemporaryFolder folder;
  train::Recipe recipe = tiny(folder);
  recipe.train.epochs = 50;
  std::int64_t longest = 0;
  const TrialResult result = run_trial(recipe, {remedy(recipe, "optimizer.lr", "0.02")},
                                       {.seeds = 2, .most_examples = 480, .score = [&](const train::Recipe& run) {
                                          longest = std::max(longest, run.train.epochs);
                                          return 0.5 + *run.optimizer.lr;
                                        }});
  EXPECT_EQ(result.epochs, 3);
  EXPECT_EQ(longest, 3);
  EXPECT_TRUE(result.remedies[0].accepted());
}

TEST(DoctorTrial, WrongUses) {
  const TemporaryFolder folder;
  const train::Recipe recipe = tiny(folder);
  EXPECT_THROW(run_trial(recipe, {remedy(recipe, "optimizer.lr", "0.02")}, {.seeds = 1}), Error);
  const TrialResult nothing = run_trial(recipe, {remedy(recipe, "optimizer.lr", "0.01")}, {});
  EXPECT_TRUE(nothing.remedies.empty()) << "a remedy that is the recipe is none";
  EXPECT_EQ(text_of(nothing), "trial: no finding has a remedy that a recipe can say\n");
  // A run that fails scores 0.
  EXPECT_EQ(validation_score(tiny(folder, {"optimizer.name=sgd", "optimizer.lr=1e30"})), 0);
}

}  // namespace
}  // namespace gradus::insight::doctor
