#include "gradus/kernel/product/narrow_panels.h"

#include <algorithm>

#include "gradus/base/error.h"
#include "gradus/kernel/sequence/narrow-inl.h"
#include "gradus/kernel/sequence/narrow.h"

namespace gradus::kernel::narrow {

#ifdef GRADUS_NARROW
namespace {

/// The first `count` of 32 lanes.
GRADUS_NARROW inline __mmask32 first_lanes(std::size_t count) {
  return count >= 32 ? ~__mmask32{0} : static_cast<__mmask32>((1u << count) - 1);
}

/// Up to 32 numbers of a line.
GRADUS_NARROW inline __m512i load_line(const std::uint16_t* x, std::size_t count) {
  if (count >= 32) return _mm512_loadu_si512(x);
  return _mm512_maskz_loadu_epi16(first_lanes(count), x);
}

/// Depths k and k + 1 of up to 32 lines, in pairs: lines 0 to 15, and 16 to 31.
struct Pairs {
  __m512i low, high;
};
GRADUS_NARROW inline Pairs load_pairs(const std::uint16_t* x, std::size_t stride, std::size_t depths,
                                      std::size_t lines) {
  alignas(64) static constexpr std::uint16_t order[2][32] = {
      {0, 32, 1, 33, 2,  34, 3,  35, 4,  36, 5,  37, 6,  38, 7,  39,
       8, 40, 9, 41, 10, 42, 11, 43, 12, 44, 13, 45, 14, 46, 15, 47},
      {16, 48, 17, 49, 18, 50, 19, 51, 20, 52, 21, 53, 22, 54, 23, 55,
       24, 56, 25, 57, 26, 58, 27, 59, 28, 60, 29, 61, 30, 62, 31, 63}};
  const __m512i even = depths > 0 ? load_line(x, lines) : _mm512_setzero_si512();
  const __m512i odd = depths > 1 ? load_line(x + stride, lines) : _mm512_setzero_si512();
  return {_mm512_permutex2var_epi16(even, _mm512_load_si512(order[0]), odd),
          _mm512_permutex2var_epi16(even, _mm512_load_si512(order[1]), odd)};
}

GRADUS_NARROW inline void store(const __m512i (&rows)[16], std::uint16_t* to) {
  for (std::size_t r = 0; r < 16; ++r) _mm512_storeu_si512(to + r * 32, rows[r]);
}

/// 32 depths of 32 lines that are dense along the depth.
template <bool Left>
GRADUS_NARROW void pack_lines(const Side& side, std::size_t first, std::size_t k, std::size_t end, std::uint16_t* to) {
  for (std::size_t tile = 0; tile < 2; ++tile) {
    __m512i rows[16];
    for (std::size_t r = 0; r < 16; ++r) {
      const std::size_t line = first + 16 * tile + r;
      rows[r] = line < side.lines ? load_line(side.data + line * side.stride + k, end - k) : _mm512_setzero_si512();
    }
    if constexpr (!Left) transpose(rows);
    store(rows, to + tile * 512);
  }
}

/// 32 depths of 32 lines that lie side by side, as rows that are dense along the depth.
GRADUS_NARROW void pack_left_crossed(const Side& side, std::size_t first, std::size_t k, std::size_t end,
                                     std::uint16_t* to) {
  const std::size_t lines = side.lines - first;
  __m512i low[16], high[16];
  for (std::size_t r = 0; r < 16; ++r) {
    const std::size_t depth = k + 2 * r;
    const std::uint16_t* x = side.data + depth * side.stride + first;
    const __m512i even = depth < end ? load_line(x, lines) : _mm512_setzero_si512();
    const __m512i odd = depth + 1 < end ? load_line(x + side.stride, lines) : _mm512_setzero_si512();
    low[r] = _mm512_unpacklo_epi16(even, odd);
    high[r] = _mm512_unpackhi_epi16(even, odd);
  }
  transpose(low);
  for (std::size_t r = 0; r < 16; ++r) _mm512_storeu_si512(to + (r / 4 * 8 + r % 4) * 32, low[r]);
  transpose(high);
  for (std::size_t r = 0; r < 16; ++r) _mm512_storeu_si512(to + (r / 4 * 8 + 4 + r % 4) * 32, high[r]);
}

GRADUS_NARROW void pack_right_crossed(const Side& side, std::size_t first, std::size_t k, std::size_t end,
                                      std::uint16_t* to) {
  for (std::size_t r = 0; r < 16; ++r) {
    const std::size_t depth = k + 2 * r;
    const Pairs pairs = load_pairs(side.data + depth * side.stride + first, side.stride, depth < end ? end - depth : 0,
                                   side.lines - first);
    _mm512_storeu_si512(to + r * 32, pairs.low);
    _mm512_storeu_si512(to + 512 + r * 32, pairs.high);
  }
}

}  // namespace

void pack_left_panel(const Side& side, std::size_t first, std::size_t begin, std::size_t end, std::uint16_t* to) {
  const auto pack = side.crossed ? pack_left_crossed : pack_lines<true>;
  for (std::size_t k = begin; k < end; k += 32) pack(side, first, k, end, to + (k - begin) * 32);
}

void pack_right_panel(const Side& side, std::size_t first, std::size_t begin, std::size_t end, std::uint16_t* to) {
  const auto pack = side.crossed ? pack_right_crossed : pack_lines<false>;
  for (std::size_t k = begin; k < end; k += 32) pack(side, first, k, end, to + (k - begin) * 32);
}

GRADUS_AMX void multiply_panels(std::size_t blocks, LeftPanel a, const std::uint16_t* b, float* c, std::size_t stride,
                                bool add) {
  const std::size_t c_bytes = stride * sizeof(float), a_bytes = a.row * sizeof(std::uint16_t);
  float* c_below = c + 16 * stride;
  if (add) {
    _tile_loadd(0, c, c_bytes);
    _tile_loadd(1, c + 16, c_bytes);
    _tile_loadd(2, c_below, c_bytes);
    _tile_loadd(3, c_below + 16, c_bytes);
  } else {
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
  }
  const std::uint16_t *upper = a.data, *lower = upper + a.lower;
  for (std::size_t k = 0; k < blocks; ++k, upper += a.block, lower += a.block, b += 1024) {
    _tile_loadd(4, upper, a_bytes);
    _tile_loadd(6, b, 64);
    _tile_loadd(5, lower, a_bytes);
    _tile_loadd(7, b + 512, 64);
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(1, 4, 7);
    _tile_dpbf16ps(3, 5, 7);
  }
  _tile_stored(0, c, c_bytes);
  _tile_stored(1, c + 16, c_bytes);
  _tile_stored(2, c_below, c_bytes);
  _tile_stored(3, c_below + 16, c_bytes);
}

__attribute__((target("prfchw"))) void expect(std::size_t rows, const Target& target) {
  for (std::size_t r = 0; r < rows; ++r) {
    if (target.narrow != nullptr) {
      __builtin_prefetch(target.narrow + r * target.stride, 1, 3);
    } else {
      __builtin_prefetch(target.wide + r * target.stride, 1, 3);
      __builtin_prefetch(target.wide + r * target.stride + 16, 1, 3);
    }
  }
}

GRADUS_NARROW void deliver(const float* c, std::size_t c_stride, std::size_t rows, std::size_t columns,
                           const Target& target) {
  const __mmask32 wanted = first_lanes(columns);
  const auto low = static_cast<__mmask16>(wanted), high = static_cast<__mmask16>(wanted >> 16);
  for (std::size_t r = 0; r < rows; ++r) {
    __m512 left = _mm512_loadu_ps(c + r * c_stride), right = _mm512_loadu_ps(c + r * c_stride + 16);
    if (target.before != nullptr) {
      const float* before = target.before + r * target.stride;
      left = _mm512_add_ps(left, _mm512_maskz_loadu_ps(low, before));
      right = _mm512_add_ps(right, _mm512_maskz_loadu_ps(high, before + 16));
    }
    if (target.narrow != nullptr) {
      const __m512bh both = _mm512_cvtne2ps_pbh(right, left);
      __m512i bits;
      __builtin_memcpy(&bits, &both, sizeof bits);
      _mm512_mask_storeu_epi16(target.narrow + r * target.stride, wanted, bits);
    } else {
      float* to = target.wide + r * target.stride;
      _mm512_mask_storeu_ps(to, low, left);
      _mm512_mask_storeu_ps(to + 16, high, right);
    }
  }
}

#else

// Never called: nobody may who was told that there are no tiles.
void pack_left_panel(const Side&, std::size_t, std::size_t, std::size_t, std::uint16_t*) { GRADUS_ASSERT(available()); }
void pack_right_panel(const Side&, std::size_t, std::size_t, std::size_t, std::uint16_t*) {
  GRADUS_ASSERT(available());
}
void multiply_panels(std::size_t, LeftPanel, const std::uint16_t*, float*, std::size_t, bool) {
  GRADUS_ASSERT(available());
}
void expect(std::size_t, const Target&) { GRADUS_ASSERT(available()); }
void deliver(const float*, std::size_t, std::size_t, std::size_t, const Target&) { GRADUS_ASSERT(available()); }

#endif

}  // namespace gradus::kernel::narrow
