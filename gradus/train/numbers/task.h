// Predicting numbers: what is minimised, and in which unit the model computes.
#pragma once

#include <string>

#include "gradus/models/any_model.h"
#include "gradus/nn/losses/reduction.h"
#include "gradus/train/recipe.h"

namespace gradus::train {

/// A model of numbers answers [n, 1] or [n], with (number - mean) / std: targets of any size train alike.
struct NumberTask {
  std::string loss = "mse";  ///< mse, l1, huber or smooth_l1
  double delta = 1;          ///< of the last two: where the parabola becomes a line (PyTorch's delta and beta)
  double mean = 0, std = 1;

  /// Of answers and targets [n], the latter in their own unit; the loss is in units of std.
  Tensor loss_of(const Tensor& answer, const Tensor& targets, Reduction reduction) const;
  /// The answers as numbers [n] in the unit of the targets.
  Tensor numbers(const Tensor& answer) const;
};

NumberTask number_task(const Recipe& recipe);

}  // namespace gradus::train
