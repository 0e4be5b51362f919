#include "gradus/train/recipe.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "gradus/base/error.h"
#include "tests/support/paths.h"

namespace gradus::train {
namespace {

constexpr const char* minimal = "[model]\nname = \"lenet5\"\n";

/// What reading the recipe `text` says, or "" when it is accepted.
std::string refusal(const std::string& text, const std::vector<std::string>& changes = {}) {
  try {
    parse_recipe(text, "r.toml", changes);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::config);
    return error.what();
  }
  return "";
}

TEST(Recipe, DefaultsArePyTorchs) {
  using List = std::vector<double>;
  const auto optimizer = [](const std::string& name) {
    return parse_recipe(fmt::format("{}[optimizer]\nname = \"{}\"", minimal, name), "r.toml").optimizer;
  };
  EXPECT_EQ(parse_recipe(minimal, "r.toml").optimizer, optimizer("adamw"));
  EXPECT_EQ(optimizer("adamw").lr, 1e-3);
  EXPECT_EQ(optimizer("adamw").settings,
            (Settings{{"amsgrad", false}, {"betas", List{0.9, 0.999}}, {"eps", 1e-8}, {"weight_decay", 0.01}}));
  EXPECT_EQ(optimizer("sgd").settings,
            (Settings{{"dampening", 0.0}, {"momentum", 0.0}, {"nesterov", false}, {"weight_decay", 0.0}}));
  EXPECT_EQ(optimizer("adadelta").lr, 1.0);
  EXPECT_EQ(optimizer("lion").settings, (Settings{{"betas", List{0.9, 0.99}}, {"weight_decay", 0.0}}));
  EXPECT_EQ(std::get<List>(optimizer("adafactor").settings.at("eps")).size(), 2u) << "a list here, a number elsewhere";
}

TEST(Recipe, NamesTheInstrumentsThatExist) {
  const std::vector<std::string> change = {"train.record=all"};
  EXPECT_EQ(parse_recipe("[model]\nname = \"lenet5\"\n", "r.toml", change).train.record,
            (std::vector<std::string>{"all"}));
  const std::string all = "gradients, activations, updates, losses, noise, generalisation, calibration, sharpness, all";
  EXPECT_EQ(refusal("[model]\nname = \"lenet5\"\n[train]\nrecord = [\"updates\", \"gradient\"]\n"),
            "configuration error in r.toml:4: \"gradient\" in train.record is not known, expected some of " + all +
                "\n  hint: did you mean \"gradients\"?");
  EXPECT_EQ(
      refusal("[model]\nname = \"lenet5\"\n[train]\nrecord = true\n"),
      "configuration error in r.toml:4: train.record = true is true or false, expected a list of strings: some of " +
          all);
}

TEST(Recipe, ReadsEveryKind) {
  const Recipe recipe = parse_recipe(R"(
    seed = 7
    [model]
    name = "mlp"
    hidden = [32, 16]
    activation = "tanh"
    [data]
    folder = "a \"quoted\" \\ place"
    [optimizer]
    name = "sgd"
    lr = 1
    momentum = 0.9
    nesterov = true
    schedule = "multistep"
    [schedule]
    milestones = [3, 5]
    [train]
    epochs = 2
  )",
                                     "r.toml");
  EXPECT_EQ(recipe.seed, 7);
  EXPECT_EQ(recipe.model.hidden, (std::vector<std::int64_t>{32, 16}));
  EXPECT_EQ(recipe.model.activation, "tanh");
  EXPECT_EQ(recipe.data.folder, "a \"quoted\" \\ place");
  EXPECT_EQ(recipe.optimizer.lr, 1.0);
  EXPECT_EQ(recipe.optimizer.settings.at("nesterov"), SettingValue(true));
  EXPECT_EQ(recipe.schedule, (Settings{{"gamma", 0.1}, {"milestones", std::vector<double>{3, 5}}, {"unit", "step"}}));
  EXPECT_EQ(recipe.train.epochs, 2);
}

TEST(Recipe, WrittenTextReadsBackAsTheSame) {
  const std::string texts[] = {
      minimal, "[model]\nname = \"mlp\"\nhidden = []\n[optimizer]\nlr = 1e-20\nbetas = [0, 0.5]\n",
      "[[model.layers]]\ntype = \"flatten\"\n[[model.layers]]\ntype = \"linear\"\nin_features = 784\nout_features = "
      "10\nbias = "
      "false\n[data]\nname = \"idx\"\ntrain_images = \"tab\\there\"\ntrain_labels = \"b\"\ntest_images = \"c\"\n"
      "test_labels = \"d\"\nclass_names = [\"a \\\"b\\\"\", \"\"]\nmean = [0.5]\nstd = [1e-3]\n[optimizer]\nname = "
      "\"sgd\"\nweight_decay = 5e-4\n"};
  for (const std::string& text : texts) {
    const Recipe recipe = parse_recipe(text, "r.toml");
    const std::string written = recipe_text(recipe);
    EXPECT_EQ(parse_recipe(written, "written.toml"), recipe) << written;
    EXPECT_EQ(recipe_text(parse_recipe(written, "written.toml")), written);
  }
}

TEST(Recipe, WrittenTextIsComplete) {
  EXPECT_EQ(recipe_text(parse_recipe("seed = 3\n[model]\nname = \"lenet5\"\n", "r.toml")),
            "seed = 3\n\n[model]\nname = \"lenet5\"\n\n[data]\nname = \"fashion-mnist\"\nfolder = \"\"\nstandardize = "
            "false\nmean = []\n"
            "std = []\n"
            "validation = 5000\n"
            "batch_size = 64\nshuffle = true\nworkers = 1\n\n[optimizer]\nname = \"adamw\"\nlr = 0.001\neps = "
            "1e-08\nweight_decay = "
            "0.01\nbetas = [0.9, "
            "0.999]\namsgrad = false\nschedule = \"constant\"\nwarmup_steps = 0\n\n[train]\nepochs = 5\nloss = "
            "\"cross_entropy\"\nmonitor = "
            "\"val_accuracy\"\npatience = 0\n"
            "min_delta = 0.0\nlabel_smoothing = 0.0\nmixup = 0.0\ninput_noise = 0.0\nl1_penalty = 0.0\nmax_norm = "
            "0.0\nclass_balance = \"none\"\nclass_weights = []\naccumulate = 1\nclip_norm "
            "= "
            "0.0\nclip_value = 0.0\nclip_adaptive = 0.0\nema = 0.0\nswa_start = 0\nprecision = \"f32\"\nmemory_limit = "
            "0\ncheckpoint_steps = "
            "500\nrecord = []\nrecord_every_steps = 0\n\n[log]\ntensorboard = "
            "false\nevery_steps = 50\nreport = true\n");
}

TEST(Recipe, ChangesOverrideTheFile) {
  const std::vector<std::string> changes = {"train.epochs=3", "optimizer.name=sgd", "optimizer.lr=1e-1",
                                            "optimizer.name = \"adamw\"", "data.folder=/some/where"};
  const Recipe recipe = parse_recipe(std::string(minimal) + "[train]\nepochs = 9\n", "r.toml", changes);
  EXPECT_EQ(recipe.train.epochs, 3);
  EXPECT_EQ(recipe.optimizer.name, "adamw");
  EXPECT_EQ(recipe.optimizer.lr, 0.1);
  EXPECT_EQ(recipe.data.folder, "/some/where");
  EXPECT_EQ(refusal(minimal, {"train.epoch=3"}),
            "configuration error in --set train.epoch=3: unknown key train.epoch\n  hint: did you mean train.epochs?");
  EXPECT_EQ(
      refusal(minimal, {"train.epochs=many"}),
      "configuration error in --set train.epochs=many: train.epochs = 'many' is a string, expected an integer >= 1");
  EXPECT_EQ(refusal(minimal, {"epochs"}),
            "configuration error in --set epochs: expected KEY=VALUE\n  hint: for example --set train.epochs=3");
}

TEST(Recipe, UnknownKeysNameTheNearestOne) {
  EXPECT_EQ(refusal("[model]\nname = \"lenet5\"\n\n[optimizer]\nweight_decy = 0.1\n"),
            "configuration error in r.toml:5: unknown key optimizer.weight_decy\n  hint: did you mean "
            "optimizer.weight_decay?");
  EXPECT_EQ(refusal("epochs = 3\n[model]\nname = \"lenet5\"\n"),
            "configuration error in r.toml:1: unknown key epochs\n  hint: did you mean train.epochs?");
  EXPECT_EQ(refusal("[optimiser]\nlr = 0.1\n"),
            "configuration error in r.toml:1: unknown section [optimiser]\n  hint: did you mean [optimizer]?");
  EXPECT_EQ(refusal("[[model.layers]]\ntype = \"relu\"\n[[model.layers]]\ntype = \"linear\"\nin_feature = 3\n"),
            "configuration error in r.toml:5: unknown key in_feature\n  hint: did you mean in_features?");
}

TEST(Recipe, WrongTypesAndRanges) {
  EXPECT_EQ(refusal("[data]\nbatch_size = \"64\"\n"),
            "configuration error in r.toml:2: data.batch_size = '64' is a string, expected an integer >= 1");
  EXPECT_EQ(refusal("[train]\n\nepochs = 0\n"),
            "configuration error in r.toml:3: train.epochs = 0 is out of range, expected an integer >= 1");
  EXPECT_EQ(refusal("[train]\nepochs = 2.5\n"),
            "configuration error in r.toml:2: train.epochs = 2.5 is a number, expected an integer >= 1");
  EXPECT_EQ(refusal("[optimizer]\nlr = -1\n"),
            "configuration error in r.toml:2: optimizer.lr = -1 is out of range, expected a number >= 0");
  EXPECT_EQ(refusal("[optimizer]\nlr = nan\n"),
            "configuration error in r.toml:2: optimizer.lr = nan is out of range, expected a number >= 0");
  EXPECT_EQ(refusal("optimizer = \"sgd\"\n"),
            "configuration error in r.toml:1: optimizer = 'sgd' is a string, expected the section [optimizer]");
}

TEST(Recipe, MissingAndMeaninglessKeys) {
  EXPECT_EQ(refusal("seed = 1\n"),
            "configuration error in r.toml: model.name is missing\n  hint: expected one of lenet5, mlp, layers");
  EXPECT_EQ(refusal("[model]\nname = \"lenet5\"\nhidden = [3]\n"),
            "configuration error in r.toml:3: model.hidden means nothing with model.name = \"lenet5\"");
  EXPECT_EQ(refusal(std::string(minimal) + "[optimizer]\nmomentum = 0.9\n"),
            "configuration error in r.toml:4: optimizer.momentum means nothing with optimizer.name = \"adamw\"");
  EXPECT_EQ(
      refusal("[[model.layers]]\ntype = \"linear\"\nout_features = 3\n"),
      "configuration error in r.toml:1: model.layers[0].in_features is missing\n  hint: expected an integer >= 1");
  EXPECT_EQ(refusal("[[model.layers]]\ntype = \"relu\"\nkernel_size = 3\n"),
            "configuration error in r.toml:3: model.layers[0].kernel_size means nothing with type = \"relu\"");
  EXPECT_EQ(refusal("[model]\nname = \"lenet5\"\n[[model.layers]]\ntype = \"relu\"\n"),
            "configuration error in r.toml:3: model.layers belongs to model.name = \"layers\", and this recipe's is "
            "\"lenet5\"");
  EXPECT_EQ(refusal(std::string(minimal) + "[data]\nname = \"idx\"\n"),
            "configuration error in r.toml: data.train_images is missing\n  hint: expected a string");
  EXPECT_EQ(refusal("[model]\nname = \"layers\"\n"),
            "configuration error in r.toml: model.name = \"layers\" needs at least one [[model.layers]]");
}

TEST(Recipe, BadToml) {
  EXPECT_THAT(refusal("[model]\nname = \"lenet5\n"),
              ::testing::StartsWith("configuration error in r.toml:2: not TOML: "));
  EXPECT_THAT(refusal(std::string("\0\xff", 2)), ::testing::HasSubstr("not TOML"));
  try {
    read_recipe("/nowhere/r.toml");
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(),
                 "configuration error in /nowhere/r.toml: the recipe cannot be read: No such file or directory");
  }
}

TEST(Recipe, HelpNamesEveryKey) {
  const std::string help = recipe_help();
  for (const char* key : {"lamb", "ns_coefficients", "one-cycle", "pct_start", "seed", "epochs", "weight_decay",
                          "kernel_size", "checkpoint_steps", "folder"}) {
    EXPECT_THAT(help, ::testing::HasSubstr(key));
  }
}

TEST(Recipe, ShippedRecipesAreValid) {
  for (const auto& entry : std::filesystem::directory_iterator(testing::source_path("recipes"))) {
    if (entry.path().extension() != ".toml") continue;
    const Recipe recipe = read_recipe(entry.path().string());
    EXPECT_LE(recipe.train.epochs, 10) << entry.path();
  }
}

}  // namespace
}  // namespace gradus::train
