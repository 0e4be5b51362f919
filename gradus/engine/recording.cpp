#include "gradus/engine/recording.h"

#include "gradus/base/error.h"
#include "gradus/base/parallel.h"
#include "gradus/engine/anomaly.h"
#include "gradus/engine/memory_limit.h"
#include "gradus/engine/run.h"

namespace gradus::engine {

struct RecordedRun {
  GraphNodes nodes;  // of today: leaves; where
  std::shared_ptr<CachedPlan> plan;
  int threads = num_threads();
  unsigned passes = enabled_passes();
  std::size_t limit = memory::limit();
};

Recording::Recording(std::span<const Tensor> roots, const std::function<bool(const Node&)>& may_give,
                     SourceLocation where)
    : run_(std::make_unique<RecordedRun>()) {
  check_for_anomalies(roots, where);
  LiveGraph graph(roots);
  for (Node* node : graph.leaves) {
    const bool gives = may_give(*node);
    if (!gives) graph.donatable[kept.size()] = 0;
    kept.emplace_back(gives ? nullptr : node);
  }
  try {
    run_->plan = find_plan(graph);
  } catch (Error& error) {
    error.at(where);
    throw;
  }
  leaves = graph.leaves;
  results.assign(graph.results.begin(), graph.results.end());
  for (const ResultBuffer& buffer : run_->plan->plan.result_buffers) {
    if (buffer.donor >= 0) donors.push_back(buffer.donor);
  }
  engine::run(*run_->plan, graph, where);
  run_->nodes.where = std::move(graph.where);
}

Recording::~Recording() = default;
Recording::Recording(Recording&&) noexcept = default;
Recording& Recording::operator=(Recording&&) noexcept = default;

std::vector<Ref<Buffer>> Recording::run() {
  run_->nodes.leaves.assign(leaves.begin(), leaves.end());
  return run_again(*run_->plan, run_->nodes);
}

bool Recording::is_current() const {
  return run_->threads == num_threads() && run_->passes == enabled_passes() && run_->limit == memory::limit() &&
         !is_watching_for_anomalies();
}

bool Recording::same_plan(const Recording& other) const { return run_->plan == other.run_->plan; }

}  // namespace gradus::engine
