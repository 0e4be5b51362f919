// Whether products and convolutions of bf16 are worth having on this machine.
#pragma once

#include <string>

namespace gradus::kernel {

/// True when the CPU multiplies bf16 faster than f32, and the kernels for it are not switched off (GRADUS_DISABLE=bf16,
/// set_enabled); otherwise says why not in `reason`. Today that takes AMX: the AVX-512 instructions for bf16 reach half the
/// rate of f32 (measured on the same CPU with DNNL_MAX_CPU_ISA=AVX512_CORE_BF16).
bool bf16_pays(std::string& reason);

}  // namespace gradus::kernel
