// Sizes that the small products of all SIMD targets share.
#pragma once

#include <cstdint>

namespace gradus::kernel {

/// c (m, n) = a (m, k) b (k, n); strides in elements.
struct SmallProduct {
  static constexpr std::int64_t panel = 16;  ///< columns that are padded together

  std::int64_t m = 0, n = 0, k = 0;
  std::int64_t a_row = 0, a_inner = 0;     ///< from row to row of a, and along k
  std::int64_t b_inner = 0, b_column = 0;  ///< along k, and from column to column of b
  bool dots = false;                       ///< both operands are dense along k
  bool packs = false;                      ///< b is copied to rows that are padded to whole panels

  std::int64_t padded() const { return (n + panel - 1) / panel * panel; }
};

}  // namespace gradus::kernel
