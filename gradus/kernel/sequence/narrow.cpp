#include "gradus/kernel/sequence/narrow.h"

#include <algorithm>

#include "gradus/base/error.h"
#include "gradus/kernel/product/bf16_unit.h"
#include "gradus/kernel/sequence/narrow-inl.h"

#ifdef GRADUS_NARROW

namespace gradus::kernel::narrow {
namespace {

/// Bits of 32 numbers, a first.
GRADUS_NARROW inline __m512i rounded(__m512 a, __m512 b) {
  const __m512bh both = _mm512_cvtne2ps_pbh(b, a);
  __m512i bits;
  __builtin_memcpy(&bits, &both, sizeof bits);
  return bits;
}

/// 16 numbers from x[i] on, 0 behind x[count - 1].
GRADUS_NARROW inline __m512 load(const float* x, std::size_t i, std::size_t count) {
  if (i >= count) return _mm512_setzero_ps();
  const std::size_t left = count - i;
  if (left >= 16) return _mm512_loadu_ps(x + i);
  return _mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << left) - 1), x + i);
}

/// 32 numbers from x[i] on in bf16.
GRADUS_NARROW inline __m512i load_rounded(const float* x, std::size_t i, std::size_t count) {
  return rounded(load(x, i, count), load(x, i + 16, count));
}

/// Of rows k and k + 1 of x the 16 columns from `column` on, in pairs; 0 outside of [depth, columns].
GRADUS_NARROW inline __m512i load_pairs(const float* x, std::size_t stride, std::size_t k, std::size_t depth,
                                        std::size_t column, std::size_t columns) {
  alignas(64) static constexpr std::uint16_t alternating[32] = {0,  16, 1,  17, 2,  18, 3,  19, 4,  20, 5,
                                                                21, 6,  22, 7,  23, 8,  24, 9,  25, 10, 26,
                                                                11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
  const __m512 even = k < depth ? load(x + k * stride, column, columns) : _mm512_setzero_ps();
  const __m512 odd = k + 1 < depth ? load(x + (k + 1) * stride, column, columns) : _mm512_setzero_ps();
  return _mm512_permutexvar_epi16(_mm512_load_si512(alternating), rounded(even, odd));
}

/// Two tiles of rows against one panel.
GRADUS_AMX void multiply_two(std::size_t depth_blocks, Left a, const std::uint16_t* b, float* c, std::size_t c_stride,
                             bool add) {
  const std::size_t a_bytes = a.stride * 2, c_bytes = c_stride * 4;
  float* below = c + tile_rows * c_stride;
  if (add) {
    _tile_loadd(0, c, c_bytes);
    _tile_loadd(1, c + 16, c_bytes);
    _tile_loadd(2, below, c_bytes);
    _tile_loadd(3, below + 16, c_bytes);
  } else {
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
  }
  for (std::size_t k = 0; k < depth_blocks; ++k) {
    const std::uint16_t *left = a.data + k * depth_block, *right = b + k * depth_block * panel_width;
    _tile_loadd(6, right, 64);
    _tile_loadd(7, right + 512, 64);
    _tile_loadd(4, left, a_bytes);
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    _tile_loadd(5, left + tile_rows * a.stride, a_bytes);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  }
  _tile_stored(0, c, c_bytes);
  _tile_stored(1, c + 16, c_bytes);
  _tile_stored(2, below, c_bytes);
  _tile_stored(3, below + 16, c_bytes);
}

/// One tile of rows against one panel.
GRADUS_AMX void multiply_one(std::size_t depth_blocks, Left a, const std::uint16_t* b, float* c, std::size_t c_stride,
                             bool add) {
  const std::size_t a_bytes = a.stride * 2, c_bytes = c_stride * 4;
  if (add) {
    _tile_loadd(0, c, c_bytes);
    _tile_loadd(1, c + 16, c_bytes);
  } else {
    _tile_zero(0);
    _tile_zero(1);
  }
  for (std::size_t k = 0; k < depth_blocks; ++k) {
    const std::uint16_t* right = b + k * depth_block * panel_width;
    _tile_loadd(4, a.data + k * depth_block, a_bytes);
    _tile_loadd(6, right, 64);
    _tile_loadd(7, right + 512, 64);
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
  }
  _tile_stored(0, c, c_bytes);
  _tile_stored(1, c + 16, c_bytes);
}

/// The whole product without tiles: 8 rows against one panel at a time.
void by_vectors(std::size_t row_tiles, std::size_t panels, std::size_t depth_blocks, Left a, Right b, float* c,
                std::size_t c_stride, bool add) {
  constexpr std::size_t rows = 8;
  for (std::size_t p = 0; p < panels; ++p) {
    for (std::size_t row = 0; row < row_tiles * tile_rows; row += rows) {
      multiply_rows<rows>(depth_blocks, a.data + row * a.stride, a.stride, depth_block, b.data + p * b.stride,
                          c + row * c_stride + p * panel_width, c_stride, add);
    }
  }
}

struct alignas(64) TileConfig {
  std::uint8_t palette = 1, start_row = 0, reserved[14] = {};
  std::uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  std::uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};
static_assert(sizeof(TileConfig) == 64);

// In memory as a whole: to the compiler, the instruction reads its first bytes only.
constexpr TileConfig tile_config;

GRADUS_AMX void configure(void* before) {
  _tile_storeconfig(before);
  _tile_loadconfig(&tile_config);
}
GRADUS_AMX void restore(const void* before) { _tile_loadconfig(before); }

}  // namespace

bool available() { return bf16_unit() != Bf16Unit::none; }

Tiles::Tiles() {
  if (bf16_unit() == Bf16Unit::tiles) configure(before_);
}
Tiles::~Tiles() {
  if (bf16_unit() == Bf16Unit::tiles) restore(before_);
}

void multiply(std::size_t row_tiles, std::size_t panels, std::size_t depth_blocks, Left a, Right b, float* c,
              std::size_t c_stride, bool add) {
  if (bf16_unit() == Bf16Unit::vectors) return by_vectors(row_tiles, panels, depth_blocks, a, b, c, c_stride, add);
  for (std::size_t p = 0; p < panels; ++p) {
    const std::uint16_t* panel = b.data + p * b.stride;
    std::size_t row = 0;
    for (; row + 2 <= row_tiles; row += 2) {
      multiply_two(depth_blocks, {a.data + row * tile_rows * a.stride, a.stride}, panel,
                   c + row * tile_rows * c_stride + p * panel_width, c_stride, add);
    }
    if (row < row_tiles) {
      multiply_one(depth_blocks, {a.data + row * tile_rows * a.stride, a.stride}, panel,
                   c + row * tile_rows * c_stride + p * panel_width, c_stride, add);
    }
  }
}

GRADUS_NARROW void pack_left(const float* x, std::size_t stride, std::size_t rows, std::size_t depth,
                             std::uint16_t* to) {
  const std::size_t padded_depth = round_up(depth, depth_block);
  for (std::size_t r = 0; r < rows; ++r, to += padded_depth) {
    for (std::size_t k = 0; k < padded_depth; k += 32) {
      _mm512_storeu_si512(to + k, load_rounded(x + r * stride, k, depth));
    }
  }
  std::fill_n(to, (round_up(rows, tile_rows) - rows) * padded_depth, std::uint16_t{0});
}

GRADUS_NARROW void pack_left_transposed(const float* x, std::size_t stride, std::size_t rows, std::size_t depth,
                                        std::uint16_t* to) {
  const std::size_t padded_depth = round_up(depth, depth_block);
  for (std::size_t first = 0; first < rows; first += tile_rows) {
    for (std::size_t k = 0; k < padded_depth; k += depth_block) {
      __m512i words[16];
      for (std::size_t j = 0; j < 16; ++j) words[j] = load_pairs(x, stride, k + 2 * j, depth, first, rows);
      transpose(words);
      for (std::size_t r = 0; r < 16; ++r) _mm512_storeu_si512(to + (first + r) * padded_depth + k, words[r]);
    }
  }
}

GRADUS_NARROW void pack_right(const float* x, std::size_t stride, std::size_t depth, std::size_t columns,
                              std::uint16_t* to) {
  const std::size_t padded_depth = round_up(depth, depth_block);
  for (std::size_t first = 0; first < columns; first += panel_width) {
    for (std::size_t k = 0; k < padded_depth; k += 2) {
      std::uint16_t* row = to + k / depth_block * depth_block * panel_width + k % depth_block * 16;
      _mm512_storeu_si512(row, load_pairs(x, stride, k, depth, first, columns));
      _mm512_storeu_si512(row + 512, load_pairs(x, stride, k, depth, first + 16, columns));
    }
    to += padded_depth * panel_width;
  }
}

GRADUS_NARROW void pack_right_transposed(const float* x, std::size_t stride, std::size_t depth, std::size_t columns,
                                         std::uint16_t* to) {
  const std::size_t padded_depth = round_up(depth, depth_block);
  for (std::size_t first = 0; first < round_up(columns, panel_width); first += 16) {
    std::uint16_t* panel = to + first / panel_width * padded_depth * panel_width + first % panel_width * 32;
    for (std::size_t k = 0; k < padded_depth; k += depth_block) {
      __m512i rows[16];
      for (std::size_t j = 0; j < 16; ++j) {
        const bool inside = first + j < columns;
        rows[j] = inside ? load_rounded(x + (first + j) * stride, k, depth) : _mm512_setzero_si512();
      }
      transpose(rows);
      for (std::size_t r = 0; r < 16; ++r) _mm512_storeu_si512(panel + k * panel_width + r * 32, rows[r]);
    }
  }
}

}  // namespace gradus::kernel::narrow

#else

namespace gradus::kernel::narrow {

bool available() { return false; }

// Never called: nobody may who was told so.
Tiles::Tiles() : before_{} { GRADUS_ASSERT(available()); }
Tiles::~Tiles() = default;
void multiply(std::size_t, std::size_t, std::size_t, Left, Right, float*, std::size_t, bool) {
  GRADUS_ASSERT(available());
}
void pack_left(const float*, std::size_t, std::size_t, std::size_t, std::uint16_t*) { GRADUS_ASSERT(available()); }
void pack_left_transposed(const float*, std::size_t, std::size_t, std::size_t, std::uint16_t*) {
  GRADUS_ASSERT(available());
}
void pack_right(const float*, std::size_t, std::size_t, std::size_t, std::uint16_t*) { GRADUS_ASSERT(available()); }
void pack_right_transposed(const float*, std::size_t, std::size_t, std::size_t, std::uint16_t*) {
  GRADUS_ASSERT(available());
}

}  // namespace gradus::kernel::narrow

#endif
