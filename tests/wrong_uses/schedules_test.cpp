// What users do wrong with schedules, averages, wrappers and L-BFGS, and what they are told.
#include <cmath>

#include "gradus/gradus.h"
#include "wrong_uses.h"

namespace gradus::optim {
namespace {

using testing::check_wrong_uses;

struct Two {
  nn::Parameter a = nn::init::constant({2}, 1), b = nn::init::constant({3}, 1);
};
struct Layers {
  std::vector<nn::Parameter> parts{nn::init::constant({2}, 1)};
};

TEST(WrongUses, Schedules) {
  check_wrong_uses({
      {"negative step", [] { CosineSchedule{.total = 10}.lr(-1); },
       "value error in optim::CosineSchedule: step is -1, must be >= 0"},
      {"rate that is no number", [] { ConstantSchedule{.base = std::nan("")}.lr(0); },
       "value error in optim::ConstantSchedule: base is nan, must be finite and >= 0"},
      {"every 0 steps", [] { StepSchedule{.step_size = 0}.lr(3); },
       "value error in optim::StepSchedule: step_size is 0, must be >= 1"},
      {"milestones out of order",
       [] {
         MultiStepSchedule{.milestones = {30, 10}}.lr(3);
       },
       "value error in optim::MultiStepSchedule: one of milestones is 10, must be >= 1 and not less than the one "
       "before"},
      {"no steps before a restart", [] { CosineRestartsSchedule{.period = 0}.lr(3); },
       "value error in optim::CosineRestartsSchedule: period is 0, must be >= 1"},
      {"rise longer than the cycle", [] { OneCycleSchedule{.total = 10, .pct_start = 1.5}.lr(3); },
       "value error in optim::OneCycleSchedule: pct_start is 1.5, must be in [0, 1]"},
      {"three phases do not fit", [] { OneCycleSchedule{.total = 10, .pct_start = 0.7, .three_phase = true}.lr(3); },
       "value error in optim::OneCycleSchedule: pct_start is 0.7, must be at most 0.5 with three_phase"},
      {"decay longer than training", [] { WarmupStableDecaySchedule{.total = 100, .warmup = 20, .decay = 90}.lr(3); },
       "value error in optim::WarmupStableDecaySchedule: total is 100, must be at least warmup + decay"},
      {"cycle without a rise", [] { CyclicSchedule{.step_size_up = 0}.lr(3); },
       "value error in optim::CyclicSchedule: step_size_up is 0, must be >= 1"},
      {"cycle beyond all steps", [] { CyclicSchedule{.step_size_up = std::int64_t{1} << 62}.lr(3); },
       "value error in optim::CyclicSchedule: step_size_up is 4611686018427387904, must be less than 2^62"},
      {"negative warm-up", [] { ConstantSchedule{.warmup = -5}.lr(3); },
       "value error in optim::ConstantSchedule: warmup is -5, must be >= 0"},
      {"negative warm-up of a cosine", [] { CosineSchedule{.total = 10, .warmup = -5}.lr(3); },
       "value error in optim::CosineSchedule: warmup is -5, must be >= 0"},
      {"cosine over no steps", [] { CosineSchedule{.total = 0}.lr(3); },
       "value error in optim::CosineSchedule: total is 0, must be >= 1"},
      {"lambda without a function", [] { LambdaSchedule{.base = 1}.lr(3); },
       "value error in optim::LambdaSchedule: function is empty\n"
       "  hint: give it a factor by step"},
      {"one milestone too many",
       [] { SequentialSchedule{.schedules = {ConstantSchedule{}}, .milestones = {10}}.lr(3); },
       "value error in optim::SequentialSchedule: 1 milestones for 1 schedules\n"
       "  hint: one milestone less than schedules: the steps at which the next one takes over"},
      {"a factor out of range", [] { ChainedSchedule{.factors = {PolynomialSchedule{.total = 0}}}.lr(3); },
       "value error in optim::PolynomialSchedule: total is 0, must be >= 1"},
  });
}

TEST(WrongUses, ReduceOnPlateau) {
  check_wrong_uses({
      {"factor that does not reduce", [] { ReduceOnPlateau({.factor = 1}); },
       "value error in optim::ReduceOnPlateau: factor is 1, must be in (0, 1)"},
      {"negative patience", [] { ReduceOnPlateau({.patience = -1}); },
       "value error in optim::ReduceOnPlateau: patience is -1, must be >= 0"},
      {"state of something else",
       [] {
         ReduceOnPlateau().load_state_dict({{"lr", tensor(0.1)}});
       },
       "state error in optim::ReduceOnPlateau: 3 missing, 0 unexpected, 0 of another shape or type, 0 repeated; its "
       "state has 4 tensors; nothing was loaded\n"
       "  missing  best  f64 []\n"
       "  missing  num_bad_epochs  i64 []\n"
       "  missing  cooldown_counter  i64 []\n"
       "  hint: it continues from what state_dict() of an optim::ReduceOnPlateau gave"},
  });
}

TEST(WrongUses, AveragesAndSums) {
  check_wrong_uses({
      {"decay of one", [] { AveragedModel(Two(), {.decay = 1}); },
       "value error in optim::AveragedModel: decay is 1, must be in [0, 1)"},
      {"warm-up of no decay", [] { AveragedModel(Two(), {.warmup = true}); },
       "value error in optim::AveragedModel: warmup is of the decay, and there is none\n"
       "  hint: for example {.decay = 0.999, .warmup = true}"},
      {"model that grew",
       [] {
         Layers model;
         AveragedModel average(model);
         model.parts.emplace_back(nn::init::constant({2}, 1));
         average.update(model);
       },
       "state error in optim::AveragedModel: the model has other fields than the average\n"
       "  model    2 parameters and buffers\n"
       "  average  1\n"
       "  hint: an average follows the model that it was made from"},
      {"layer that was replaced",
       [] {
         Two model;
         AveragedModel average(model);
         model.b = nn::init::constant({4}, 1);
         average.update(model);
       },
       "state error in optim::AveragedModel: b is not what it was when the average was made\n"
       "  model    f32 [4]\n"
       "  average  f32 [3]\n"
       "  hint: an average follows the model that it was made from"},
      {"mean of nothing", [] { GradientAccumulator<Two>().take_mean(); },
       "state error in optim::GradientAccumulator: nothing was added\n"
       "  hint: add(gradients(loss, model)) comes first"},
  });
}

TEST(WrongUses, Wrappers) {
  check_wrong_uses({
      {"negative rho",
       [] {
         Two model;
         SGD base(model);
         SAM(base, {.rho = -0.1});
       },
       "value error in optim::SAM: rho is -0.1, must be finite and >= 0"},
      {"loss of another model",
       [] {
         Two model, other;
         SGD base(model);
         SAM(base).minimize([&] { return sum(square(other.a)); });
       },
       "state error in optim::SAM: the loss depends on none of the trainable parameters\n"
       "  loss  f32 []\n"
       "  hint: does the function compute it with the model that the optimizer was made for?"},
      {"no fast steps",
       [] {
         Two model;
         SGD base(model);
         Lookahead(base, {.k = 0});
       },
       "value error in optim::Lookahead: k is 0, must be >= 1"},
      {"state of another k",
       [] {
         Two model;
         SGD base(model);
         Lookahead longer(base, {.k = 9});
         for (int i = 0; i < 7; ++i) longer.minimize(sum(square(model.a)));
         Lookahead(base).load_state_dict(longer.state_dict());
       },
       "value error in optim::Lookahead: step is 7, must be in [0, 5)\n"
       "  hint: the state was saved with another k"},
  });
}

TEST(WrongUses, LBFGS) {
  check_wrong_uses({
      {"no history",
       [] {
         Two model;
         LBFGS(model, {.history_size = 0});
       },
       "value error in optim::LBFGS: history_size is 0, must be >= 1"},
      {"rate of zero",
       [] {
         Two model;
         LBFGS(model, {.lr = 0});
       },
       "value error in optim::LBFGS: lr is 0, must be finite and > 0"},
      {"loss of a copy",
       [] {
         Two model, copy;
         LBFGS(model).step([&] { return sum(square(copy.a)); });
       },
       "state error in optim::LBFGS: the loss depends on none of the trainable parameters\n"
       "  loss  f32 []\n"
       "  hint: are they frozen, or does the function compute it with another copy of the model?"},
      {"loss that is no scalar",
       [] {
         Two model;
         LBFGS(model).step([&] { return square(model.a); });
       },
       "shape error in gradients: the loss must be a scalar\n"
       "  loss  f32 [2]   square of f32 [2]\n"
       "  hint: reduce it with mean() or sum(), or use vjp() with a cotangent"},
  });
}

}  // namespace
}  // namespace gradus::optim
