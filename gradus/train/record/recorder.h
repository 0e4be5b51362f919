// Keeps instruments.jsonl of a run: says which steps are looked at, and writes what they and the epochs gave.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "gradus/data/dataset.h"
#include "gradus/train/checkpoint.h"
#include "gradus/train/evaluate.h"
#include "gradus/train/metrics.h"
#include "gradus/train/metrics/classification.h"
#include "gradus/train/record/sample.h"
#include "gradus/train/run_folder.h"

namespace gradus::train {

class Recorder {
 public:
  /// `epoch_steps`: optimizer steps of an epoch. Writes nothing.
  Recorder(const Recipe& recipe, std::int64_t epoch_steps);

  const Asked& asked() const { return asked_; }
  /// Steps between two that are looked at.
  std::int64_t every_steps() const { return every_steps_; }
  /// Whether the step after `done` ones is looked at: the first is, and every every_steps() from there.
  bool wants(std::int64_t done) const { return done % every_steps_ == 0; }

  /// Begins the file, or cuts off what it says of steps after `state`. Throws Error(io), and Error(format) for a damaged line.
  void open(const RunFolder& run, const LoopState& state);
  /// Appends a line. Throws Error(io).
  void write(const StepRecord& record) { append(to_json(record)); }
  void write(const EpochRecord& record) { append(to_json(record)); }

  /// Gathers the calibration: to be given to evaluate() for the validation part.
  Look look_at_validation(std::int64_t classes);

  /// What is measured at the end of an epoch, after the validation: `model` with the weights that were validated.
  EpochRecord epoch(const EpochMetrics& metrics, const LoopState& state, models::AnyModel& model,
                    const Objective& objective, const data::Dataset& training, const NumberTask& numbers);

 private:
  void append(const std::string& line) const;
  /// The same random examples at every epoch.
  std::vector<std::int64_t> rows(const data::Dataset& training, std::int64_t most) const;
  SharpnessRecord measure_sharpness(models::AnyModel& model, const Objective& objective,
                                    const data::Dataset& training) const;

  Asked asked_;
  std::int64_t every_steps_, batch_size_;
  std::uint64_t seed_;
  std::string path_;
  std::optional<metrics::Classification> validation_;
  bool finite_ = true;  ///< all that validation_ was to be told
};

}  // namespace gradus::train
