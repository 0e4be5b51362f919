#include "gradus/optim/schedule.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "gradus/base/error.h"

namespace gradus::optim {
namespace {

/// Refuses the step and the settings of one schedule.
class Check {
 public:
  Check(const char* op, std::int64_t step, SourceLocation where) : op_(op), where_(where) {
    not_negative("step", step);
  }
  Check(const char* op, std::int64_t step, double base, SourceLocation where) : Check(op, step, where) {
    rate("base", base);
  }

  template <class T>
  void operator()(bool holds, const char* setting, T value, const char* rule) const {
    if (holds) return;
    throw Error(ErrorKind::value, op_, fmt::format("{} is {}, must be {}", setting, value, rule)).at(where_);
  }
  void rate(const char* setting, double value) const {
    (*this)(std::isfinite(value) && value >= 0, setting, value, "finite and >= 0");
  }
  void positive(const char* setting, std::int64_t value) const { (*this)(value >= 1, setting, value, ">= 1"); }
  void not_negative(const char* setting, std::int64_t value) const { (*this)(value >= 0, setting, value, ">= 0"); }

 private:
  const char* op_;
  SourceLocation where_;
};

double real(std::int64_t value) { return static_cast<double>(value); }

double warming_up(double base, std::int64_t warmup, std::int64_t step) { return base * real(step + 1) / real(warmup); }

/// From `start` at x = 0 to `end` at x = 1.
double along(Curve curve, double start, double end, double x) {
  double rest = 1 - x;
  if (curve == Curve::cosine) rest = (1 + std::cos(std::numbers::pi * x)) / 2;
  if (curve == Curve::one_minus_sqrt) rest = 1 - std::sqrt(x);
  return end + (start - end) * rest;
}

/// Fails at the first milestone that breaks the order.
void check_order(const Check& check, const std::vector<std::int64_t>& milestones, bool strict) {
  std::int64_t before = strict ? 0 : 1;
  for (const std::int64_t milestone : milestones) {
    check(strict ? milestone > before : milestone >= before, "one of milestones", milestone,
          strict ? "> 0 and greater than the one before" : ">= 1 and not less than the one before");
    before = milestone;
  }
}

}  // namespace

double ConstantSchedule::lr(std::int64_t step, SourceLocation where) const {
  const Check check("optim::ConstantSchedule", step, base, where);
  check.not_negative("warmup", warmup);
  return step < warmup ? warming_up(base, warmup, step) : base;
}

double CosineSchedule::lr(std::int64_t step, SourceLocation where) const {
  const Check check("optim::CosineSchedule", step, base, where);
  check.rate("min", min);
  check.not_negative("warmup", warmup);
  check.positive("total", total);
  if (step < warmup) return warming_up(base, warmup, step);
  if (step >= total) return min;
  return along(Curve::cosine, base, min, real(step - warmup) / real(total - warmup));
}

double StepSchedule::lr(std::int64_t step, SourceLocation where) const {
  const Check check("optim::StepSchedule", step, base, where);
  check.positive("step_size", step_size);
  check.rate("gamma", gamma);
  return base * std::pow(gamma, real(step / step_size));
}

double MultiStepSchedule::lr(std::int64_t step, SourceLocation where) const {
  const Check check("optim::MultiStepSchedule", step, base, where);
  check.rate("gamma", gamma);
  check_order(check, milestones, false);
  const auto passed = std::upper_bound(milestones.begin(), milestones.end(), step) - milestones.begin();
  return base * std::pow(gamma, real(passed));
}

double ExponentialSchedule::lr(std::int64_t step, SourceLocation where) const {
  const Check check("optim::ExponentialSchedule", step, base, where);
  check.rate("gamma", gamma);
  return base * std::pow(gamma, real(step));
}

double CosineRestartsSchedule::lr(std::int64_t step, SourceLocation where) const {
  const Check check("optim::CosineRestartsSchedule", step, base, where);
  check.positive("period", period);
  check.positive("multiplier", multiplier);
  check.rate("min", min);
  std::int64_t length = period, since = step;
  if (multiplier == 1) since %= period;
  while (since >= length) {
    since -= length;
    if (length >
        since / multiplier) {  // the next period is longer than what is left; its length may not even be an i64
      return along(Curve::cosine, base, min, real(since) / (real(length) * real(multiplier)));
    }
    length *= multiplier;
  }
  return along(Curve::cosine, base, min, real(since) / real(length));
}

double OneCycleSchedule::lr(std::int64_t step, SourceLocation where) const {
  const Check check("optim::OneCycleSchedule", step, where);
  check.rate("max", max);
  check.positive("total", total);
  check(pct_start >= 0 && pct_start <= 1, "pct_start", pct_start, "in [0, 1]");
  check(!three_phase || pct_start <= 0.5, "pct_start", pct_start, "at most 0.5 with three_phase");
  check(div_factor > 0, "div_factor", div_factor, "> 0");
  check(final_div_factor > 0, "final_div_factor", final_div_factor, "> 0");
  struct Phase {
    double end, from, to;
  };
  const double initial = max / div_factor, last = initial / final_div_factor, rise = pct_start * real(total);
  std::vector<Phase> phases{{rise - 1, initial, max}};
  if (three_phase) phases.push_back({2 * rise - 2, max, initial});
  phases.push_back({real(total - 1), three_phase ? initial : max, last});
  const double at = std::min(real(step), real(total - 1));
  double start = 0;
  for (const Phase& phase : phases) {
    if (at <= phase.end) {
      const double length = phase.end - start;
      return along(anneal, phase.from, phase.to, length > 0 ? (at - start) / length : 1);
    }
    start = phase.end;
  }
  return last;
}

double LinearSchedule::lr(std::int64_t step, SourceLocation where) const {
  const Check check("optim::LinearSchedule", step, base, where);
  check.rate("start_factor", start_factor);
  check.rate("end_factor", end_factor);
  check.positive("total", total);
  return base * along(Curve::linear, start_factor, end_factor, real(std::min(step, total)) / real(total));
}

double ConstantWarmupSchedule::lr(std::int64_t step, SourceLocation where) const {
  const Check check("optim::ConstantWarmupSchedule", step, base, where);
  check.rate("factor", factor);
  check.not_negative("total", total);
  return step < total ? base * factor : base;
}

double PolynomialSchedule::lr(std::int64_t step, SourceLocation where) const {
  const Check check("optim::PolynomialSchedule", step, base, where);
  check.positive("total", total);
  check(std::isfinite(power) && power > 0, "power", power, "finite and > 0");
  return base * std::pow(1 - real(std::min(step, total)) / real(total), power);
}

double WarmupStableDecaySchedule::lr(std::int64_t step, SourceLocation where) const {
  const Check check("optim::WarmupStableDecaySchedule", step, base, where);
  check.rate("min", min);
  check.not_negative("warmup", warmup);
  check.not_negative("decay", decay);
  check(total >= warmup && total - warmup >= decay, "total", total, "at least warmup + decay");
  if (step < warmup) return warming_up(base, warmup, step);
  if (step >= total) return decay > 0 ? min : base;
  if (step < total - decay) return base;
  return along(curve, base, min, real(step - (total - decay)) / real(decay));
}

double CyclicSchedule::lr(std::int64_t step, SourceLocation where) const {
  const Check check("optim::CyclicSchedule", step, base, where);
  check.rate("max", max);
  check.positive("step_size_up", step_size_up);
  check.not_negative("step_size_down", step_size_down);
  check.rate("gamma", gamma);
  constexpr std::int64_t longest = std::numeric_limits<std::int64_t>::max() / 2;  // two of them make a cycle
  check(step_size_up <= longest, "step_size_up", step_size_up, "less than 2^62");
  check(step_size_down <= longest, "step_size_down", step_size_down, "less than 2^62");
  const std::int64_t down = step_size_down > 0 ? step_size_down : step_size_up, length = step_size_up + down;
  const std::int64_t cycle = step / length, at = step % length;  // from 0
  const double height = at <= step_size_up ? real(at) / real(step_size_up) : real(length - at) / real(down);
  double scale = 1;
  if (mode == CyclicMode::triangular2) scale = std::pow(0.5, real(cycle));
  if (mode == CyclicMode::exp_range) scale = std::pow(gamma, real(step));
  return base + (max - base) * height * scale;
}

double LambdaSchedule::lr(std::int64_t step, SourceLocation where) const {
  const Check check("optim::LambdaSchedule", step, base, where);
  if (!function) {
    throw Error(ErrorKind::value, "optim::LambdaSchedule", "function is empty")
        .at(where)
        .hint("give it a factor by step");
  }
  return base * function(step);
}

double ChainedSchedule::lr(std::int64_t step, SourceLocation where) const {
  const Check check("optim::ChainedSchedule", step, base, where);
  double rate = base;
  for (const Schedule& factor : factors) rate *= factor.lr(step, where);
  return rate;
}

double SequentialSchedule::lr(std::int64_t step, SourceLocation where) const {
  const Check check("optim::SequentialSchedule", step, where);
  if (schedules.size() != milestones.size() + 1) {
    throw Error(ErrorKind::value, "optim::SequentialSchedule",
                fmt::format("{} milestones for {} schedules", milestones.size(), schedules.size()))
        .at(where)
        .hint("one milestone less than schedules: the steps at which the next one takes over");
  }
  check_order(check, milestones, true);
  const auto next = std::upper_bound(milestones.begin(), milestones.end(), step);
  const auto index = static_cast<std::size_t>(next - milestones.begin());
  return schedules[index].lr(index == 0 ? step : step - milestones[index - 1], where);
}

}  // namespace gradus::optim
