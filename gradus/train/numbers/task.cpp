#include "gradus/train/numbers/task.h"

#include "gradus/base/error.h"
#include "gradus/nn/losses/regression.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/view.h"

namespace gradus::train {

Tensor NumberTask::loss_of(const Tensor& answer, const Tensor& targets, Reduction reduction) const {
  const Tensor guess = reshape(answer, targets.shape()), truth = (targets - mean) / std;
  if (loss == "l1") return l1_loss(guess, truth, {.reduction = reduction});
  if (loss == "huber") return huber_loss(guess, truth, {.delta = delta, .reduction = reduction});
  if (loss == "smooth_l1") return smooth_l1_loss(guess, truth, {.beta = delta, .reduction = reduction});
  GRADUS_ASSERT(loss == "mse");
  return mse_loss(guess, truth, {.reduction = reduction});
}

Tensor NumberTask::numbers(const Tensor& answer) const { return reshape(answer, {answer.size(0)}) * std + mean; }

NumberTask number_task(const Recipe& recipe) {
  return {.loss = recipe.train.loss == "cross_entropy" ? "mse" : recipe.train.loss,
          .delta = recipe.train.delta,
          .mean = recipe.data.target_mean,
          .std = recipe.data.target_std};
}

}  // namespace gradus::train
