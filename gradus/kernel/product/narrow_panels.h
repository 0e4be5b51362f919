// Large products of bf16, in the tiles of AMX: both sides are packed into panels of 32, whose tiles lie one behind the other.
#pragma once

#include <cstddef>
#include <cstdint>

namespace gradus::kernel::narrow {

/// A matrix of bf16 bits as one side of a product sees it: `lines` rows of the left side or columns of the right one, `depth`
/// long. Dense along the depth, `stride` elements from line to line; `crossed`: dense across the lines, `stride` from one depth
/// to the next.
struct Side {
  const std::uint16_t* data;
  std::size_t stride;
  std::size_t lines, depth;
  bool crossed;
};

/// Elements of a right panel of so much depth.
constexpr std::size_t panel_size(std::size_t depth) { return (depth + 31) / 32 * 32 * 32; }

/// The 32 lines from `first` on, depths [begin, end), as a panel: for every 32 of the depth two tiles, one behind the other. Zeros
/// stand for what is outside.
void pack_left_panel(const Side& side, std::size_t first, std::size_t begin, std::size_t end, std::uint16_t* to);
void pack_right_panel(const Side& side, std::size_t first, std::size_t begin, std::size_t end, std::uint16_t* to);

/// 32 rows of a left side for tiles to read: elements from row to row, from one 32 of the depth to the next, and from the upper
/// 16 rows to the lower.
struct LeftPanel {
  const std::uint16_t* data;
  std::size_t row, block, lower;
};
constexpr LeftPanel packed(const std::uint16_t* panel) { return {panel, 32, 1024, 512}; }
constexpr LeftPanel in_place(const std::uint16_t* rows, std::size_t stride) { return {rows, stride, 32, 16 * stride}; }

/// c [32, 32], whose rows lie `stride` apart, = a b, or c += a b with `add`, over `blocks` times 32 of the depth. Needs Tiles.
void multiply_panels(std::size_t blocks, LeftPanel a, const std::uint16_t* b, float* c, std::size_t stride, bool add);

/// Where the sums of a block go: rows x columns (32 at most) of f32, or of bf16 bits. `before` (f32, or null) is added.
struct Target {
  float* wide;
  std::uint16_t* narrow;
  const float* before;
  std::size_t stride;
};
/// Brings the lines of cache that deliver() will write, before the sums are there.
void expect(std::size_t rows, const Target& target);
void deliver(const float* c, std::size_t c_stride, std::size_t rows, std::size_t columns, const Target& target);

}  // namespace gradus::kernel::narrow
