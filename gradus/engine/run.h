// Running a plan.
#pragma once

#include "gradus/engine/plan_cache.h"
#include "gradus/graph/graph.h"

namespace gradus::engine {

/// Runs the plan on the leaves and publishes the results. Nothing is published unless the whole plan succeeded.
void run(CachedPlan& cached, const GraphNodes& nodes, SourceLocation where);

/// The same without publishing: the buffers of Graph::results, in order. The nodes of nodes.results are not looked at, so a
/// graph that ran once can run again with other leaves in nodes.leaves, of the same types and shapes. Results take over the
/// memory of the leaves that the plan names as donors.
std::vector<Ref<Buffer>> run_again(CachedPlan& cached, const GraphNodes& nodes);

}  // namespace gradus::engine
