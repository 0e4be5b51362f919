// The folder of one training run:
//
//   recipe.toml      the recipe as used, complete
//   encoder.json     of a table: how its rows become numbers, see tables/encoder_file.h
//   metrics.jsonl    one line per epoch
//   instruments.jsonl with train.record, see record/instruments.h
//   report.html      when it is finished, see report/report.h
//   events.out.*     with log.tensorboard, see event_log.h
//   checkpoints/     last and best, see checkpoint.h
#pragma once

#include <string>

#include "gradus/train/checkpoint.h"
#include "gradus/train/recipe.h"

namespace gradus::train {

class RunFolder {
 public:
  /// Makes a new one. Throws Error(usage) when `path` exists and is not an empty folder, Error(io) for what the disk
  /// refuses.
  static RunFolder create(const std::string& path, const Recipe& recipe);
  /// An existing one. Throws Error(usage) when `path` is no run.
  static RunFolder open(const std::string& path);

  const std::string& path() const { return path_; }
  std::string recipe_path() const { return path_ + "/recipe.toml"; }
  std::string encoder_path() const { return path_ + "/encoder.json"; }
  std::string metrics_path() const { return path_ + "/metrics.jsonl"; }
  std::string instruments_path() const { return path_ + "/instruments.jsonl"; }
  std::string report_path() const { return path_ + "/report.html"; }
  /// `which`: "last" or "best".
  std::string checkpoint_stem(const std::string& which) const { return path_ + "/checkpoints/" + which; }
  /// Reads recipe.toml.
  Recipe recipe() const { return read_recipe(recipe_path()); }
  /// Throws Error(state) when the run has no such checkpoint yet, and as load_checkpoint().
  Checkpoint checkpoint(const std::string& which) const;

 private:
  explicit RunFolder(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

/// "runs/fashion-lenet5-20260131-120000" for "recipes/fashion-lenet5.toml", in local time; with "-2", "-3", ... when that
/// exists.
std::string default_run_path(const std::string& recipe_path);

}  // namespace gradus::train
