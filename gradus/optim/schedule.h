// Learning rates over time: plain values with `lr(step)`, where step 0 is the first.
//
//   const optim::CosineSchedule schedule{.base = 1e-3, .total = 10'000, .warmup = 500};
//   optimizer.set_lr(schedule.lr(step));
#pragma once

#include <cstdint>

namespace gradus::optim {

/// Always `base`, after `warmup` steps that rise linearly to it.
struct ConstantSchedule {
  double base = 1e-3;
  std::int64_t warmup = 0;

  double lr(std::int64_t step) const;
};

/// Half a cosine from `base` at the end of the warm-up to `min` at step `total`, and `min` from there on; PyTorch's
/// CosineAnnealingLR with T_max = total when there is no warm-up. During the warm-up step s has base (s + 1) / warmup.
struct CosineSchedule {
  double base = 1e-3;
  std::int64_t total = 1;  ///< steps, warm-up included
  double min = 0;
  std::int64_t warmup = 0;

  double lr(std::int64_t step) const;
};

}  // namespace gradus::optim
