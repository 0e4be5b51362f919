// Dropout: rates, modes, keys, no second compilation.
#include "gradus/nn/layers/dropout.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <optional>

#include "gradus/engine/eval.h"
#include "gradus/engine/plan_cache.h"
#include "gradus/nn/functional/dropout.h"
#include "gradus/nn/linear.h"
#include "gradus/nn/mode.h"
#include "gradus/nn/sequential.h"
#include "gradus/ops/ops.h"

namespace gradus::nn {
namespace {

double share_of_zeros(const Tensor& x) {
  double zeros = 0;
  for (const float v : x.to_vector<float>()) zeros += v == 0;
  return zeros / static_cast<double>(x.numel());
}

TEST(Dropout, DropsAtItsRateAndKeepsTheExpectation) {
  const Tensor x = ones({200, 200});
  for (const double p : {0.1, 0.5, 0.9}) {
    const Tensor y = dropout(x, p, true, Key{7});
    EXPECT_NEAR(share_of_zeros(y), p, 0.01) << p;
    EXPECT_NEAR(mean(y).item<double>(), 1, 0.05) << p;
    EXPECT_NEAR(max(y).item<double>(), 1 / (1 - p), 1e-4) << p;
  }
  EXPECT_EQ(share_of_zeros(Dropout{1.0}(full({9}, std::numeric_limits<float>::infinity()))), 1);
  EXPECT_EQ(Dropout{0.0}(x), x);
}

TEST(Dropout, SameSeedSameBitsEachCallAnotherKey) {
  const Dropout drop{0.5};
  const Tensor x = ones({64});
  const auto twice = [&] {
    manual_seed(5);
    const auto first = drop(x).to_vector<float>(), second = drop(x).to_vector<float>();
    EXPECT_NE(first, second);
    return std::pair(first, second);
  };
  const auto once = twice();
  const std::int64_t compiled = engine::compile_count();
  EXPECT_EQ(twice(), once);
  EXPECT_EQ(engine::compile_count(), compiled);
}

TEST(Dropout, ModesReachEveryLayer) {
  struct Model {
    Sequential net{Linear(4, 4), Dropout{1.0}};
    std::vector<Dropout> list{Dropout{1.0}, Dropout{1.0}};
    std::optional<DropPath> path = DropPath{1.0};
    Tensor operator()(const Tensor& x) { return (*path)(list[1](list[0](net(x)))); }
  };
  Model model;
  const Tensor x = ones({2, 4});
  EXPECT_EQ(share_of_zeros(model(x)), 1);
  EXPECT_EQ(eval_mode(model), 4);
  EXPECT_LT(share_of_zeros(model(x)), 1);
  EXPECT_EQ(train(model), 4);
  EXPECT_EQ(share_of_zeros(model(x)), 1);
}

TEST(Dropout, ChannelsAndExamplesGoTogether) {
  const Tensor channels = Dropout2d{0.5}(ones({16, 16, 3, 3}));
  const Tensor sums = sum(not_equal(channels, 0.f), {2, 3});
  for (const std::int64_t count : sums.to_vector<std::int64_t>()) EXPECT_TRUE(count == 0 || count == 9);
  const Tensor examples = sum(not_equal(DropPath{0.5}(ones({64, 5})), 0.f), 1);
  for (const std::int64_t count : examples.to_vector<std::int64_t>()) EXPECT_TRUE(count == 0 || count == 5);
}

TEST(Dropout, AlphaDropoutKeepsTheMoments) {
  const Tensor y = AlphaDropout{0.3}(normal({300, 300}, {}, Key{4}));
  const double average = mean(y).item<double>();
  EXPECT_NEAR(average, 0, 0.02);
  EXPECT_NEAR(mean(square(y - average)).item<double>(), 1, 0.03);
}

}  // namespace
}  // namespace gradus::nn
