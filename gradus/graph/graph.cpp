#include "gradus/graph/graph.h"

#include "gradus/base/error.h"

namespace gradus {

std::uint64_t Graph::hash() const {
  std::uint64_t seed = hash_combine(vertices.size(), results.size());
  for (const Vertex& v : vertices) {
    seed = hash_combine(seed, v.op.hash());
    for (const ValueId id : v.inputs) {
      seed = hash_combine(seed, static_cast<std::uint64_t>(id.vertex) << 8 | static_cast<std::uint64_t>(id.output));
    }
    if (v.is_leaf()) {  // the specs of all others follow from these
      seed = hash_combine(seed, static_cast<std::uint64_t>(v.specs.front().dtype) << 1 | (v.donatable ? 1 : 0));
      for (const std::int64_t size : v.specs.front().shape) seed = hash_combine(seed, static_cast<std::uint64_t>(size));
    }
  }
  for (const ValueId id : results) {
    seed = hash_combine(seed, static_cast<std::uint64_t>(id.vertex) << 8 | static_cast<std::uint64_t>(id.output));
  }
  return seed;
}

Capture capture(std::span<const Tensor> roots) {
  const GraphWalk walk(roots);
  const std::span<Node* const> nodes = walk.nodes();
  // How often each node is referred to from inside; whatever its count exceeds that by is the user's.
  std::vector<std::uint32_t> inside(nodes.size(), 0);
  std::vector<char> is_root(nodes.size(), 0);
  for (const Tensor& root : roots) {
    if (!root.defined()) continue;
    const auto i = static_cast<std::size_t>(walk.index(root.node().get()));
    ++inside[i];
    is_root[i] = 1;
  }
  Capture result;
  Graph& graph = result.graph;
  graph.vertices.reserve(nodes.size());
  for (Node* node : nodes) {
    Vertex& v = graph.vertices.emplace_back();
    v.specs = node->specs;
    v.label = node->label;
    v.source = static_cast<std::int32_t>(result.where.size());
    result.where.push_back(node->where);
    if (node->is_leaf()) {
      result.leaves.push_back(node);
      continue;
    }
    v.op = node->op;
    for (const Tensor& input : node->inputs) {
      const std::int64_t i = walk.index(input.node().get());
      ++inside[static_cast<std::size_t>(i)];
      v.inputs.push_back({static_cast<std::int32_t>(i), input.output()});
    }
  }
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const Node& node = *nodes[i];
    const bool held = node.use_count() > inside[i];
    if (node.is_leaf()) {
      bool alone = !held && !is_root[i];
      for (const Ref<Buffer>& value : node.values) alone = alone && value->writable() && value->use_count() == 1;
      graph.vertices[i].donatable = alone;
    } else if (held || is_root[i]) {
      result.results.push_back(nodes[i]);
      for (std::size_t output = 0; output < node.specs.size(); ++output) {
        graph.results.push_back({static_cast<std::int32_t>(i), static_cast<std::int32_t>(output)});
      }
    }
  }
  return result;
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
