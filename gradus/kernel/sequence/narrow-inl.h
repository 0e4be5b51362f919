// For the sources of kernels that multiply bf16: the compiler's names of the instructions. Without GRADUS_NARROW there are none.
#pragma once

#if defined(__x86_64__) && defined(__linux__)
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wuninitialized"  // of GCC's own intrinsics, whose unused operand is undefined
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>

#include <cstddef>
#include <cstdint>

/// A function that may use AVX512_BF16 and the AVX-512 that comes with it, and one that may use the tiles of AMX besides: only
/// called where bf16_unit() says so.
#define GRADUS_NARROW __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16")))
#define GRADUS_AMX __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,amx-tile,amx-bf16")))

namespace gradus::kernel::narrow {

/// Rows and columns of 16 x 16 words exchanged.
GRADUS_NARROW inline void transpose(__m512i (&rows)[16]) {
  __m512i pairs[16], fours[16];
  for (int i = 0; i < 16; i += 2) {
    pairs[i] = _mm512_unpacklo_epi32(rows[i], rows[i + 1]);
    pairs[i + 1] = _mm512_unpackhi_epi32(rows[i], rows[i + 1]);
  }
  for (int i = 0; i < 16; i += 4) {
    fours[i] = _mm512_unpacklo_epi64(pairs[i], pairs[i + 2]);
    fours[i + 1] = _mm512_unpackhi_epi64(pairs[i], pairs[i + 2]);
    fours[i + 2] = _mm512_unpacklo_epi64(pairs[i + 1], pairs[i + 3]);
    fours[i + 3] = _mm512_unpackhi_epi64(pairs[i + 1], pairs[i + 3]);
  }
  // fours[4 g + j] holds column 4 l + j of rows 4 g to 4 g + 3 in its lane l.
  for (int j = 0; j < 4; ++j) {
    const __m512i even_low = _mm512_shuffle_i32x4(fours[j], fours[4 + j], 0x88);
    const __m512i odd_low = _mm512_shuffle_i32x4(fours[j], fours[4 + j], 0xdd);
    const __m512i even_high = _mm512_shuffle_i32x4(fours[8 + j], fours[12 + j], 0x88);
    const __m512i odd_high = _mm512_shuffle_i32x4(fours[8 + j], fours[12 + j], 0xdd);
    rows[j] = _mm512_shuffle_i32x4(even_low, even_high, 0x88);
    rows[8 + j] = _mm512_shuffle_i32x4(even_low, even_high, 0xdd);
    rows[4 + j] = _mm512_shuffle_i32x4(odd_low, odd_high, 0x88);
    rows[12 + j] = _mm512_shuffle_i32x4(odd_low, odd_high, 0xdd);
  }
}

/// `rows` (at most 8) rows of a left side times a panel of 32 columns of a right one, without tiles: c [rows, 32] = a b, or c += a b
/// with `add`. Of the left side, rows lie `row` elements apart, and each 32 of the depth `block` behind the 32 before. The panel
/// has its pairs as two tiles for each 32 of the depth.
template <int Rows>
GRADUS_NARROW inline void multiply_rows(std::size_t blocks, const std::uint16_t* a, std::size_t row, std::size_t block,
                                        const std::uint16_t* b, float* c, std::size_t c_stride, bool add) {
  __m512 left[Rows], right[Rows];
#pragma GCC unroll 8
  for (int r = 0; r < Rows; ++r) {
    const float* from = c + static_cast<std::size_t>(r) * c_stride;
    left[r] = add ? _mm512_loadu_ps(from) : _mm512_setzero_ps();
    right[r] = add ? _mm512_loadu_ps(from + 16) : _mm512_setzero_ps();
  }
  for (std::size_t k = 0; k < blocks; ++k, a += block, b += 1024) {
    for (std::size_t pair = 0; pair < 16; ++pair) {
      __m512bh low, high;
      __builtin_memcpy(&low, b + pair * 32, sizeof low);
      __builtin_memcpy(&high, b + 512 + pair * 32, sizeof high);
#pragma GCC unroll 8
      for (int r = 0; r < Rows; ++r) {
        std::int32_t both;
        __builtin_memcpy(&both, a + static_cast<std::size_t>(r) * row + 2 * pair, sizeof both);
        const __m512i bits = _mm512_set1_epi32(both);
        __m512bh repeated;
        __builtin_memcpy(&repeated, &bits, sizeof repeated);
        left[r] = _mm512_dpbf16_ps(left[r], repeated, low);
        right[r] = _mm512_dpbf16_ps(right[r], repeated, high);
      }
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < Rows; ++r) {
    float* to = c + static_cast<std::size_t>(r) * c_stride;
    _mm512_storeu_ps(to, left[r]);
    _mm512_storeu_ps(to + 16, right[r]);
  }
}

}  // namespace gradus::kernel::narrow
#endif
