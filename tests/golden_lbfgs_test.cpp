// L-BFGS against PyTorch, step by step (the cases of tools/golden/lbfgs.py), and what it promises beyond.
#include <gtest/gtest.h>

#include <cmath>

#include "gradus/engine/plan_cache.h"
#include "tests/golden.h"

namespace gradus::optim {
namespace {

using testing::golden;
using testing::GoldenFile;

struct Point {
  nn::Parameter x;
};

Tensor rosenbrock(const Point& p) {
  const std::int64_t n = p.x.numel();
  const Tensor low = slice(p.x, 0, 0, n - 1), high = slice(p.x, 0, 1, n);
  return sum(100 * square(high - square(low)) + square(1 - low));
}

Tensor quadratic(const Point& p) {
  const Tensor curvature = arange(1.0, static_cast<double>(p.x.numel()) + 1);
  return 0.5 * sum(curvature * square(p.x - 1));
}

/// Follows one path; a row of the file is the point, the loss before the step, and the number of losses so far.
void follow(const GoldenFile& file, const char* name, Tensor (*loss)(const Point&), const std::vector<double>& start,
            const LBFGSOptions& options, double bound) {
  const Tensor& table = file.at(name);
  const std::vector<double> rows = table.to_vector<double>();
  Point point{from_span(start)};
  LBFGS optimizer(point, options);
  const std::size_t n = start.size();
  for (std::size_t row = 0; row < static_cast<std::size_t>(table.size(0)); ++row) {
    const double* expected = &rows[row * (n + 2)];
    const double before = optimizer.step([&] { return loss(point); });
    const std::vector<double> x = point.x.tensor().to_vector<double>();
    for (std::size_t i = 0; i < n; ++i) EXPECT_NEAR(x[i], expected[i], bound) << name << ", step " << row;
    EXPECT_NEAR(before, expected[n], bound * std::max(1.0, expected[n])) << name << ", step " << row;
    EXPECT_EQ(optimizer.evaluations(), expected[n + 1]) << name << ", step " << row;
  }
}

TEST(GoldenLBFGS, FollowsPyTorch) {
  const GoldenFile file = golden("lbfgs");
  const LineSearch wolfe = LineSearch::strong_wolfe;
  follow(file, "rosenbrock", rosenbrock, {-1.5, 2}, {.max_iter = 4, .line_search = wolfe}, 1e-8);
  follow(file, "rosenbrock_one_call", rosenbrock, {-1.2, 1}, {.line_search = wolfe}, 1e-8);
  follow(file, "rosenbrock_short_history", rosenbrock, {-1.2, 1, 0.5, -0.3},
         {.max_iter = 5, .history_size = 2, .line_search = wolfe}, 1e-8);
  follow(file, "quadratic", quadratic, std::vector<double>(8), {.max_iter = 5, .line_search = wolfe}, 1e-10);
  const std::vector<double> start{0.5, -2, 3, 4, -1};
  follow(file, "quadratic_fixed_step", quadratic, start, {.max_iter = 3}, 1e-10);
  follow(file, "quadratic_small_lr", quadratic, start, {.lr = 0.5, .max_iter = 3}, 1e-10);
}

TEST(LBFGS, FindsTheMinimumOfRosenbrockWithOnePlan) {
  Point point{tensor({-1.5, 2.0})};
  LBFGS optimizer(point, {.line_search = LineSearch::strong_wolfe});
  optimizer.step([&] { return rosenbrock(point); });
  const std::int64_t compiled = engine::compile_count();
  for (int i = 0; i < 4; ++i) optimizer.step([&] { return rosenbrock(point); });
  EXPECT_EQ(engine::compile_count(), compiled);
  for (const double x : point.x.tensor().to_vector<double>())
    EXPECT_NEAR(x, 1, 3e-5);  // it stops when the loss, a square, changes by less than 1e-9
  EXPECT_LT(optimizer.evaluations(), 80);
}

TEST(LBFGS, KeepsItsDistanceFromWhereTheLossIsNotANumber) {
  Point point{tensor({0.05})};  // -log x - log(2 - x): not a number beyond 0 and 2
  LBFGS optimizer(point, {.lr = 30, .line_search = LineSearch::strong_wolfe});
  for (int i = 0; i < 5; ++i) optimizer.step([&] { return sum(log(2 - point.x) * -1 - log(point.x)); });
  EXPECT_NEAR(point.x.tensor().item<double>(), 1, 1e-6);
}

TEST(LBFGS, AnErrorRestoresTheParametersAndFrozenOnesStay) {
  struct Two {
    nn::Parameter a = tensor({3.0f}), b = tensor({4.0f});
  };
  Two model;
  LBFGS optimizer(model, {.line_search = LineSearch::strong_wolfe});
  int calls = 0;
  const auto failing = [&] {
    return ++calls < 3 ? sum(square(model.a) * square(model.a) + square(model.b)) : Tensor();
  };
  EXPECT_THROW(optimizer.step(failing), Error);
  EXPECT_EQ(model.a.tensor().item<float>(), 3);
  EXPECT_EQ(model.b.tensor().item<float>(), 4);
  nn::freeze(model, "b");
  for (int i = 0; i < 3; ++i) optimizer.step([&] { return sum(square(model.a - 1) + square(model.b)); });
  EXPECT_NEAR(model.a.tensor().item<float>(), 1, 1e-5);
  EXPECT_EQ(model.b.tensor().item<float>(), 4);
  nn::unfreeze(model);
  for (int i = 0; i < 3; ++i) optimizer.step([&] { return sum(square(model.a - 1) + square(model.b)); });
  EXPECT_NEAR(model.b.tensor().item<float>(), 0, 1e-5);
}

}  // namespace
}  // namespace gradus::optim
