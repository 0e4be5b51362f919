// Fusion, between its first and second part: regions that are only folded join the region whose result they read.
#pragma once

#include "gradus/graph/graph.h"

namespace gradus::transform {

/// A region of which only sums or extremes are needed becomes part of the region that computes what it reads, so that both are
/// one pass over memory: the gradient behind an activation and its sums for batch normalisation. What is folded has to fold
/// alike in both, and whatever else is read must be there in time. Takes a graph after `fuse`; the arithmetic stays as it is.
Graph fuse_folded(const Graph& graph);

}  // namespace gradus::transform
