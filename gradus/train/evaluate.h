// Loss and accuracy of a model on a data set.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "gradus/data/dataset.h"
#include "gradus/models/any_model.h"
#include "gradus/train/metrics.h"
#include "gradus/train/numbers/task.h"

namespace gradus::train {

struct Evaluation {
  double loss = 0;      ///< mean cross entropy; of numbers: of the task's loss
  double accuracy = 0;  ///< share of examples whose largest logit is their label
  std::int64_t examples = 0;
  std::int64_t correct = 0;
  std::vector<std::int64_t> class_examples, class_correct;  ///< by label
  std::optional<Fit> fit = {};                              ///< of a data set of numbers, which has no accuracy
};

/// Sees the model's answer to a batch, evaluated, and its labels.
using Look = std::function<void(const Tensor& answer, const Tensor& labels)>;

/// Runs the model over all examples, in order, some hundreds at a time. `numbers` is of data sets of numbers; `look` is
/// called for every batch of classes.
Evaluation evaluate(models::AnyModel& model, const data::Dataset& dataset, const NumberTask& numbers = {},
                    const Look& look = {});

/// The numbers that the model predicts for all examples, in order.
std::vector<double> predicted_numbers(models::AnyModel& model, const data::Dataset& dataset, const NumberTask& numbers);

/// How many rows of `predicted` (i64 [B], evaluated) equal `labels` (the same).
std::int64_t count_equal(const Tensor& predicted, const Tensor& labels);

/// Wilson's 95 % interval for a share of `correct` in `examples`.
struct Interval {
  double low = 0, high = 1;
};
Interval confidence_interval(std::int64_t correct, std::int64_t examples);

}  // namespace gradus::train
