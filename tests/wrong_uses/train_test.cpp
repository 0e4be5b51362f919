// What users do wrong with recipes, run folders, metrics and training, and what they are told.
#include <gtest/gtest.h>

#include <filesystem>

#include "gradus/gradus.h"
#include "gradus/io/atomic_file.h"
#include "gradus/io/event_file.h"
#include "gradus/models/registry.h"
#include "gradus/train/early_stopping.h"
#include "gradus/train/lr_find.h"
#include "gradus/train/metrics/classification.h"
#include "gradus/train/metrics/curves.h"
#include "gradus/train/metrics/regression.h"
#include "gradus/train/objective.h"
#include "gradus/train/run_folder.h"
#include "gradus/train/setup.h"
#include "gradus/train/tiny_data_test.h"
#include "gradus/train/trainer.h"
#include "tests/wrong_uses/wrong_uses.h"

namespace gradus::train {
namespace {

namespace fs = std::filesystem;
using testing::check_wrong_uses;
using testing_help::TemporaryFolder;
using testing_help::tiny_recipe;

void recipe(const std::string& text, std::vector<std::string> changes = {}) {
  parse_recipe("[model]\nname = \"lenet5\"\n" + text, "r.toml", changes);
}

Tensor classes(std::vector<std::int64_t> values) {
  return leaf<std::int64_t>({static_cast<std::int64_t>(values.size())}, std::span<const std::int64_t>(values));
}

TEST(WrongUses, Recipes) {
  check_wrong_uses({
      {"unknown key", [] { recipe("[train]\npatiense = 3\n"); },
       "configuration error in r.toml:4: unknown key train.patiense\n  hint: did you mean train.patience?"},
      {"unknown section", [] { recipe("[logs]\ntensorboard = true\n"); },
       "configuration error in r.toml:3: unknown section [logs]\n  hint: did you mean [log]?"},
      {"key of another section", [] { recipe("[train]\ntensorboard = true\n"); },
       "configuration error in r.toml:4: unknown key train.tensorboard\n  hint: did you mean log.tensorboard?"},
      {"negative patience", [] { recipe("[train]\npatience = -1\n"); },
       "configuration error in r.toml:4: train.patience = -1 is out of range, expected an integer >= 0"},
      {"patience in words", [] { recipe("[train]\npatience = \"three\"\n"); },
       "configuration error in r.toml:4: train.patience = 'three' is a string, expected an integer >= 0"},
      {"monitor that is not measured", [] { recipe("[train]\nmonitor = \"val_los\"\n"); },
       "configuration error in r.toml:4: train.monitor = 'val_los' is not known, expected one of val_accuracy, "
       "val_loss, val_r2, val_mae, val_rmse\n  hint: did you mean \"val_loss\"?"},
      {"smoothing above one", [] { recipe("[train]\nlabel_smoothing = 1.5\n"); },
       "configuration error in r.toml:4: train.label_smoothing = 1.5 is out of range, expected a number in [0, 1]"},
      {"no batch per step", [] { recipe("[train]\naccumulate = 0\n"); },
       "configuration error in r.toml:4: train.accumulate = 0 is out of range, expected an integer >= 1"},
      {"negative norm", [] { recipe("[train]\nclip_norm = -1.0\n"); },
       "configuration error in r.toml:4: train.clip_norm = -1.0 is out of range, expected a number >= 0"},
      {"norm that is no number", [] { recipe("[train]\nclip_norm = nan\n"); },
       "configuration error in r.toml:4: train.clip_norm = nan is out of range, expected a number >= 0"},
      {"class weights twice", [] { recipe("[train]\nclass_weights = [1, 2]\nclass_balance = \"balanced\"\n"); },
       "configuration error in r.toml: train.class_weights and train.class_balance = \"balanced\" exclude each other"},
      {"negative class weight", [] { recipe("[train]\nclass_weights = [1, -2]\n"); },
       "configuration error in r.toml:4: train.class_weights = [ 1, -2 ] is out of range, expected a list of numbers "
       ">= 0"},
      {"average that never moves", [] { recipe("[train]\nema = 1\n"); },
       "configuration error in r.toml:4: train.ema = 1 is out of range, expected a number in [0, 1)"},
      {"two averages", [] { recipe("[train]\nema = 0.9\nswa_start = 2\n"); },
       "configuration error in r.toml: train.ema and train.swa_start are two averages of the same weights: give one or "
       "the "
       "other"},
      {"mean of no epoch", [] { recipe("[train]\nepochs = 3\nswa_start = 4\n"); },
       "configuration error in r.toml: train.swa_start = 4 is after the last of 3 epochs"},
      {"rate of no mean", [] { recipe("[train]\nswa_lr = 0.1\n"); },
       "configuration error in r.toml: train.swa_lr means nothing without train.swa_start"},
      {"a precision without a range", [] { recipe("[train]\nprecision = \"fp16\"\n"); },
       "configuration error in r.toml:4: train.precision = 'fp16' is not known, expected one of f32, bf16\n"
       "  hint: did you mean \"bf16\"?"},
      {"precision as a number", [] { recipe("[train]\nprecision = 16\n"); },
       "configuration error in r.toml:4: train.precision = 16 is an integer, expected a string: one of f32, bf16"},
      {"precision in the wrong section", [] { recipe("[optimizer]\nprecision = \"bf16\"\n"); },
       "configuration error in r.toml:4: unknown key optimizer.precision\n  hint: did you mean optimizer.epsilon?"},
      {"unknown balance", [] { recipe("[train]\nclass_balance = \"auto\"\n"); },
       "configuration error in r.toml:4: train.class_balance = 'auto' is not known, expected one of none, balanced"},
  });
}

TEST(WrongUses, RecipesOfNumbers) {
  const std::string numbers = "[data]\nname = \"friedman\"\n";
  check_wrong_uses({
      {"loss of numbers for classes", [] { recipe("[train]\nloss = \"mse\"\n"); },
       "configuration error in r.toml: train.loss = \"mse\" is no loss of classes, which this recipe predicts"},
      {"loss of classes for numbers", [&] { recipe(numbers + "[train]\nloss = \"cross_entropy\"\n"); },
       "configuration error in r.toml: train.loss = \"cross_entropy\" is no loss of numbers, which this recipe "
       "predicts"},
      {"accuracy of numbers", [&] { recipe(numbers + "[train]\nmonitor = \"val_accuracy\"\n"); },
       "configuration error in r.toml: train.monitor = \"val_accuracy\" is not measured of numbers, which this recipe "
       "predicts"},
      {"R2 of classes", [] { recipe("[train]\nmonitor = \"val_r2\"\n"); },
       "configuration error in r.toml: train.monitor = \"val_r2\" is not measured of classes, which this recipe "
       "predicts"},
      {"smoothed numbers", [&] { recipe(numbers + "[train]\nlabel_smoothing = 0.1\n"); },
       "configuration error in r.toml:6: train.label_smoothing means nothing with data.task = \"regression\""},
      {"delta of a parabola", [&] { recipe(numbers + "[train]\ndelta = 2\n"); },
       "configuration error in r.toml:6: train.delta means nothing with train.loss = \"mse\""},
      {"classes of a function", [&] { recipe(numbers + "task = \"classification\"\n"); },
       "configuration error in r.toml: data.name = \"friedman\" has numbers to predict: data.task is \"regression\""},
      {"numbers and classes",
       [] {
         data::Dataset("s", zeros({2, 1}), zeros({2}), {.num_classes = 2});
       },
       "value error in dataset (s): the labels are numbers, and there are classes\n  hint: labels of classes are i64"},
      {"a number that is none",
       [] {
         data::Dataset("s", zeros({2, 1}), tensor({1.f, std::nanf("")}));
       },
       "value error in dataset (s): the number nan in row 1 is not finite"},
      {"two answers for a number",
       [] {
         models::AnyModel model = models::make({.name = "mlp", .inputs = 10, .hidden = {}, .outputs = 2});
         check_fit(model, data::load("friedman", data::Split::test));
       },
       "shape error in train: the model does not answer with one number\n  input   f32 [1, 10]   one example of "
       "friedman "
       "test\n  answer  f32 [1, 2]    expected f32 [1, 1]\n  hint: the last layer has to have one output"},
  });
}

TEST(WrongUses, RecipesOfOptimizers) {
  check_wrong_uses({
      {"unknown optimizer", [] { recipe("[optimizer]\nname = \"adan\"\n"); },
       "configuration error in r.toml:4: optimizer.name = 'adan' is not known, expected one of adadelta, adafactor, "
       "adagrad, adam, adamax, adamw, adamwschedulefree, asgd, lamb, lars, lion, muon, nadam, radam, rmsprop, rprop, "
       "sgd, sgdschedulefree, shampoo\n  hint: did you "
       "mean \"adam\"?"},
      {"setting of another optimizer", [] { recipe("[optimizer]\nname = \"lion\"\neps = 1e-8\n"); },
       "configuration error in r.toml:5: optimizer.eps means nothing with optimizer.name = \"lion\""},
      {"setting of no optimizer", [] { recipe("[optimizer]\nmomentun = 0.9\n"); },
       "configuration error in r.toml:4: unknown key optimizer.momentun\n  hint: did you mean optimizer.momentum?"},
      {"one beta", [] { recipe("[optimizer]\nbetas = [0.9]\n"); },
       "configuration error in r.toml:4: optimizer.betas = [0.9] does not fit optimizer.name = \"adamw\", expected a "
       "list of 2 numbers"},
      {"number for a list", [] { recipe("[optimizer]\nname = \"adafactor\"\neps = 1e-8\n"); },
       "configuration error in r.toml:5: optimizer.eps = 1e-08 does not fit optimizer.name = \"adafactor\", expected a "
       "list of 2 numbers"},
      {"number for a switch", [] { recipe("[optimizer]\namsgrad = 1\n"); },
       "configuration error in r.toml:4: optimizer.amsgrad = 1 does not fit optimizer.name = \"adamw\", expected true "
       "or "
       "false"},
      {"beta of one", [] { recipe("", {"optimizer.betas=[0.9, 1]"}); },
       "configuration error in r.toml: a setting is refused\n  value error in optim::AdamW: betas.1 is 1, must be in "
       "[0, 1)"},
      {"look ahead without momentum", [] { recipe("[optimizer]\nname = \"sgd\"\nnesterov = true\n"); },
       "configuration error in r.toml: a setting is refused\n  value error in optim::SGD: momentum is 0, must be > 0 "
       "with nesterov"},
  });
}

TEST(WrongUses, RecipesOfSchedules) {
  check_wrong_uses({
      {"unknown schedule", [] { recipe("[optimizer]\nschedule = \"onecycle\"\n"); },
       "configuration error in r.toml:4: optimizer.schedule = 'onecycle' is not known, expected one of constant, "
       "cosine, "
       "linear, polynomial, one-cycle, warmup-stable-decay, step, multistep, exponential, cosine-restarts, "
       "constant-warmup, cyclic, reduce-on-plateau\n  hint: did you mean \"one-cycle\"?"},
      {"schedule without its length", [] { recipe("[optimizer]\nschedule = \"step\"\n"); },
       "configuration error in r.toml: schedule.step_size is missing\n  hint: expected an integer: optimizer.schedule "
       "= "
       "\"step\" needs it"},
      {"setting of another schedule", [] { recipe("[schedule]\ngamma = 0.5\n"); },
       "configuration error in r.toml:4: schedule.gamma means nothing with optimizer.schedule = \"constant\""},
      {"half a step",
       [] {
         recipe("", {"optimizer.schedule=step", "schedule.step_size=1.5"});
       },
       "configuration error in --set schedule.step_size=1.5: schedule.step_size = 1.5 does not fit optimizer.schedule "
       "= "
       "\"step\", expected an integer"},
      {"curve that there is not",
       [] {
         recipe("", {"optimizer.schedule=one-cycle", "schedule.anneal=sqrt"});
       },
       "configuration error in --set schedule.anneal=sqrt: schedule.anneal = \"sqrt\" does not fit optimizer.schedule "
       "= "
       "\"one-cycle\", expected one of cosine, linear"},
      {"milestones that fall",
       [] {
         recipe("", {"optimizer.schedule=multistep", "schedule.milestones=[5, 3]"});
       },
       "configuration error in r.toml: a setting is refused\n  value error in optim::MultiStepSchedule: one of "
       "milestones "
       "is 3, must be >= 1 and not less than the one before"},
      {"factor above one",
       [] {
         recipe("", {"optimizer.schedule=reduce-on-plateau", "schedule.factor=2"});
       },
       "configuration error in r.toml: a setting is refused\n  value error in optim::ReduceOnPlateau: factor is 2, "
       "must "
       "be in (0, 1)"},
      {"schedule as a section", [] { recipe("[optimizer.schedule]\nname = \"step\"\n"); },
       "configuration error in r.toml:3: optimizer.schedule is a section, expected a string: one of constant, cosine, "
       "linear, polynomial, one-cycle, warmup-stable-decay, step, multistep, exponential, cosine-restarts, "
       "constant-warmup, cyclic, reduce-on-plateau"},
      {"negative element", [] { recipe("[train]\nclip_value = -1\n"); },
       "configuration error in r.toml:4: train.clip_value = -1 is out of range, expected a number >= 0"},
  });
}

TEST(WrongUses, RecipesOfLogsChangesAndLayers) {
  check_wrong_uses({
      {"log as a string", [] { recipe("[log]\ntensorboard = \"yes\"\n"); },
       "configuration error in r.toml:4: log.tensorboard = 'yes' is a string, expected true or false"},
      {"scalars every 0 steps", [] { recipe("[log]\nevery_steps = 0\n"); },
       "configuration error in r.toml:4: log.every_steps = 0 is out of range, expected an integer >= 1"},
      {"section as a value", [] { recipe("", {"log=true"}); },
       "configuration error in --set log=true: log = true is true or false, expected the section [log]"},
      {"change without a value", [] { recipe("", {"train.epochs"}); },
       "configuration error in --set train.epochs: expected KEY=VALUE\n  hint: for example --set train.epochs=3"},
      {"change of an unknown key", [] { recipe("", {"log.tensorbord=true"}); },
       "configuration error in --set log.tensorbord=true: unknown key log.tensorbord\n  hint: did you mean "
       "log.tensorboard?"},
      {"unknown layer", [] { parse_recipe("[[model.layers]]\ntype = \"conv3\"\n", "r.toml"); },
       "configuration error in r.toml:2: model.layers[0].type = 'conv3' is not known, expected one of conv2d, linear, "
       "max_pool2d, avg_pool2d, adaptive_avg_pool2d, adaptive_max_pool2d, conv1d, max_pool1d, global_avg_pool, "
       "batch_norm1d, batch_norm2d, instance_norm2d, layer_norm, rms_norm, group_norm, dropout, dropout2d, "
       "alpha_dropout, "
       "flatten, identity, relu, tanh, sigmoid, gelu, silu, mish, elu, selu, celu, leaky_relu, relu6, softplus, "
       "softsign, log_sigmoid, hardtanh, hardsigmoid, "
       "hardswish, tanhshrink, softshrink, hardshrink\n  hint: did you mean \"conv2d\"?"},
      {"layer without a size", [] { parse_recipe("[[model.layers]]\ntype = \"linear\"\n", "r.toml"); },
       "configuration error in r.toml:1: model.layers[0].in_features is missing\n  hint: expected an integer >= 1"},
      {"setting of another layer", [] { parse_recipe("[[model.layers]]\ntype = \"tanh\"\nbias = true\n", "r.toml"); },
       "configuration error in r.toml:3: model.layers[0].bias means nothing with type = \"tanh\""},
      {"layers by --set", [] { recipe("", {"model.layers=3"}); },
       "configuration error in --set model.layers=3: model.layers is an integer, expected [[model.layers]]"},
  });
}

TEST(WrongUses, Metrics) {
  const Tensor p = tensor({{0.5, 0.5}, {0.25, 0.75}});
  check_wrong_uses({
      {"no classes", [] { metrics::ConfusionMatrix(0); },
       "value error in confusion_matrix: classes is 0, must be in [1, 65536]"},
      {"class beyond",
       [] {
         metrics::ConfusionMatrix(2).update(classes({0, 2}), classes({0, 1}));
       },
       "index error in confusion_matrix: row 1 of predicted is 2, but there are 2 classes"},
      {"predictions of other length",
       [] {
         metrics::ConfusionMatrix(2).update(classes({0}), classes({0, 1}));
       },
       "shape error in confusion_matrix: the shapes must be equal\n  predicted  i64 [1]\n  labels     i64 [2]"},
      {"logits for classes", [&] { metrics::ConfusionMatrix(2).update(p, p); },
       "dtype error in confusion_matrix\n  predicted  f64 [2, 2]   expected integers\n  hint: class numbers; "
       "argmax(logits, 1) gives those of a model's answer"},
  });
}

TEST(WrongUses, MetricsOfProbabilities) {
  const Tensor p = tensor({{0.5, 0.5}, {0.25, 0.75}});
  check_wrong_uses({
      {"one class", [] { metrics::Classification({.classes = 1}); },
       "value error in classification: classes is 1, must be >= 2"},
      {"no bins", [] { metrics::Classification({.classes = 2, .bins = 0}); },
       "value error in classification: bins is 0, must be >= 1"},
      {"logits for probabilities",
       [] {
         metrics::Classification({.classes = 2}).update(tensor({{3.0, -1.0}}), classes({0}));
       },
       "value error in classification: row 0 holds the probability 3\n  hint: softmax(logits, 1) makes probabilities "
       "of logits"},
      {"rows that do not sum to 1",
       [] {
         metrics::Classification({.classes = 2}).update(tensor({{0.5, 0.25}}), classes({0}));
       },
       "value error in classification: the probabilities of row 0 sum to 0.75\n  hint: softmax(logits, 1) makes "
       "probabilities of logits"},
      {"another number of classes",
       [&] {
         metrics::Classification({.classes = 3}).update(p, classes({0, 1}));
       },
       "shape error in classification\n  probabilities  f64 [2, 2]   expected [n, 3]"},
      {"fewer labels", [&] { metrics::Classification({.classes = 2}).update(p, classes({0})); },
       "shape error in classification: not one label per example\n  probabilities  f64 [2, 2]\n  labels         i64 "
       "[1]"},
      {"top 3 of 2", [] { metrics::Classification({.classes = 2}).top_k(3); },
       "value error in top_k: k is 3, must be in [1, 2]"},
      {"micro area", [] { metrics::Classification({.classes = 3}).roc_auc(metrics::Average::micro); },
       "value error in roc_auc: the average of one class against the rest is macro or weighted"},
  });
}

TEST(WrongUses, MetricsOfScoresAndNumbers) {
  check_wrong_uses({
      {"three labels for a curve",
       [] {
         metrics::roc_auc(tensor({0.1, 0.2}), classes({0, 2}));
       },
       "index error in roc_auc: row 1 of labels is 2, but there are 2 classes"},
      {"NaN scores",
       [] {
         metrics::roc_auc(tensor({0.1, std::nan("")}), classes({0, 1}));
       },
       "value error in roc_auc: element 1 of scores is nan\n  scores  f64 [2]"},
      {"integers for numbers",
       [] {
         metrics::Regression().update(classes({1, 2}), classes({1, 2}));
       },
       "dtype error in regression\n  predicted  i64 [2]   expected a floating type"},
      {"shapes that would broadcast",
       [] {
         metrics::Regression().update(ones({3}), ones({3, 1}));
       },
       "shape error in regression: the shapes must be equal\n  predicted  f32 [3]\n  targets    f32 [3, 1]"},
  });
}

TEST(WrongUses, Training) {
  check_wrong_uses({
      {"rates that fall", [] { find_lr({}, {.lowest = 1, .highest = 0.1}); },
       "value error in find_lr: the rates go from 1 to 0.1, must be 0 < lowest < highest"},
      {"a range of three steps", [] { find_lr({}, {.steps = 3}); },
       "value error in find_lr: steps is 3, must be >= 10"},
      {"patience below zero", [] { EarlyStopping({.patience = -2}); },
       "value error in early_stopping: patience is -2, must be >= 0"},
      {"weights that were never seen",
       [] {
         nn::Linear model(2, 2);
         EarlyStopping({}).restore(model);
       },
       "state error in early_stopping: no weights were remembered\n  hint: call update(value, model) after each epoch"},
      {"no tasks", [] { multi_task_loss({}); }, "usage error in multi_task_loss: there is no task"},
      {"loss of a task per example",
       [] {
         multi_task_loss({{"price", ones({4})}});
       },
       "shape error in multi_task_loss (price)\n  loss  f32 [4]   expected a floating scalar\n  hint: mean(loss) is "
       "the usual way"},
      {"label out of range",
       [] {
         balanced_class_weights(std::vector<std::int64_t>{0, 3}, 3);
       },
       "index error in balanced_class_weights: row 1 has label 3, but there are 3 classes"},
  });
}

TEST(WrongUses, Runs) {
  const TemporaryFolder folder;
  const Recipe good = parse_recipe(tiny_recipe(folder, 1), "tiny.toml");
  start(good, {.run = folder / "run"});
  const auto damaged = [&](const std::string& file, const std::string& content) {
    fs::remove_all(folder / "copy");
    fs::copy(folder / "run", folder / "copy", fs::copy_options::recursive);
    io::write_file(folder / "copy/" + file, content);
    return RunFolder::open(folder / "copy");
  };
  fs::create_directories(folder / "empty");
  check_wrong_uses(
      {
          {"no folder", [&] { RunFolder::open(folder / "nowhere"); },
           "usage error in run: there is no run folder DIR/nowhere"},
          {"folder of something else", [&] { RunFolder::open(folder / "empty"); },
           "usage error in run: DIR/empty is not the folder of a run: it has no recipe.toml"},
          {"run that exists", [&] { start(good, {.run = folder / "run"}); },
           "usage error in train: DIR/run exists already\n  `gradus train --resume DIR/run` continues that run\n  "
           "hint: choose another folder with --run"},
          {"damaged metrics", [&] { read_metrics(damaged("metrics.jsonl", "{}\n").metrics_path()); },
           "format error in metrics (DIR/copy/metrics.jsonl:1): not a line of metrics.jsonl\n  "
           "[json.exception.out_of_range.403] key 'epoch' not found"},
          {"state that is no state", [&] { damaged("checkpoints/best.state.safetensors", "x").checkpoint("best"); },
           "format error in load (DIR/copy/checkpoints/best.state.safetensors): the file is too short for a "
           "safetensors file\n  expected  8 bytes or more\n  found     1 bytes"},
          {"damaged weights", [&] { damaged("checkpoints/best.safetensors", "x").checkpoint("best"); },
           "format error in load_checkpoint: DIR/copy/checkpoints/best.safetensors is damaged, or of another moment "
           "than its state: its checksum is wrong\n  hint: the other checkpoint of the run (last, best) may be whole"},
          {"no such checkpoint", [&] { RunFolder::create(folder / "fresh", good).checkpoint("best"); },
           "state error in run: DIR/fresh has no checkpoint \"best\" yet"},
      },
      folder.path());
}

TEST(WrongUses, RecipesThatDoNotFitTheirData) {
  const TemporaryFolder folder;
  const Recipe good = parse_recipe(tiny_recipe(folder, 1), "tiny.toml");
  io::write_file(folder / "file", "x");
  const auto changed = [&](auto change) {
    Recipe other = good;
    change(other);
    start(other, {.run = folder / "new"});
  };
  check_wrong_uses(
      {
          {"weights per class of too few classes", [&] { changed([](Recipe& r) {
                                                           r.train.class_weights = {1, 2};
                                                         }); },
           "configuration error in train: train.class_weights has 2 weights, and idx train has 4 classes"},
          {"no class counts", [&] { changed([](Recipe& r) {
                                      r.train.class_weights = {0, 0, 0, 0};
                                    }); },
           "configuration error in train: all train.class_weights are 0"},
          {"too few outputs", [&] { changed([](Recipe& r) { r.model.outputs = 2; }); },
           "shape error in train: the model does not answer with one number per class\n  input   f32 [1, 1, 8, 8]   "
           "one example of idx train\n  answer  f32 [1, 2]         expected f32 [1, 4]\n  hint: the last layer has to "
           "have as many outputs as the data set has classes"},
          {"everything held out", [&] { changed([](Recipe& r) { r.data.validation = 200; }); },
           "value error in split (idx train): validation_size is 200\n  expected  1 to 199: the data set has 200 "
           "examples"},
          {"batch larger than the data", [&] { changed([](Recipe& r) { r.data.batch_size = 500; }); },
           "value error in loader (idx train): the batch is larger than the data set\n  batch_size  500\n  examples    "
           "160\n  hint: choose a batch_size of at most 160"},
          {"a fall that is longer than the run",
           [&] {
             changed([](Recipe& r) {
               r.optimizer.schedule = "warmup-stable-decay";
               r.schedule = {{"decay", 100.0}};
             });
           },
           "value error in optim::WarmupStableDecaySchedule: total is 7, must be at least warmup + decay"},
          {"event files below a file", [&] { io::EventWriter(folder / "file/logs"); },
           "input/output error in event_file: cannot make the folder DIR/file/logs: Not a directory"},
      },
      folder.path());
  EXPECT_FALSE(fs::exists(folder / "new"));
}

}  // namespace
}  // namespace gradus::train
