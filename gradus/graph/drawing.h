// Boxes and arrows, for Graphviz and as pictures that need no other program.
//
//   io::write_file("step.svg", print_svg(capture(std::span(&loss, 1)).graph));
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace gradus {

struct Graph;

enum class BoxKind { plain, data, contraction, norm, pooling, activation, view };

struct DrawnBox {
  std::string title;
  std::string name = {};                ///< beside the title
  std::vector<std::string> lines = {};  ///< below it
  BoxKind kind = BoxKind::plain;
};

struct Drawing {
  std::string title;
  std::vector<DrawnBox> boxes;
  std::vector<std::pair<int, int>> arrows;  ///< {from, to} with from < to
};

/// A page of its own, arrows pointing down. Nothing in it is loaded from elsewhere.
std::string to_svg(const Drawing& drawing);
/// Graphviz.
std::string to_dot(const Drawing& drawing);

/// A captured graph, one box per vertex; `print_dot` is the same for Graphviz.
std::string print_svg(const Graph& graph);

}  // namespace gradus
