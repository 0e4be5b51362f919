// The slow, obvious way to evaluate: one vertex after the other, nothing simplified, nothing fused.
#pragma once

#include <functional>
#include <string>

#include "gradus/graph/graph.h"

namespace gradus::engine {

/// The values of one vertex, as evaluated tensors.
using VertexValues = std::vector<Tensor>;

/// Evaluates every vertex of `captured` by itself and calls `seen(index, values)` after each; stops when it returns false.
/// With `reference`, only the reference kernels are used. Publishes nothing. Returns the graph's results, in order; empty
/// when stopped.
Tensors interpret(const Capture& captured, bool reference,
                  const std::function<bool(std::size_t, const VertexValues&)>& seen = {});

}  // namespace gradus::engine
