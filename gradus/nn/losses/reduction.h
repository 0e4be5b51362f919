// What the losses share.
#pragma once

#include <cstdint>

#include "gradus/graph/tensor.h"

namespace gradus {

/// What becomes of the losses of the single elements.
enum class Reduction : std::uint8_t { none, mean, sum };

struct LossOptions {
  Reduction reduction = Reduction::mean;
};

}  // namespace gradus
