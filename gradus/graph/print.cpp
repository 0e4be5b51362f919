// Graphs as text and as drawings.
#include <fmt/format.h>

#include <algorithm>

#include "gradus/graph/drawing.h"
#include "gradus/graph/graph.h"

namespace gradus {
namespace {

std::string reference(const Graph& graph, ValueId id) {
  const bool several = graph.vertices[static_cast<std::size_t>(id.vertex)].specs.size() > 1;
  return several ? fmt::format("%{}.{}", id.vertex, id.output) : fmt::format("%{}", id.vertex);
}

BoxKind kind_of(const Vertex& v) {
  if (v.inputs.empty()) return BoxKind::data;
  switch (v.op.family()) {
    case OpFamily::contraction: return BoxKind::contraction;
    case OpFamily::reduce: return BoxKind::pooling;
    case OpFamily::elementwise: return BoxKind::activation;
    case OpFamily::view: return BoxKind::view;
    case OpFamily::random:
    case OpFamily::opaque: break;
  }
  return BoxKind::plain;
}

Drawing drawing_of(const Graph& graph) {
  Drawing drawing;
  for (std::size_t i = 0; i < graph.vertices.size(); ++i) {
    const Vertex& v = graph.vertices[i];
    DrawnBox box{.title = std::string(v.op.name()), .kind = kind_of(v)};
    if (v.is_leaf() && v.label) box.title = *v.label;
    for (const TensorSpec& spec : v.specs) box.lines.push_back(spec.str());
    drawing.boxes.push_back(std::move(box));
    for (const ValueId id : v.inputs) drawing.arrows.emplace_back(id.vertex, static_cast<int>(i));
  }
  return drawing;
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

std::string print_dot(const Graph& graph) { return to_dot(drawing_of(graph)); }
std::string print_svg(const Graph& graph) { return to_svg(drawing_of(graph)); }

}  // namespace gradus
