// Inference with weights of 8 bits.
#pragma once

#include "gradus/graph/graph.h"

namespace gradus::transform {

/// Products of f32 with the transpose of a matrix that was not computed, which is what linear layers are, take it quantised to int8 with a
/// scale for each output, and quantise the other operand while they run (ops/quantized/quantized.h). All other products and
/// convolutions stay as they are, and so do products of fewer than 32 inner elements or 16 outputs, or of more than 65536 inner elements,
/// whose sums need not fit into 32 bits.
Graph use_int8(const Graph& graph);

/// Whether a weight (outputs, inputs) of a linear layer of this shape is quantised.
bool is_quantised(const Shape& weight);

}  // namespace gradus::transform
