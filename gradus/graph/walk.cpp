#include "gradus/graph/walk.h"

#include <atomic>

namespace gradus {

GraphWalk::GraphWalk(std::span<const Tensor> roots) {
  static std::atomic<std::uint64_t> next_walk{1};
  id_ = next_walk.fetch_add(1, std::memory_order_relaxed);
  struct Frame {
    Node* node;
    std::size_t next_input;
  };
  std::vector<Frame> stack;
  for (const Tensor& root : roots) {
    if (!root.defined() || !visit(root.node().get())) continue;
    stack.push_back({root.node().get(), 0});
    while (!stack.empty()) {
      Frame& top = stack.back();
      if (top.next_input < top.node->inputs.size()) {
        Node* input = top.node->inputs[top.next_input++].node().get();
        if (visit(input)) stack.push_back({input, 0});
        continue;
      }
      const auto position = static_cast<std::int64_t>(nodes_.size());
      if (top.node->is_leaf()) {
        leaves_[top.node] = position;
      } else {
        top.node->walk_index = position;
      }
      nodes_.push_back(top.node);
      stack.pop_back();
    }
  }
}

bool GraphWalk::visit(Node* node) {
  if (node->is_leaf()) return leaves_.emplace(node, -1).second;
  if (node->walk_id == id_) return false;
  node->walk_id = id_;
  node->walk_index = -1;
  return true;
}

std::int64_t GraphWalk::index(const Node* node) const {
  if (node->is_leaf()) {
    const auto found = leaves_.find(node);
    return found == leaves_.end() ? -1 : found->second;
  }
  return node->walk_id == id_ ? node->walk_index : -1;
}

}  // namespace gradus
