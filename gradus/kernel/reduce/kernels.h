// The makers behind reduce_kernels() and softmax_kernels().
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "gradus/kernel/kernel.h"

namespace gradus::kernel {

std::unique_ptr<Kernel> make_tile_reduce(const Request& request, std::string& reason);
std::unique_ptr<Kernel> make_tile_softmax(const Request& request, std::string& reason);

/// y = softmax or log-softmax of `count` elements; x and y may be the same memory.
using SoftmaxRow = void (*)(const float* x, float* y, std::size_t count);

}  // namespace gradus::kernel
