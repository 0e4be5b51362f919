#include "gradus/ops/random.h"

#include <gtest/gtest.h>

#include "gradus/base/error.h"
#include "gradus/engine/eval.h"
#include "gradus/engine/plan_cache.h"

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
  EXPECT_EQ(engine::compile_count(), before);
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
