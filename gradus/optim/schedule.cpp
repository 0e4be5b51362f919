#include "gradus/optim/schedule.h"

#include <cmath>
#include <numbers>

namespace gradus::optim {
namespace {

double warming_up(double base, std::int64_t warmup, std::int64_t step) {
  return base * static_cast<double>(step + 1) / static_cast<double>(warmup);
}

}  // namespace

double ConstantSchedule::lr(std::int64_t step) const { return step < warmup ? warming_up(base, warmup, step) : base; }

double CosineSchedule::lr(std::int64_t step) const {
  if (step < warmup) return warming_up(base, warmup, step);
  if (step >= total) return min;
  const double progress = static_cast<double>(step - warmup) / static_cast<double>(total - warmup);
  return min + (base - min) * (1 + std::cos(std::numbers::pi * progress)) / 2;
}

}  // namespace gradus::optim
