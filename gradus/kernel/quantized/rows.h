// Rows of 8 bits: how they are made, and how two of them are multiplied.
#pragma once

#include <cstddef>
#include <cstdint>

namespace gradus::kernel::quantized {

/// `count` numbers as integers of [-127, 127] plus `offset`, in `to`, whose rest up to `stride` becomes `offset`. Returns the scale: the
/// largest magnitude / 127; NaN where a number is not finite, and all integers are 0 then.
float quantize_row(const float* x, std::size_t count, std::size_t stride, int offset, std::uint8_t* to);

/// dots[r * stride_out + c] = sum over `stride` of x[r] * w[c], for `rows` rows of unsigned and `columns` rows of signed bytes, both
/// `stride` apart (a multiple of 64).
using Dots = void (*)(const std::uint8_t* x, std::size_t rows, const std::int8_t* w, std::size_t columns,
                      std::size_t stride, std::int32_t* dots, std::size_t stride_out);
void plain_dots(const std::uint8_t* x, std::size_t rows, const std::int8_t* w, std::size_t columns, std::size_t stride,
                std::int32_t* dots, std::size_t stride_out);

/// By the AVX-512 instructions for such products (VNNI); null where the CPU has none.
Dots vector_dots();

}  // namespace gradus::kernel::quantized
