#include "gradus/graph/drawing.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "gradus/graph/layout.h"

namespace gradus {
namespace {

struct Colours {
  std::string_view fill, line;
};

Colours colours(BoxKind kind) {
  switch (kind) {
    case BoxKind::data: return {"#ffffff", "#5b6470"};
    case BoxKind::contraction: return {"#dfeafb", "#2f6fc0"};
    case BoxKind::norm: return {"#ece6f8", "#7a5bb5"};
    case BoxKind::pooling: return {"#dff3e6", "#2f8f55"};
    case BoxKind::activation: return {"#fdeeda", "#c9802b"};
    case BoxKind::view: return {"#f3f4f6", "#9aa3ae"};
    case BoxKind::plain: break;
  }
  return {"#fdf3f4", "#b8505f"};
}

constexpr double title_size = 13, line_size = 11, line_height = 15, padding = 11, margin = 20;

/// Characters of UTF-8.
double length(std::string_view text) {
  return static_cast<double>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

/// An estimate that suits the wider ones of the common fonts.
double text_width(std::string_view text, double size, bool bold = false) {
  return length(text) * size * (bold ? 0.66 : 0.6);
}

BoxSize size_of(const DrawnBox& box) {
  double width = text_width(box.title, title_size, true);
  if (!box.name.empty()) width += 8 + text_width(box.name, title_size);
  for (const std::string& line : box.lines) width = std::max(width, text_width(line, line_size));
  const double height = title_size + line_height * static_cast<double>(box.lines.size());
  return {width + 2 * padding, height + 1.3 * padding};
}

std::string escaped_xml(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      default: out += c;
    }
  }
  return out;
}

std::string escaped_dot(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

std::string drawn(const DrawnBox& box, const BoxSize& size, const Waypoint& at) {
  const Colours c = colours(box.kind);
  std::string out = fmt::format(
      R"(<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" rx="{}" fill="{}" stroke="{}"/>)",
      at.x - size.width / 2, at.top, size.width, size.height, box.kind == BoxKind::data ? 14 : 5, c.fill, c.line);
  double y = at.top + 0.65 * padding + 0.82 * title_size;
  out += fmt::format(R"(<text x="{:.1f}" y="{:.1f}"><tspan class="t">{}</tspan>)", at.x, y, escaped_xml(box.title));
  if (!box.name.empty()) out += fmt::format(R"(<tspan dx="7">{}</tspan>)", escaped_xml(box.name));
  out += "</text>\n";
  for (const std::string& line : box.lines) {
    y += line_height;
    out += fmt::format(R"(<text class="l" x="{:.1f}" y="{:.1f}">{}</text>)", at.x, y, escaped_xml(line)) + "\n";
  }
  return out;
}

/// From the lower edge of one box through the places between to the upper edge of another.
std::string drawn_arrow(const Waypoint& from, const std::vector<Waypoint>& between, const Waypoint& to) {
  std::string path = fmt::format("M{:.1f} {:.1f}", from.x, from.bottom);
  double x = from.x, y = from.bottom;
  const auto curve = [&](double to_x, double to_y) {
    const double middle = (y + to_y) / 2;
    path += fmt::format("C{:.1f} {:.1f} {:.1f} {:.1f} {:.1f} {:.1f}", x, middle, to_x, middle, to_x, to_y);
    x = to_x;
    y = to_y;
  };
  for (const Waypoint& point : between) {
    curve(point.x, point.top);
    path += fmt::format("V{:.1f}", point.bottom);
    y = point.bottom;
  }
  curve(to.x, to.top - 7);
  path += "v1";  // the direction of the tip
  return fmt::format(R"svg(<path class="a" d="{}" marker-end="url(#tip)"/>)svg", path) + "\n";
}

}  // namespace

std::string to_svg(const Drawing& drawing) {
  std::vector<BoxSize> sizes;
  for (const DrawnBox& box : drawing.boxes) sizes.push_back(size_of(box));
  Layout layout = lay_out(sizes, drawing.arrows, 26, 26);
  const double width = std::max(layout.width, text_width(drawing.title, 15, true)) + 2 * margin;
  const double shift = (width - layout.width) / 2, head = drawing.title.empty() ? 0 : 34;
  const auto moved = [&](Waypoint point) {
    return Waypoint{point.x + shift, point.top + margin + head, point.bottom + margin + head};
  };
  std::string out = fmt::format(
      R"(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {0:.0f} {1:.0f}" width="{0:.0f}" height="{1:.0f}" role="img" aria-label="{2}">)",
      width, layout.height + head + 2 * margin, escaped_xml(drawing.title));
  out +=
      "\n<style>text{font:13px Helvetica,Arial,sans-serif;fill:#1f2733;text-anchor:middle}.t{font-weight:600}"
      ".l{font-size:11px;fill:#56606d}.h{font-size:15px;font-weight:600}.a{fill:none;stroke:#77818d;stroke-width:1.3}"
      "</style>\n<defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"2\" refY=\"4\" markerWidth=\"7\" "
      "markerHeight=\"7\" "
      "orient=\"auto\"><path d=\"M0 0L8 4L0 8z\" fill=\"#77818d\"/></marker></defs>\n"
      "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n";
  out += fmt::format(R"(<text class="h" x="{:.1f}" y="{:.0f}">{}</text>)", width / 2, margin + 12,
                     escaped_xml(drawing.title)) +
         "\n";
  for (std::size_t i = 0; i < drawing.arrows.size(); ++i) {
    std::vector<Waypoint> between;
    for (const Waypoint& point : layout.arrows[i]) between.push_back(moved(point));
    const auto& [from, to] = drawing.arrows[i];
    out += drawn_arrow(moved(layout.boxes[static_cast<std::size_t>(from)]), between,
                       moved(layout.boxes[static_cast<std::size_t>(to)]));
  }
  for (std::size_t i = 0; i < drawing.boxes.size(); ++i) {
    out += drawn(drawing.boxes[i], sizes[i], moved(layout.boxes[i]));
  }
  return out + "</svg>\n";
}

std::string to_dot(const Drawing& drawing) {
  std::string text = "digraph gradus {\n";
  if (!drawing.title.empty()) text += fmt::format("  label=\"{}\"; labelloc=t;\n", escaped_dot(drawing.title));
  text += "  node [shape=box, style=filled, fontname=\"sans-serif\"];\n";
  for (std::size_t i = 0; i < drawing.boxes.size(); ++i) {
    const DrawnBox& box = drawing.boxes[i];
    std::string label = escaped_dot(box.title);
    if (!box.name.empty()) label += "  " + escaped_dot(box.name);
    for (const std::string& line : box.lines) label += "\\n" + escaped_dot(line);
    const Colours c = colours(box.kind);
    text += fmt::format("  n{} [label=\"{}\", fillcolor=\"{}\", color=\"{}\"{}];\n", i, label, c.fill, c.line,
                        box.kind == BoxKind::data ? ", style=\"filled,rounded\"" : "");
  }
  for (const auto& [from, to] : drawing.arrows) text += fmt::format("  n{} -> n{};\n", from, to);
  return text + "}\n";
}

}  // namespace gradus
