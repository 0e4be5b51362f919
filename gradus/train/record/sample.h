// One training step that is looked at.
//
//   Sample sample(asked, {model, objective, images, labels}, answer, loss);
//   optimizer.minimize(loss, sample.tensors());                    // all that is needed is computed in the plan of the step
//   StepRecord record = sample.finish(model);
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "gradus/models/any_model.h"
#include "gradus/train/objective.h"
#include "gradus/train/record/instruments.h"
#include "gradus/train/record/sites.h"

namespace gradus::train {

/// What a recipe asks for.
struct Asked {
  bool gradients = false, activations = false, updates = false, losses = false, noise = false;  // of steps
  bool generalisation = false, calibration = false, sharpness = false;                          // of epochs
  bool any = false;

  /// `names`: of instrument_names(), or "all".
  static Asked of(const std::vector<std::string>& names);
};

/// It refers to what it is given.
struct Subject {
  models::AnyModel& model;
  const Objective& objective;
  const Tensor& inputs;
  const Tensor& targets;
};

class Sample {
 public:
  /// Records what is to be computed along with the step: `answer` and `loss` of the subject, recorded and not evaluated. The
  /// default random stream is left as it was.
  Sample(const Asked& asked, const Subject& subject, const Tensor& answer, const Tensor& loss);

  /// To be evaluated in the plan of the step.
  Tensors tensors() const;
  /// Of a step whose gradient was gathered over several batches: `gradient`, evaluated before finish(), in place of its own.
  void set_gradients(const models::AnyModel& gradient);
  /// After the step, when all of tensors() are evaluated. Step, epoch, rate and loss are left to the caller.
  StepRecord finish(models::AnyModel& model) const;

 private:
  void watch_noise(const Subject& subject, const models::AnyModel& gradient);

  Asked asked_;
  NamedTensors gradients_, weights_;  ///< by parameter; weights before the step
  std::vector<ActivationSite> sites_;
  Tensor losses_;
  std::int64_t small_ = 0, big_ = 0;
  Tensor small_square_,
      big_square_;  ///< squared norms of the gradients of half the batch (mean of both) and of all of it
};

}  // namespace gradus::train
