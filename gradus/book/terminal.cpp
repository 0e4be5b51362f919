// A chapter in a terminal: wrapped paragraphs, tables, and charts in braille.
#include <cmark.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>

#include "gradus/base/error.h"
#include "gradus/book/explain.h"

namespace gradus::book {
namespace {

struct Style {
  int width;
  bool colour;

  std::string bold(const std::string& text) const { return colour ? "\033[1m" + text + "\033[0m" : text; }
  std::string soft(const std::string& text) const { return colour ? "\033[2m" + text + "\033[0m" : text; }
  std::string verdict(insight::Verdict verdict) const {
    const std::string name(insight::name_of(verdict));
    if (!colour) return name;
    return fmt::format("\033[{}m{}\033[0m",
                       verdict == insight::Verdict::holds     ? 32
                       : verdict == insight::Verdict::refuted ? 31
                                                              : 33,
                       name);
  }
};

/// Characters of UTF-8, escape sequences not counted.
std::size_t columns_of(std::string_view text) {
  std::size_t columns = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\033') {
      i = std::min(text.find('m', i), text.size() - 1);
    } else if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80) {
      ++columns;
    }
  }
  return columns;
}

std::string wrapped(const std::string& text, int width, const std::string& first, const std::string& rest) {
  std::string out = first;
  std::size_t column = columns_of(first), start = 0;
  bool empty = true;
  while (start < text.size()) {
    const std::size_t end = std::min(text.find_first_of(" \n", start), text.size());
    const std::string word = text.substr(start, end - start);
    start = end + 1;
    if (word.empty()) continue;
    const std::size_t columns = columns_of(word);
    if (!empty && column + 1 + columns > static_cast<std::size_t>(width)) {
      out += "\n" + rest;
      column = columns_of(rest);
      empty = true;
    }
    if (!empty) out += ' ', ++column;
    out += word;
    column += columns;
    empty = false;
  }
  return out + "\n";
}

/// The text below a node, with bold and emphasis; links show their address.
std::string inline_text(cmark_node* node, const Style& style) {
  std::string out;
  for (cmark_node* child = cmark_node_first_child(node); child != nullptr; child = cmark_node_next(child)) {
    switch (cmark_node_get_type(child)) {
      case CMARK_NODE_TEXT:
      case CMARK_NODE_CODE: out += cmark_node_get_literal(child); break;
      case CMARK_NODE_SOFTBREAK:
      case CMARK_NODE_LINEBREAK: out += ' '; break;
      case CMARK_NODE_STRONG: out += style.bold(inline_text(child, style)); break;
      case CMARK_NODE_LINK: out += fmt::format("{} <{}>", inline_text(child, style), cmark_node_get_url(child)); break;
      default: out += inline_text(child, style);
    }
  }
  return out;
}

std::string block_text(cmark_node* node, const Style& style, const std::string& indent) {
  std::string out;
  int number = 1;
  for (cmark_node* child = cmark_node_first_child(node); child != nullptr; child = cmark_node_next(child)) {
    switch (cmark_node_get_type(child)) {
      case CMARK_NODE_HEADING: out += "\n" + indent + style.bold(inline_text(child, style)) + "\n\n"; break;
      case CMARK_NODE_CODE_BLOCK: {
        std::string code = cmark_node_get_literal(child);
        for (std::size_t at = 0; !code.empty() && at != code.npos && at < code.size();) {
          const std::size_t end = std::min(code.find('\n', at), code.size());
          out += indent + "    " + code.substr(at, end - at) + "\n";
          at = end + 1;
        }
        out += "\n";
        break;
      }
      case CMARK_NODE_ITEM: {
        const bool ordered = cmark_node_get_list_type(node) == CMARK_ORDERED_LIST;
        const std::string mark = ordered ? fmt::format("{}. ", number++) : "- ";
        std::string body = block_text(child, style, indent + std::string(mark.size(), ' '));
        while (body.ends_with("\n\n")) body.pop_back();
        out += indent + mark + body.substr(std::min(indent.size() + mark.size(), body.size()));
        if (cmark_node_next(child) == nullptr) out += "\n";
        break;
      }
      case CMARK_NODE_PARAGRAPH:
        out += wrapped(inline_text(child, style), style.width, indent, indent);
        out += "\n";
        break;
      default: out += block_text(child, style, indent);
    }
  }
  return out;
}

std::string rendered(const std::string& markdown, const Style& style) {
  const std::unique_ptr<cmark_node, void (*)(cmark_node*)> document(
      cmark_parse_document(markdown.data(), markdown.size(), CMARK_OPT_SMART), cmark_node_free);
  return block_text(document.get(), style, "");
}

std::string claim_text(const insight::ClaimResult& result, const Style& style) {
  const std::string name = result.claim.belief ? "Belief: " : "Claim: ";
  std::string out = wrapped(style.bold(name) + result.claim.sentence, style.width, "  | ", "  | ");
  out += wrapped(fmt::format("{}: {}. {}", style.verdict(result.verdict), effect_text(result), reason_of(result)),
                 style.width, "  | ", "  | ");
  return out +
         wrapped(style.soft(fmt::format("{}; {}; {}", result.claim.response, result.claim.factor, result.claim.data)),
                 style.width, "  | ", "  | ") +
         "\n";
}

std::string claims_table(const Explanation& explanation, const Style& style) {
  std::string out =
      style.bold(fmt::format("{:<32} {:<10} {:<28} {:>9}", "claim", "verdict", "effect, 95 % interval", "corr. p")) +
      "\n";
  for (const insight::ClaimResult& r : explanation.claims) {
    out += fmt::format("{:<32} {}{:<{}} {:<28} {:>9.2g}\n", r.claim.id, style.verdict(r.verdict), "",
                       10 - insight::name_of(r.verdict).size(), effect_text(r), r.corrected_p);
  }
  return out + "\n";
}

std::string oracles_table(const Explanation& explanation, const Style& style) {
  std::string out =
      style.bold(fmt::format("{:<24} {:<62} {:>10} {:>10}", "exact result", "figure", "expected", "found")) + "\n";
  for (const train::OracleResult& r : explanation.oracles)
    out += fmt::format("{:<24} {:<62} {:>10.6g} {:>10.6g}  {}\n", r.name, r.about, r.expected, r.found,
                       r.passed ? "ok" : "FAILED");
  return out + "\n";
}

struct Range {
  double low = INFINITY, high = -INFINITY;  ///< on a logarithmic axis, of the logarithms
  bool log = false;

  double place(double value) const { return log ? std::log10(value) : value; }
  double value(double place) const { return log ? std::pow(10, place) : place; }
  void take(double value) {
    if (!std::isfinite(place(value))) return;
    low = std::min(low, place(value));
    high = std::max(high, place(value));
  }
  void widen() {
    if (low > high) low = 0, high = 1;
    if (low == high) low -= 0.5, high += 0.5;
  }
  /// 0 to 1 over the range.
  double share(double value) const { return (place(value) - low) / (high - low); }
};

/// Dots, two by four in a character.
class Canvas {
 public:
  Canvas(int width, int height) : width_(width), height_(height), cells_(static_cast<std::size_t>(width * height)) {}

  void dot(int x, int y) {
    if (x < 0 || y < 0 || x >= 2 * width_ || y >= 4 * height_) return;
    constexpr std::array<std::array<int, 2>, 4> bits = {{{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}}};
    cells_[static_cast<std::size_t>(y / 4 * width_ + x / 2)] |=
        bits[static_cast<std::size_t>(y % 4)][static_cast<std::size_t>(x % 2)];
  }
  void line(int x0, int y0, int x1, int y1) {
    const int steps = std::max({std::abs(x1 - x0), std::abs(y1 - y0), 1});
    for (int i = 0; i <= steps; ++i) dot(x0 + (x1 - x0) * i / steps, y0 + (y1 - y0) * i / steps);
  }
  std::string row(int y) const {
    std::string out;
    for (int x = 0; x < width_; ++x) {
      const int cell = 0x2800 + cells_[static_cast<std::size_t>(y * width_ + x)];
      out += static_cast<char>(0xE0 | cell >> 12);
      out += static_cast<char>(0x80 | (cell >> 6 & 0x3F));
      out += static_cast<char>(0x80 | (cell & 0x3F));
    }
    return out;
  }

 private:
  int width_, height_;
  std::vector<int> cells_;
};

}  // namespace

std::string terminal_chart(const train::LinePlot& plot, int width, int height) {
  Range x{.log = plot.log_x}, y{.log = plot.log_y};
  for (const train::PlotSeries& series : plot.series)
    for (std::size_t i = 0; i < series.x.size(); ++i) x.take(series.x[i]), y.take(series.y[i]);
  x.widen();
  y.widen();
  constexpr int margin = 9;
  const int columns = std::max(10, width - margin - 2);
  Canvas canvas(columns, height);
  std::vector<std::pair<int, std::string>> names;  // where each line ends
  for (const train::PlotSeries& series : plot.series) {
    int last_x = -1, last_y = -1;
    for (std::size_t i = 0; i < series.x.size(); ++i) {
      if (!std::isfinite(x.share(series.x[i])) || !std::isfinite(y.share(series.y[i]))) {
        last_x = -1;
        continue;
      }
      const int px = static_cast<int>(std::lround(x.share(series.x[i]) * (2 * columns - 1)));
      const int py = static_cast<int>(std::lround((1 - y.share(series.y[i])) * (4 * height - 1)));
      if (last_x >= 0) canvas.line(last_x, last_y, px, py);
      canvas.dot(px, py);
      last_x = px;
      last_y = py;
    }
    if (last_x >= 0) names.emplace_back(last_y / 4, series.name);
  }
  std::string out = plot.title + "\n";
  for (int row = 0; row < height; ++row) {
    const std::string label = row == 0            ? fmt::format("{:.3g}", y.value(y.high))
                              : row == height - 1 ? fmt::format("{:.3g}", y.value(y.low))
                                                  : "";
    out += fmt::format("{:>{}} |{}", label, margin - 2, canvas.row(row));
    for (const auto& [at, name] : names)
      if (at == row && !name.empty()) out += " " + name;
    out += "\n";
  }
  const std::string low = fmt::format("{:.3g}", x.value(x.low)), high = fmt::format("{:.3g}", x.value(x.high));
  const std::size_t room = static_cast<std::size_t>(columns) -
                           std::min<std::size_t>(static_cast<std::size_t>(columns), low.size() + high.size());
  return out + fmt::format("{:{}}{}{:^{}}{}\n", "", margin, low, plot.x_label, room, high);
}

std::string terminal_text(const Explanation& explanation, int width, bool colour) {
  const Style style{std::clamp(width, 40, 100), colour};
  std::string out;
  for (const Piece& piece : pieces_of(explanation, text_of(*explanation.entry))) {
    switch (piece.kind) {
      case Piece::Kind::text: out += rendered(piece.content, style); break;
      case Piece::Kind::claims: out += claims_table(explanation, style); break;
      case Piece::Kind::oracles: out += oracles_table(explanation, style); break;
      case Piece::Kind::left_out:
        out += style.soft(wrapped("Left out here: " + piece.content, style.width, "  ", "  ")) + "\n";
        break;
      case Piece::Kind::claim:
        for (const insight::ClaimResult& result : explanation.claims)
          if (result.claim.id == piece.content) out += claim_text(result, style);
        break;
      case Piece::Kind::figure:
        for (const Figure& figure : explanation.notebook.figures) {
          if (figure.id != piece.content) continue;
          out += terminal_chart(figure.plot, style.width - 18, 11) +
                 style.soft(wrapped(figure.caption, style.width, "  ", "  ")) + "\n";
        }
        break;
    }
  }
  return out;
}

}  // namespace gradus::book
