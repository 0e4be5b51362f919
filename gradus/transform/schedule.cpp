#include "gradus/transform/schedule.h"

#include <algorithm>

namespace gradus::transform {
namespace {

/// Length of the longest way from a leaf to each vertex.
std::vector<std::int32_t> find_depths(const Graph& graph) {
  std::vector<std::int32_t> depths(graph.vertices.size(), 0);
  for (std::size_t i = 0; i < graph.vertices.size(); ++i) {
    for (const ValueId id : graph.vertices[i].inputs) {
      depths[i] = std::max(depths[i], depths[static_cast<std::size_t>(id.vertex)] + 1);
    }
  }
  return depths;
}

/// The operands of each vertex, the deepest first.
class Order {
 public:
  explicit Order(const Graph& graph) : graph_(graph), depths_(find_depths(graph)), seen_(graph.vertices.size(), 0) {
    order_.reserve(graph.vertices.size());
    for (std::size_t i = 0; i < graph.vertices.size(); ++i) {
      if (graph.vertices[i].is_leaf()) add(static_cast<std::int32_t>(i));
    }
  }

  std::vector<std::int32_t> run() {
    std::vector<std::int32_t> results;
    for (const ValueId id : graph_.results) results.push_back(id.vertex);
    std::stable_sort(results.begin(), results.end(),
                     [&](std::int32_t a, std::int32_t b) { return depth(a) < depth(b); });
    for (const std::int32_t result : results) finish(result);
    return std::move(order_);
  }

 private:
  struct Frame {
    std::int32_t vertex;
    SmallVector<std::int32_t, 4> operands;
    std::size_t next = 0;
  };

  std::int32_t depth(std::int32_t vertex) const { return depths_[static_cast<std::size_t>(vertex)]; }

  void add(std::int32_t vertex) {
    seen_[static_cast<std::size_t>(vertex)] = 1;
    order_.push_back(vertex);
  }

  void enter(std::int32_t vertex) {
    seen_[static_cast<std::size_t>(vertex)] = 1;
    Frame& frame = stack_.emplace_back();
    frame.vertex = vertex;
    for (const ValueId id : graph_.vertices[static_cast<std::size_t>(vertex)].inputs)
      frame.operands.push_back(id.vertex);
    std::stable_sort(frame.operands.begin(), frame.operands.end(),
                     [&](std::int32_t a, std::int32_t b) { return depth(a) > depth(b); });
  }

  /// Everything that `result` still needs, and then itself. Iterative, whatever the depth.
  void finish(std::int32_t result) {
    if (!seen_[static_cast<std::size_t>(result)]) enter(result);
    while (!stack_.empty()) {
      Frame& top = stack_.back();
      if (top.next < top.operands.size()) {
        const std::int32_t operand = top.operands[top.next++];
        if (!seen_[static_cast<std::size_t>(operand)]) enter(operand);
        continue;
      }
      order_.push_back(top.vertex);
      stack_.pop_back();
    }
  }

  const Graph& graph_;
  std::vector<std::int32_t> depths_;
  std::vector<char> seen_;
  std::vector<std::int32_t> order_;
  std::vector<Frame> stack_;
};

}  // namespace

Graph schedule(const Graph& graph) {
  const std::vector<std::int32_t> order = Order(graph).run();
  std::vector<std::int32_t> position(graph.vertices.size(), -1);
  for (std::size_t i = 0; i < order.size(); ++i)
    position[static_cast<std::size_t>(order[i])] = static_cast<std::int32_t>(i);
  const auto moved = [&](ValueId id) { return ValueId{position[static_cast<std::size_t>(id.vertex)], id.output}; };
  Graph result;
  result.vertices.reserve(order.size());
  for (const std::int32_t from : order) {
    Vertex& v = result.vertices.emplace_back(graph.vertices[static_cast<std::size_t>(from)]);
    for (ValueId& id : v.inputs) id = moved(id);
  }
  for (const ValueId id : graph.results) result.results.push_back(moved(id));
  return result;
}

}  // namespace gradus::transform
