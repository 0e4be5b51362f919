#include "gradus/ops/activation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "gradus/engine/eval.h"
#include "gradus/engine/plan_cache.h"
#include "gradus/graph/node.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/factory.h"
#include "gradus/ops/random.h"
#include "gradus/ops/reduce.h"
#include "gradus/ops/softmax.h"
#include "gradus/transform/grad.h"

namespace gradus {
namespace {

using Function = std::function<Tensor(const Tensor&)>;

/// All activations that map each element by itself.
std::vector<std::pair<std::string, Function>> pointwise() {
  return {{"leaky_relu", [](const Tensor& x) { return leaky_relu(x); }},
          {"prelu", [](const Tensor& x) { return prelu(x, tensor({0.25f})); }},
          {"rrelu", [](const Tensor& x) { return rrelu(x, {.training = true}, Key{1}); }},
          {"elu", [](const Tensor& x) { return elu(x, 0.7); }},
          {"celu", [](const Tensor& x) { return celu(x, 1.3); }},
          {"selu", [](const Tensor& x) { return selu(x); }},
          {"gelu", [](const Tensor& x) { return gelu(x); }},
          {"gelu_tanh", [](const Tensor& x) { return gelu(x, {.approximate = GeluApproximation::tanh}); }},
          {"silu", [](const Tensor& x) { return silu(x); }},
          {"mish", [](const Tensor& x) { return mish(x); }},
          {"softplus", [](const Tensor& x) { return softplus(x, {.beta = 2, .threshold = 15}); }},
          {"softsign", [](const Tensor& x) { return softsign(x); }},
          {"hardtanh", [](const Tensor& x) { return hardtanh(x); }},
          {"relu6", [](const Tensor& x) { return relu6(x); }},
          {"hardsigmoid", [](const Tensor& x) { return hardsigmoid(x); }},
          {"hardswish", [](const Tensor& x) { return hardswish(x); }},
          {"log_sigmoid", [](const Tensor& x) { return log_sigmoid(x); }},
          {"tanhshrink", [](const Tensor& x) { return tanhshrink(x); }},
          {"softshrink", [](const Tensor& x) { return softshrink(x); }},
          {"hardshrink", [](const Tensor& x) { return hardshrink(x); }},
          {"threshold", [](const Tensor& x) { return threshold(x, 0.1, 20); }},
          {"snake", [](const Tensor& x) { return snake(x, 0.8); }},
          {"sigmoid", [](const Tensor& x) { return sigmoid(x); }},
          {"tanh", [](const Tensor& x) { return tanh(x); }},
          {"relu", [](const Tensor& x) { return relu(x); }}};
}

Tensor slope(const Function& f, const Tensor& x) { return grad(sum(f(x)), {x})[0]; }

TEST(Activation, KeepShapeAndTypeAndStayFiniteFarOut) {
  for (const auto& [name, f] : pointwise()) {
    for (const DType dtype : {DType::f32, DType::f64, DType::bf16}) {
      const Tensor x = cast(tensor({{-1000.0, -88.0, -3.0, 0.0}, {0.5, 3.0, 88.0, 1000.0}}), dtype);
      const Tensor y = f(x), g = slope(f, x);
      EXPECT_EQ(y.spec(), x.spec()) << name;
      EXPECT_EQ(g.spec(), x.spec()) << name;
      for (const double value : cast(y, DType::f64).to_vector<double>()) EXPECT_TRUE(std::isfinite(value)) << name;
      for (const double value : cast(g, DType::f64).to_vector<double>()) EXPECT_TRUE(std::isfinite(value)) << name;
    }
    const float nan = std::numeric_limits<float>::quiet_NaN();
    EXPECT_TRUE(std::isnan(f(tensor({nan})).item<float>())) << name;
    EXPECT_EQ(f(tensor({1, -2})).dtype(), name == "relu" ? DType::i64 : DType::f32) << name;
  }
}

TEST(Activation, FirstAndSecondDerivatives) {
  const std::vector<double> at{-4.1, -1.3, -0.31, 0.23, 1.7, 4.4};
  constexpr double h = 1e-5;
  for (const auto& [name, f] : pointwise()) {
    const Function first = [f = f](const Tensor& x) { return slope(f, x); };
    for (const Function& function : {f, first}) {
      const Tensor x = from_span(at);
      const std::vector<double> up = function(x + h).to_vector<double>(), down = function(x - h).to_vector<double>();
      const Tensors exact = grad(sum(function(x)), {x});
      const std::vector<double> slopes = exact[0].defined() ? exact[0].to_vector<double>() : std::vector<double>(6, 0);
      for (std::size_t i = 0; i < at.size(); ++i) EXPECT_NEAR(slopes[i], (up[i] - down[i]) / (2 * h), 1e-7) << name;
    }
  }
}

TEST(Activation, GatedAndPooled) {
  const Tensor x = tensor({{1.0, -2.0, 0.5, 3.0}});
  EXPECT_EQ(reglu(x).to_vector<double>(), (std::vector<double>{0.5, -6}));
  EXPECT_NEAR(glu(x).to_vector<double>()[0], 1 / (1 + std::exp(-0.5)), 1e-15);
  EXPECT_NEAR(swiglu(x).to_vector<double>()[1], -2 * 3 / (1 + std::exp(-3.0)), 1e-15);
  EXPECT_NEAR(geglu(x).to_vector<double>()[0], 0.25 * (1 + std::erf(0.5 / std::sqrt(2.0))), 1e-15);
  EXPECT_EQ(maxout(x, 2).to_vector<double>(), (std::vector<double>{1, 3}));
  EXPECT_EQ(maxout(zeros({2, 6, 5}), 3).shape(), (Shape{2, 2, 5}));
  const Tensor images = -ones({2, 3, 2});
  EXPECT_EQ(sum(prelu(images, tensor({1.f, 2.f, 3.f})), {0, 2}).to_vector<float>(), (std::vector<float>{-4, -8, -12}));
}

TEST(Activation, SparsemaxIsTheNearestPointOfTheSimplex) {
  EXPECT_EQ(sparsemax(tensor({1.0, 1.0, -1.0})).to_vector<double>(), (std::vector<double>{0.5, 0.5, 0}));
  EXPECT_EQ(sparsemax(tensor({3.0, 1.0, 0.0})).to_vector<double>(), (std::vector<double>{1, 0, 0}));
  const std::vector<double> y = sparsemax(tensor({1000.25, 1000.0, 999.5})).to_vector<double>();
  EXPECT_EQ(y, (std::vector<double>{0.625, 0.375, 0}));
  const Tensor x = tensor({0.5, 0.2, -2.0});
  const Tensor g = grad(sum(sparsemax(x) * tensor({1.0, 2.0, 5.0})), {x})[0];
  EXPECT_EQ(g.to_vector<double>(), (std::vector<double>{-0.5, 0.5, 0}));
}

TEST(Activation, AnotherSlopeIsNotAnotherPlan) {
  leaky_relu(ones({7}), 0.1).to_vector<float>();
  const std::int64_t before = engine::compile_count();
  leaky_relu(ones({7}), 0.2).to_vector<float>();
  EXPECT_EQ(engine::compile_count(), before);
}

// The numbers of the literature.

double smallest(const Function& f, double from, double to, double& where) {
  double best = std::numeric_limits<double>::infinity();
  std::vector<double> grid(200001);
  for (std::size_t i = 0; i < grid.size(); ++i) grid[i] = from + (to - from) * static_cast<double>(i) / 200000;
  const std::vector<double> values = f(from_span(grid)).to_vector<double>();
  for (std::size_t i = 0; i < grid.size(); ++i) {
    if (values[i] < best) best = values[i], where = grid[i];
  }
  return best;
}

TEST(Activation, TheirPartsCarryTheirNameAndOthersDoNot) {
  const Tensor x = tensor({1.f, -2.f});
  const Tensor slope = exp(x);
  const Tensor y = leaky_relu(x, slope);
  EXPECT_EQ(y.node()->called, "leaky_relu");
  for (const Tensor& part : y.node()->inputs) {
    if (part == x || part == slope) continue;
    EXPECT_EQ(part.node()->called, "leaky_relu") << part.node()->op.name();
  }
  EXPECT_EQ(slope.node()->called, "");
}

TEST(Activation, ExactNumbers) {
  double at = 0;
  EXPECT_NEAR(
      -smallest([](const Tensor& x) { return -slope([](const Tensor& t) { return sigmoid(t); }, x); }, -2, 2, at), 0.25,
      1e-12);
  EXPECT_NEAR(at, 0, 1e-4);
  EXPECT_NEAR(smallest([](const Tensor& x) { return gelu(x); }, -2, 0, at), -0.169971, 1e-6);
  EXPECT_NEAR(at, -0.75179, 2e-5);
  EXPECT_NEAR(smallest([](const Tensor& x) { return silu(x); }, -3, 0, at), -0.278465, 1e-6);
  EXPECT_NEAR(at, -1.27846, 2e-5);
  const Function off = [](const Tensor& x) {
    return -abs(gelu(x, {.approximate = GeluApproximation::tanh}) - gelu(x));
  };
  EXPECT_NEAR(-smallest(off, 0, 6, at), 4.732e-4, 1e-7);
  EXPECT_NEAR(at, 2.699, 2e-3);
}

/// E f(z) of a standard normal z, by the trapezoidal rule, which is exact to rounding for such integrands.
double expectation(const Function& f) {
  std::vector<double> z, weight;
  constexpr double step = 1e-3;
  for (double x = -12 + step / 2; x < 12; x += step) {
    z.push_back(x);
    weight.push_back(step * std::exp(-x * x / 2) / std::sqrt(2 * 3.141592653589793));
  }
  return sum(f(from_span(z)) * from_span(weight)).item<double>();
}

TEST(Activation, SeluKeepsMeanAndVariance) {
  EXPECT_NEAR(selu_scale, 1.0507, 1e-5);
  EXPECT_NEAR(selu_alpha, 1.6733, 5e-5);
  EXPECT_NEAR(expectation([](const Tensor& z) { return selu(z); }), 0, 1e-6);
  EXPECT_NEAR(expectation([](const Tensor& z) { return square(selu(z)); }), 1, 1e-6);
  EXPECT_NEAR(expectation([](const Tensor& z) { return square(tanh(z)); }), 0.394294490, 1e-8);
}

TEST(Activation, SoftmaxIsShiftInvariantAndZeroInitialisedReluIsDead) {
  const Tensor x = tensor({0.3, -1.2, 2.1});
  const std::vector<double> y = softmax(x).to_vector<double>(), shifted = softmax(x + 64).to_vector<double>();
  for (std::size_t i = 0; i < y.size(); ++i) EXPECT_NEAR(y[i], shifted[i], 1e-14);
  const Tensor weight = zeros({4, 3}, DType::f64), hidden = relu(sum(weight * x, 1));
  for (const double g : grad(sum(hidden), {weight})[0].to_vector<double>()) EXPECT_EQ(g, 0);
}

}  // namespace
}  // namespace gradus
