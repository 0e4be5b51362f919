#include "gradus/kernel/quantized/rows.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace gradus::kernel::quantized {

float quantize_row(const float* x, std::size_t count, std::size_t stride, int offset, std::uint8_t* to) {
  float largest = 0, check = 0;
  for (std::size_t i = 0; i < count; ++i) {
    largest = std::max(largest, std::abs(x[i]));
    check += x[i] * 0;  // NaN for what is not finite
  }
  const auto zero = static_cast<std::uint8_t>(offset);
  std::fill(to + count, to + stride, zero);
  if (std::isnan(check) || !(largest > 0)) {
    std::fill_n(to, count, zero);
    return std::isnan(check) ? std::numeric_limits<float>::quiet_NaN() : 0;
  }
  const float scale = largest / 127, per_unit = 127 / largest;
  // The smallest numbers have no inverse.
  const bool tiny = !std::isfinite(per_unit);
  for (std::size_t i = 0; i < count; ++i) {
    const float q = tiny ? 0 : std::nearbyint(x[i] * per_unit);
    to[i] = static_cast<std::uint8_t>(static_cast<int>(std::clamp(q, -127.0f, 127.0f)) + offset);
  }
  return scale;
}

void plain_dots(const std::uint8_t* x, std::size_t rows, const std::int8_t* w, std::size_t columns, std::size_t stride,
                std::int32_t* dots, std::size_t stride_out) {
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t c = 0; c < columns; ++c) {
      std::int32_t sum = 0;
      for (std::size_t i = 0; i < stride; ++i) sum += int{x[r * stride + i]} * int{w[c * stride + i]};
      dots[r * stride_out + c] = sum;
    }
  }
}

}  // namespace gradus::kernel::quantized
