#include "gradus/models/lenet5.h"

#include "bench/numbers.h"
#include "bench/training.h"
#include "bench/workloads/workloads.h"
#include "gradus/nn/losses.h"
#include "gradus/ops/reduce.h"
#include "gradus/optim/adam.h"

namespace gradus::bench {
namespace {

Work lenet_work(std::int64_t images) {
  const auto n = static_cast<double>(images);
  Work work = {{n * 28 * 28 * 6 * 25, false}, {n * 10 * 10 * 16 * 150, true}};
  const Work dense = dense_work(images, {400, 120, 84, 10}, false);
  work.insert(work.end(), dense.begin(), dense.end());
  return work;
}

models::LeNet5 initial_lenet() {
  models::LeNet5 model;
  init_parameters(model);
  return model;
}

std::unique_ptr<Task> make_lenet() {
  double seconds = 0;
  auto task = std::make_unique<Training<models::LeNet5>>(
      initial_lenet(), shuffled_batches(training_images(seconds), 64),
      [](const Tensor& logits, const Tensor& labels) { return cross_entropy(logits, labels); },
      [](models::LeNet5& m) { return std::make_unique<optim::Adam>(m, optim::AdamOptions{.lr = 1e-3}); });
  task->data_seconds = seconds;
  return task;
}

class LenetInference : public Task {
 public:
  double step() override {
    logits_ = model_(image_);
    eval(logits_);
    return NAN;
  }
  std::int64_t parameters() const override { return nn::num_parameters(model_); }
  double output_sum() const override { return sum(logits_).item<double>(); }

 private:
  models::LeNet5 model_ = initial_lenet();
  Tensor image_ = uniform_tensor(500, {1, 1, 28, 28});
  Tensor logits_;
};

}  // namespace

Workload lenet() {
  return {.name = "lenet",
          .unit = "samples",
          .per_step = 64,
          .warmup = 20,
          .steps = 200,
          .work = lenet_work(64),
          .parameter_bytes = 40,
          .make = make_lenet};
}

Workload lenet_inference() {
  return {.name = "lenet_infer",
          .unit = "samples",
          .per_step = 1,
          .training = false,
          .warmup = 200,
          .steps = 2000,
          .work = lenet_work(1),
          .parameter_bytes = 4,
          .make = [] { return std::make_unique<LenetInference>(); }};
}

}  // namespace gradus::bench
