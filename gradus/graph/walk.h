// The one walk over a user's graph: iterative, whatever the depth.
#pragma once

#include <span>
#include <unordered_map>
#include <vector>

#include "gradus/graph/node.h"

namespace gradus {

/// All nodes that `roots` depend on, leaves included, operands before their users; and the way back from a node to its
/// position. Leaves may be shared with graphs of other threads, so their positions live in a map; those of recorded nodes
/// live in the nodes.
class GraphWalk {
 public:
  explicit GraphWalk(std::span<const Tensor> roots);

  std::span<Node* const> nodes() const { return nodes_; }
  /// Position of `node` in nodes(), or -1.
  std::int64_t index(const Node* node) const;

 private:
  bool visit(Node* node);

  std::uint64_t id_ = 0;
  std::vector<Node*> nodes_;
  std::unordered_map<const Node*, std::int64_t> leaves_;
};

}  // namespace gradus
