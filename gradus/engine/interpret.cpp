#include "gradus/engine/interpret.h"

#include <memory>
#include <string>

#include "gradus/base/error.h"
#include "gradus/kernel/kernel.h"

namespace gradus::engine {
namespace {

std::unique_ptr<kernel::Kernel> make_kernel(const kernel::Request& request, bool reference) {
  if (!reference) return kernel::choose(request).kernel;
  std::string reason;
  const auto list = kernel::implementations(request.op.name());
  GRADUS_ASSERT(!list.empty());
  auto made = list.back().make(request, reason);
  if (!made) throw Error(ErrorKind::dtype, std::string(request.op.name()), "the reference kernel refuses: " + reason);
  return made;
}

VertexValues run_vertex(const Capture& captured, const Vertex& v, const std::vector<VertexValues>& values,
                        bool reference) {
  const Graph& graph = captured.graph;
  std::vector<TensorSpec> input_specs;
  std::vector<const std::byte*> inputs;
  for (const ValueId id : v.inputs) {
    input_specs.push_back(graph.spec(id));
    inputs.push_back(values[static_cast<std::size_t>(id.vertex)][static_cast<std::size_t>(id.output)].buffer()->data());
  }
  const auto made = make_kernel({v.op, input_specs, v.specs}, reference);
  VertexValues outputs;
  std::vector<std::byte*> memory;
  for (const TensorSpec& spec : v.specs) {
    outputs.push_back(leaf(spec, Buffer::allocate(spec.bytes())));
    memory.push_back(outputs.back().buffer()->data());
  }
  const Ref<Buffer> scratch = Buffer::allocate(made->scratch_bytes());
  const kernel::Status status = made->run({inputs, memory, scratch->data()});
  if (!status.ok) {
    const std::string matrix = status.fault ? "matrix " + std::to_string(status.position) + " " + status.fault : "";
    throw Error(status.fault ? ErrorKind::value : ErrorKind::index, std::string(v.op.name()),
                status.fault ? matrix : "an index is out of range")
        .at(captured.where[static_cast<std::size_t>(v.source)]);
  }
  return outputs;
}

}  // namespace

Tensors interpret(const Capture& captured, bool reference,
                  const std::function<bool(std::size_t, const VertexValues&)>& seen) {
  const Graph& graph = captured.graph;
  std::vector<VertexValues> values(graph.vertices.size());
  std::size_t next_leaf = 0;
  for (std::size_t i = 0; i < graph.vertices.size(); ++i) {
    const Vertex& v = graph.vertices[i];
    if (v.is_leaf()) {
      Node* node = captured.leaves[next_leaf++];
      for (int output = 0; output < static_cast<int>(v.specs.size()); ++output)
        values[i].emplace_back(Ref<Node>(node), output);
    } else {
      values[i] = run_vertex(captured, v, values, reference);
    }
    if (seen && !seen(i, values[i])) return {};
  }
  Tensors results;
  for (const ValueId id : graph.results) {
    results.push_back(values[static_cast<std::size_t>(id.vertex)][static_cast<std::size_t>(id.output)]);
  }
  return results;
}

}  // namespace gradus::engine
