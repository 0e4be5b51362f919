// A graph as a value: what the passes between recording and running read and write.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gradus/graph/node.h"
#include "gradus/graph/walk.h"

namespace gradus {

/// Output `output` of vertex `vertex`.
struct ValueId {
  std::int32_t vertex = -1;
  std::int32_t output = 0;
  friend bool operator==(ValueId, ValueId) = default;
};

struct Vertex {
  Op op;  ///< empty for a leaf
  SmallVector<ValueId, 3> inputs;
  Specs specs;
  Label label = nullptr;
  std::int32_t source = -1;  ///< its position in the captured graph; not part of the identity
  bool donatable = false;    ///< a leaf whose storage nobody else needs

  bool is_leaf() const { return !op; }
  friend bool operator==(const Vertex& a, const Vertex& b) {
    return a.op == b.op && a.inputs == b.inputs && a.specs == b.specs && a.label == b.label &&
           a.donatable == b.donatable;
  }
};

/// Vertices in topological order, and the values that the run has to deliver. Compared in full when a plan is looked up.
struct Graph {
  std::vector<Vertex> vertices;
  std::vector<ValueId> results;

  const TensorSpec& spec(ValueId id) const {
    return vertices[static_cast<std::size_t>(id.vertex)].specs[static_cast<std::size_t>(id.output)];
  }
  friend bool operator==(const Graph&, const Graph&) = default;
};

/// What a run needs to know of the nodes behind a graph.
struct GraphNodes {
  std::vector<Node*> leaves;          ///< of the leaf vertices, in order
  std::vector<SourceLocation> where;  ///< the user's call behind each vertex: Vertex::source counts them
  std::vector<Node*> results;  ///< the nodes that the run must publish; their outputs are Graph::results, in order
};

/// The graph below `roots` where it stands, in its nodes: what is looked up at every step is hashed and compared there, and
/// copied only when it is new. Results are the roots and every recorded node that the user still holds.
class LiveGraph : public GraphNodes {
 public:
  explicit LiveGraph(std::span<const Tensor> roots);

  /// Which leaves have storage that nobody else needs, in order. May be cleared, never set.
  std::vector<char> donatable;

  std::uint64_t hash() const;
  /// Whether value() is this graph.
  bool is(const Graph& graph) const;
  Graph value() const;

 private:
  void find_results(std::span<const Tensor> roots, std::vector<std::uint32_t>& inside);

  GraphWalk walk_;
  std::vector<ValueId> operands_;       // of all nodes, one after the other
  std::vector<ValueId> result_values_;  // Graph::results
  std::uint64_t structure_ = 0;         // hash of all but `donatable`
};

/// A graph as a value, together with the nodes that it was taken from.
struct Capture : GraphNodes {
  Graph graph;
};

/// Takes the graph below `roots`, as LiveGraph sees it.
Capture capture(std::span<const Tensor> roots);

/// One line per vertex: "%3 f32 [32, 10] = matmul{...} %1 %2   fc1". Stable, for tests and people.
std::string print(const Graph& graph);
/// Graphviz.
std::string print_dot(const Graph& graph);

/// Checks what every pass must preserve: order, value ids in range, and specs equal to what the ops infer.
/// Returns the first defect in words, or "".
std::string verify(const Graph& graph);

}  // namespace gradus
