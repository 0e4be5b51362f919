#include "gradus/classic/descent.h"

#include <algorithm>

#include "gradus/data/loader.h"
#include "gradus/nn/losses.h"
#include "gradus/ops/ops.h"
#include "gradus/optim/schedule.h"
#include "gradus/optim/wrappers/compiled_step.h"

namespace gradus::classic::detail {

void descend(optim::Optimizer& optimizer, const std::function<Tensor(const Tensor&)>& forward,
             const data::Dataset& train, const DescentOptions& options, std::uint64_t seed) {
  optim::CompiledStep step(optimizer, [&](const Tensors& batch) {
    const Tensor y = forward(batch[0]);
    return train.is_regression() ? mse_loss(squeeze(y, 1), batch[1]) : cross_entropy(y, batch[1]);
  });
  const std::int64_t batch = std::min(options.batch_size, train.size());
  const std::int64_t steps = (train.size() + batch - 1) / batch;
  const optim::CosineSchedule cosine{.base = options.lr, .total = steps * options.epochs};
  std::int64_t done = 0;
  for (std::int64_t epoch = 0; epoch < options.epochs; ++epoch) {
    for (const auto& [inputs, labels] :
         data::loader(train, {.batch_size = batch, .shuffle = true, .seed = seed, .epoch = epoch})) {
      optimizer.set_lr(cosine.lr(done++));
      step({inputs, labels});
    }
  }
}

}  // namespace gradus::classic::detail
