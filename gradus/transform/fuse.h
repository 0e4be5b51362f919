// Fusion: neighbouring elementwise operations become one region that makes one pass over memory.
#pragma once

#include "gradus/graph/graph.h"

namespace gradus::transform {

struct FuseOptions {
  /// Instructions in one region at most. 1 runs every operation on its own: the unfused side of differential tests.
  int max_instructions = 64;
  /// Tensors that one region reads and writes at most.
  int max_operands = 24;
  /// A cheap operation that several regions read (the centred values of a normalisation, say) is computed in each of them, in
  /// place of being stored and read back.
  bool repeat = true;
};

/// Replaces elementwise operations, casts and constants by Region vertices (ops/region.h). A producer joins the region of
/// its consumers when all of them lie in one region of the same shape; results of the graph may leave from its middle.
/// Broadcasts, permutations and slices in front of a region become strides of its inputs. The arithmetic and its order stay
/// as they are, so fused and unfused graphs give equal bits.
Graph fuse(const Graph& graph, const FuseOptions& options = {});

}  // namespace gradus::transform
