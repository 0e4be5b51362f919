// Learning rates over time: plain values with `lr(step)`, where step 0 is the first.
//
//   const optim::CosineSchedule schedule{.base = 1e-3, .total = 10'000, .warmup = 500};
//   optimizer.set_lr(schedule.lr(step));
//
// A schedule has no state: resuming needs the number of the step alone. (What depends on how training goes is
// optim::ReduceOnPlateau.) Every `lr` throws Error(value) for a negative step and for settings out of range.
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "gradus/base/location.h"

namespace gradus::optim {

/// How a rate goes from one value to another, by the fraction x of the way in [0, 1].
enum class Curve {
  linear,
  cosine,         ///< half a cosine: flat at both ends
  one_minus_sqrt  ///< 1 - sqrt(x): steep at first (Haegele et al., "Scaling laws and compute-optimal training", 2024)
};

/// Always `base`, after `warmup` steps that rise linearly to it.
struct ConstantSchedule {
  double base = 1e-3;
  std::int64_t warmup = 0;

  double lr(std::int64_t step, SourceLocation where = SourceLocation::current()) const;
};

/// Half a cosine from `base` at the end of the warm-up to `min` at step `total`, and `min` from there on; PyTorch's
/// CosineAnnealingLR with T_max = total when there is no warm-up. During the warm-up step s has base (s + 1) / warmup.
struct CosineSchedule {
  double base = 1e-3;
  std::int64_t total = 1;  ///< steps, warm-up included
  double min = 0;
  std::int64_t warmup = 0;

  double lr(std::int64_t step, SourceLocation where = SourceLocation::current()) const;
};

/// Times `gamma` every `step_size` steps. PyTorch's StepLR.
struct StepSchedule {
  double base = 1e-3;
  std::int64_t step_size = 1;
  double gamma = 0.1;

  double lr(std::int64_t step, SourceLocation where = SourceLocation::current()) const;
};

/// Times `gamma` at each of `milestones`, which must not decrease; one that is named twice counts twice. PyTorch's
/// MultiStepLR.
struct MultiStepSchedule {
  double base = 1e-3;
  std::vector<std::int64_t> milestones = {};
  double gamma = 0.1;

  double lr(std::int64_t step, SourceLocation where = SourceLocation::current()) const;
};

/// base gamma^step. PyTorch's ExponentialLR.
struct ExponentialSchedule {
  double base = 1e-3;
  double gamma = 1;

  double lr(std::int64_t step, SourceLocation where = SourceLocation::current()) const;
};

/// Half cosines from `base` to `min`, each beginning at `base` again: the first lasts `period` steps, every later one
/// `multiplier` times as long as the one before. PyTorch's CosineAnnealingWarmRestarts (T_0, T_mult, eta_min); Loshchilov and
/// Hutter, "SGDR", 2017.
struct CosineRestartsSchedule {
  double base = 1e-3;
  std::int64_t period = 1;
  std::int64_t multiplier = 1;
  double min = 0;

  double lr(std::int64_t step, SourceLocation where = SourceLocation::current()) const;
};

/// Up from max / div_factor to `max` during the fraction `pct_start` of `total` steps, and down to
/// max / div_factor / final_div_factor at step total - 1, where it stays; with `three_phase` first down to
/// max / div_factor during as many steps as the rise took. PyTorch's OneCycleLR; Smith and Topin, "Super-convergence", 2018.
struct OneCycleSchedule {
  double max = 1e-2;
  std::int64_t total = 1;
  double pct_start = 0.3;
  Curve anneal = Curve::cosine;
  double div_factor = 25;
  double final_div_factor = 1e4;
  bool three_phase = false;

  double lr(std::int64_t step, SourceLocation where = SourceLocation::current()) const;
};

/// base times a factor that goes linearly from `start_factor` to `end_factor` in `total` steps, and stays: the linear
/// warm-up of PyTorch (LinearLR).
struct LinearSchedule {
  double base = 1e-3;
  double start_factor = 1.0 / 3;
  double end_factor = 1;
  std::int64_t total = 5;

  double lr(std::int64_t step, SourceLocation where = SourceLocation::current()) const;
};

/// base times `factor` for the first `total` steps, and `base` from there on: the constant warm-up of PyTorch (ConstantLR).
struct ConstantWarmupSchedule {
  double base = 1e-3;
  double factor = 1.0 / 3;
  std::int64_t total = 5;

  double lr(std::int64_t step, SourceLocation where = SourceLocation::current()) const;
};

/// base (1 - step / total)^power, and 0 from step `total` on. PyTorch's PolynomialLR.
struct PolynomialSchedule {
  double base = 1e-3;
  std::int64_t total = 5;
  double power = 1;

  double lr(std::int64_t step, SourceLocation where = SourceLocation::current()) const;
};

/// Warm-up, stable, decay: rises linearly during `warmup` steps (step s has base (s + 1) / warmup), holds `base`, and falls
/// to `min` along `curve` in the last `decay` steps before step `total`, where it stays. Hu et al., "MiniCPM", 2024.
struct WarmupStableDecaySchedule {
  double base = 1e-3;
  std::int64_t total = 1;  ///< steps, warm-up and decay included
  std::int64_t warmup = 0;
  std::int64_t decay = 0;
  double min = 0;
  Curve curve = Curve::linear;

  double lr(std::int64_t step, SourceLocation where = SourceLocation::current()) const;
};

enum class CyclicMode {
  triangular,   ///< all cycles alike
  triangular2,  ///< every cycle half as high as the one before
  exp_range     ///< the height shrinks by gamma at every step
};

/// Up from `base` to `max` in `step_size_up` steps, down again in `step_size_down` (0: as many), for ever. PyTorch's CyclicLR;
/// Smith, "Cyclical learning rates", 2017.
struct CyclicSchedule {
  double base = 1e-4;
  double max = 1e-3;
  std::int64_t step_size_up = 2000;
  std::int64_t step_size_down = 0;
  CyclicMode mode = CyclicMode::triangular;
  double gamma = 1;  ///< of exp_range

  double lr(std::int64_t step, SourceLocation where = SourceLocation::current()) const;
};

/// base times a function of the step. PyTorch's LambdaLR.
///   optim::LambdaSchedule{.base = 0.1, .function = [](std::int64_t s) { return 1 / (1 + 0.01 * double(s)); }};
struct LambdaSchedule {
  double base = 1e-3;
  std::function<double(std::int64_t)> function = {};

  double lr(std::int64_t step, SourceLocation where = SourceLocation::current()) const;
};

/// Any schedule: what has `double lr(std::int64_t step) const`.
class Schedule {
 public:
  template <class T>
  requires(!std::same_as<T, Schedule> &&
           requires(const T& s, std::int64_t step) {
             { s.lr(step) } -> std::convertible_to<double>;
           }) Schedule(T schedule)  // NOLINT: implicit by design
      : lr_([kept = std::move(schedule)](std::int64_t step, SourceLocation where) {
          if constexpr (requires { kept.lr(step, where); }) {
            return kept.lr(step, where);
          } else {
            return kept.lr(step);
          }
        }) {}

  double lr(std::int64_t step, SourceLocation where = SourceLocation::current()) const { return lr_(step, where); }

 private:
  std::function<double(std::int64_t, SourceLocation)> lr_;
};

/// base times the product of `factors`, which therefore have base 1 themselves. PyTorch's ChainedScheduler.
///   optim::ChainedSchedule{.base = 0.1, .factors = {optim::LinearSchedule{.base = 1},
///                                                   optim::ExponentialSchedule{.base = 1, .gamma = 0.99}}};
struct ChainedSchedule {
  double base = 1e-3;
  std::vector<Schedule> factors = {};

  double lr(std::int64_t step, SourceLocation where = SourceLocation::current()) const;
};

/// One after the other: schedule i + 1 takes over at step milestones[i], with its own step 0. Milestones rise, and are one less
/// than the schedules. PyTorch's SequentialLR.
///   optim::SequentialSchedule{.schedules = {optim::LinearSchedule{.base = 0.1, .total = 500},
///                                           optim::CosineSchedule{.base = 0.1, .total = 9500}},
///                             .milestones = {500}};
struct SequentialSchedule {
  std::vector<Schedule> schedules = {};
  std::vector<std::int64_t> milestones = {};

  double lr(std::int64_t step, SourceLocation where = SourceLocation::current()) const;
};

}  // namespace gradus::optim
