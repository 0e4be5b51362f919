#include "gradus/ops/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "gradus/base/error.h"
#include "gradus/engine/eval.h"
#include "gradus/engine/plan_cache.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/factory.h"
#include "gradus/ops/reduce.h"
#include "gradus/transform/grad.h"

namespace gradus {
namespace {

TEST(Random, EqualKeysGiveEqualNumbers) {
  const Key key{7};
  EXPECT_EQ(uniform({4, 5}, {}, key).to_vector<float>(), uniform({20}, {}, key).to_vector<float>());
  EXPECT_NE(uniform({20}, {}, key).to_vector<float>(), uniform({20}, {}, key.fold(1)).to_vector<float>());
  EXPECT_EQ(permutation(50, key).to_vector<std::int64_t>(), random_permutation(50, key));
  std::vector<double> expected(9);
  fill_normal(std::span<double>(expected), key, 0, 1);
  EXPECT_EQ(normal({9}, {.dtype = DType::f64}, key).to_vector<double>(), expected);
}

TEST(Random, RangesAndMoments) {
  double sum = 0, squares = 0;
  for (const double value : uniform({100000}, {.low = 2, .high = 6}, Key{1}).to_vector<double>()) {
    ASSERT_GE(value, 2);
    ASSERT_LE(value, 6);
    sum += value;
  }
  EXPECT_NEAR(sum / 1e5, 4, 0.02);
  sum = 0;
  for (const double value : normal({100000}, {.mean = -3, .stddev = 2}, Key{2}).to_vector<double>()) {
    sum += value;
    squares += (value + 3) * (value + 3);
  }
  EXPECT_NEAR(sum / 1e5, -3, 0.03);
  EXPECT_NEAR(squares / 1e5, 4, 0.1);
}

/// Largest distance between the empirical distribution of `values` and `distribution`, times sqrt(n): above 1.95 one time in
/// a thousand (Kolmogorov and Smirnov).
double kolmogorov(std::vector<double> values, double (*distribution)(double)) {
  std::sort(values.begin(), values.end());
  const auto n = static_cast<double>(values.size());
  double worst = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double expected = distribution(values[i]), at = static_cast<double>(i);
    worst = std::max({worst, expected - at / n, (at + 1) / n - expected});
  }
  return worst * std::sqrt(n);
}

double normal_distribution(double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); }

TEST(Random, DistributionsAreTheirs) {
  const Shape many{20000};
  for (const DType dtype : {DType::f32, DType::f64}) {
    const auto draw = [&](const Tensor& x) {
      EXPECT_EQ(x.dtype(), dtype);
      return x.to_vector<double>();
    };
    EXPECT_LT(kolmogorov(draw(exponential(many, {.rate = 2, .dtype = dtype}, Key{3})),
                         [](double x) { return 1 - std::exp(-2 * x); }),
              1.95);
    EXPECT_LT(kolmogorov(draw(gumbel(many, dtype, Key{4})), [](double x) { return std::exp(-std::exp(-x)); }), 1.95);
    const auto inside =
        draw(truncated_normal(many, {.mean = 1, .stddev = 2, .low = -1, .high = 2, .dtype = dtype}, Key{5}));
    EXPECT_LT(kolmogorov(inside,
                         [](double x) {
                           const double from = normal_distribution(-1), to = normal_distribution(0.5);
                           return (normal_distribution((x - 1) / 2) - from) / (to - from);
                         }),
              1.95);
    for (const double x : inside) ASSERT_TRUE(x >= -1 && x <= 2);
    EXPECT_LT(kolmogorov(draw(randn_like(zeros(many, dtype), Key{6})), normal_distribution), 1.95);
    EXPECT_LT(kolmogorov(draw(rand_like(zeros(many, dtype), Key{7})), [](double x) { return x; }), 1.95);
  }
}

/// The chi-square statistic of counts against expected shares.
double chi_square(const std::vector<double>& counts, const std::vector<double>& shares) {
  const double n = std::accumulate(counts.begin(), counts.end(), 0.0);
  double total = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    total += (counts[i] - n * shares[i]) * (counts[i] - n * shares[i]) / (n * shares[i]);
  }
  return total;
}

std::vector<double> counted(const Tensor& classes, std::size_t n, std::int64_t first = 0) {
  std::vector<double> counts(n);
  for (const std::int64_t c : classes.to_vector<std::int64_t>()) ++counts.at(static_cast<std::size_t>(c - first));
  return counts;
}

TEST(Random, ClassesComeInTheirShares) {
  const std::vector<double> shares{0.1, 0.2, 0.3, 0.4};
  const Tensor weights = from_span(std::vector<float>{1, 2, 3, 4});
  const Tensor drawn = categorical(log(weights), {.num_samples = 20000}, Key{8});
  EXPECT_EQ(drawn.spec(), (TensorSpec{DType::i64, {20000}}));
  EXPECT_LT(chi_square(counted(drawn, 4), shares), 16.27);  // 3 degrees of freedom, one time in a thousand
  EXPECT_LT(chi_square(counted(randint(-2, 2, {20000}, Key{9}), 4, -2), {0.25, 0.25, 0.25, 0.25}), 16.27);
  EXPECT_EQ(categorical(zeros({5, 3}), {}, Key{1}).shape(), Shape{5});
  // Without replacement: all different, the first in its share.
  const Tensor two = multinomial(weights * ones({4000, 4}), 2, false, Key{10});
  EXPECT_EQ(two.shape(), (Shape{4000, 2}));
  const std::vector<std::int64_t> pairs = two.to_vector<std::int64_t>();
  std::vector<double> firsts(4);
  for (std::size_t i = 0; i < pairs.size(); i += 2) {
    ASSERT_NE(pairs[i], pairs[i + 1]);
    ++firsts[static_cast<std::size_t>(pairs[i])];
  }
  EXPECT_LT(chi_square(firsts, shares), 16.27);
  const Tensor impossible = from_span(std::vector<float>{0, 1, 0});
  EXPECT_EQ(multinomial(impossible, 1, false, Key{2}).item<std::int64_t>(), 1);
}

TEST(Random, BernoulliDropoutAndGumbelSoftmax) {
  EXPECT_NEAR(mean(bernoulli({20000}, 0.3, Key{1})).item<float>(), 0.3, 0.012);
  const Tensor p = from_span(std::vector<double>{0, 1, 0, 1});
  EXPECT_EQ(bernoulli(p, Key{2}).to_vector<double>(), (std::vector<double>{0, 1, 0, 1}));
  const Tensor x = ones({20000});
  const Tensor y = dropout(x, 0.25, true, Key{3}), slope = grad(sum(y), {x})[0];
  const std::vector<float> kept = y.to_vector<float>();
  EXPECT_EQ(kept, slope.to_vector<float>());
  for (const float value : kept) ASSERT_TRUE(value == 0 || value == 1 / 0.75f);
  EXPECT_NEAR(mean(y).item<float>(), 1, 0.012);
  EXPECT_EQ(dropout(x, 0.25, false), x);
  EXPECT_EQ(sum(dropout(x, 1, true, Key{4})).item<float>(), 0);
  EXPECT_EQ(dropout(cast(x, DType::bf16), 0.5, true, Key{4}).dtype(), DType::bf16);
  const Tensor logits = zeros({50, 3});
  const Tensor hard = gumbel_softmax(logits, {.tau = 0.5, .hard = true}, Key{5});
  const Tensor soft = gumbel_softmax(logits, {.tau = 0.5}, Key{5});
  EXPECT_EQ(argmax(hard, -1).to_vector<std::int64_t>(), argmax(soft, -1).to_vector<std::int64_t>());
  for (const float total : sum(hard, -1).to_vector<float>()) EXPECT_NEAR(total, 1, 1e-6);
  for (const float total : sum(soft, -1).to_vector<float>()) EXPECT_NEAR(total, 1, 1e-6);
}

TEST(Random, TheDefaultStreamFollowsTheSeed) {
  const auto saved = random_state();
  manual_seed(3);
  const auto first = uniform({5}).to_vector<float>(), second = uniform({5}).to_vector<float>();
  EXPECT_NE(first, second);
  manual_seed(3);
  EXPECT_EQ(uniform({5}).to_vector<float>(), first);
  set_random_state(saved);
}

TEST(Random, AnotherKeyOrRangeIsNotAnotherPlan) {
  uniform({33}, {.low = -1, .high = 2}, Key{1}).to_vector<float>();
  const std::int64_t before = engine::compile_count();
  uniform({33}, {.low = -4, .high = 3}, Key{2}).to_vector<float>();
  dropout(ones({33}), 0.1, true, Key{1}).to_vector<float>();
  const std::int64_t dropped = engine::compile_count();
  dropout(ones({33}), 0.2, true, Key{2}).to_vector<float>();
  EXPECT_EQ(engine::compile_count(), dropped);
  EXPECT_EQ(dropped, before + 1);
}

TEST(Random, RefusesWhatHasNoMeaning) {
  EXPECT_THROW(uniform({2}, {.low = 2, .high = 1}), Error);
  EXPECT_THROW(normal({2}, {.stddev = -1}), Error);
  EXPECT_THROW(permutation(-1), Error);
  try {
    uniform({2}, {.dtype = DType::i64}, Key{0}, {"a.cpp", 7});
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(),
                 "dtype error in random_uniform, called at a.cpp:7: i64 random numbers\n"
                 "  hint: draw f32 or f64 and convert with cast()");
  }
}

}  // namespace
}  // namespace gradus
