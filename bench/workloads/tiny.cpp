#include "bench/numbers.h"
#include "bench/training.h"
#include "bench/workloads/workloads.h"
#include "gradus/nn/linear.h"
#include "gradus/nn/losses.h"
#include "gradus/optim/sgd.h"

namespace gradus::bench {
namespace {

struct Tiny {
  nn::Linear hidden{2, 16}, out{16, 1};

  Tensor operator()(const Tensor& x) { return out(tanh(hidden(x))); }
};

/// The products of two numbers are to be learnt.
std::vector<data::Batch> batches() {
  std::vector<data::Batch> list;
  for (std::uint64_t i = 0; i < 64; ++i) {
    const Tensor x = uniform_tensor(400 + i, {4, 2});
    std::vector<float> products;
    for (std::size_t row = 0; row < 4; ++row)
      products.push_back(x.data<float>()[2 * row] * x.data<float>()[2 * row + 1]);
    list.push_back({x, leaf<float>({4, 1}, products)});
  }
  return list;
}

std::unique_ptr<Task> make_tiny() {
  Tiny model;
  init_parameters(model);
  return std::make_unique<CompiledTraining<Tiny>>(
      std::move(model), cycle(batches()),
      [](const Tensor& answer, const Tensor& products) { return mse_loss(answer, products); },
      [](Tiny& m) { return std::make_unique<optim::SGD>(m, optim::SGDOptions{.lr = 0.05, .momentum = 0.9}); });
}

}  // namespace

Workload tiny() {
  return {.name = "tiny",
          .unit = "samples",
          .per_step = 4,
          .warmup = 200,
          .steps = 3000,
          .work = dense_work(4, {2, 16, 1}, true),
          .parameter_bytes = 32,
          .make = make_tiny};
}

}  // namespace gradus::bench
