#include "gradus/graph/graph.h"

#include "gradus/base/error.h"

namespace gradus {

namespace {

std::uint64_t hash_value(std::uint64_t seed, ValueId id) {
  return hash_fold(seed, static_cast<std::uint64_t>(id.vertex) << 8 | static_cast<std::uint64_t>(id.output));
}

}  // namespace

LiveGraph::LiveGraph(std::span<const Tensor> roots) : walk_(roots) {
  const std::span<Node* const> nodes = walk_.nodes();
  // How often each node is referred to from inside; whatever its count exceeds that by is the user's.
  std::vector<std::uint32_t> inside(nodes.size(), 0);
  where.reserve(nodes.size());
  operands_.reserve(2 * nodes.size());
  std::uint64_t seed = nodes.size();
  for (Node* node : nodes) {
    where.push_back(node->where);
    if (node->is_leaf()) {
      leaves.push_back(node);
      const TensorSpec& spec = node->specs.front();  // the specs of all others follow from these
      seed = hash_fold(seed, static_cast<std::uint64_t>(spec.dtype));
      for (const std::int64_t size : spec.shape) seed = hash_fold(seed, static_cast<std::uint64_t>(size));
      continue;
    }
    seed = hash_fold(seed, node->op.hash());
    for (const Tensor& input : node->inputs) {
      const std::int64_t i = walk_.index(input.node().get());
      ++inside[static_cast<std::size_t>(i)];
      operands_.push_back({static_cast<std::int32_t>(i), input.output()});
      seed = hash_value(seed, operands_.back());
    }
  }
  find_results(roots, inside);
  for (const ValueId id : result_values_) seed = hash_value(seed, id);
  structure_ = seed;
}

void LiveGraph::find_results(std::span<const Tensor> roots, std::vector<std::uint32_t>& inside) {
  const std::span<Node* const> nodes = walk_.nodes();
  std::vector<char> is_root(nodes.size(), 0);
  for (const Tensor& root : roots) {
    if (!root.defined()) continue;
    const auto i = static_cast<std::size_t>(walk_.index(root.node().get()));
    ++inside[i];
    is_root[i] = 1;
  }
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const Node& node = *nodes[i];
    const bool held = is_root[i] != 0 || node.use_count() > inside[i];
    if (node.is_leaf()) {
      bool alone = !held;
      for (const Ref<Buffer>& value : node.values) alone = alone && value->writable() && value->use_count() == 1;
      donatable.push_back(alone ? 1 : 0);
    } else if (held) {
      results.push_back(nodes[i]);
      for (std::size_t output = 0; output < node.specs.size(); ++output) {
        result_values_.push_back({static_cast<std::int32_t>(i), static_cast<std::int32_t>(output)});
      }
    }
  }
}

std::uint64_t LiveGraph::hash() const {
  std::uint64_t seed = structure_;
  for (const char lends : donatable) seed = hash_fold(seed, static_cast<std::uint64_t>(lends));
  return hash_combine(seed, leaves.size());
}

bool LiveGraph::is(const Graph& graph) const {
  const std::span<Node* const> nodes = walk_.nodes();
  if (graph.vertices.size() != nodes.size() || graph.results != result_values_) return false;
  std::size_t leaf = 0;
  const ValueId* operand = operands_.data();
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const Node& node = *nodes[i];
    const Vertex& v = graph.vertices[i];
    if (v.is_leaf() != node.is_leaf() || v.label != node.label || !(v.specs == node.specs)) return false;
    if (node.is_leaf()) {
      if (v.donatable != (donatable[leaf++] != 0)) return false;
      continue;
    }
    if (!(v.op == node.op) || v.inputs.size() != node.inputs.size()) return false;
    for (const ValueId id : v.inputs) {
      if (!(id == *operand++)) return false;
    }
  }
  return true;
}

Graph LiveGraph::value() const {
  Graph graph;
  graph.vertices.reserve(walk_.nodes().size());
  std::size_t leaf = 0;
  const ValueId* operand = operands_.data();
  for (const Node* node : walk_.nodes()) {
    Vertex& v = graph.vertices.emplace_back();
    v.specs = node->specs;
    v.label = node->label;
    v.source = static_cast<std::int32_t>(graph.vertices.size()) - 1;
    if (node->is_leaf()) {
      v.donatable = donatable[leaf++] != 0;
      continue;
    }
    v.op = node->op;
    v.inputs = SmallVector<ValueId, 3>(std::span(operand, node->inputs.size()));
    operand += node->inputs.size();
  }
  graph.results = result_values_;
  return graph;
}

Capture capture(std::span<const Tensor> roots) {
  const LiveGraph live(roots);
  return {GraphNodes(live), live.value()};
}

std::string verify(const Graph& graph) {
  const auto describe = [&](std::size_t i) { return "%" + std::to_string(i) + " " + graph.vertices[i].op.str(); };
  const auto exists = [&](ValueId id, std::size_t before) {
    return id.vertex >= 0 && static_cast<std::size_t>(id.vertex) < before && id.output >= 0 &&
           static_cast<std::size_t>(id.output) < graph.vertices[static_cast<std::size_t>(id.vertex)].specs.size();
  };
  for (std::size_t i = 0; i < graph.vertices.size(); ++i) {
    const Vertex& v = graph.vertices[i];
    if (v.specs.empty()) return describe(i) + " has no output";
    if (v.is_leaf()) {
      if (!v.inputs.empty()) return describe(i) + " is a leaf with inputs";
      continue;
    }
    SmallVector<TensorSpec, 4> specs;
    for (const ValueId id : v.inputs) {
      if (!exists(id, i)) return describe(i) + " reads a value that does not come before it";
      specs.push_back(graph.spec(id));
    }
    try {
      if (!(v.op.infer(specs) == v.specs)) return describe(i) + " has specs that its operation does not infer";
    } catch (const Error& error) {
      return describe(i) + " does not type-check: " + error.what();
    }
  }
  for (const ValueId id : graph.results) {
    if (!exists(id, graph.vertices.size())) return "a result is no value of the graph";
  }
  return {};
}

}  // namespace gradus
