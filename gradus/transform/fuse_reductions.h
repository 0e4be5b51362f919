// Fusion, second part: reductions join the region that computes what they read.
#pragma once

#include "gradus/graph/graph.h"

namespace gradus::transform {

/// Sums, maxima and minima of what a region computes become part of it (ops/region_reduce.h): values that nobody else reads
/// are never stored. Reductions of one region join it together when they fold the same axes. Takes a graph after `fuse`.
/// The additions and their order stay as they are.
Graph fuse_reductions(const Graph& graph);

/// Whether a vertex is a reduction that can join the region which computes its operand.
bool is_joinable(const Graph& graph, const Vertex& v);

}  // namespace gradus::transform
