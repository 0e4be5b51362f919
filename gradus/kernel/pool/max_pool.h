// Sizes that the pooling kernels of all SIMD targets share.
#pragma once

#include <cstdint>

#include "gradus/ops/pooling/pool.h"

namespace gradus::kernel {

/// One plane of images, h x w, and what it is pooled to, oh x ow.
struct PlanePooling {
  std::int64_t h, w, oh, ow;
};

}  // namespace gradus::kernel
