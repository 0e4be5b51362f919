// The training loop: from a recipe to a run folder.
//
//   train::Progress progress(stdout, false);
//   auto result = train::start(train::read_recipe("recipes/fashion-lenet5.toml"), {.run = "runs/first", .observer = &progress});
//   result.history.back().test_accuracy
//
// One step is one plan: forward, backward, update, loss and predictions. Equal recipes and thread counts give equal bits, for
// any number of loader workers, and also when a run was interrupted, or killed, and resumed.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "gradus/models/any_model.h"
#include "gradus/train/checkpoint.h"
#include "gradus/train/metrics.h"
#include "gradus/train/observer.h"
#include "gradus/train/recipe.h"

namespace gradus::train {

struct TrainOptions {
  std::string run = {};          ///< the run folder
  Observer* observer = nullptr;  ///< may be absent
  /// Asked before each step: true saves and ends the run, to be resumed later.
  std::function<bool()> stop = {};
  /// Called with the new model before anything else is done with it: takes weights from elsewhere, freezes layers. `resume`
  /// calls it, too, before the weights of the checkpoint take the place of those that it set.
  std::function<void(models::AnyModel&)> prepare = {};
};

struct TrainResult {
  bool finished = false;              ///< false when `stop` ended it
  std::vector<EpochMetrics> history;  ///< one record per epoch, those before a resume included
  LoopState loop;
};

/// Trains from the beginning in a new folder. Everything that can be refused is refused before the folder is made: data
/// that are missing or do not fit, a batch larger than the data. Throws Error(value) when the loss or a gradient is no longer
/// finite: it names the step and the operation, and the state before that step is saved as "last"; Error(io) when the disk
/// refuses a checkpoint, and the earlier one stays.
TrainResult start(const Recipe& recipe, const TrainOptions& options);

/// Continues the run in the folder from its last checkpoint (from the beginning when it has none yet); one that is finished
/// is left as it is. Throws Error(state) when its recipe was changed since, and as start().
TrainResult resume(const TrainOptions& options);

}  // namespace gradus::train
