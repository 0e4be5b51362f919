// Claims on a network of the reader's own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "gradus/base/error.h"
#include "gradus/base/parallel.h"
#include "gradus/base/random.h"
#include "gradus/book/own/explain_on.h"
#include "gradus/book/rivals.h"
#include "gradus/engine/eval.h"
#include "gradus/models/registry.h"
#include "gradus/models/variation.h"
#include "gradus/nn/init.h"
#include "gradus/ops/factory.h"
#include "tests/support/browser.h"

namespace gradus::book {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

train::Recipe recipe(const std::string& model, const std::string& more = "") {
  return train::parse_recipe("seed = 1\n" + model +
                                 "[data]\nname = \"digits\"\nvalidation = 200\nbatch_size = 32\n[optimizer]\nname = "
                                 "\"adamw\"\nlr = 3e-3\n" +
                                 more,
                             "own.toml");
}
const std::string mlp = "[model]\nname = \"mlp\"\ninputs = 64\nhidden = [16, 16]\nactivation = \"tanh\"\n";
const std::string line = "[model]\nname = \"mlp\"\ninputs = 64\nhidden = []\n";

std::vector<std::string> types(const models::ModelSettings& model) {
  std::vector<std::string> names;
  for (const models::LayerSettings& layer : model.layers) names.push_back(layer.type);
  return names;
}

/// Written out as a list, a network draws the same weights and gives the same answers.
TEST(Variation, AListIsTheSameNetwork) {
  models::ModelSettings small;
  small.name = "mlp";
  small.hidden = {20, 12};
  small.activation = "gelu";
  models::ModelSettings lenet;
  lenet.name = "lenet5";
  for (const models::ModelSettings& settings : {small, lenet}) {
    manual_seed(4);
    models::AnyModel named = models::make(settings);
    manual_seed(4);
    models::AnyModel listed = models::make(as_layers(settings));
    const Tensor images = nn::init::normal({3, 1, 28, 28});
    EXPECT_EQ(named(images).to_vector<float>(), listed(images).to_vector<float>()) << settings.name;
  }
}

TEST(Variation, ChangesWhatItSays) {
  const models::ModelSettings own = as_layers(recipe(mlp).model);
  EXPECT_EQ(inventory_of(own).weights, 3);
  EXPECT_EQ(inventory_of(own).activations, 2);
  EXPECT_EQ(inventory_of(own).activation, "tanh");
  EXPECT_THAT(types(with_activation(own, "sigmoid")),
              ElementsAre("flatten", "linear", "sigmoid", "linear", "sigmoid", "linear"));
  EXPECT_THAT(types(with_batch_norm(own)),
              ElementsAre("flatten", "linear", "batch_norm1d", "tanh", "linear", "batch_norm1d", "tanh", "linear"));
  EXPECT_THAT(types(with_dropout(own, 0.25)),
              ElementsAre("flatten", "linear", "tanh", "dropout", "linear", "tanh", "dropout", "linear"));
  EXPECT_THAT(types(without_activations(own)), ElementsAre("flatten", "linear", "linear", "linear"));
  models::ModelSettings lenet;
  lenet.name = "lenet5";
  const models::ModelSettings normed = with_batch_norm(as_layers(lenet));
  EXPECT_EQ(normed.layers[1].type, "batch_norm2d");
  EXPECT_EQ(normed.layers[1].num_features, 6);
  EXPECT_EQ(inventory_of(normed).norms, 4);
  models::make(normed);
  models::ModelSettings unknown;
  unknown.name = "gpt";
  EXPECT_THROW(as_layers(unknown), Error);
}

TEST(Setting, EqualTrialsGiveEqualOutcomes) {
  set_num_threads(1);
  const Setting first(recipe(mlp), Effort::quick), second(recipe(mlp), Effort::quick);
  const auto outcome = [&](const Setting& setting, std::uint64_t seed) {
    return setting.fit({.recipe = setting.recipe(), .seed = seed, .examples = 300});
  };
  EXPECT_EQ(outcome(first, 1).loss, outcome(second, 1).loss);
  EXPECT_EQ(outcome(first, 1).score, outcome(second, 1).score);
  EXPECT_NE(outcome(first, 1).loss, outcome(first, 2).loss);
  EXPECT_EQ(first.checksum(), second.checksum());
  EXPECT_EQ(first.description(), "mlp on digits, 60 steps of 32");
  const train::Recipe wild = first.with_optimizer("sgd", 1e20);
  EXPECT_EQ(first.fit({.recipe = wild, .seed = 1}).loss, 2) << "diverged";
}

TEST(ExplainOn, AsksWhatCanBeAskedAndSaysWhyNot) {
  set_num_threads(1);
  const Setting deep(recipe(mlp), Effort::quick);
  const OwnExplanation first = explain_on(entry_for("6"), deep, "mine", Effort::quick);
  EXPECT_EQ(first.claims.size(), 6u);
  EXPECT_TRUE(first.refused.empty());
  const auto verdict = [](const OwnExplanation& explanation, const std::string& id) {
    for (const insight::ClaimResult& r : explanation.claims) {
      if (r.claim.id == id) return std::string(insight::name_of(r.verdict));
    }
    return std::string("not asked");
  };
  EXPECT_EQ(verdict(first, "first-layer-starves"), "refuted") << "three layers of tanh are healthy";
  EXPECT_EQ(json_of(first), json_of(explain_on(entry_for("6"), deep, "mine", Effort::quick)));

  const Setting flat(recipe(line), Effort::quick);
  const OwnExplanation none = explain_on(entry_for("6"), flat, "line <&>", Effort::quick);
  EXPECT_TRUE(none.claims.empty());
  ASSERT_EQ(none.refused.size(), 6u);
  EXPECT_THAT(text_of(none, false), HasSubstr("not asked: the network has no activation functions"));
  EXPECT_THAT(page_of(none), HasSubstr("line &lt;&amp;&gt;"));
  EXPECT_THAT(page_of(none), Not(HasSubstr("What was measured")));
}

/// Twelve layers of sigmoids: the case that the chapter is about.
TEST(ExplainOn, FindsTheNetworkThatStarves) {
  set_num_threads(1);
  const std::string deep =
      "[model]\nname = \"mlp\"\ninputs = 64\nhidden = [32, 32, 32, 32, 32, 32, 32, 32]\nactivation = "
      "\"sigmoid\"\n";
  const OwnExplanation found =
      explain_on(entry_for("vanishing-gradients"), Setting(recipe(deep), Effort::quick), "deep", Effort::quick);
  EXPECT_EQ(found.claims.at(0).verdict, insight::Verdict::holds) << found.claims[0].test.mean;
  EXPECT_EQ(found.claims.at(1).claim.id, "relu-feeds-it");
  EXPECT_EQ(found.claims.at(1).verdict, insight::Verdict::holds);
  ASSERT_EQ(found.refused.size(), 2u);
  EXPECT_THAT(found.refused[0].reason, HasSubstr("sigmoid already"));
}

TEST(ExplainOn, TheOtherChapters) {
  set_num_threads(1);
  const Setting setting(recipe(mlp), Effort::quick);
  const OwnExplanation descent = explain_on(entry_for("5"), setting, "mlp", Effort::quick);
  EXPECT_EQ(descent.claims.size(), 4u);
  ASSERT_EQ(descent.refused.size(), 1u);
  EXPECT_EQ(descent.refused[0].reason, "the recipe's rate is constant");
  const OwnExplanation overfitting = explain_on(entry_for("7"), setting, "mlp", Effort::quick);
  EXPECT_EQ(overfitting.claims.size(), 4u);
  const OwnExplanation activations = explain_on(entry_for("8"), setting, "mlp", Effort::quick);
  EXPECT_EQ(activations.claims.size(), 3u);
  ASSERT_EQ(activations.refused.size(), 1u);
  EXPECT_EQ(activations.refused[0].reason, "its activation is tanh already");
  const OwnExplanation regularisation = explain_on(entry_for("13"), setting, "mlp", Effort::quick);
  EXPECT_EQ(regularisation.claims.size(), 4u);
  for (const insight::ClaimResult& claim : regularisation.claims) {
    EXPECT_TRUE(std::any_of(claim.pairs.begin(), claim.pairs.end(),
                            [](const insight::Pair& pair) { return pair.treated != pair.control; }))
        << claim.claim.id << " changes nothing";
  }
  EXPECT_THROW(require_own_claims(entry_for("20")), Error);
}

TEST(Variation, WidthAndDepthFollowThroughAllLayers) {
  models::ModelSettings model;
  model.name = "lenet5";
  const models::ModelSettings lenet = as_layers(model);
  for (const double factor : {0.25, 0.5, 2.0}) {
    models::AnyModel changed = models::make(with_batch_norm(with_width(lenet, factor)));
    EXPECT_EQ(changed(zeros({2, 1, 28, 28})).shape(), (Shape{2, 10})) << factor;
    models::AnyModel normed = models::make(with_width(with_batch_norm(lenet), factor));
    EXPECT_EQ(normed(zeros({2, 1, 28, 28})).shape(), (Shape{2, 10})) << factor;
  }
  EXPECT_EQ(with_width(lenet, 1), lenet);
  models::AnyModel deep = models::make(with_another_layer(lenet));
  EXPECT_EQ(deep(zeros({2, 1, 28, 28})).shape(), (Shape{2, 10}));
  EXPECT_EQ(inventory_of(with_another_layer(lenet)).weights, 6);
  models::ModelSettings normed = lenet;
  models::LayerSettings norm;
  norm.type = "layer_norm";
  norm.normalized_shape = {84};
  normed.layers.insert(normed.layers.end() - 1, norm);
  EXPECT_THAT(width_is_fixed(normed), HasSubstr("layer_norm"));
  EXPECT_THROW(with_width(normed, 2), Error);
}

TEST(ExplainOn, StructureAndBackpropagation) {
  set_num_threads(1);
  const Setting setting(recipe(mlp), Effort::quick);
  const OwnExplanation structure = explain_on(entry_for("2"), setting, "mlp", Effort::quick);
  ASSERT_EQ(structure.claims.size(), 5u);
  EXPECT_EQ(structure.claims[4].claim.id, "equal-units-stay-equal");
  EXPECT_EQ(structure.claims[4].verdict, insight::Verdict::holds);
  const OwnExplanation gradients = explain_on(entry_for("3"), setting, "mlp", Effort::quick);
  ASSERT_EQ(gradients.claims.size(), 3u);
  EXPECT_EQ(gradients.claims[0].verdict, insight::Verdict::holds);
  EXPECT_EQ(gradients.claims[1].verdict, insight::Verdict::refuted);
  EXPECT_EQ(gradients.claims[2].verdict, insight::Verdict::holds);
  const Setting numbers(train::parse_recipe("seed = 1\n[model]\nname = \"mlp\"\ninputs = 10\nhidden = [16]\noutputs = "
                                            "1\nactivation = \"silu\"\n[data]\nname = \"friedman\"\nvalidation = "
                                            "100\nbatch_size = 16\n[optimizer]\nname = \"adamw\"\nlr = 3e-3\n",
                                            "numbers.toml"),
                        Effort::quick);
  EXPECT_LT(numbers.difference_error(1, 1e-5), -6);
  const Setting flat(recipe(line), Effort::quick);
  EXPECT_EQ(explain_on(entry_for("2"), flat, "line", Effort::quick).refused.size(), 4u);
}

TEST(ExplainOn, AgainstOtherLearners) {
  set_num_threads(1);
  const Setting setting(recipe(mlp), Effort::quick);
  const OwnExplanation deep = explain_on(entry_for("1"), setting, "mlp", Effort::quick);
  EXPECT_EQ(deep.claims.size() + deep.refused.size(), 3u);
  EXPECT_EQ(deep.refused.size(), has_svm() ? 0u : 1u);
  for (const insight::Pair& pair : deep.claims.at(0).pairs) EXPECT_GT(pair.control, 0.8) << "a linear model of digits";
  const OwnExplanation limits = explain_on(entry_for("4"), setting, "mlp", Effort::quick);
  // Digits are eight pixels wide: one pixel is an eighth.
  ASSERT_EQ(limits.claims.size() + limits.refused.size(), 3u);
  for (const Refusal& refusal : limits.refused) EXPECT_FALSE(refusal.reason.empty());
}

}  // namespace
}  // namespace gradus::book
