// Whether int8 is worth having on this machine.
#pragma once

#include <string>

namespace gradus::kernel {

/// True when the CPU has instructions for products of 8 bits (AVX-512 VNNI), and they are not switched off (GRADUS_DISABLE=vnni);
/// otherwise says why not in `reason`.
bool int8_pays(std::string& reason);

}  // namespace gradus::kernel
