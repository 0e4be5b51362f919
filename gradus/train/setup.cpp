#include "gradus/train/setup.h"

#include <fmt/format.h>

#include <cmath>

#include "gradus/base/error.h"
#include "gradus/data/fashion_mnist.h"
#include "gradus/data/loader.h"
#include "gradus/data/sources.h"
#include "gradus/data/statistics.h"
#include "gradus/models/registry.h"
#include "gradus/nn/mode.h"
#include "gradus/nn/state_dict.h"
#include "gradus/ops/factory.h"
#include "gradus/optim/registry.h"
#include "gradus/train/mode.h"

namespace gradus::train {

namespace {

data::SourceOptions source_options(const DataSettings& settings) {
  return {.folder = settings.folder,
          .train_images = settings.train_images,
          .train_labels = settings.train_labels,
          .test_images = settings.test_images,
          .test_labels = settings.test_labels,
          .train_path = settings.train_path,
          .test_path = settings.test_path,
          .target = settings.target,
          .drop = settings.drop,
          .missing = settings.missing,
          .categories = settings.categories,
          .delimiter = settings.delimiter,
          .task = settings.task,
          .resize = settings.resize,
          .channels = settings.channels,
          .class_names = settings.class_names,
          .mean = settings.mean,
          .std = settings.std};
}

}  // namespace

data::Dataset load_data(const DataSettings& settings, data::Split split) {
  return data::load(settings.name, split, source_options(settings));
}

std::optional<data::TableEncoder> load_encoder(const DataSettings& settings) {
  return data::load_encoder(settings.name, source_options(settings));
}

data::TrainValidation load_training_data(const Recipe& recipe) {
  const data::Dataset all = load_data(recipe.data, data::Split::train);
  data::TrainValidation parts = data::split(all, recipe.data.validation, static_cast<std::uint64_t>(recipe.seed));
  data::check_batch_size(parts.train, recipe.data.batch_size);
  return parts;
}

namespace {

/// Mean and standard deviation of the population; 1 where all numbers are equal.
void standardize_targets(DataSettings& settings, std::span<const float> numbers) {
  double sum = 0, squares = 0;
  for (const float x : numbers) sum += static_cast<double>(x);
  settings.target_mean = sum / static_cast<double>(numbers.size());
  for (const float x : numbers) squares += std::pow(static_cast<double>(x) - settings.target_mean, 2);
  settings.target_std = squares > 0 ? std::sqrt(squares / static_cast<double>(numbers.size())) : 1;
}

}  // namespace

Recipe resolved(const Recipe& recipe) {
  Recipe out = recipe;
  if (!recipe.data.standardize) return out;
  const data::Dataset training = load_training_data(recipe).train;
  const data::Scaling scaling = data::fit_scaling(training);
  if (training.is_regression()) standardize_targets(out.data, training.labels().data<float>());
  out.data.mean = scaling.mean;
  out.data.std = scaling.std;
  out.data.standardize = false;
  return out;
}

void check_fit(models::AnyModel& model, const data::Dataset& dataset) {
  const EvaluationMode mode(model);
  const std::int64_t first = 0;
  const Tensor inputs = dataset.batch(std::span(&first, 1)).inputs;
  const Tensor answer = model(inputs);
  if (dataset.is_regression()) {
    if (answer.numel() == 1 && answer.rank() >= 1 && answer.rank() <= 2) return;
    throw Error(ErrorKind::shape, "train", "the model does not answer with one number")
        .operand("input", inputs.spec(), fmt::format("one example of {}", dataset.name()))
        .operand("answer", answer.spec(), "expected f32 [1, 1]")
        .hint("the last layer has to have one output");
  }
  if (answer.rank() == 2 && answer.shape()[0] == 1 && answer.shape()[1] >= dataset.num_classes()) return;
  throw Error(ErrorKind::shape, "train", "the model does not answer with one number per class")
      .operand("input", inputs.spec(), fmt::format("one example of {}", dataset.name()))
      .operand("answer", answer.spec(), fmt::format("expected f32 [1, {}]", dataset.num_classes()))
      .hint("the last layer has to have as many outputs as the data set has classes");
}

ExampleInfo example_info(const DataSettings& settings) {
  if (settings.name == "fashion-mnist") return {Shape{1, 28, 28}, data::fashion_mnist_classes()};
  const data::Dataset test = load_data(settings, data::Split::test);
  ExampleInfo info{test.example_shape(), test.class_names()};
  for (auto i = static_cast<std::int64_t>(info.class_names.size()); i < test.num_classes(); ++i) {
    info.class_names.push_back(fmt::format("{}", i));
  }
  return info;
}

models::AnyModel load_model(const RunFolder& run, const std::string& which) {
  models::AnyModel model = models::make(run.recipe().model);
  const Checkpoint checkpoint = run.checkpoint(which);
  try {
    nn::load_state_dict(model, checkpoint.weights);
  } catch (Error& error) {
    error.context(fmt::format("{}.safetensors", run.checkpoint_stem(which)));
    error.hint(fmt::format("the checkpoint is of another model than {}", run.recipe_path()));
    throw;
  }
  nn::eval_mode(model);
  return model;
}

std::unique_ptr<optim::Optimizer> make_optimizer(const Recipe& recipe, optim::ParameterList parameters) {
  const OptimizerSettings& s = recipe.optimizer;
  std::map<std::string, double> settings = flat(s.settings);
  if (s.lr) settings["lr"] = *s.lr;
  auto optimizer = optim::make_optimizer(s.name, std::move(parameters), settings, {});
  optimizer->set_clip_norm(recipe.train.clip_norm);
  optimizer->set_clip_value(recipe.train.clip_value);
  optimizer->set_clip_adaptive(recipe.train.clip_adaptive);
  optimizer->set_skip_nonfinite(true);
  return optimizer;
}

Precision step_precision(const TrainSettings& settings) {
  return settings.precision == "bf16" ? precision::bf16 : precision::f32;
}

LearningRate make_learning_rate(const Recipe& recipe, std::int64_t epoch_steps) {
  const OptimizerSettings& s = recipe.optimizer;
  return LearningRate({.schedule = s.schedule,
                       .settings = recipe.schedule,
                       .lr = s.lr ? *s.lr : default_lr(s.name),
                       .warmup_steps = s.warmup_steps,
                       .epochs = recipe.train.epochs,
                       .epoch_steps = epoch_steps,
                       .better = more_is_better(recipe) ? optim::Better::more : optim::Better::less});
}

void check_settings(const Recipe& recipe) {
  nn::Parameter parameter(zeros({1, 1}));  // some optimizers train matrices only
  make_optimizer(recipe, std::vector<nn::Parameter*>{&parameter});
  // How many steps an epoch has depends on the data: here they are too many for a part of a run to exceed it.
  make_learning_rate(recipe, std::int64_t{1} << 30);
}

}  // namespace gradus::train
