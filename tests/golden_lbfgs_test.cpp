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

/// From the state that PyTorch saved after step 2, with settings that the state overwrites.
void resume(const GoldenFile& file, const char* name, Tensor (*loss)(const Point&), double bound) {
  const Tensor& table = file.at(name);
  const std::vector<double> rows = table.to_vector<double>();
  const auto width = static_cast<std::size_t>(table.size(1)), n = width - 2;
  const auto point_after = [&](std::size_t step) {
    return std::vector(&rows[width * (step - 1)], &rows[width * (step - 1) + n]);
  };
  Point point{from_span(point_after(2))};
  LBFGS optimizer(point, {.lr = 17, .history_size = 9});
  const NamedTensors state = testing::below(file, std::string(name) + ".state2.");
  optimizer.load_state_dict(state);
  std::map<std::string, Tensor> ours;
  for (const auto& [key, value] : optimizer.state_dict()) ours[key] = value;
  EXPECT_EQ(ours.size() + 2, state.size());  // PyTorch's has "prev_loss" and "al"
  for (const auto& [key, value] : state) {
    if (key == "state.0.prev_loss" || key.starts_with("state.0.al.")) continue;
    ASSERT_TRUE(ours.contains(key)) << key;
    EXPECT_EQ(ours[key].to_vector<double>(), value.to_vector<double>()) << key;
  }
  for (std::size_t step = 3; step <= static_cast<std::size_t>(table.size(0)); ++step) {
    optimizer.step([&] { return loss(point); });
    const std::vector<double> x = point.x.tensor().to_vector<double>(), expected = point_after(step);
    for (std::size_t i = 0; i < n; ++i) EXPECT_NEAR(x[i], expected[i], bound) << name << ", step " << step;
    EXPECT_EQ(optimizer.evaluations(), rows[width * step - 1]) << name << ", step " << step;
  }
}

TEST(GoldenLBFGS, ContinuesFromTheStateOfPyTorch) {
  const GoldenFile file = golden("lbfgs");
  resume(file, "rosenbrock_short_history", rosenbrock, 1e-8);
  resume(file, "quadratic_fixed_step", quadratic, 1e-10);
}

TEST(LBFGS, ContinuesBitForBit) {
  Point point{tensor({-1.5, 2.0, 0.3})}, copy;
  LBFGS optimizer(point, {.max_iter = 3, .history_size = 4, .line_search = LineSearch::strong_wolfe});
  for (int calls = 0; calls < 4; ++calls) {  // from the beginning, too
    copy = point;
    LBFGS resumed(copy);
    resumed.load_state_dict(optimizer.state_dict());
    for (int i = 0; i < 2; ++i) {
      optimizer.step([&] { return rosenbrock(point); });
      resumed.step([&] { return rosenbrock(copy); });
    }
    EXPECT_EQ(copy.x.tensor().to_vector<double>(), point.x.tensor().to_vector<double>());
    EXPECT_EQ(resumed.evaluations(), optimizer.evaluations());
    EXPECT_EQ(resumed.iterations(), optimizer.iterations());
  }
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
