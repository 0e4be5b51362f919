// Penalties, max-norm, mixup and noise against closed forms.
#include <gtest/gtest.h>

#include <cmath>

#include "gradus/base/error.h"
#include "gradus/engine/eval.h"
#include "gradus/engine/plan_cache.h"
#include "gradus/nn/layers/noise.h"
#include "gradus/nn/linear.h"
#include "gradus/nn/losses.h"
#include "gradus/nn/mode.h"
#include "gradus/nn/regularise/mixup.h"
#include "gradus/nn/regularise/penalty.h"
#include "gradus/ops/ops.h"
#include "gradus/transform/grad.h"

namespace gradus::nn {
namespace {

TEST(Regularise, RenormShortensWhatIsTooLong) {
  const Tensor x = tensor({{3.0, 4.0}, {0.3, 0.4}, {0.0, 0.0}});
  const std::vector<double> two = renorm(x, 2, 0, 1).to_vector<double>(),
                            one = renorm(x, 1, 0, 3.5).to_vector<double>();
  EXPECT_NEAR(two[0], 0.6, 1e-7);
  EXPECT_NEAR(two[1], 0.8, 1e-7);
  for (const std::size_t i : {2u, 3u, 4u, 5u}) EXPECT_EQ(two[i], x.to_vector<double>()[i]) << i;
  EXPECT_NEAR(one[0], 1.5, 1e-6);
  EXPECT_NEAR(one[1], 2.0, 1e-6);
  const std::vector<double> columns = renorm(x, 2, -1, 1).to_vector<double>();
  EXPECT_NEAR(columns[0], 3 / std::sqrt(9.09), 1e-6);
  EXPECT_NEAR(columns[3], 0.4 / std::sqrt(16.16), 1e-6);
  EXPECT_THROW(renorm(x, 0, 0, 1), Error);
  EXPECT_THROW(renorm(x, 2, 2, 1), Error);
  EXPECT_THROW(renorm(x, 2, 0, -1), Error);
  EXPECT_THROW(renorm(tensor({1.0}), 2, 0, 1), Error);
  EXPECT_THROW(renorm(tensor({{1, 2}}), 2, 0, 1), Error);
}

TEST(Regularise, PenaltiesAreSumsOverWeights) {
  Linear layer(2, 2);
  layer.weight = tensor({{1.f, -2.f}, {0.f, 3.f}});
  layer.bias = tensor({10.f, 20.f});
  EXPECT_EQ(l1_penalty(layer).item<float>(), 6);
  EXPECT_EQ(l2_penalty(layer).item<float>(), 7);
  EXPECT_EQ(l1_penalty(layer, "*").item<float>(), 36);
  EXPECT_EQ(grad(l1_penalty(layer), {layer.weight.tensor()})[0].to_vector<float>(), (std::vector<float>{1, -1, 0, 1}));
  EXPECT_EQ(grad(l2_penalty(layer), {layer.weight.tensor()})[0].to_vector<float>(), (std::vector<float>{1, -2, 0, 3}));
  EXPECT_THROW(l1_penalty(layer, "encoder.*"), Error);
  freeze(layer, "weight");
  EXPECT_THROW(l2_penalty(layer), Error);
}

TEST(Regularise, MaxNormBindsEveryUnit) {
  Linear layer(2, 2);
  layer.weight = tensor({{3.f, 4.f}, {0.3f, 0.4f}});
  layer.bias = tensor({10.f, 20.f});
  EXPECT_EQ(clip_max_norm(layer, 2), 1);
  const std::vector<float> w = layer.weight.tensor().to_vector<float>();
  EXPECT_NEAR(w[0], 1.2, 1e-6);
  EXPECT_NEAR(w[1], 1.6, 1e-6);
  EXPECT_EQ(w[2], 0.3f);
  EXPECT_EQ(layer.bias.tensor().to_vector<float>(), (std::vector<float>{10, 20}));
  const std::int64_t compiled = engine::compile_count();
  clip_max_norm(layer, 1);
  EXPECT_EQ(engine::compile_count(), compiled) << "another limit is no other plan";
  EXPECT_THROW(clip_max_norm(layer, 0), Error);
  EXPECT_THROW(clip_max_norm(layer, 1, "bias"), Error);
}

TEST(Regularise, MixupMixesWithTheExampleBefore) {
  const Mixed mixed = mixup(tensor({{1.f}, {2.f}, {4.f}}), tensor({10.f, 20.f, 40.f}), 0.75);
  EXPECT_EQ(mixed.inputs.to_vector<float>(), (std::vector<float>{1.75, 1.75, 3.5}));
  EXPECT_EQ(mixed.targets.to_vector<float>(), (std::vector<float>{17.5, 17.5, 35}));
  const Mixed classes = mixup(tensor({{1.f}, {2.f}}), tensor({0, 1}), 3, {.alpha = 0.5}, Key{3});
  const std::vector<float> p = classes.targets.to_vector<float>();
  EXPECT_GE(p[0], 0.5f) << "the most of a mixture is its own example";
  EXPECT_FLOAT_EQ(p[0] + p[1], 1);
  EXPECT_EQ(p[2], 0);
  EXPECT_FLOAT_EQ(classes.inputs.to_vector<float>()[0], p[0] + 2 * p[1]);
  EXPECT_THROW(mixup(tensor({{1.f}}), tensor({1.f, 2.f}), 0.5), Error);
  EXPECT_THROW(mixup(tensor({1.f}), tensor({1.f}), 1.5), Error);
  EXPECT_THROW(mixup(tensor({1.f}), tensor({0}), 2, {.alpha = 0}), Error);
}

/// Cross entropy is linear in the target: that of a mixture is the mixture of two.
TEST(Regularise, MixedTargetsGiveTheMixtureOfLosses) {
  const Tensor logits = normal({4, 3}, {}, Key{1}), labels = tensor({0, 2, 1, 1});
  const Tensor targets = cast(one_hot(labels, 3), DType::f32);
  const double whole = cross_entropy(logits, mixup(logits, targets, 0.7).targets).item<float>();
  const double parts =
      0.7 * cross_entropy(logits, labels).item<float>() + 0.3 * cross_entropy(logits, roll(labels, 1, 0)).item<float>();
  EXPECT_NEAR(whole, parts, 1e-6);
}

TEST(Regularise, BetaHasItsMoments) {
  const struct { double a, b; } rows[] = {{0.2, 0.2}, {1, 1}, {2, 5}, {0.01, 0.01}};
  for (const auto& [a, b] : rows) {
    double sum = 0, squares = 0;
    constexpr int draws = 20000;
    for (std::uint64_t i = 0; i < draws; ++i) {
      const double x = random_beta(a, b, Key{5}.fold(i));
      ASSERT_TRUE(x >= 0 && x <= 1) << x;
      sum += x;
      squares += x * x;
    }
    const double mean = sum / draws, variance = squares / draws - mean * mean;
    EXPECT_NEAR(mean, a / (a + b), 0.012) << a << " " << b;
    EXPECT_NEAR(variance, a * b / ((a + b) * (a + b) * (a + b + 1)), 0.006) << a << " " << b;
  }
  EXPECT_EQ(random_beta(1, 2, Key{1}), random_beta(1, 2, Key{1}));
  EXPECT_THROW(random_beta(0, 1, Key{1}), Error);
}

TEST(Regularise, NoiseIsThereInTrainingOnly) {
  GaussianNoise noise{0.5};
  const Tensor x = ones({200, 200});
  const Tensor y = noise(x) - x;
  EXPECT_NEAR(mean(y).item<double>(), 0, 0.01);
  EXPECT_NEAR(mean(square(y)).item<double>(), 0.25, 0.01);
  eval_mode(noise);
  EXPECT_EQ(noise(x), x);
  EXPECT_THROW(GaussianNoise{-1}(x), Error);
  EXPECT_THROW(GaussianNoise{1}(tensor({1, 2})), Error);
}

}  // namespace
}  // namespace gradus::nn
