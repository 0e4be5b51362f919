// Evaluations that can be repeated with other leaves, without recording and looking up their graph again.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "gradus/graph/node.h"

namespace gradus::engine {

struct RecordedRun;  // a plan with its captured graph

/// What eval() did.
///
///   Recording recording(roots, [&](const Node& leaf) { return leaf is a parameter; }, where);   // evaluates the roots
///   recording.leaves[0] = next.node().get();
///   std::vector<Ref<Buffer>> again = recording.run();
class Recording {
 public:
  /// Evaluates `roots` as eval() does. Only leaves for which `may_give` holds lend their memory to results, now and later.
  Recording(std::span<const Tensor> roots, const std::function<bool(const Node&)>& may_give, SourceLocation where);
  ~Recording();
  Recording(Recording&&) noexcept;
  Recording& operator=(Recording&&) noexcept;

  /// The leaves of the graph, in order; put others of the same types and shapes in their place before run().
  std::vector<Node*> leaves;
  /// Keeps those leaves alive that may not give their memory; null for the others.
  std::vector<Ref<Node>> kept;
  /// The nodes that the evaluation published, in order: for comparison, they are not kept alive. Together their outputs are
  /// what run() returns.
  std::vector<const Node*> results;
  /// Positions of the leaves whose memory results take over. Nobody else may hold them, or their buffer, at a run().
  std::vector<std::int32_t> donors;

  /// Evaluates the graph for the leaves of today: the buffers of all results, in order. Publishes nothing. Throws Error as
  /// eval(), and then no leaf has changed.
  std::vector<Ref<Buffer>> run();
  /// Whether an evaluation would still take the same way: the same threads and passes, and nobody watches for anomalies.
  bool is_current() const;
  /// Whether both came to the same plan.
  bool same_plan(const Recording& other) const;

 private:
  std::unique_ptr<RecordedRun> run_;
};

}  // namespace gradus::engine
