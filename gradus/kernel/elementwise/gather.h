// Inputs that are not dense, brought into a tile run by run along their innermost axis.
#pragma once

#include <cstddef>
#include <cstdint>

#include "gradus/kernel/elementwise/program.h"

namespace gradus::kernel {

/// Writes elements [begin, begin + count) of the pattern to `out`.
void run_gather(std::byte* out, const std::byte* input, const Gather& gather, std::int64_t begin, std::int64_t count);

/// `count` times the element that `pattern` begins with.
void run_fill(std::byte* out, const std::byte* pattern, std::size_t element, std::int64_t count);

}  // namespace gradus::kernel
