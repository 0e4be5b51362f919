// A chapter as a page that needs nothing else.
#include <cmark.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

#include "gradus/book/explain.h"
#include "gradus/book/page_parts.h"
#include "gradus/train/report/figure.h"

namespace gradus::book {
namespace {

using train::escaped;

struct Heading {
  int level = 0;
  std::string id, text;
};

/// What a page is put together from.
struct Draft {
  std::string body, title;  ///< the title is the text's own, if it has one
  std::vector<Heading> headings;
  std::size_t figures = 0;
};

std::string plain_text(cmark_node* node) {
  std::string out;
  for (cmark_node* child = cmark_node_first_child(node); child != nullptr; child = cmark_node_next(child)) {
    const char* literal = cmark_node_get_literal(child);
    out += literal != nullptr ? literal : cmark_node_get_type(child) == CMARK_NODE_SOFTBREAK ? " " : plain_text(child);
  }
  return out;
}

/// The address of a heading, with a number when it was taken before.
std::string id_of(const std::string& text, const std::vector<Heading>& before) {
  const std::string id = address_of(text);
  const auto taken = [&](const std::string& name) {
    return std::any_of(before.begin(), before.end(), [&](const Heading& each) { return each.id == name; });
  };
  std::string free = id;
  for (int number = 2; taken(free); ++number) free = fmt::format("{}-{}", id, number);
  return free;
}

/// Gives a heading an address, and notes it. The first one of level 1 is the title, which the page writes itself.
void take_heading(cmark_node* node, Draft& draft) {
  const int level = cmark_node_get_heading_level(node);
  const std::string text = plain_text(node);
  if (level == 1 && draft.title.empty()) {
    draft.title = text;
    cmark_node_unlink(node);
    cmark_node_free(node);
    return;
  }
  draft.headings.push_back({level, id_of(text, draft.headings), text});
  cmark_node* block = cmark_node_new(CMARK_NODE_CUSTOM_BLOCK);
  const std::string& id = draft.headings.back().id;
  cmark_node_set_on_enter(block, fmt::format("<h{0} id=\"{1}\"><a href=\"#{1}\">", level, id).c_str());
  cmark_node_set_on_exit(block, fmt::format("</a></h{}>", level).c_str());
  while (cmark_node* child = cmark_node_first_child(node)) cmark_node_append_child(block, child);
  cmark_node_replace(node, block);
  cmark_node_free(node);
}

std::string html_of(const std::string& markdown, Draft& draft) {
  constexpr int options = CMARK_OPT_SMART | CMARK_OPT_VALIDATE_UTF8;
  const std::unique_ptr<cmark_node, void (*)(cmark_node*)> document(
      cmark_parse_document(markdown.data(), markdown.size(), options), cmark_node_free);
  for (cmark_node* node = cmark_node_first_child(document.get()); node != nullptr;) {
    cmark_node* next = cmark_node_next(node);
    if (cmark_node_get_type(node) == CMARK_NODE_HEADING) take_heading(node, draft);
    node = next;
  }
  const std::unique_ptr<char, void (*)(void*)> html(cmark_render_html(document.get(), options), std::free);
  return html.get();
}

/// The arithmetic behind each point; the script shows that of the point that is read.
std::string workings_html(const Figure& figure) {
  if (figure.behind.empty()) return "";
  std::string out = "<div class=\"behind\" aria-live=\"polite\">";
  for (std::size_t point = 0; point < figure.behind.size(); ++point) {
    const train::PlotSeries& line = figure.plot.series.at(0);
    out += fmt::format("<details{}><summary>{} {:.4g}: {} {:.4g}</summary><table>", point == 0 ? " open" : "",
                       escaped(figure.plot.x_label), line.x.at(point), escaped(figure.plot.title), line.y.at(point));
    for (const Workings& part : figure.behind[point]) {
      out += fmt::format("<tbody><tr><th colspan=\"3\" scope=\"rowgroup\">{}</th></tr>", escaped(part.part));
      for (const Working& w : part.lines) {
        const bool brackets = !w.function.empty();
        out += fmt::format("<tr><th scope=\"row\">{}</th><td>{}{}{}{}</td><td class=\"n\">{}</td></tr>\n",
                           escaped(w.name), escaped(w.function), brackets ? "(" : "", sum_text(w.terms),
                           brackets ? ")" : "", sum_text({{w.value}}));
      }
      out += "</tbody>";
    }
    out += "</table></details>\n";
  }
  return out + "</div>";
}

std::string figure_html(const Explanation& explanation, const Figure& figure, std::size_t number) {
  train::LinePlot plot = figure.plot;
  plot.width = 700;  // as wide as the text, so that title and legend have room
  plot.height = 360;
  const std::string caption = fmt::format("<figcaption><b>Figure {}.{}</b> {}</figcaption>", explanation.entry->number,
                                          number, escaped(figure.caption)) +
                              workings_html(figure);
  return fmt::format("<figure class=\"plot\" id=\"figure-{}\">{}</figure>\n", escaped(figure.id),
                     train::figure_html(plot, caption));
}

std::string oracles_html(const Explanation& explanation) {
  std::string out =
      "<div class=\"card\"><table class=\"measured oracles\"><thead><tr><th scope=\"col\">exact result</th><th "
      "scope=\"col\" "
      "class=\"n\">expected</th><th scope=\"col\" class=\"n\">found</th><th scope=\"col\" "
      "class=\"n\">tolerance</th><th "
      "scope=\"col\">met</th></tr></thead><tbody>\n";
  for (const train::OracleResult& r : explanation.oracles)
    out += fmt::format(
        "<tr><td>{}<br><span class=\"soft\">{}</span></td><td class=\"n\" data-what=\"expected\">{:.6g}</td><td "
        "class=\"n\" "
        "data-what=\"found\">{:.6g}</td><td class=\"n\" data-what=\"tolerance\">{:.1g}</td><td "
        "data-what=\"met\">{}</td></tr>\n",
        escaped(r.name), escaped(r.about), r.expected, r.found, r.tolerance, r.passed ? "yes" : "<b>NO</b>");
  return out + "</tbody></table></div>\n";
}

void add(Draft& draft, const Explanation& explanation, const Piece& piece) {
  switch (piece.kind) {
    case Piece::Kind::text: draft.body += html_of(piece.content, draft); break;
    case Piece::Kind::claims: draft.body += claims_html(explanation.claims); break;
    case Piece::Kind::oracles: draft.body += oracles_html(explanation); break;
    case Piece::Kind::left_out:
      draft.body += fmt::format("<p class=\"soft\">Left out here: {}</p>\n", escaped(piece.content));
      break;
    case Piece::Kind::claim:
      for (const insight::ClaimResult& result : explanation.claims)
        if (result.claim.id == piece.content) draft.body += claim_html(result);
      break;
    case Piece::Kind::figure:
      for (const Figure& figure : explanation.notebook.figures)
        if (figure.id == piece.content) draft.body += figure_html(explanation, figure, ++draft.figures);
      break;
  }
}

std::string contents_of(const Draft& draft) {
  std::string rows;
  for (const Heading& heading : draft.headings)
    if (heading.level == 2) rows += fmt::format("<li><a href=\"#{}\">{}</a></li>", heading.id, escaped(heading.text));
  return rows.empty()
             ? ""
             : "<details class=\"toc\" open><summary>In this chapter</summary><ol>" + rows + "</ol></details>\n";
}

/// The written chapter before (-1) or after (+1) another.
const Entry* neighbour(const Entry& entry, int direction) {
  const std::vector<Entry>& all = entries();
  for (int at = entry.number - 1 + direction; at >= 0 && at < static_cast<int>(all.size()); at += direction) {
    const Entry& other = all[static_cast<std::size_t>(at)];
    if (!text_of(other).empty()) return &other;
  }
  return nullptr;
}

std::string link_to(const Entry* entry, const char* format) {
  if (entry == nullptr) return "<span></span>";
  return fmt::format(
      "<a href=\"{}.html\">{}</a>", entry->slug,
      fmt::format(fmt::runtime(format), fmt::format("{}. {}", entry->number, escaped(std::string(entry->title)))));
}

}  // namespace

std::string page(const Explanation& explanation, bool in_book) {
  const Entry& entry = *explanation.entry;
  Draft draft;
  for (const Piece& piece : pieces_of(explanation, text_of(entry))) add(draft, explanation, piece);
  std::string out = page_top(std::string(entry.title)), neighbours;
  if (in_book) {
    neighbours = link_to(neighbour(entry, -1), "\u2190 {}") + link_to(neighbour(entry, 1), "{} \u2192");
    out += "<nav class=\"bar-top\" aria-label=\"book\"><a href=\"index.html\">Deep learning, measured</a></nav>\n";
  }
  out += fmt::format("<p class=\"kicker\">Chapter {}</p>\n<h1 id=\"text\">{}</h1>\n<p class=\"request\">{}</p>\n{}",
                     entry.number, escaped(draft.title.empty() ? std::string(entry.title) : draft.title),
                     escaped(std::string(entry.request)), contents_of(draft));
  out += draft.body;
  if (in_book) out += "<nav class=\"bar-end\" aria-label=\"chapters\">" + neighbours + "</nav>\n";
  return out + page_bottom(explanation.provenance, seeds_of(explanation.effort).size());
}

std::string index_page(const std::vector<Explanation>& explanations) {
  std::string out = page_top("Deep learning, measured");
  out +=
      "<h1 id=\"text\">Deep learning, measured</h1>\n<p>Each chapter answers one request. Every claim in it was tested "
      "by experiments "
      "that Gradus ran on this machine, with several seeds: it holds, it is refuted, or the experiments leave it "
      "undecided.</p>\n<ol class=\"contents\">\n";
  for (const Entry& entry : entries()) {
    const auto found =
        std::find_if(explanations.begin(), explanations.end(), [&](const auto& e) { return e.entry == &entry; });
    const std::string title = escaped(std::string(entry.title)), request = escaped(std::string(entry.request));
    if (found == explanations.end()) {
      out += fmt::format(
          "<li class=\"later\"><span class=\"number\">{}</span><div><h2>{} <small>(not written yet)</small></h2><p "
          "class=\"soft\">{}</p></div></li>\n",
          entry.number, title, request);
      continue;
    }
    std::string verdicts;
    for (const insight::ClaimResult& result : found->claims)
      verdicts += fmt::format(
          "<a class=\"verdict {0}\" href=\"{1}.html#claim-{2}\" title=\"{3}\" aria-label=\"{0}: {3}\">{0}</a>\n",
          insight::name_of(result.verdict), entry.slug, escaped(result.claim.id), escaped(result.claim.sentence));
    out += fmt::format(
        "<li><span class=\"number\">{}</span><div><h2><a href=\"{}.html\">{}</a></h2><p class=\"soft\">{}</p><div "
        "class=\"verdicts\">{}</div></div></li>\n",
        entry.number, entry.slug, title, request, verdicts);
  }
  return out + "</ol></main></body></html>\n";
}

}  // namespace gradus::book
