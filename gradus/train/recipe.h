// Recipes: everything that a training run depends on, in one TOML file.
//
//   seed = 1
//   [model]
//   name = "lenet5"
//   [data]
//   name = "fashion-mnist"
//   batch_size = 64
//   [optimizer]
//   name = "adamw"
//   lr = 3e-3
//   [train]
//   epochs = 8
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gradus/models/settings.h"
#include "gradus/train/settings/settings.h"

namespace gradus::train {

/// [data]
struct DataSettings {
  std::string name = "fashion-mnist";
  std::string folder;  ///< fashion-mnist, cifar: of its files; empty: where they are installed
  std::string train_images, train_labels, test_images, test_labels;  ///< idx: the four files
  std::vector<std::string> class_names;                              ///< idx: empty: numbers
  std::string train_path, test_path;                                 ///< csv: a file each; image-folder: a folder each
  std::string target;                                                ///< csv: column of the classes, or of the numbers
  /// csv: "classification", or "regression": the target is a number to predict.
  std::string task = "classification";
  /// regression: the model answers with (number - target_mean) / target_std; standardize computes them, too.
  double target_mean = 0, target_std = 1;
  std::vector<std::string> drop;       ///< csv: columns to leave out
  std::string missing = "error";       ///< csv: or mean, median, indicator
  std::string categories = "one-hot";  ///< csv: or codes
  std::string delimiter = ",";         ///< csv
  std::vector<std::int64_t> resize;    ///< image-folder: height and width; empty: as stored
  std::int64_t channels = 0;           ///< image-folder: 0 (as stored), 1, 3
  /// Computes mean and std from the training examples (without those held out). The recipe of the run then holds the numbers
  /// in place of this.
  bool standardize = false;
  std::vector<double> mean, std;   ///< normalisation of the scaled examples, one entry or one per channel; empty: none
  std::int64_t validation = 5000;  ///< training examples that are held out to choose the best checkpoint
  std::int64_t batch_size = 64;
  bool shuffle = true;       ///< a new order of the training examples in every epoch; false: as they are stored
  std::int64_t workers = 1;  ///< loader threads; the batches do not depend on it
  friend bool operator==(const DataSettings&, const DataSettings&) = default;
};

/// [optimizer]; all defaults are PyTorch's.
struct OptimizerSettings {
  std::string name = "adamw";         ///< one of optim::optimizer_names()
  std::optional<double> lr;           ///< the optimizer's own, when absent
  Settings settings = {};             ///< all others: "betas", "weight_decay", ...
  std::string schedule = "constant";  ///< one of schedule_choices()
  std::int64_t warmup_steps = 0;      ///< steps of linear warm-up before the schedule starts
  friend bool operator==(const OptimizerSettings&, const OptimizerSettings&) = default;
};

/// [train]
struct TrainSettings {
  std::int64_t epochs = 5;
  /// cross_entropy; of numbers: mse, l1, huber, smooth_l1.
  std::string loss = "cross_entropy";
  double delta = 1;                      ///< of huber and smooth_l1: where the parabola becomes a line
  std::string monitor = "val_accuracy";  ///< what the best epoch is best in; of numbers "val_loss" and others
  std::int64_t patience = 0;             ///< epochs without a better one after which training stops; 0: never
  double min_delta = 0;                  ///< how much better is better, for the patience
  double label_smoothing = 0;
  double mixup = 0;                     ///< alpha of the Beta distribution of the shares; 0: no mixtures
  double input_noise = 0;               ///< standard deviation of normal noise on the inputs of a training step
  double l1_penalty = 0;                ///< times the sum of the absolute weights
  double max_norm = 0;                  ///< largest length of the incoming weights of a unit; 0: any
  std::vector<double> class_weights;    ///< of the loss, one per class; empty: all 1
  std::string class_balance = "none";   ///< or "balanced": weights examples / (classes * examples of the class)
  std::int64_t accumulate = 1;          ///< batches whose gradients make one step
  double clip_norm = 0;                 ///< largest norm of all gradients together; 0: any
  double clip_value = 0;                ///< largest absolute value of an element of a gradient; 0: any
  double clip_adaptive = 0;             ///< largest norm of a unit's gradient, in norms of its weights; 0: any
  double ema = 0;                       ///< decay of an exponential average of the weights over the steps; 0: none
  std::int64_t swa_start = 0;           ///< first epoch whose weights enter the mean that is measured; 0: none
  std::optional<double> swa_lr;         ///< learning rate from that epoch on; absent: what the schedule says
  std::int64_t memory_limit = 0;        ///< MB of a training step; 0: any (engine/memory_limit.h)
  std::string precision = "f32";        ///< of products and convolutions of a training step: or "bf16"
  std::int64_t checkpoint_steps = 500;  ///< steps between checkpoints within an epoch; 0: only at its end
  /// What instruments.jsonl keeps: some of instrument_names(), or "all"; see record/instruments.h.
  std::vector<std::string> record;
  std::int64_t record_every_steps = 0;  ///< steps between two that are looked at; 0: a 60th of the run, at most 200
  friend bool operator==(const TrainSettings&, const TrainSettings&) = default;
};

/// [log]
struct LogSettings {
  bool tensorboard = false;       ///< event files in the run folder
  std::int64_t every_steps = 50;  ///< of scalars of single steps in them
  bool report = true;             ///< report.html when the run is finished

  friend bool operator==(const LogSettings&, const LogSettings&) = default;
};

struct Recipe {
  std::int64_t seed = 0;
  models::ModelSettings model;
  DataSettings data;
  OptimizerSettings optimizer;
  Settings schedule;  ///< [schedule]: what optimizer.schedule reads
  TrainSettings train;
  LogSettings log;
  friend bool operator==(const Recipe&, const Recipe&) = default;
};

/// Whether the model of a recipe predicts numbers, not classes.
inline bool predicts_numbers(const Recipe& recipe) { return recipe.data.task == "regression"; }

/// Whether more of train.monitor is better.
inline bool more_is_better(const Recipe& recipe) {
  return recipe.train.monitor == "val_accuracy" || recipe.train.monitor == "val_r2";
}

/// Reads a recipe, then applies `changes` ("train.epochs=3", values in TOML, quotes of strings optional).
/// Throws Error(config) with file and line for bad TOML, unknown keys (with the nearest valid one), wrong types and
/// values out of range, and for a file that cannot be read.
Recipe read_recipe(const std::string& path, std::span<const std::string> changes = {});

/// The same for a text; `name` stands for the file in messages.
Recipe parse_recipe(std::string_view text, const std::string& name, std::span<const std::string> changes = {});

/// The complete recipe in TOML, defaults included: reads back as an equal one.
std::string recipe_text(const Recipe& recipe);

/// Every key with its type, default, range and meaning, for people.
std::string recipe_help();

}  // namespace gradus::train
