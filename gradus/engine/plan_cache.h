// Plans by structure: the second step of a training loop finds the first one's.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>

#include "gradus/engine/plan.h"

namespace gradus::engine {

/// A plan together with the lock under which it runs: kernels may keep state between calls.
struct CachedPlan {
  Graph graph;  ///< the key, compared in full
  Plan plan;
  std::mutex running;
};

/// The plan of `graph` for the current number of threads and passes; made when there is none. Finished plans only are
/// kept, so an Error leaves the cache as it was. The least recently used of more than 256 is dropped.
std::shared_ptr<CachedPlan> find_plan(const LiveGraph& graph);

/// Plans made so far in this process. A steady training step makes none.
std::int64_t compile_count();
/// Drops all plans: after switching kernel implementations or rules of simplification.
void clear_plan_cache();

}  // namespace gradus::engine
