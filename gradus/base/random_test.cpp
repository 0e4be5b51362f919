#include "gradus/base/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace gradus {
namespace {

using Block = std::array<std::uint32_t, 4>;

// The known answer published with the reference implementation (Random123, philox4x32-10, kat_vectors).
TEST(Philox, KnownAnswer) { EXPECT_EQ(philox(Key{0}, 0), (Block{0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u})); }

TEST(Philox, CountersAndKeysGiveDifferentBlocks) {
  std::set<Block> blocks;
  for (std::uint64_t key = 0; key < 30; ++key) {
    for (std::uint64_t counter = 0; counter < 30; ++counter) {
      blocks.insert(philox(Key{key}, counter));
      blocks.insert(philox(Key{key << 32}, counter << 32 | 31));
    }
  }
  EXPECT_EQ(blocks.size(), 1800u);
}

TEST(Key, FoldedKeysDiffer) {
  std::set<std::uint64_t> keys;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    keys.insert(Key{0}.fold(i).value);
    keys.insert(Key{1}.fold(i).value);
  }
  EXPECT_EQ(keys.size(), 2000u);
  EXPECT_EQ(Key{7}.fold(3), Key{7}.fold(3));
}

template <class T>
struct Fill {
  void (*fill)(std::span<T>, Key, double, double, std::int64_t);
  double mean, stddev;
};

template <class T>
std::vector<T> filled(const Fill<T>& f, std::size_t count, Key key, std::int64_t first) {
  std::vector<T> out(count);
  f.fill(out, key, f.mean, f.stddev, first);
  return out;
}

template <class T>
class FillTest : public ::testing::Test {
 public:
  static constexpr Fill<T> uniform{&fill_uniform, -2, 5};
  static constexpr Fill<T> normal{&fill_normal, 3, 0.5};
};
using Reals = ::testing::Types<float, double>;
TYPED_TEST_SUITE(FillTest, Reals);

TYPED_TEST(FillTest, AnySplitGivesTheSameBits) {
  for (const auto& fill : {this->uniform, this->normal}) {
    const auto whole = filled(fill, 103, Key{42}, 0);
    for (std::size_t cut = 0; cut <= whole.size(); ++cut) {
      auto parts = filled(fill, cut, Key{42}, 0);
      const auto rest = filled(fill, whole.size() - cut, Key{42}, static_cast<std::int64_t>(cut));
      parts.insert(parts.end(), rest.begin(), rest.end());
      ASSERT_EQ(parts, whole) << cut;
    }
  }
}

TYPED_TEST(FillTest, UniformMoments) {
  const auto values = filled(this->uniform, 200000, Key{1}, 0);
  double sum = 0, squares = 0;
  for (const auto value : values) {
    ASSERT_GE(value, -2);
    ASSERT_LT(value, 5);
    sum += static_cast<double>(value);
    squares += static_cast<double>(value) * static_cast<double>(value);
  }
  const double n = static_cast<double>(values.size()), mean = sum / n;
  EXPECT_NEAR(mean, 1.5, 0.02);  // standard error 0.0045
  EXPECT_NEAR(squares / n - mean * mean, 49.0 / 12, 0.04);
  EXPECT_LT(*std::min_element(values.begin(), values.end()), -1.999);
  EXPECT_GT(*std::max_element(values.begin(), values.end()), 4.999);
}

TYPED_TEST(FillTest, NormalMoments) {
  const auto values = filled(this->normal, 200000, Key{2}, 0);
  double moments[5] = {};
  for (const auto value : values) {
    const double z = (static_cast<double>(value) - 3) / 0.5;
    for (int power = 1; power <= 4; ++power) moments[power] += std::pow(z, power);
  }
  const double n = static_cast<double>(values.size());
  EXPECT_NEAR(moments[1] / n, 0, 0.01);
  EXPECT_NEAR(moments[2] / n, 1, 0.02);
  EXPECT_NEAR(moments[3] / n, 0, 0.04);
  EXPECT_NEAR(moments[4] / n, 3, 0.1);
}

TYPED_TEST(FillTest, NeighboursAreNotCorrelated) {
  const auto values = filled(this->normal, 100001, Key{3}, 0);
  double products = 0;
  for (std::size_t i = 0; i + 1 < values.size(); ++i) {
    products += (static_cast<double>(values[i]) - 3) * (static_cast<double>(values[i + 1]) - 3) / 0.25;
  }
  EXPECT_NEAR(products / 100000, 0, 0.015);
}

TEST(RandomPermutation, HoldsEveryNumberOnce) {
  for (const std::int64_t n : {0, 1, 2, 3, 1000}) {
    std::vector<std::int64_t> order = random_permutation(n, Key{9});
    EXPECT_EQ(order, random_permutation(n, Key{9}));
    std::sort(order.begin(), order.end());
    for (std::int64_t i = 0; i < n; ++i) EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
    EXPECT_EQ(static_cast<std::int64_t>(order.size()), n);
  }
  EXPECT_NE(random_permutation(100, Key{1}), random_permutation(100, Key{2}));
}

TEST(RandomPermutation, IsUniform) {
  std::array<int, 24> counts{};
  for (std::uint64_t key = 0; key < 24000; ++key) {
    const std::vector<std::int64_t> order = random_permutation(4, Key{0}.fold(key));
    std::vector<std::int64_t> current{0, 1, 2, 3};
    std::size_t rank = 0;
    while (current != order) {
      std::next_permutation(current.begin(), current.end());
      ++rank;
    }
    ++counts[rank];
  }
  double chi_square = 0;
  for (const int count : counts) chi_square += (count - 1000.0) * (count - 1000.0) / 1000;
  EXPECT_LT(chi_square, 49.7);  // 0.999 quantile for 23 degrees of freedom
}

TEST(DefaultStream, RestartsAndResumes) {
  const auto saved = random_state();
  manual_seed(5);
  const Key first = next_key(), second = next_key();
  EXPECT_NE(first, second);
  manual_seed(5);
  EXPECT_EQ(next_key(), first);
  const auto state = random_state();
  EXPECT_EQ(state, (std::array<std::uint64_t, 2>{5, 1}));
  EXPECT_EQ(next_key(), second);
  set_random_state(state);
  EXPECT_EQ(next_key(), second);
  manual_seed(6);
  EXPECT_NE(next_key(), first);
  set_random_state(saved);
}

}  // namespace
}  // namespace gradus
