// Heights, widths and depths of kernels, strides and paddings.
#pragma once

#include <array>
#include <concepts>
#include <cstdint>

namespace gradus {

/// A number for the one axis of a sequence.
struct Size1 {
  std::int64_t length = 0;
  constexpr Size1() = default;
  constexpr Size1(std::int64_t size) : length(size) {}  // NOLINT: `.padding = 2`
  constexpr std::array<std::int64_t, 1> array() const { return {length}; }
  friend constexpr bool operator==(const Size1&, const Size1&) = default;
};

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

/// A depth, a height and a width: one number for all, or `{depth, height, width}`.
struct Size3 {
  std::int64_t depth = 0;
  std::int64_t height = 0;
  std::int64_t width = 0;

  constexpr Size3() = default;
  constexpr Size3(std::int64_t all) : depth(all), height(all), width(all) {}  // NOLINT: `.padding = 2`
  constexpr Size3(std::int64_t slices, std::int64_t rows, std::int64_t columns)
      : depth(slices), height(rows), width(columns) {}

  constexpr std::array<std::int64_t, 3> array() const { return {depth, height, width}; }
  friend constexpr bool operator==(const Size3&, const Size3&) = default;
};

/// Zeros around the input of a convolution, on each side: numbers as for `Size`, or "same" (as many in total as keep
/// the size, which needs a stride of 1; an odd one goes behind) or "valid" (none).
template <class Size>
struct ConvPadding {
  Size size{};
  const char* rule = nullptr;  ///< "same", "valid", or none: numbers

  constexpr ConvPadding() = default;
  constexpr ConvPadding(Size numbers) : size(numbers) {}  // NOLINT: `.padding = size`
  template <std::integral T>
  constexpr ConvPadding(T all) : size(static_cast<std::int64_t>(all)) {}  // NOLINT: `.padding = 2`
  constexpr ConvPadding(const char* name) : rule(name) {}                 // NOLINT: `.padding = "same"`
  constexpr ConvPadding(std::int64_t rows, std::int64_t columns) requires(sizeof(Size) == 16) : size(rows, columns) {}
  constexpr ConvPadding(std::int64_t slices, std::int64_t rows, std::int64_t columns) requires(sizeof(Size) == 24)
      : size(slices, rows, columns) {}
};

}  // namespace gradus
