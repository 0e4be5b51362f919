#include "gradus/train/objective.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "gradus/base/error.h"
#include "gradus/nn/losses.h"
#include "gradus/nn/regularise/mixup.h"
#include "gradus/nn/regularise/penalty.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/random.h"

namespace gradus::train {

std::vector<double> balanced_class_weights(std::span<const std::int64_t> labels, std::int64_t classes,
                                           SourceLocation where) {
  std::vector<double> counts(static_cast<std::size_t>(std::max<std::int64_t>(classes, 0)));
  for (std::size_t row = 0; row < labels.size(); ++row) {
    if (labels[row] < 0 || labels[row] >= classes) {
      throw Error(ErrorKind::index, "balanced_class_weights",
                  fmt::format("row {} has label {}, but there are {} classes", row, labels[row], classes))
          .at(where);
    }
    counts[static_cast<std::size_t>(labels[row])] += 1;
  }
  for (double& count : counts) {
    if (count > 0) count = static_cast<double>(labels.size()) / (static_cast<double>(classes) * count);
  }
  return counts;
}

Objective::Objective(const TrainSettings& settings, const data::Dataset& training, NumberTask numbers)
    : numbers_(std::move(numbers)),
      label_smoothing_(settings.label_smoothing),
      mixup_(settings.mixup),
      input_noise_(settings.input_noise),
      l1_penalty_(settings.l1_penalty),
      max_norm_(settings.max_norm) {
  if (training.is_regression()) return;
  classes_ = training.num_classes();
  std::vector<double> weights = settings.class_weights;
  if (settings.class_balance == "balanced") {
    weights = balanced_class_weights(training.labels().data<std::int64_t>(), training.num_classes());
  }
  if (weights.empty()) return;
  if (static_cast<std::int64_t>(weights.size()) != training.num_classes()) {
    throw Error(ErrorKind::config, "train",
                fmt::format("train.class_weights has {} weights, and {} has {} classes", weights.size(),
                            training.name(), training.num_classes()));
  }
  if (*std::max_element(weights.begin(), weights.end()) <= 0)
    throw Error(ErrorKind::config, "train", "all train.class_weights are 0");
  const std::vector<float> narrow(weights.begin(), weights.end());
  weights_ = leaf<float>({training.num_classes()}, std::span<const float>(narrow));
}

data::Batch Objective::disturbed(const Tensor& inputs, const Tensor& labels) const {
  Tensor seen = inputs;
  if (input_noise_ > 0) seen = seen + input_noise_ * randn_like(seen);
  if (mixup_ <= 0) return {seen, labels};
  const Mixed mixed = classes_ > 0 ? mixup(seen, labels, classes_, {.alpha = mixup_})
                                   : mixup(seen, labels, random_beta(mixup_, mixup_, next_key()));
  return {mixed.inputs, mixed.targets};
}

Objective::Step Objective::training(models::AnyModel& model, const Tensor& inputs, const Tensor& labels) const {
  Step step{.batch = disturbed(inputs, labels), .answer = {}, .loss = {}};
  step.answer = model(step.batch.inputs);
  step.loss = (*this)(step.answer, step.batch.labels);
  if (l1_penalty_ > 0) step.loss = step.loss + l1_penalty_ * nn::l1_penalty(model);
  return step;
}

void Objective::constrain(models::AnyModel& model) const {
  if (max_norm_ > 0) nn::clip_max_norm(model, max_norm_);
}

Tensor Objective::operator()(const Tensor& answer, const Tensor& labels) const {
  if (classes_ == 0) return numbers_.loss_of(answer, labels, Reduction::mean);
  return cross_entropy(answer, labels, {.label_smoothing = label_smoothing_, .weight = weights_});
}

Tensor Objective::each(const Tensor& answer, const Tensor& labels) const {
  if (labels.dtype() == DType::f32) return numbers_.loss_of(answer, labels, Reduction::none);
  CrossEntropyOptions options{.label_smoothing = label_smoothing_, .weight = weights_};
  options.reduction = Reduction::none;
  return cross_entropy(answer, labels, options);
}

Tensor multi_task_loss(const std::vector<TaskLoss>& tasks, SourceLocation where) {
  if (tasks.empty()) throw Error(ErrorKind::usage, "multi_task_loss", "there is no task").at(where);
  Tensor total;
  for (const TaskLoss& task : tasks) {
    if (!task.loss.defined())
      throw Error(ErrorKind::usage, "multi_task_loss", "the loss is undefined").context(task.name).at(where);
    if (task.loss.rank() != 0 || !is_floating(task.loss.dtype())) {
      throw Error(ErrorKind::shape, "multi_task_loss")
          .context(task.name)
          .at(where)
          .operand("loss", task.loss.spec(), "expected a floating scalar")
          .hint("mean(loss) is the usual way");
    }
    if (!(task.weight >= 0) || !std::isfinite(task.weight)) {
      throw Error(ErrorKind::value, "multi_task_loss",
                  fmt::format("weight is {}, must be finite and >= 0", task.weight))
          .context(task.name)
          .at(where);
    }
    const Tensor part = TensorArg(task.loss, where) * TensorArg(task.weight, where);
    total = total.defined() ? TensorArg(total, where) + TensorArg(part, where) : part;
  }
  return total;
}

}  // namespace gradus::train
