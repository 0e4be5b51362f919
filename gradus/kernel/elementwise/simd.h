// Which SIMD instructions the elementwise kernels use on this machine.
#pragma once

#include <string>
#include <vector>

namespace gradus::kernel {

/// The target that was chosen: "AVX3" (AVX-512), "AVX2", "SSE4", "NEON", ...
std::string simd_target();
/// All targets that are compiled in and that this machine supports, best first.
std::vector<std::string> simd_targets();

}  // namespace gradus::kernel
