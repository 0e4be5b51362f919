// Training and inference as tasks of the bench.
#pragma once

#include <cmath>
#include <cstddef>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "bench/workload.h"
#include "gradus/data/dataset.h"
#include "gradus/engine/eval.h"
#include "gradus/optim/optimizer.h"
#include "gradus/optim/wrappers/compiled_step.h"

namespace gradus::bench {

/// Batches without end.
using Batches = std::function<data::Batch()>;

inline Batches cycle(std::vector<data::Batch> batches) {
  return [batches = std::move(batches), next = std::size_t{0}]() mutable {
    const data::Batch& batch = batches[next];
    next = (next + 1) % batches.size();
    return batch;
  };
}

/// Epochs of a data set in memory; epoch e is ordered by shuffled(2000 + e), and its last, smaller batch is left out.
Batches shuffled_batches(data::Dataset dataset, std::int64_t batch_size);

/// The training images, normalised by their mean and deviation. Adds the time of reading them to `seconds`.
data::Dataset training_images(double& seconds);

template <class Model>
class Training : public Task {
 public:
  using Loss = Tensor (*)(const Tensor& answer, const Tensor& labels);

  /// `optimizer(model)` makes the optimizer; the model has its initial weights.
  template <class MakeOptimizer>
  Training(Model model, Batches batches, Loss loss, MakeOptimizer optimizer)
      : model_(std::move(model)), batches_(std::move(batches)), loss_(loss), optimizer_(optimizer(model_)) {}

  double step() override {
    const data::Batch batch = batches_();
    const Tensor loss = loss_(model_(batch.inputs), batch.labels);
    optimizer_->minimize(loss);
    return loss.item<double>();
  }
  std::int64_t parameters() const override { return nn::num_parameters(model_); }

 private:
  Model model_;
  Batches batches_;
  Loss loss_;
  std::unique_ptr<optim::Optimizer> optimizer_;
};

/// The same, recorded once and replayed.
template <class Model>
class CompiledTraining : public Task {
 public:
  template <class MakeOptimizer>
  CompiledTraining(Model model, Batches batches, typename Training<Model>::Loss loss, MakeOptimizer optimizer)
      : model_(std::move(model)),
        batches_(std::move(batches)),
        optimizer_(optimizer(model_)),
        step_(*optimizer_, [this, loss](const Tensors& batch) { return loss(model_(batch[0]), batch[1]); }) {}

  double step() override {
    const data::Batch batch = batches_();
    return step_({batch.inputs, batch.labels}).template item<double>();
  }
  std::int64_t parameters() const override { return nn::num_parameters(model_); }

 private:
  Model model_;
  Batches batches_;
  std::unique_ptr<optim::Optimizer> optimizer_;
  optim::CompiledStep step_;
};

}  // namespace gradus::bench
