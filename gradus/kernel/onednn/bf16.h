// Whether products and convolutions of bf16 are worth having on this machine.
#pragma once

#include <string>

namespace gradus::kernel {

/// True when the CPU multiplies bf16 faster than f32 (bf16_unit()), oneDNN may use what does it (DNNL_MAX_CPU_ISA), and the kernels
/// for it are not switched off (GRADUS_DISABLE=bf16, set_enabled); otherwise says why not in `reason`.
bool bf16_pays(std::string& reason);

}  // namespace gradus::kernel
