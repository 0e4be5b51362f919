// Initialisers: gains, moments, structure.
#include "gradus/nn/init.h"

#include <gtest/gtest.h>

#include <cmath>

#include "gradus/base/error.h"
#include "gradus/engine/eval.h"
#include "gradus/nn/conv.h"
#include "gradus/nn/functional/norm.h"
#include "gradus/nn/hooks.h"
#include "gradus/nn/layers/norm.h"
#include "gradus/nn/linear.h"
#include "gradus/nn/lsuv.h"
#include "gradus/nn/sequential.h"
#include "gradus/ops/ops.h"

namespace gradus::nn {
namespace {

TEST(Gain, IsTorchs) {
  using init::Nonlinearity;
  EXPECT_EQ(init::calculate_gain(Nonlinearity::linear), 1);
  EXPECT_EQ(init::calculate_gain(Nonlinearity::sigmoid), 1);
  EXPECT_DOUBLE_EQ(init::calculate_gain(Nonlinearity::tanh), 1.6666666666666667);
  EXPECT_DOUBLE_EQ(init::calculate_gain(Nonlinearity::relu), 1.4142135623730951);
  EXPECT_DOUBLE_EQ(init::calculate_gain(Nonlinearity::leaky_relu), 1.4141428569978354);
  EXPECT_DOUBLE_EQ(init::calculate_gain(Nonlinearity::leaky_relu, 0.2), 1.3867504905630728);
  EXPECT_EQ(init::calculate_gain(Nonlinearity::selu), 0.75);
}

TEST(Init, KaimingFollowsTheNonlinearity) {
  const Tensor w =
      init::kaiming_normal({400, 300}, {.mode = init::Fan::out, .nonlinearity = init::Nonlinearity::tanh}, Key{1});
  EXPECT_NEAR(std::sqrt(mean(square(w)).item<double>()), 5.0 / 3 / 20, 0.001);
}

TEST(Init, TruncatedNormalHasTheMomentsOfTheTruncation) {
  const Tensor x = init::trunc_normal({500, 400}, {.mean = 0.5, .stddev = 2, .low = -1, .high = 3}, Key{2}, DType::f64);
  EXPECT_GE(min(x).item<double>(), -1);
  EXPECT_LE(max(x).item<double>(), 3);
  // The moments follow from the density at both ends.
  const auto density = [](double z) { return std::exp(-z * z / 2) / std::sqrt(2 * M_PI); };
  const auto below = [](double z) { return 0.5 * std::erfc(-z / std::sqrt(2.0)); };
  const double a = -0.75, b = 1.25, mass = below(b) - below(a);
  const double shift = (density(a) - density(b)) / mass;
  const double expected_mean = 0.5 + 2 * shift;
  const double expected_variance = 4 * (1 + (a * density(a) - b * density(b)) / mass - shift * shift);
  const double average = mean(x).item<double>();
  EXPECT_NEAR(average, expected_mean, 0.01);
  EXPECT_NEAR(mean(square(x - average)).item<double>(), expected_variance, 0.01);
  // All of a narrow tail, where the inverse of the distribution is steep.
  const Tensor tail = init::trunc_normal({1000}, {.low = 5, .high = 6}, Key{3}, DType::f64);
  EXPECT_NEAR(mean(tail).item<double>(), 5.1831, 0.02);
}

TEST(Init, OrthogonalToRounding) {
  for (const Shape& shape : {Shape{5, 5}, Shape{3, 7}, Shape{7, 3}, Shape{6, 2, 2, 2}}) {
    const Tensor w = flatten(init::orthogonal(shape, 2, Key{4}, DType::f64), 1);
    const bool wide = w.shape()[0] <= w.shape()[1];
    const Tensor product = wide ? matmul(w, transpose(w, 0, 1)) : matmul(transpose(w, 0, 1), w);
    EXPECT_LT(max(abs(product - eye(product.shape()[0], DType::f64) * 4)).item<double>(), 1e-14) << shape.str();
  }
  EXPECT_THROW(init::orthogonal({3}), Error);
}

TEST(Init, SparseHasZerosInEveryColumn) {
  const Tensor w = init::sparse({10, 6}, 0.25, 1, Key{5});
  for (const std::int64_t zeros : sum(equal(w, 0.f), 0).to_vector<std::int64_t>()) EXPECT_EQ(zeros, 3);
  EXPECT_THROW(init::sparse({10, 6}, 1.5), Error);
}

TEST(Init, IdentitiesPassTheirInputOn) {
  EXPECT_EQ(init::eye({2, 3}).to_vector<float>(), (std::vector<float>{1, 0, 0, 0, 1, 0}));
  const Tensor x = init::normal({1, 4, 5, 5}, 0, 1, Key{6});
  Conv2d conv(4, 4, 3, {.padding = 1, .bias = false});
  conv.weight = init::dirac({4, 4, 3, 3});
  EXPECT_EQ(conv(x).to_vector<float>(), x.to_vector<float>());
  Conv2d grouped(4, 4, 3, {.padding = 1, .groups = 2, .bias = false});
  grouped.weight = init::dirac({4, 2, 3, 3}, 2);
  EXPECT_EQ(grouped(x).to_vector<float>(), x.to_vector<float>());
  EXPECT_THROW(init::dirac({4, 4}), Error);
  EXPECT_THROW(init::dirac({4, 4, 3}, 3), Error);
}

TEST(Lsuv, GivesEveryLayerUnitVariance) {
  manual_seed(2);
  Sequential net{Linear(20, 50), ReLU(), BatchNorm1d(50), Linear(50, 30), ReLU(), Linear(30, 10)};
  const Tensor batch = init::normal({256, 20}, 1, 5, Key{7});
  EXPECT_EQ(lsuv(net, batch, {.tolerance = 0.01}), 3);
  EXPECT_EQ(net.get<BatchNorm1d>(2)->running_mean.tensor().to_vector<float>(), std::vector<float>(50, 0.f));
  Capture outputs(net);
  net(batch);
  for (const char* path : {"0", "3", "5"}) {
    const Tensor y = outputs[path];
    EXPECT_NEAR(mean(square(y - mean(y))).item<double>(), 1, 0.011) << path;
  }
}

}  // namespace
}  // namespace gradus::nn
