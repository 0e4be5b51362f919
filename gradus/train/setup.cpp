#include "gradus/train/setup.h"

#include <fmt/format.h>

#include "gradus/base/error.h"
#include "gradus/data/fashion_mnist.h"
#include "gradus/data/loader.h"
#include "gradus/data/sources.h"
#include "gradus/data/statistics.h"
#include "gradus/models/registry.h"
#include "gradus/nn/mode.h"
#include "gradus/nn/state_dict.h"
#include "gradus/optim/adamw.h"
#include "gradus/optim/schedule.h"
#include "gradus/optim/sgd.h"
#include "gradus/train/mode.h"

namespace gradus::train {

data::Dataset load_data(const DataSettings& settings, data::Split split) {
  return data::load(settings.name, split,
                    {.folder = settings.folder,
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
                     .resize = settings.resize,
                     .channels = settings.channels,
                     .class_names = settings.class_names,
                     .mean = settings.mean,
                     .std = settings.std});
}

data::TrainValidation load_training_data(const Recipe& recipe) {
  const data::Dataset all = load_data(recipe.data, data::Split::train);
  data::TrainValidation parts = data::split(all, recipe.data.validation, static_cast<std::uint64_t>(recipe.seed));
  data::check_batch_size(parts.train, recipe.data.batch_size);
  return parts;
}

Recipe resolved(const Recipe& recipe) {
  Recipe out = recipe;
  if (!recipe.data.standardize) return out;
  const data::Scaling scaling = data::fit_scaling(load_training_data(recipe).train);
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

std::unique_ptr<optim::Optimizer> make_optimizer(const OptimizerSettings& s, models::AnyModel& model) {
  if (s.name == "adamw") {
    return std::make_unique<optim::AdamW>(model, optim::AdamWOptions{.lr = s.lr,
                                                                     .betas = {s.betas.at(0), s.betas.at(1)},
                                                                     .eps = s.eps,
                                                                     .weight_decay = s.weight_decay.value_or(0.01)});
  }
  if (s.name == "sgd") {
    return std::make_unique<optim::SGD>(
        model,
        optim::SGDOptions{
            .lr = s.lr, .momentum = s.momentum, .weight_decay = s.weight_decay.value_or(0), .nesterov = s.nesterov});
  }
  throw Error(ErrorKind::config, "make_optimizer", fmt::format("unknown optimizer \"{}\"", s.name));
}

double learning_rate(const OptimizerSettings& s, std::int64_t step, std::int64_t steps) {
  if (s.schedule == "cosine") {
    return optim::CosineSchedule{.base = s.lr, .total = steps, .warmup = s.warmup_steps}.lr(step);
  }
  return optim::ConstantSchedule{.base = s.lr, .warmup = s.warmup_steps}.lr(step);
}

}  // namespace gradus::train
