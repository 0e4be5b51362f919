// The inner loops of elementwise kernels: one function for each row of the table and each type.
#pragma once

#include <cstddef>

#include "gradus/ops/elementwise.h"

namespace gradus::kernel {

/// out[i] = f(a[i], b[i], c[i]) for i < count; operands beyond the arity are not read. Any alignment. `out` may be an operand
/// whose elements have the size of its own.
using TileFunction = void (*)(void* out, const void* a, const void* b, const void* c, std::size_t count) noexcept;

/// The loop of `code` for operands of type `in`, or nullptr when the table does not define it.
TileFunction find_tile_function(ElementwiseCode code, DType in);
/// The loop that converts; a copy when the types are equal.
TileFunction find_cast(DType from, DType to);

// Where find_tile_function looks: SIMD loops of the best target of this machine, and plain loops for integers and bool.
TileFunction find_simd_f32(ElementwiseCode code);
TileFunction find_simd_f64(ElementwiseCode code);
TileFunction find_plain(ElementwiseCode code, DType in);

}  // namespace gradus::kernel
