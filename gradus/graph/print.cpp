// Graphs as text and as drawings.
#include <fmt/format.h>

#include <algorithm>

#include "gradus/graph/graph.h"

namespace gradus {
namespace {

std::string reference(const Graph& graph, ValueId id) {
  const bool several = graph.vertices[static_cast<std::size_t>(id.vertex)].specs.size() > 1;
  return several ? fmt::format("%{}.{}", id.vertex, id.output) : fmt::format("%{}", id.vertex);
}

std::string escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

}  // namespace

std::string Immediate::str() const { return fmt::format("{}", static_cast<double>(*this)); }

std::string detail::number_str(double value) { return fmt::format("{}", value); }

std::string print(const Graph& graph) {
  std::string text;
  for (std::size_t i = 0; i < graph.vertices.size(); ++i) {
    const Vertex& v = graph.vertices[i];
    std::vector<std::string> specs;
    for (const TensorSpec& spec : v.specs) specs.push_back(spec.str());
    text += fmt::format("%{} {} = {}", i, fmt::join(specs, ", "), v.op.str());
    for (const ValueId id : v.inputs) text += " " + reference(graph, id);
    if (v.label) text += "   " + *v.label;
    if (v.donatable) text += "   donatable";
    text += '\n';
  }
  text += "results";
  for (const ValueId id : graph.results) text += " " + reference(graph, id);
  return text + "\n";
}

std::string print_dot(const Graph& graph) {
  std::string text = "digraph gradus {\n  node [shape=box, fontname=\"sans-serif\"];\n";
  for (std::size_t i = 0; i < graph.vertices.size(); ++i) {
    const Vertex& v = graph.vertices[i];
    const std::string title = v.is_leaf() && v.label ? *v.label : std::string(v.op.name());
    text += fmt::format("  n{} [label=\"{}\\n{}\"{}];\n", i, escape(title), v.specs.front().str(),
                        v.is_leaf() ? ", style=rounded" : "");
    for (const ValueId id : v.inputs) text += fmt::format("  n{} -> n{};\n", id.vertex, i);
  }
  return text + "}\n";
}

}  // namespace gradus
