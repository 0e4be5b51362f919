// Parameters in bf16 or int8 that serve one run after the other: who decodes token after token rounds its weights once.
#pragma once

#include "gradus/base/buffer.h"
#include "gradus/base/shape.h"

namespace gradus::engine::kept {

struct Found {
  Ref<Buffer> narrow;  ///< the rounded elements, if they are kept
  bool again = false;  ///< no, but they were asked for before: worth keeping
};

/// What is kept of `source`, as a tensor of this shape rounded to this type (bf16, or u8 for what is quantised, row by row of the
/// shape); what was kept as another one is dropped. The first time it notes only that it was asked: the weights of a training
/// step are asked for once.
Found find(const Buffer& source, const TensorSpec& as);
/// Keeps `narrow` for as long as `source` lives and holds the same elements.
void keep(const Buffer& source, const TensorSpec& as, Ref<Buffer> narrow);
/// The elements of `source` are about to change.
void forget(const Buffer& source) noexcept;

}  // namespace gradus::engine::kept
