// What the machine can do at most, measured by kernels that do nothing else. A figure is 0 where the processor lacks the
// instructions.
#pragma once

#include <string>
#include <vector>

#include "bench/measure.h"

namespace gradus::bench::limits {

struct Limit {
  std::string name;
  double value = 0;
};

/// GFLOP/s of multiply-adds that stay in registers: "f32_fma", "bf16_dot" (AVX512-BF16), and "amx_bf16" (tiles from the L1
/// cache).
std::vector<Limit> arithmetic(int threads);
/// GB/s: "cache_gb_s" reads 1 MiB a thread again and again, "memory_gb_s" is a + 3 b of arrays that no cache holds.
std::vector<Limit> bandwidth(int threads);
/// GFLOP/s of the best square product that oneDNN reaches with packed weights: "f32_product", "bf16_product". It is the
/// practical limit of a workload.
std::vector<Limit> products(int threads);

/// The best of `repeats` runs of `work`, in seconds.
template <class Work>
double best_seconds(int repeats, const Work& work) {
  double best = 0;
  for (int i = 0; i < repeats; ++i) {
    const double begin = now();
    work();
    const double seconds = now() - begin;
    if (i == 0 || seconds < best) best = seconds;
  }
  return best;
}

}  // namespace gradus::bench::limits
