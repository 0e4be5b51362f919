// The order in which a plan runs.
#pragma once

#include "gradus/graph/graph.h"

namespace gradus::transform {

/// Orders vertices so that little memory is alive: each result is finished as soon as it can be, the ones with the shortest
/// way from the leaves first, so that the backward pass uses a layer's activations up (for the gradients of its parameters,
/// and their update) before it goes on to the next. Of the operands of a vertex the one with the longest way comes first.
/// Leaves come first, in their order.
Graph schedule(const Graph& graph);

}  // namespace gradus::transform
