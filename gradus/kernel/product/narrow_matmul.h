// The product of bf16 matrices by AMX, also for sizes at which another kernel is faster.
#pragma once

#include "gradus/kernel/kernel.h"

namespace gradus::kernel {

/// Takes single matrices of bf16, with at least 32 rows, columns and depth.
Implementation narrow_matmul_of_any_size();

}  // namespace gradus::kernel
