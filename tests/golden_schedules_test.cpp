// Schedules against PyTorch: the cases of tools/golden/schedules.py, and exact values of what PyTorch has not.
#include <gtest/gtest.h>

#include "tests/golden.h"

namespace gradus::optim {
namespace {

using testing::golden;
using testing::GoldenFile;

void expect_rates(const GoldenFile& file, const std::string& name, const std::vector<double>& actual) {
  const std::vector<double> expected = file.at(name).to_vector<double>();
  ASSERT_EQ(actual.size(), expected.size()) << name;
  for (std::size_t i = 0; i < actual.size(); ++i) EXPECT_NEAR(actual[i], expected[i], 1e-10) << name << ", step " << i;
}

TEST(GoldenSchedules, FollowPyTorch) {
  const GoldenFile file = golden("schedules_all");
  const auto shrinking = [](std::int64_t step) { return 1 / (1 + 0.25 * static_cast<double>(step)); };
  const std::vector<std::pair<const char*, Schedule>> cases{
      {"step", StepSchedule{.base = 0.1, .step_size = 7, .gamma = 0.5}},
      {"multistep", MultiStepSchedule{.base = 0.1, .milestones = {3, 10, 10, 25}, .gamma = 0.3}},
      {"exponential", ExponentialSchedule{.base = 0.1, .gamma = 0.9}},
      {"cosine", CosineSchedule{.base = 0.1, .total = 39, .min = 0.01}},
      {"restarts", CosineRestartsSchedule{.base = 0.1, .period = 6, .min = 0.001}},
      {"restarts_longer", CosineRestartsSchedule{.base = 0.1, .period = 3, .multiplier = 2, .min = 0.001}},
      {"one_cycle", OneCycleSchedule{.max = 0.2, .total = 40}},
      {"one_cycle_linear", OneCycleSchedule{.max = 0.2,
                                            .total = 40,
                                            .pct_start = 0.27,
                                            .anneal = Curve::linear,
                                            .div_factor = 10,
                                            .final_div_factor = 50}},
      {"one_cycle_three", OneCycleSchedule{.max = 0.2, .total = 40, .pct_start = 0.4, .three_phase = true}},
      {"linear", LinearSchedule{.base = 0.1, .start_factor = 0.2, .end_factor = 0.8, .total = 12}},
      {"linear_default", LinearSchedule{.base = 0.1}},
      {"constant_warmup", ConstantWarmupSchedule{.base = 0.1, .factor = 0.4, .total = 9}},
      {"polynomial", PolynomialSchedule{.base = 0.1, .total = 30, .power = 2.5}},
      {"cyclic", CyclicSchedule{.base = 0.01, .max = 0.1, .step_size_up = 5, .step_size_down = 8}},
      {"cyclic2", CyclicSchedule{.base = 0.01, .max = 0.1, .step_size_up = 6, .mode = CyclicMode::triangular2}},
      {"cyclic_exp",
       CyclicSchedule{.base = 0.01, .max = 0.1, .step_size_up = 4, .mode = CyclicMode::exp_range, .gamma = 0.97}},
      {"lambda", LambdaSchedule{.base = 0.1, .function = shrinking}},
      {"chained", ChainedSchedule{.base = 0.1,
                                  .factors = {ConstantWarmupSchedule{.base = 1, .factor = 0.1, .total = 4},
                                              ExponentialSchedule{.base = 1, .gamma = 0.9}}}},
      {"sequential", SequentialSchedule{.schedules = {LinearSchedule{.base = 0.1, .start_factor = 0.1, .total = 8},
                                                      ExponentialSchedule{.base = 0.1, .gamma = 0.9},
                                                      StepSchedule{.base = 0.1, .step_size = 4, .gamma = 0.5}},
                                        .milestones = {8, 20}}},
  };
  for (const auto& [name, schedule] : cases) {
    std::vector<double> rates;
    for (std::int64_t step = 0; step < 40; ++step) rates.push_back(schedule.lr(step));
    expect_rates(file, name, rates);
  }
}

TEST(GoldenSchedules, ReduceOnPlateauFollowsPyTorchAndContinues) {
  const GoldenFile file = golden("schedules_all");
  const std::vector<double> metrics = file.at("plateau.metrics").to_vector<double>();
  const std::vector<std::pair<const char*, ReduceOnPlateauOptions>> cases{
      {"plateau", {.lr = 0.1, .factor = 0.5, .patience = 2}},
      {"plateau_cooldown",
       {.lr = 0.1,
        .factor = 0.3,
        .patience = 1,
        .threshold = 0.05,
        .threshold_mode = Threshold::absolute,
        .cooldown = 2,
        .min_lr = 0.004}},
      {"plateau_max", {.lr = 0.1, .mode = Better::more, .factor = 0.2, .patience = 3, .threshold = 0.01, .eps = 1e-4}},
      {"plateau_max_abs",
       {.lr = 0.1,
        .mode = Better::more,
        .factor = 0.6,
        .patience = 0,
        .threshold_mode = Threshold::absolute,
        .cooldown = 1}}};
  for (const auto& [name, options] : cases) {
    std::vector<double> rates;
    ReduceOnPlateau plateau(options);
    for (const double metric : metrics) {
      ReduceOnPlateau resumed(options);
      resumed.load_state_dict(plateau.state_dict());
      rates.push_back(resumed.step(metric));
      plateau = resumed;
    }
    expect_rates(file, name, rates);
  }
}

TEST(Schedules, WarmUpStableDecayIsExact) {
  const WarmupStableDecaySchedule linear{.base = 1, .total = 20, .warmup = 4, .decay = 8, .min = 0.2};
  const std::pair<std::int64_t, double> expected[] = {{0, 0.25}, {3, 1},    {4, 1},    {12, 1},
                                                      {14, 0.8}, {16, 0.6}, {20, 0.2}, {1000, 0.2}};
  for (const auto& [step, lr] : expected) EXPECT_DOUBLE_EQ(linear.lr(step), lr) << step;
  WarmupStableDecaySchedule other = linear;
  other.curve = Curve::one_minus_sqrt;
  EXPECT_DOUBLE_EQ(other.lr(14), 0.6);  // 0.2 + 0.8 (1 - sqrt(1 / 4))
  other.curve = Curve::cosine;
  EXPECT_DOUBLE_EQ(other.lr(16), 0.6);
  EXPECT_DOUBLE_EQ((WarmupStableDecaySchedule{.base = 1, .total = 3}).lr(3), 1);
}

TEST(Schedules, HoldTheirLastRateAndBearHugeSteps) {
  const std::int64_t huge = std::int64_t{1} << 62;
  EXPECT_DOUBLE_EQ((OneCycleSchedule{.max = 1, .total = 10}).lr(huge), 1 / 25e4);
  EXPECT_DOUBLE_EQ((OneCycleSchedule{.max = 1, .total = 1}).lr(0), 1 / 25e4);
  EXPECT_DOUBLE_EQ((PolynomialSchedule{.base = 1}).lr(huge), 0);
  EXPECT_DOUBLE_EQ((CosineRestartsSchedule{.base = 1, .period = 1, .multiplier = 1}).lr(huge), 1);
  const double late = CosineRestartsSchedule{.base = 1, .period = 1, .multiplier = 3}.lr(huge);
  EXPECT_TRUE(late > 0 && late <= 1) << late;
}

}  // namespace
}  // namespace gradus::optim
