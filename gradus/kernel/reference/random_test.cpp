#include "gradus/ops/random.h"

#include <gtest/gtest.h>

#include "gradus/base/parallel.h"
#include "gradus/kernel/conformance_test.h"

namespace gradus::kernel::testing {
namespace {

Array key_array(std::uint64_t value) {
  return Array(Shape{}, std::vector<std::int64_t>{static_cast<std::int64_t>(value)});
}

template <class T>
std::vector<T> draw(const Op& op, std::uint64_t key) {
  const Array y = run_reference(op, {key_array(key)})[0];
  return {y.data<T>(), y.data<T>() + y.spec.shape.numel()};
}

TEST(RandomKernels, AreTheStreamsOfBase) {
  const std::uint64_t key = 0x9123456789abcdefu;
  std::vector<float> f32(10001);
  std::vector<double> f64(10001);
  fill_uniform(std::span<float>(f32), Key{key}, 0, 1);
  EXPECT_EQ(draw<float>(RandomUniform{{73, 137}, DType::f32}, key), f32);
  fill_uniform(std::span<double>(f64), Key{key}, 0, 1);
  EXPECT_EQ(draw<double>(RandomUniform{{10001}, DType::f64}, key), f64);
  fill_normal(std::span<float>(f32), Key{key}, 0, 1);
  EXPECT_EQ(draw<float>(RandomNormal{{10001}, DType::f32}, key), f32);
  fill_normal(std::span<double>(f64), Key{key}, 0, 1);
  EXPECT_EQ(draw<double>(RandomNormal{{10001}, DType::f64}, key), f64);
  for (const std::int64_t n : {0, 1, 2, 1000}) {
    EXPECT_EQ(draw<std::int64_t>(RandomPermutation{n}, key), random_permutation(n, Key{key}));
  }
}

TEST(RandomKernels, HaveTheSameBitsForAnyNumberOfThreads) {
  const int before = num_threads();
  const Op op = RandomNormal{{50003}, DType::f32};
  set_num_threads(1);
  const std::vector<float> one = draw<float>(op, 3);
  for (const int threads : {2, 3, 8}) {
    set_num_threads(threads);
    EXPECT_EQ(draw<float>(op, 3), one) << threads;
  }
  set_num_threads(before);
  EXPECT_NE(draw<float>(op, 4), one);
}

}  // namespace
}  // namespace gradus::kernel::testing
