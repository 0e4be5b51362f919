// The figures of a run: one record per epoch, one JSON line per record in metrics.jsonl.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace gradus::train {

/// How well a model predicts numbers, in their own unit.
struct Fit {
  double r2 = 0;   ///< 1: perfectly; 0: as well as the mean of the targets
  double mae = 0;  ///< mean absolute error
  double rmse = 0;
  friend bool operator==(const Fit&, const Fit&) = default;
};

struct EpochMetrics {
  std::int64_t epoch = 0;  ///< from 1
  std::int64_t step = 0;   ///< optimizer steps since the start of the run
  double train_loss = 0;   ///< mean over the epoch's examples, each at the step that trained on it
  double train_accuracy = 0;
  double val_loss = 0;
  double val_accuracy = 0;
  double lr = 0;                                             ///< of the epoch's last step
  double samples_per_s = 0;                                  ///< training examples, without the validation
  double seconds = 0;                                        ///< of the whole epoch, validation included
  std::optional<double> test_loss = {}, test_accuracy = {};  ///< last epoch only: with the weights of the best epoch
  /// Of numbers, in place of the accuracies.
  std::optional<Fit> val_fit = {}, test_fit = {};

  friend bool operator==(const EpochMetrics&, const EpochMetrics&) = default;
};

/// What is compared between epochs of runs: accuracy, or R2 of numbers; of the validation.
double val_score(const EpochMetrics& metrics);
/// The same of the test, where there was one.
std::optional<double> test_score(const EpochMetrics& metrics);

/// One line of JSON without a newline; a test figure that is absent is left out.
std::string to_json(const EpochMetrics& metrics);
/// Throws Error(format).
EpochMetrics from_json(const std::string& line);

/// The records of `path`; none when the file does not exist. Throws Error(io) and, with the line's number, Error(format).
/// A last line without a newline, as a killed run leaves it, is ignored.
std::vector<EpochMetrics> read_metrics(const std::string& path);
/// Replaces the file by these records, atomically. Throws Error(io).
void write_metrics(const std::string& path, const std::vector<EpochMetrics>& records);

}  // namespace gradus::train
