// Convolutions as matrix products over the windows of an image.
#pragma once

#include <vector>

#include "gradus/kernel/kernel.h"

namespace gradus::kernel {

/// For channels last and operands of bf16, where oneDNN's own convolutions are slow: rows of few pixels, which leave the
/// tiles of AMX mostly empty, and gradients of kernels of one element.
std::vector<Implementation> columns_kernels();

}  // namespace gradus::kernel
