#include <algorithm>
#include <cstdint>
#include <memory>

#include "bench/limits/limits.h"
#include "gradus/base/parallel.h"

#if defined(__x86_64__)
#define GRADUS_BENCH_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define GRADUS_BENCH_CLONES
#endif

namespace gradus::bench::limits {
namespace {

constexpr std::int64_t lanes = 64;

/// Sums in `lanes` independent chains, so that the compiler may use vectors.
GRADUS_BENCH_CLONES float sum_of(const float* x, std::int64_t count) {
  float sums[lanes] = {};
  for (std::int64_t i = 0; i + lanes <= count; i += lanes) {
    for (std::int64_t k = 0; k < lanes; ++k) sums[k] += x[i + k];
  }
  float sum = 0;
  for (const float lane : sums) sum += lane;
  return sum;
}

GRADUS_BENCH_CLONES void triad(float* __restrict__ y, const float* __restrict__ a, const float* __restrict__ b,
                               std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) y[i] = a[i] + 3 * b[i];
}

std::unique_ptr<float[]> filled(std::int64_t count) {
  auto array = std::make_unique<float[]>(static_cast<std::size_t>(count));
  std::fill_n(array.get(), count, 1.f);
  return array;
}

double cache_rate(int threads) {
  const std::int64_t count = std::int64_t{1 << 18} * threads;  // 1 MiB a thread
  constexpr int passes = 64;
  const auto x = filled(count);
  volatile float sink = 0;
  const double seconds = best_seconds(9, [&] {
    parallel_for(count, 1, [&](std::int64_t begin, std::int64_t end) {
      for (int pass = 0; pass < passes; ++pass) sink = sum_of(x.get() + begin, end - begin);
    });
  });
  return static_cast<double>(count) * 4 * passes / seconds / 1e9;
}

double memory_rate() {
  const std::int64_t count = 1 << 26;  // 256 MiB an array
  const auto y = filled(count), a = filled(count), b = filled(count);
  const double seconds = best_seconds(3, [&] {
    parallel_for(count, 1, [&](std::int64_t begin, std::int64_t end) {
      triad(y.get() + begin, a.get() + begin, b.get() + begin, end - begin);
    });
  });
  return static_cast<double>(count) * 12 / seconds / 1e9;
}

}  // namespace

std::vector<Limit> bandwidth(int threads) {
  set_num_threads(threads);
  return {{"cache_gb_s", cache_rate(threads)}, {"memory_gb_s", memory_rate()}};
}

}  // namespace gradus::bench::limits
