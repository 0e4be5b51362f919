// Memory for time: values that would lie idle while memory is short are computed again where they are read next.
#pragma once

#include <cstddef>

#include "gradus/graph/graph.h"

namespace gradus::transform {

struct Recomputed {
  Graph graph;
  std::size_t peak = 0;  ///< bytes that are alive at once at most, apart from leaves
  int again = 0;         ///< values that are computed again
};

/// Takes a scheduled graph and keeps its order. As long as more than `limit` bytes are alive somewhere, the value there that
/// frees most for the least work is dropped, and computed again in front of its next reader (Chen et al., "Training deep nets
/// with sublinear memory cost", 2016, choose layers; this chooses values, by what they free where it is needed, as Kirisame
/// et al., "Dynamic tensor rematerialization", 2021, do at run time). Every vertex is a pure function, random ones of their
/// key, so the bits stay the same. `peak` is above `limit` when nothing is left to drop.
Recomputed recompute(const Graph& graph, std::size_t limit);

}  // namespace gradus::transform
