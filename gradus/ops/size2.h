// Heights and widths of kernels, strides and paddings.
#pragma once

#include <array>
#include <cstdint>

namespace gradus {

/// A height and a width: one number for both, or `{height, width}`.
struct Size2 {
  std::int64_t height = 0;
  std::int64_t width = 0;

  constexpr Size2() = default;
  constexpr Size2(std::int64_t both) : height(both), width(both) {}  // NOLINT: `.padding = 2`
  constexpr Size2(std::int64_t rows, std::int64_t columns) : height(rows), width(columns) {}

  constexpr std::array<std::int64_t, 2> array() const { return {height, width}; }
  friend constexpr bool operator==(const Size2&, const Size2&) = default;
};

}  // namespace gradus
