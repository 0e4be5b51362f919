// Places in memory for the values of a plan.
#pragma once

#include <vector>

#include "gradus/engine/plan.h"

namespace gradus::engine {

/// Fills in storages, result buffers, arena size and the places of every step's operands. `graph` is the graph that the
/// steps were made from, `step_of[i]` the step of vertex i (-1: a leaf or an alias of its input).
void plan_memory(const Graph& graph, const std::vector<std::int32_t>& step_of, Plan& plan);

}  // namespace gradus::engine
