// Schedule-Free against its definition: three sequences, of which the optimizer keeps two.
#include "gradus/optim/schedule_free.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "gradus/ops/ops.h"
#include "gradus/optim/sgd.h"

namespace gradus::optim {
namespace {

struct Bowl {
  nn::Parameter w = tensor({1.0, -2.0, 0.5});
  Tensor loss() const { return 0.5 * sum(tensor({4.0, 1.0, 0.25}) * square(w)); }
};
constexpr double curvature[3] = {4, 1, 0.25};

std::vector<double> numbers(const Tensor& x) { return x.to_vector<double>(); }

void expect_near(const std::vector<double>& actual, const std::vector<double>& expected, int step) {
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) EXPECT_NEAR(actual[i], expected[i], 1e-13) << "step " << step;
}

/// The definition, with `weight` that of step t.
template <class Weight>
void expect_three_sequences(const SGDScheduleFreeOptions& options, Weight weight) {
  Bowl bowl;
  SGDScheduleFree optimizer(bowl, options);
  const double beta = options.momentum;
  std::vector<double> x = numbers(bowl.w), z = x;
  double sum = 0;
  optimizer.train();
  for (int t = 1; t <= 12; ++t) {
    const double lr = options.lr * (t < options.warmup_steps ? t / static_cast<double>(options.warmup_steps) : 1);
    sum += weight(t, lr);
    const double share = sum > 0 ? weight(t, lr) / sum : 0;
    std::vector<double> y(3);
    for (std::size_t i = 0; i < 3; ++i) {
      y[i] = beta * x[i] + (1 - beta) * z[i];
      z[i] -= lr * (curvature[i] + options.weight_decay) * y[i];
      x[i] += share * (z[i] - x[i]);
    }
    EXPECT_TRUE(optimizer.minimize(bowl.loss()));
    const std::vector<double> in_training = numbers(bowl.w);
    for (std::size_t i = 0; i < 3; ++i) y[i] = beta * x[i] + (1 - beta) * z[i];
    expect_near(in_training, y, t);
    optimizer.eval_mode();
    expect_near(numbers(bowl.w), x, t);
    optimizer.train();
    EXPECT_EQ(numbers(bowl.w), in_training);
  }
}

TEST(ScheduleFree, FollowsItsThreeSequences) {
  expect_three_sequences({.lr = 0.3}, [](int, double) { return 1; });  // x is the mean of all z
  expect_three_sequences({.lr = 0.25, .momentum = 0.7, .weight_decay = 0.5, .r = 2},
                         [](int t, double) { return t * t; });
  expect_three_sequences({.lr = 0.25, .warmup_steps = 8}, [](int, double lr) { return lr * lr; });
  expect_three_sequences({.lr = 0.25, .warmup_steps = 8, .weight_lr_power = 0}, [](int, double) { return 1; });
  expect_three_sequences({.lr = 0}, [](int, double) { return 0; });
}

TEST(ScheduleFree, TheLargestRateWeighsWhenRatesFall) {
  Bowl bowl;
  SGDScheduleFree optimizer(bowl, {.lr = 0.2});
  optimizer.train();
  optimizer.minimize(bowl.loss());
  optimizer.set_lr(0.1);
  optimizer.minimize(bowl.loss());
  optimizer.eval_mode();
  for (const auto& [name, value] : optimizer.state_dict()) {
    if (name == "state.0.lr_max") {
      EXPECT_EQ(value.item<double>(), 0.2);
    }
    if (name == "state.0.weight_sum") {
      EXPECT_NEAR(value.item<double>(), 2 * 0.2 * 0.2, 1e-15);
    }
  }
}

TEST(ScheduleFree, TrainGoesOnWhereItWas) {
  Bowl bowl, undisturbed;
  AdamWScheduleFree optimizer(bowl, {.lr = 0.1}), alone(undisturbed, {.lr = 0.1});
  EXPECT_FALSE(optimizer.training());
  alone.train();
  for (int i = 0; i < 6; ++i) {
    optimizer.train();
    EXPECT_TRUE(optimizer.training());
    optimizer.minimize(bowl.loss());
    optimizer.eval_mode();
    optimizer.eval_mode();  // twice is once
    bowl.w = tensor({9.0, 9.0, 9.0});
    alone.minimize(undisturbed.loss());
  }
  optimizer.train();
  EXPECT_EQ(numbers(bowl.w), numbers(undisturbed.w));
  alone.eval_mode();
  EXPECT_NE(numbers(bowl.w), numbers(undisturbed.w));
}

TEST(ScheduleFree, BeginsWithTheFirstStepThatIsTaken) {
  Bowl bowl, fresh;
  SGDScheduleFree optimizer(bowl, {.lr = 0.1, .skip_nonfinite = true}), other(fresh, {.lr = 0.1});
  optimizer.train();
  EXPECT_FALSE(optimizer.minimize(bowl.loss() * std::nan("")));
  optimizer.eval_mode();  // there is no average yet
  EXPECT_EQ(numbers(bowl.w), numbers(Bowl().w));
  optimizer.train();
  bowl.w = fresh.w = tensor({3.0, 1.0, 2.0});
  other.train();
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(optimizer.minimize(bowl.loss()));
    EXPECT_TRUE(other.minimize(fresh.loss()));
  }
  EXPECT_EQ(numbers(bowl.w), numbers(fresh.w));
}

TEST(ScheduleFree, OtherOptimizersHaveOneMode) {
  Bowl bowl;
  SGD optimizer(bowl, {.lr = 0.1});
  EXPECT_TRUE(optimizer.training());
  optimizer.eval_mode();
  EXPECT_TRUE(optimizer.training());
  EXPECT_TRUE(optimizer.minimize(bowl.loss()));
}

}  // namespace
}  // namespace gradus::optim
