// Parameters in bf16 that serve one run after the other: who decodes token after token casts its weights once.
#pragma once

#include "gradus/base/buffer.h"

namespace gradus::engine::kept {

struct Found {
  Ref<Buffer> narrow;  ///< the elements in bf16, if they are kept
  bool again = false;  ///< no, but they were asked for before: worth keeping
};

/// What is kept of `source`. The first time it notes only that it was asked: the weights of a training step are asked for once.
Found find(const Buffer& source);
/// Keeps `narrow` for as long as `source` lives and holds the same elements.
void keep(const Buffer& source, Ref<Buffer> narrow);
/// The elements of `source` are about to change.
void forget(const Buffer& source) noexcept;

}  // namespace gradus::engine::kept
