// What training minimises.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "gradus/data/dataset.h"
#include "gradus/models/any_model.h"
#include "gradus/train/numbers/task.h"
#include "gradus/train/recipe.h"

namespace gradus::train {

/// Weights examples / (classes * examples of the class), scikit-learn's "balanced": with them every class contributes the
/// same to the loss. Classes without examples get 0. Throws Error(index) for a label out of range.
std::vector<double> balanced_class_weights(std::span<const std::int64_t> labels, std::int64_t classes,
                                           SourceLocation where = SourceLocation::current());

/// Cross entropy with the label smoothing and class weights of a recipe; for data sets of numbers the loss of their task.
class Objective {
 public:
  /// Throws Error(config) unless train.class_weights is empty or has one weight per class of `training`, some above 0.
  Objective(const TrainSettings& settings, const data::Dataset& training, NumberTask numbers = {});

  /// A batch as training sees it: with train.input_noise on the inputs, and mixed by train.mixup. The targets of a mixture of
  /// classes are probabilities [n, classes]. Draws from the default stream; gives the batch as it is without either.
  data::Batch disturbed(const Tensor& inputs, const Tensor& labels) const;

  /// What one training step minimises.
  struct Step {
    data::Batch batch;  ///< as it was seen
    Tensor answer, loss;
  };
  /// The loss of `model` on the batch as disturbed(), with the penalty of train.l1_penalty. Not evaluated.
  Step training(models::AnyModel& model, const Tensor& inputs, const Tensor& labels) const;
  /// What follows a step: weights within train.max_norm.
  void constrain(models::AnyModel& model) const;

  /// `answer` [n, classes], `labels` [n] or probabilities [n, classes]: the mean over the examples, weighted by class as in cross_entropy.
  Tensor operator()(const Tensor& answer, const Tensor& labels) const;
  /// The loss of each example by itself, [n].
  Tensor each(const Tensor& answer, const Tensor& labels) const;

 private:
  NumberTask numbers_;
  double label_smoothing_, mixup_, input_noise_, l1_penalty_, max_norm_;
  std::int64_t classes_ = 0;  ///< 0: numbers
  Tensor weights_;            ///< f32 [classes]; undefined: all 1
};

/// The loss of one head of a model with several.
struct TaskLoss {
  std::string name;
  Tensor loss;  ///< a floating scalar, not evaluated
  double weight = 1;
};

/// The weighted sum of the losses of several tasks, which trains them together:
///
///   optimizer.minimize(multi_task_loss({{"kind", kind_loss}, {"price", price_loss, 0.1}}));
///
/// Throws Error(usage) without tasks, Error(shape) for a loss that is no scalar, Error(value) for a weight that is
/// negative or not finite; each names the task.
Tensor multi_task_loss(const std::vector<TaskLoss>& tasks, SourceLocation where = SourceLocation::current());

}  // namespace gradus::train
