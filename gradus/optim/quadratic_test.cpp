// Optimizers on quadratics, where theory gives exact numbers.
#include <gtest/gtest.h>

#include <cmath>

#include "gradus/nn/init.h"
#include "gradus/ops/linalg/linalg.h"
#include "gradus/ops/ops.h"
#include "gradus/optim/adamw.h"
#include "gradus/optim/sgd.h"

namespace gradus::optim {
namespace {

/// Half the sum of curvature w^2, in double precision.
struct Bowl {
  nn::Parameter w;
  Tensor curvature;
  Tensor loss() const { return 0.5 * sum(curvature * square(w)); }
  double norm() const {
    double total = 0;
    for (const double x : w.tensor().to_vector<double>()) total += x * x;
    return std::sqrt(total);
  }
};

/// The two directions that converge most slowly of a quadratic with condition number k.
Bowl conditioned(double k) { return {tensor({1.0, 1.0}), tensor({1.0, k})}; }

/// Steps until the distance to the minimum is 1e-6 of what it was.
int steps_to_millionth(Bowl& bowl, SGD& optimizer) {
  const double start = bowl.norm();
  int steps = 0;
  for (; bowl.norm() > 1e-6 * start && steps < 20'000; ++steps) optimizer.minimize(bowl.loss());
  return steps;
}

struct HeavyBall {
  double lr, momentum;
};
/// The best there is for curvatures 1 to k (Polyak, 1964).
HeavyBall best_heavy_ball(double k) {
  const double root = std::sqrt(k);
  return {4 / ((root + 1) * (root + 1)), std::pow((root - 1) / (root + 1), 2)};
}

TEST(Quadratic, GradientDescentContractsByTheConditionNumber) {
  // The best rate 2 / (1 + k) contracts both directions by (k - 1) / (k + 1).
  for (const auto& [k, steps] : {std::pair{100.0, 691}, {1000.0, 6908}}) {
    Bowl bowl = conditioned(k);
    SGD optimizer(bowl, {.lr = 2 / (1 + k)});
    EXPECT_EQ(steps_to_millionth(bowl, optimizer), steps);
    EXPECT_EQ(std::ceil(std::log(1e6) / std::log((k + 1) / (k - 1))), steps);
  }
}

TEST(Quadratic, HeavyBallContractsByTheRootOfTheConditionNumber) {
  for (const auto& [k, steps] : {std::pair{100.0, 69}, {1000.0, 219}}) {
    const double root = std::sqrt(k), rate = (root - 1) / (root + 1);
    const HeavyBall best = best_heavy_ball(k);
    Bowl bowl = conditioned(k);
    SGD optimizer(bowl, {.lr = best.lr, .momentum = best.momentum});
    // Both directions have a double eigenvalue, rate and -rate. Enter along the eigenvectors: the point before was w / rate
    // and -w / rate, which is what a momentum of (before - w) / lr says.
    NamedTensors state = optimizer.state_dict();
    state.emplace_back("state.0.momentum_buffer", tensor({(1 / rate - 1) / best.lr, (-1 / rate - 1) / best.lr}));
    optimizer.load_state_dict(state);
    EXPECT_EQ(steps_to_millionth(bowl, optimizer), steps);
    EXPECT_EQ(std::ceil(std::log(1e6) / std::log(1 / rate)), steps);
  }
}

TEST(Quadratic, HeavyBallFromRestPaysForItsDoubleEigenvalue) {
  // w_t = (1 + (1 - r) t) r^t for both eigenvalues r.
  for (const double k : {100.0, 1000.0}) {
    const double root = std::sqrt(k), rate = (root - 1) / (root + 1);
    const HeavyBall best = best_heavy_ball(k);
    const auto distance = [&](double t) {
      return std::pow(rate, t) * std::hypot(1 + (1 - rate) * t, 1 + (1 + rate) * t) / std::sqrt(2);
    };
    int expected = 0;
    while (distance(expected) > 1e-6) ++expected;
    Bowl bowl = conditioned(k);
    SGD optimizer(bowl, {.lr = best.lr, .momentum = best.momentum});
    EXPECT_EQ(steps_to_millionth(bowl, optimizer), expected);
    EXPECT_GT(expected, std::log(1e6) / std::log(1 / rate));
  }
}

TEST(Quadratic, GradientDescentDivergesAboveTwoOverL) {
  const double largest = 4;
  for (const auto& [lr, factor] : {std::pair{0.49, -0.96}, {0.5, -1.0}, {0.51, -1.04}}) {
    Bowl bowl{tensor({3.0, 0.0}), tensor({largest, 1.0})};
    SGD optimizer(bowl, {.lr = lr});
    for (int step = 1; step <= 200; ++step) {
      optimizer.minimize(bowl.loss());
      const double expected = 3 * std::pow(factor, step);
      EXPECT_NEAR(bowl.w.tensor().to_vector<double>()[0], expected, 1e-11 * std::abs(expected));
    }
  }
}

TEST(Quadratic, TheFirstStepOfAdamIsTheSignOfTheGradient) {
  const double lr = 0.01;
  const std::vector<double> start{5, -1e-4, 300, -0.25}, signs{1, -1, 1, -1};
  Bowl bowl{from_span(start), tensor({2.0, 1.0, 1e3, 1e-2})};
  AdamW optimizer(bowl, {.lr = lr, .eps = 0, .weight_decay = 0});
  optimizer.minimize(bowl.loss());
  const std::vector<double> after = bowl.w.tensor().to_vector<double>();
  for (std::size_t i = 0; i < start.size(); ++i) EXPECT_NEAR(start[i] - after[i], lr * signs[i], 1e-13);
  // With eps it is lr g / (|g| + eps).
  Bowl tiny{tensor({1e-8}), tensor({1.0})};
  AdamW standard(tiny, {.lr = lr, .weight_decay = 0});
  standard.minimize(tiny.loss());
  EXPECT_NEAR(tiny.w.tensor().item<double>(), 1e-8 - lr / 2, 1e-13);
}

TEST(Quadratic, FromZeroLeastSquaresEndsAtThePseudoInverse) {
  struct Line {
    nn::Parameter w = nn::init::constant({6, 1}, 0, DType::f64);
  };
  const Tensor a = nn::init::normal({3, 6}, 0, 1, Key{3}, DType::f64), b = tensor({{1.0}, {-2.0}, {0.5}});
  Line line;
  SGD optimizer(line, {.lr = 0.1});
  for (int step = 0; step < 1500; ++step) optimizer.minimize(0.5 * sum(square(matmul(a, line.w) - b)));
  const std::vector<double> found = line.w.tensor().to_vector<double>();
  const std::vector<double> expected = matmul(linalg::pinv(a), b).to_vector<double>();
  for (std::size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i], 1e-9) << i;
  EXPECT_LT(sum(square(matmul(a, line.w) - b)).item<double>(), 1e-18);
}

}  // namespace
}  // namespace gradus::optim
