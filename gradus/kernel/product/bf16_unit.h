// What this CPU multiplies bf16 with.
#pragma once

#include <cstdint>

namespace gradus::kernel {

enum class Bf16Unit : std::uint8_t {
  none,     ///< nothing that is faster than f32
  vectors,  ///< AVX512_BF16, where it is faster than the multiply-adds of f32
  tiles,    ///< AMX
};

/// The fastest one that the CPU has and the system lets the process use. Whether AVX512_BF16 is worth it differs from CPU to CPU
/// (half the rate of f32 on a Sapphire Rapids Xeon, twice on Zen 5), so the first call measures both in registers, which takes
/// some 50 us; the rates are apart by so much that the answer is always the same.
Bf16Unit bf16_unit();

}  // namespace gradus::kernel
