#include "gradus/models/mlp.h"

#include "bench/numbers.h"
#include "bench/training.h"
#include "bench/workloads/workloads.h"
#include "gradus/nn/losses.h"
#include "gradus/optim/sgd.h"

namespace gradus::bench {
namespace {

std::unique_ptr<Task> make_mlp() {
  double seconds = 0;
  models::Mlp model({.hidden = {512, 512}});
  init_parameters(model);
  auto task = std::make_unique<Training<models::Mlp>>(
      std::move(model), shuffled_batches(training_images(seconds), 128),
      [](const Tensor& logits, const Tensor& labels) { return cross_entropy(logits, labels); },
      [](models::Mlp& m) { return std::make_unique<optim::SGD>(m, optim::SGDOptions{.lr = 0.05, .momentum = 0.9}); });
  task->data_seconds = seconds;
  return task;
}

}  // namespace

Workload mlp() {
  return {.name = "mlp",
          .unit = "samples",
          .per_step = 128,
          .warmup = 20,
          .steps = 200,
          .work = dense_work(128, {784, 512, 512, 10}, true),
          .parameter_bytes = 32,
          .make = make_mlp};
}

}  // namespace gradus::bench
