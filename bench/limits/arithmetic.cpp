#include <thread>

#include "bench/limits/limits.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#endif

namespace gradus::bench::limits {
namespace {

/// Runs `kernel(rounds)` on every thread at once; GFLOP/s of all together.
template <class Kernel>
double rate(int threads, std::int64_t rounds, double flops_a_round, Kernel kernel) {
  const double seconds = best_seconds(5, [&] {
    std::vector<std::thread> others;
    for (int i = 1; i < threads; ++i) others.emplace_back([&] { kernel(rounds); });
    kernel(rounds);
    for (std::thread& other : others) other.join();
  });
  return flops_a_round * static_cast<double>(rounds) * threads / seconds / 1e9;
}

#if defined(__x86_64__)

constexpr int accumulators = 12;  // enough to hide the latency of two units
volatile float sink;              // what is stored here cannot be left out

__attribute__((target("avx512f"))) void fma_512(std::int64_t rounds) {
  __m512 sums[accumulators];
  for (int i = 0; i < accumulators; ++i) sums[i] = _mm512_set1_ps(static_cast<float>(i) * 0.1f);
  const __m512 factor = _mm512_set1_ps(0.9999f);
  __m512 addend = _mm512_set1_ps(1e-6f);
  for (std::int64_t round = 0; round < rounds; ++round) {
    asm volatile("" : "+v"(addend));
    for (int i = 0; i < accumulators; ++i) sums[i] = _mm512_fmadd_ps(sums[i], factor, addend);
  }
  for (int i = 1; i < accumulators; ++i) sums[0] = _mm512_add_ps(sums[0], sums[i]);
  sink = _mm512_cvtss_f32(sums[0]);
}

__attribute__((target("avx2,fma"))) void fma_256(std::int64_t rounds) {
  __m256 sums[accumulators];
  for (int i = 0; i < accumulators; ++i) sums[i] = _mm256_set1_ps(static_cast<float>(i) * 0.1f);
  const __m256 factor = _mm256_set1_ps(0.9999f);
  __m256 addend = _mm256_set1_ps(1e-6f);
  for (std::int64_t round = 0; round < rounds; ++round) {
    asm volatile("" : "+x"(addend));
    for (int i = 0; i < accumulators; ++i) sums[i] = _mm256_fmadd_ps(sums[i], factor, addend);
  }
  for (int i = 1; i < accumulators; ++i) sums[0] = _mm256_add_ps(sums[0], sums[i]);
  sink = _mm256_cvtss_f32(sums[0]);
}

__attribute__((target("avx512f,avx512bw,avx512bf16"))) void dot_bf16(std::int64_t rounds) {
  __m512 sums[accumulators];
  for (int i = 0; i < accumulators; ++i) sums[i] = _mm512_setzero_ps();
  __m512i ones = _mm512_set1_epi16(0x3c00);
  for (std::int64_t round = 0; round < rounds; ++round) {
    asm volatile("" : "+v"(ones));
    const auto pairs = (__m512bh)ones;
    for (int i = 0; i < accumulators; ++i) sums[i] = _mm512_dpbf16_ps(sums[i], pairs, pairs);
  }
  for (int i = 1; i < accumulators; ++i) sums[0] = _mm512_add_ps(sums[0], sums[i]);
  sink = _mm512_cvtss_f32(sums[0]);
}

/// All eight tiles hold 16 rows of 64 bytes.
struct alignas(64) TileShapes {
  std::uint8_t palette = 1, start_row = 0, reserved[14] = {};
  std::uint16_t bytes_a_row[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  std::uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};

/// A block of 2 x 2 result tiles, its operands loaded from the L1 cache in each round.
__attribute__((target("amx-tile,amx-bf16"))) void tiles_bf16(std::int64_t rounds) {
  const TileShapes shapes;
  _tile_loadconfig(&shapes);
  alignas(64) std::uint16_t operands[4][512];
  for (auto& tile : operands) {
    for (std::uint16_t& element : tile) element = 0x3c00;
  }
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  for (std::int64_t round = 0; round < rounds; ++round) {
    _tile_loadd(4, operands[0], 64);
    _tile_loadd(6, operands[2], 64);
    _tile_loadd(7, operands[3], 64);
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    _tile_loadd(5, operands[1], 64);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  }
  alignas(64) float result[256];
  _tile_stored(0, result, 64);
  _tile_release();
  sink = result[0];
}

bool has_bf16_dot() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid_count(7, 1, &a, &b, &c, &d) != 0 && (a >> 5 & 1) != 0;
}

/// The processor has tiles for bf16, and the system lets this process use them.
bool may_use_tiles() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0 || (d >> 22 & 1) == 0 || (d >> 24 & 1) == 0) return false;
  constexpr int request_permission = 0x1023, tile_data = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
  return syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
}

#endif

}  // namespace

std::vector<Limit> arithmetic(int threads) {
  double f32 = 0, bf16 = 0, amx = 0;
#if defined(__x86_64__)
  constexpr std::int64_t rounds = 4'000'000;
  if (__builtin_cpu_supports("avx512f")) {
    f32 = rate(threads, rounds, accumulators * 16 * 2, fma_512);
  } else if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    f32 = rate(threads, rounds, accumulators * 8 * 2, fma_256);
  }
  if (has_bf16_dot() && __builtin_cpu_supports("avx512bw")) {
    bf16 = rate(threads, rounds, accumulators * 16 * 4, dot_bf16);
  }
  if (may_use_tiles()) amx = rate(threads, rounds / 8, 4 * 16 * 16 * 32 * 2, tiles_bf16);
#else
  static_cast<void>(threads);
#endif
  return {{"f32_fma", f32}, {"bf16_dot", bf16}, {"amx_bf16", amx}};
}

}  // namespace gradus::bench::limits
