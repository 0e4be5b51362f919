#include "gradus/graph/walk.h"

#include <atomic>
#include <utility>

namespace gradus {

GraphWalk::GraphWalk(std::span<const Tensor> roots) : slots_(32) {
  static std::atomic<std::uint64_t> next_walk{1};
  id_ = next_walk.fetch_add(1, std::memory_order_relaxed);
  struct Frame {
    Node* node;
    std::size_t next_input;
  };
  std::vector<Frame> stack;
  stack.reserve(64);
  nodes_.reserve(64);
  for (const Tensor& root : roots) {
    if (!root.defined() || !enter(root.node().get())) continue;
    stack.push_back({root.node().get(), 0});
    while (!stack.empty()) {
      Frame& top = stack.back();
      if (top.next_input < top.node->inputs.size()) {
        Node* input = top.node->inputs[top.next_input++].node().get();
        if (enter(input)) stack.push_back({input, 0});
        continue;
      }
      top.node->walk_index = static_cast<std::int64_t>(nodes_.size());
      nodes_.push_back(top.node);
      stack.pop_back();
    }
  }
}

/// Marks a node; true when its operands have to be entered, before it gets its position.
bool GraphWalk::enter(Node* node) {
  if (!node->is_leaf()) {
    if (node->walk_id == id_) return false;
    node->walk_id = id_;
    node->walk_index = -1;
    return true;
  }
  Slot& slot = slots_[slot_of(node)];
  if (slot.leaf) return false;
  slot = {node, static_cast<std::int64_t>(nodes_.size())};
  nodes_.push_back(node);
  if (2 * ++leaves_ > slots_.size()) grow();
  return false;
}

void GraphWalk::grow() {
  const std::vector<Slot> old = std::exchange(slots_, std::vector<Slot>(2 * slots_.size()));
  for (const Slot& slot : old) {
    if (slot.leaf) slots_[slot_of(slot.leaf)] = slot;
  }
}

}  // namespace gradus
