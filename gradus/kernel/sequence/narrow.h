// Products of bf16, by the tiles of AMX or by AVX512_BF16, for kernels that multiply small matrices many times: f32 comes in, is
// rounded to bf16 while it is packed, and sums stay f32. Only where available(). Both units read the same packed operands.
#pragma once

#include <cstddef>
#include <cstdint>

namespace gradus::kernel::narrow {

/// Rows of one tile; columns of a panel of the right side (two tiles); depth of one instruction.
inline constexpr std::size_t tile_rows = 16, panel_width = 32, depth_block = 32;

constexpr std::size_t round_up(std::size_t count, std::size_t unit) { return (count + unit - 1) / unit * unit; }

/// Whether this CPU multiplies bf16 faster than f32: bf16_unit().
bool available();

/// The tiles' shapes, where there are tiles, set for the calling thread as long as it lives; then those of before come back, since a
/// library that uses tiles too may not set its own for every call. `multiply` needs one.
class Tiles {
 public:
  Tiles();
  ~Tiles();
  Tiles(const Tiles&) = delete;
  Tiles& operator=(const Tiles&) = delete;

 private:
  alignas(64) std::byte before_[64];
};

/// A left side [rows, depth] of bf16 bits: rows a multiple of 16, depth of 32, `stride` elements from row to row.
struct Left {
  const std::uint16_t* data;
  std::size_t stride;
};

/// A packed right side [depth, columns]: panels of 32 columns, `stride` elements from one to the next (depth * 32 at least).
struct Right {
  const std::uint16_t* data;
  std::size_t stride;
};

/// c = a b, or c += a b with `add`: all sizes padded, in units of tiles, panels and blocks. Rows of c lie `c_stride` apart.
void multiply(std::size_t row_tiles, std::size_t panels, std::size_t depth_blocks, Left a, Right b, float* c,
              std::size_t c_stride, bool add);

/// Elements of a left side of so many rows, and of a right side.
constexpr std::size_t left_size(std::size_t rows, std::size_t depth) {
  return round_up(rows, tile_rows) * round_up(depth, depth_block);
}
constexpr std::size_t right_size(std::size_t depth, std::size_t columns) {
  return round_up(depth, depth_block) * round_up(columns, panel_width);
}

/// x [rows, depth], whose rows lie `stride` apart, as a left side; `to` has rows of round_up(depth, 32). Zeros fill the padding.
void pack_left(const float* x, std::size_t stride, std::size_t rows, std::size_t depth, std::uint16_t* to);
/// The transpose of x [depth, rows] as a left side.
void pack_left_transposed(const float* x, std::size_t stride, std::size_t rows, std::size_t depth, std::uint16_t* to);
/// x [depth, columns] as a right side, with panels of round_up(depth, 32) * 32.
void pack_right(const float* x, std::size_t stride, std::size_t depth, std::size_t columns, std::uint16_t* to);
/// The transpose of x [columns, depth] as a right side.
void pack_right_transposed(const float* x, std::size_t stride, std::size_t depth, std::size_t columns,
                           std::uint16_t* to);

}  // namespace gradus::kernel::narrow
