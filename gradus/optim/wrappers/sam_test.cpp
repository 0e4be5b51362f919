// SAM and Lookahead on quadratics, where every step is known.
#include "gradus/optim/wrappers/sam.h"

#include <gtest/gtest.h>

#include <cmath>

#include "gradus/base/error.h"
#include "gradus/engine/plan_cache.h"
#include "gradus/graph/node.h"
#include "gradus/nn/init.h"
#include "gradus/ops/ops.h"
#include "gradus/optim/adamw.h"
#include "gradus/optim/sgd.h"
#include "gradus/optim/wrappers/lookahead.h"
#include "gradus/transform/grad.h"

namespace gradus::optim {
namespace {

/// w and one half of the sum of curvature w^2.
struct Bowl {
  nn::Parameter w = tensor({1.0, -2.0, 0.5});
  Tensor loss() const { return 0.5 * sum(tensor({4.0, 1.0, 0.25}) * square(w)); }
};
constexpr double curvature[3] = {4, 1, 0.25};

std::vector<double> numbers(const Tensor& x) { return x.to_vector<double>(); }

void expect_near(const std::vector<double>& actual, const std::vector<double>& expected) {
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) EXPECT_NEAR(actual[i], expected[i], 1e-13) << i;
}

void expect_known_steps(bool adaptive) {
  const double rho = 0.3, lr = 0.1;
  Bowl bowl;
  SGD base(bowl, {.lr = lr});
  SAM optimizer(base, {.rho = rho, .adaptive = adaptive});
  std::vector<double> w = numbers(bowl.w);
  std::int64_t compiled = 0, live = 0;
  for (int step = 0; step < 6; ++step) {
    double norm = 0, loss = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      norm += std::pow(curvature[i] * w[i] * (adaptive ? std::abs(w[i]) : 1), 2);
      loss += curvature[i] * w[i] * w[i] / 2;
    }
    for (std::size_t i = 0; i < 3; ++i) {
      const double ascent = curvature[i] * w[i] * (adaptive ? w[i] * w[i] : 1);
      w[i] -= lr * curvature[i] * (w[i] + rho * ascent / std::sqrt(norm));
    }
    const Tensor before = optimizer.minimize([&] { return bowl.loss(); });
    EXPECT_TRUE(before.evaluated());
    EXPECT_NEAR(before.item<double>(), loss, 1e-13);
    expect_near(numbers(bowl.w), w);
    if (step == 1) {
      compiled = engine::compile_count();
      live = live_nodes();
    }
    if (step > 1) {
      EXPECT_EQ(live_nodes(), live);
    }
  }
  EXPECT_EQ(engine::compile_count(), compiled);
}

TEST(SAM, TakesTheGradientAtTheWorstPointNearby) {
  expect_known_steps(false);
  expect_known_steps(true);
}

TEST(SAM, StaysWhereTheGradientIsZero) {
  Bowl bowl;
  bowl.w = tensor({0.0, 0.0, 0.0});
  SGD base(bowl, {.lr = 0.1});
  SAM optimizer(base);
  EXPECT_EQ(optimizer.minimize([&] { return bowl.loss(); }).item<double>(), 0);
  expect_near(numbers(bowl.w), {0, 0, 0});
}

TEST(SAM, AnErrorRestoresTheParameters) {
  Bowl bowl;
  AdamW base(bowl);
  SAM optimizer(base);
  const std::vector<double> before = numbers(bowl.w);
  int calls = 0;
  EXPECT_THROW(optimizer.minimize([&] { return ++calls == 1 ? bowl.loss() : Tensor(bowl.w); }), Error);
  EXPECT_EQ(numbers(bowl.w), before);
  optimizer.minimize([&] { return bowl.loss(); });
  EXPECT_NE(numbers(bowl.w), before);
}

TEST(Lookahead, FollowsItsClosedForm) {
  const double lr = 0.2, alpha = 0.4;
  Bowl bowl;
  SGD fast(bowl, {.lr = lr});
  Lookahead optimizer(fast, {.k = 3, .alpha = alpha});
  std::vector<double> w = numbers(bowl.w);
  std::int64_t compiled = 0;
  for (int step = 1; step <= 12; ++step) {
    EXPECT_TRUE(optimizer.minimize(bowl.loss()));
    if (step == 6) compiled = engine::compile_count();
    if (step % 3 != 0) continue;
    for (std::size_t i = 0; i < 3; ++i) w[i] *= 1 - alpha + alpha * std::pow(1 - lr * curvature[i], 3);
    expect_near(numbers(bowl.w), w);
  }
  EXPECT_EQ(engine::compile_count(), compiled);
}

TEST(Lookahead, TakesGradientsAndContinuesFromItsState) {
  Bowl bowl, resumed_bowl;
  AdamW fast(bowl, {.lr = 0.1}), resumed_fast(resumed_bowl, {.lr = 0.1});
  Lookahead optimizer(fast, {.k = 4}), resumed(resumed_fast, {.k = 4});
  for (int i = 0; i < 6; ++i) optimizer.minimize(bowl.loss());
  resumed_bowl = bowl;
  resumed_fast.load_state_dict(fast.state_dict());
  resumed.load_state_dict(optimizer.state_dict());
  for (int i = 0; i < 5; ++i) {
    optimizer.minimize(bowl.loss());
    resumed.step(grad(resumed_bowl.loss(), {resumed_bowl.w.tensor()}));
  }
  EXPECT_EQ(numbers(bowl.w), numbers(resumed_bowl.w));
}

}  // namespace
}  // namespace gradus::optim
