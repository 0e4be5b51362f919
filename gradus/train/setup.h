// From a recipe to the things that it names.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gradus/data/dataset.h"
#include "gradus/data/sources.h"
#include "gradus/engine/precision.h"
#include "gradus/models/any_model.h"
#include "gradus/optim/optimizer.h"
#include "gradus/train/recipe.h"
#include "gradus/train/run_folder.h"
#include "gradus/train/settings/schedules.h"

namespace gradus::train {

/// The whole training or test part. Throws as data::load.
data::Dataset load_data(const DataSettings& settings, data::Split split);

/// How the rows of a table become the numbers that the model reads; nothing where the data are no table. Throws as data::load.
std::optional<data::TableEncoder> load_encoder(const DataSettings& settings);

/// The training part without the examples that the recipe's seed holds out, and those. Throws Error(value) when the
/// recipe holds out all of them, or when a batch is larger than the rest.
data::TrainValidation load_training_data(const Recipe& recipe);

/// The recipe with what has to be learned from the training examples filled in: with data.standardize, data.mean and data.std
/// of the examples that are not held out (and standardize off). A run keeps this one, so that whatever reads its recipe later
/// (eval, predict, resume) applies the same numbers. Throws as load_training_data and data::fit_scaling.
Recipe resolved(const Recipe& recipe);

/// Throws when the model cannot read an example of `dataset` (its own error), or does not answer with one number per class
/// (Error(shape)).
void check_fit(models::AnyModel& model, const data::Dataset& dataset);

/// What a model of a recipe reads and answers.
struct ExampleInfo {
  Shape shape;  ///< of one example: [1, 28, 28]
  std::vector<std::string>
      class_names;  ///< none where it predicts numbers; "0", "1", ... where the data set has no names
};
/// Reads files only for a data set whose shape is not known beforehand.
ExampleInfo example_info(const DataSettings& settings);

/// The model of a run with the weights of checkpoint `which` ("best" or "last"), in evaluation mode. Throws Error(state) when the checkpoint is
/// of another model.
models::AnyModel load_model(const RunFolder& run, const std::string& which);

/// The optimizer of a recipe, with its clipping; steps with numbers that are not finite are refused. It refers to `parameters`.
/// Throws Error(value) for settings out of range.
std::unique_ptr<optim::Optimizer> make_optimizer(const Recipe& recipe, optim::ParameterList parameters);

/// What training steps are evaluated in.
Precision step_precision(const TrainSettings& settings);

/// The learning rate of a run with `epoch_steps` steps in an epoch. Throws Error(value) for settings out of range.
LearningRate make_learning_rate(const Recipe& recipe, std::int64_t epoch_steps);

/// Throws what the two above throw about the settings, whatever the model is.
void check_settings(const Recipe& recipe);

}  // namespace gradus::train
