// Running a plan.
#pragma once

#include "gradus/engine/plan_cache.h"
#include "gradus/graph/graph.h"

namespace gradus::engine {

/// Runs the plan on the captured leaves and publishes the results. Nothing is published unless the whole plan succeeded.
void run(CachedPlan& cached, const Capture& captured, SourceLocation where);

}  // namespace gradus::engine
