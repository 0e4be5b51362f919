#include "gradus/kernel/quantized/rows.h"

#if defined(__x86_64__)
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wuninitialized"  // of GCC's own intrinsics, whose unused operand is undefined
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>
#endif

namespace gradus::kernel::quantized {

#if defined(__x86_64__)
namespace {

#define GRADUS_VNNI __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")))

/// Rows x Columns products at a time: each vector that is loaded serves several of them.
template <int Rows, int Columns>
GRADUS_VNNI void block(const std::uint8_t* x, const std::int8_t* w, std::size_t stride, std::int32_t* dots,
                       std::size_t stride_out) {
  __m512i sums[Rows][Columns];
  for (auto& row : sums)
    for (__m512i& sum : row) sum = _mm512_setzero_si512();
  for (std::size_t i = 0; i < stride; i += 64) {
    __m512i right[Columns];
    for (int c = 0; c < Columns; ++c) right[c] = _mm512_loadu_si512(w + static_cast<std::size_t>(c) * stride + i);
    for (int r = 0; r < Rows; ++r) {
      const __m512i left = _mm512_loadu_si512(x + static_cast<std::size_t>(r) * stride + i);
      for (int c = 0; c < Columns; ++c) sums[r][c] = _mm512_dpbusd_epi32(sums[r][c], left, right[c]);
    }
  }
  for (int r = 0; r < Rows; ++r)
    for (int c = 0; c < Columns; ++c)
      dots[static_cast<std::size_t>(r) * stride_out + static_cast<std::size_t>(c)] =
          _mm512_reduce_add_epi32(sums[r][c]);
}

template <int Rows>
GRADUS_VNNI void band(const std::uint8_t* x, const std::int8_t* w, std::size_t columns, std::size_t stride,
                      std::int32_t* dots, std::size_t stride_out) {
  std::size_t c = 0;
  for (; c + 4 <= columns; c += 4) block<Rows, 4>(x, w + c * stride, stride, dots + c, stride_out);
  for (; c < columns; ++c) block<Rows, 1>(x, w + c * stride, stride, dots + c, stride_out);
}

void dots_by_vectors(const std::uint8_t* x, std::size_t rows, const std::int8_t* w, std::size_t columns,
                     std::size_t stride, std::int32_t* dots, std::size_t stride_out) {
  std::size_t r = 0;
  for (; r + 4 <= rows; r += 4) band<4>(x + r * stride, w, columns, stride, dots + r * stride_out, stride_out);
  for (; r < rows; ++r) band<1>(x + r * stride, w, columns, stride, dots + r * stride_out, stride_out);
}

}  // namespace

Dots vector_dots() {
  static const bool has = __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bw") &&
                          __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
  return has ? &dots_by_vectors : nullptr;
}

#else

Dots vector_dots() { return nullptr; }

#endif

}  // namespace gradus::kernel::quantized
