// Mixed precision: products and convolutions take bf16 operands.
#pragma once

#include "gradus/graph/graph.h"

namespace gradus::transform {

/// Rounds the f32 operands of matrix products, convolutions and their gradients to bf16 (8 bits of precision, the exponents
/// of f32). The sums inside stay f32, and so does everything else: leaves, reductions, updates. A value is cast
/// once for all its readers, behind the operation that makes it, where fusion takes the cast in; views are cast below. An
/// activation that only contractions, masks of relu and sums read is stored in bf16 alone. A product's result is rounded, too,
/// where all its readers are regions, sums or contractions, unless it is the gradient of a weight; with `narrow_images`, so
/// is the image of a convolution, for `use_channels_last` (transform/layout.h) to take the cast into the convolution. Attention and the LSTM round
/// the operands of the products inside them.
/// Contractions stay f32 where the hardware would be slower: of fewer than 16 inner elements, of fewer than 3 channels a
/// group on either side, and tiny ones.
Graph use_bf16(const Graph& graph, bool narrow_images = true);

}  // namespace gradus::transform
