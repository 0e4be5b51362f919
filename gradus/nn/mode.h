// Training and evaluation mode of whole models.
//
//   nn::train(model);                  // dropout drops, batch normalisation uses and records the batch's statistics
//   nn::eval_mode(model);              // neither; what a new model must be set to before it is measured or used
//
// (gradus::eval evaluates tensors; it has nothing to do with this.)
#pragma once

#include "gradus/nn/fields.h"

namespace gradus::nn {

/// Sets the training flag of every layer. Returns how many there are.
template <class Model>
int train(Model& model, bool on = true) {
  FieldWalk walk;
  walk("", model);
  for (TrainingFlag* flag : walk.training_flags()) *flag = on;
  return static_cast<int>(walk.training_flags().size());
}

/// train(model, false).
template <class Model>
int eval_mode(Model& model) {
  return train(model, false);
}

}  // namespace gradus::nn
