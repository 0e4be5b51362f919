// The one walk over a user's graph: iterative, whatever the depth.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "gradus/graph/node.h"

namespace gradus {

/// All nodes that `roots` depend on, leaves included, operands before their users; and the way back from a node to its
/// position. Leaves may be shared with graphs of other threads, so their positions live in a table; those of recorded nodes
/// live in the nodes.
class GraphWalk {
 public:
  explicit GraphWalk(std::span<const Tensor> roots);

  std::span<Node* const> nodes() const { return nodes_; }
  /// Position of `node` in nodes(), or -1.
  std::int64_t index(const Node* node) const {
    if (node->is_leaf()) return slots_[slot_of(node)].position;
    return node->walk_id == id_ ? node->walk_index : -1;
  }

 private:
  /// Of the table of leaves: by address, in the first free place from where its hash points to.
  struct Slot {
    const Node* leaf = nullptr;
    std::int64_t position = -1;
  };

  bool enter(Node* node);
  void grow();
  std::size_t slot_of(const Node* leaf) const {
    const std::uint64_t hash = reinterpret_cast<std::uintptr_t>(leaf) * std::uint64_t{0x9e3779b97f4a7c15};
    std::size_t slot = static_cast<std::size_t>(hash >> 32) & (slots_.size() - 1);
    while (slots_[slot].leaf && slots_[slot].leaf != leaf) slot = (slot + 1) & (slots_.size() - 1);
    return slot;
  }

  std::uint64_t id_ = 0;
  std::vector<Node*> nodes_;
  std::vector<Slot> slots_;  // a power of two, at least twice as many as there are leaves
  std::size_t leaves_ = 0;
};

}  // namespace gradus
