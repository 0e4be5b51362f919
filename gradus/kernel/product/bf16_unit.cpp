#include "gradus/kernel/product/bf16_unit.h"

#include <algorithm>
#include <chrono>

#include "gradus/kernel/sequence/narrow-inl.h"

#ifdef GRADUS_NARROW
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace gradus::kernel {

#ifdef GRADUS_NARROW
namespace {

bool has_vectors() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (!__get_cpuid_count(7, 1, &a, &b, &c, &d)) return false;
  constexpr unsigned avx512_bf16 = 1u << 5;  // of eax
  return (a & avx512_bf16) != 0 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
}

bool has_tiles() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  constexpr unsigned bf16 = 1u << 22, tile = 1u << 24;  // of edx
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || (d & bf16) == 0 || (d & tile) == 0) return false;
  // The state of the tiles is large, so that Linux wants to be asked (since 5.16).
  constexpr long request_permission = 0x1023, tile_data = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
  return syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
}

constexpr int sums = 16, rounds = 250;  // enough sums to hide the latency of two units; some microseconds

/// Adds to `sums` independent sums, `rounds` times.
template <class Vector, class Step>
GRADUS_NARROW inline double seconds_of(Vector (&totals)[sums], const Step& step) {
  const auto begin = std::chrono::steady_clock::now();
  for (int round = 0; round < rounds; ++round) {
#pragma GCC unroll 16
    for (int i = 0; i < sums; ++i) totals[i] = step(totals[i]);
#pragma GCC unroll 16
    for (int i = 0; i < sums; ++i) asm volatile("" : "+v"(totals[i]));
  }
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

/// How many times as fast AVX512_BF16 multiplies as f32.
GRADUS_NARROW double gain_of_vectors() {
  __m512 totals[sums];
  for (__m512& total : totals) total = _mm512_setzero_ps();
  __m512 factor = _mm512_set1_ps(0.5f);
  __m512i pairs = _mm512_set1_epi32(0x3f003f00);  // 0.5 in bf16, twice
  asm volatile("" : "+v"(factor), "+v"(pairs));
  __m512bh narrow;
  __builtin_memcpy(&narrow, &pairs, sizeof narrow);
  double wide_seconds = 1, narrow_seconds = 1;
  for (int attempt = 0; attempt < 8; ++attempt) {  // the best of several: something may interrupt one
    wide_seconds = std::min(wide_seconds, seconds_of(totals, [&](__m512 total) GRADUS_NARROW {
                              return _mm512_fmadd_ps(factor, factor, total);
                            }));
    narrow_seconds = std::min(narrow_seconds, seconds_of(totals, [&](__m512 total) GRADUS_NARROW {
                                return _mm512_dpbf16_ps(total, narrow, narrow);
                              }));
  }
  return 2 * wide_seconds / narrow_seconds;
}

Bf16Unit find_unit() {
  if (!has_vectors()) return Bf16Unit::none;
  if (has_tiles()) return Bf16Unit::tiles;
  constexpr double worth = 1.3;  // rates are half, once or twice those of f32
  return gain_of_vectors() > worth ? Bf16Unit::vectors : Bf16Unit::none;
}

}  // namespace

Bf16Unit bf16_unit() {
  static const Bf16Unit unit = find_unit();
  return unit;
}

#else

Bf16Unit bf16_unit() { return Bf16Unit::none; }

#endif

}  // namespace gradus::kernel
