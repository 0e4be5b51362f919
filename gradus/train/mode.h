// Models that are measured do not train meanwhile.
#pragma once

#include <utility>
#include <vector>

#include "gradus/nn/fields.h"

namespace gradus::train {

/// Sets a model to evaluation mode, and every layer back to its own mode at the end. The model must outlive it, with the
/// layers that it has.
class EvaluationMode {
 public:
  template <class Model>
  explicit EvaluationMode(Model& model) {
    nn::FieldWalk walk;
    walk("", model);
    for (nn::TrainingFlag* flag : walk.training_flags()) {
      flags_.emplace_back(flag, *flag);
      *flag = false;
    }
  }
  ~EvaluationMode() {
    for (const auto& [flag, training] : flags_) *flag = training;
  }
  EvaluationMode(const EvaluationMode&) = delete;
  EvaluationMode& operator=(const EvaluationMode&) = delete;

 private:
  std::vector<std::pair<nn::TrainingFlag*, bool>> flags_;
};

}  // namespace gradus::train
