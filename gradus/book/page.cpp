// A chapter as a page that needs nothing else.
#include <cmark.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <memory>

#include "gradus/base/version.h"
#include "gradus/book/explain.h"
#include "gradus/book/page_style.h"
#include "gradus/train/report/figure.h"
#include "gradus/train/report/style.h"

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

/// "how-large-a-step-may-be", with a number when it was taken before.
std::string id_of(const std::string& text, const std::vector<Heading>& before) {
  std::string id;
  for (const char c : text) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
    if (letter) id += static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    if (!letter && !id.empty() && id.back() != '-') id += '-';
  }
  while (id.ends_with('-')) id.pop_back();
  const auto taken = [&](const std::string& name) {
    return std::any_of(before.begin(), before.end(), [&](const Heading& each) { return each.id == name; });
  };
  std::string free = "on-" + id;
  for (int number = 2; taken(free); ++number) free = fmt::format("on-{}-{}", id, number);
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

std::string badge(insight::Verdict verdict) {
  return fmt::format("<b class=\"verdict {0}\">{0}</b>", insight::name_of(verdict));
}

/// "0.4 \u00d7 0.5 \u2212 0.3 \u00d7 0.2"
std::string sum_text(const std::vector<std::vector<double>>& terms) {
  std::string out;
  for (const std::vector<double>& term : terms) {
    for (std::size_t i = 0; i < term.size(); ++i) {
      const bool minus = term[i] < 0, first = i == 0 && out.empty();
      const std::string size = fmt::format("{:.4g}", std::abs(term[i]));
      if (i == 0 && !first) out += minus ? " \u2212 " : " + ";
      if (i > 0) out += " \u00d7 ";
      const bool sign = minus && (first || i > 0);
      out += sign ? (first ? "\u2212" + size : "(\u2212" + size + ")") : size;
    }
  }
  return out;
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

/// The effect with its interval, beside nothing (a solid line) and what would matter (dashed).
std::string interval_strip(const insight::ClaimResult& result) {
  const insight::PairedTest& test = result.test;
  std::vector<double> limits = {result.claim.smallest_effect};
  if (result.claim.direction == insight::Direction::lower) limits = {-limits[0]};
  if (result.claim.direction == insight::Direction::equal) limits.push_back(-limits[0]);
  double low = std::min(0.0, test.interval.low), high = std::max(0.0, test.interval.high);
  for (const double limit : limits) low = std::min(low, limit), high = std::max(high, limit);
  if (!std::isfinite(low) || !std::isfinite(high) || low >= high) return "";
  const auto at = [&](double value) { return 30 + 280 * (value - low) / (high - low); };
  std::string out = "<svg class=\"interval-strip\" viewBox=\"0 0 340 38\" aria-hidden=\"true\">";
  const auto limit_at = [&](double value, const char* look) {
    out += fmt::format(R"(<path class="{}" d="M{:.1f} 1v22"/>)", look, at(value));
    if (value == 0 || std::abs(at(value) - at(0)) > 24)
      out += fmt::format(R"(<text class="label" x="{:.1f}" y="36" text-anchor="middle">{}</text>)", at(value),
                         sum_text({{value}}));
  };
  limit_at(0, "axis");
  for (const double limit : limits) limit_at(limit, "line dashed");
  return out +
         fmt::format(
             R"(<path class="line s0" d="M{:.1f} 12H{:.1f}"/><circle class="dot s0" cx="{:.1f}" cy="12" r="4.5"/></svg>)",
             at(test.interval.low), at(test.interval.high), at(test.mean));
}

/// What every seed gave.
std::string pairs_html(const insight::ClaimResult& result) {
  std::string out =
      "<details><summary>The pairs</summary><div class=\"scroll\" tabindex=\"0\" role=\"region\" "
      "aria-label=\"pairs\"><table "
      "class=\"numbers\"><thead><tr><th scope=\"col\" class=\"n\">seed</th><th scope=\"col\" "
      "class=\"n\">changed</th><th "
      "scope=\"col\" class=\"n\">not changed</th><th scope=\"col\" class=\"n\">difference</th></tr></thead><tbody>\n";
  for (std::size_t i = 0; i < std::min(result.pairs.size(), result.seeds.size()); ++i) {
    const insight::Pair& pair = result.pairs[i];
    out += fmt::format(
        "<tr><th scope=\"row\" class=\"n\">{}</th><td class=\"n\">{:.6g}</td><td class=\"n\">{:.6g}</td><td "
        "class=\"n\">{:+.4g}</td></tr>\n",
        result.seeds[i], pair.treated, pair.control, pair.treated - pair.control);
  }
  return out + "</tbody></table></div></details>";
}

std::string claim_html(const insight::ClaimResult& result) {
  const insight::Claim& claim = result.claim;
  return fmt::format(
      "<aside class=\"claim {}\" id=\"claim-{}\" aria-label=\"{}\"><p class=\"said\">{} "
      "{}{}</p>{}<dl><dt>effect</dt><dd><b>{}</b> "
      "({})</dd><dt>measured as</dt><dd>{}</dd><dt>changed</dt><dd>{}</dd><dt>on</dt><dd>{}</dd></dl>{}</aside>\n",
      insight::name_of(result.verdict), escaped(claim.id), claim.belief ? "belief, tested" : "claim, tested",
      badge(result.verdict), claim.belief ? "<i>Belief:</i> " : "", escaped(claim.sentence), interval_strip(result),
      effect_text(result), reason_of(result), escaped(claim.response), escaped(claim.factor), escaped(claim.data),
      pairs_html(result));
}

std::string claims_html(const Explanation& explanation) {
  std::string out =
      "<div class=\"card\"><table class=\"measured claims\"><thead><tr><th scope=\"col\">claim</th><th "
      "scope=\"col\">verdict</th><th scope=\"col\" class=\"n\">effect, 95 % interval</th><th scope=\"col\" "
      "class=\"n\">corrected p</th><th scope=\"col\" class=\"n\">could have seen</th><th scope=\"col\" "
      "class=\"n\">matters from</th></tr></thead><tbody>\n";
  for (const insight::ClaimResult& r : explanation.claims)
    out += fmt::format(
        "<tr><td>{}{}</td><td data-what=\"verdict\">{}</td><td class=\"n\" data-what=\"effect, 95 % "
        "interval\">{}</td><td "
        "class=\"n\" data-what=\"corrected p\">{:.2g}</td><td class=\"n\" data-what=\"could have seen\">{:.2g}</td><td "
        "class=\"n\" data-what=\"matters from\">{:.2g}</td></tr>\n",
        r.claim.belief ? "<i>belief:</i> " : "", escaped(r.claim.sentence), badge(r.verdict), effect_text(r),
        r.corrected_p, r.detectable, r.claim.smallest_effect);
  return out + "</tbody></table></div>\n";
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
    case Piece::Kind::claims: draft.body += claims_html(explanation); break;
    case Piece::Kind::oracles: draft.body += oracles_html(explanation); break;
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

std::string head_of(const std::string& title) {
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">{}<meta name=\"viewport\" "
      "content=\"width=device-width,initial-scale=1\">\n<title>{}</title>\n<style>{}{}</style></head>\n<body>"
      "<a class=\"skip\" href=\"#text\">to the text</a><main class=\"book\">\n",
      train::page_policy(), escaped(title), train::report_style, page_style);
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
  std::string out = head_of(std::string(entry.title)), neighbours;
  if (in_book) {
    neighbours = link_to(neighbour(entry, -1), "\u2190 {}") + link_to(neighbour(entry, 1), "{} \u2192");
    out += "<nav class=\"bar-top\" aria-label=\"book\"><a href=\"index.html\">Deep learning, measured</a></nav>\n";
  }
  out += fmt::format("<p class=\"kicker\">Chapter {}</p>\n<h1 id=\"text\">{}</h1>\n<p class=\"request\">{}</p>\n{}",
                     entry.number, escaped(draft.title.empty() ? std::string(entry.title) : draft.title),
                     escaped(std::string(entry.request)), contents_of(draft));
  out += draft.body;
  if (in_book) out += "<nav class=\"bar-end\" aria-label=\"chapters\">" + neighbours + "</nav>\n";
  out += fmt::format("<footer>Measured by Gradus {} on {}, with {} seeds a claim. Data: {}.{}</footer>\n", version,
                     escaped(explanation.provenance.machine), seeds_of(explanation.effort).size(),
                     escaped(explanation.provenance.data), train::page_credit());
  return out + "</main>" + train::page_script() + "</body></html>\n";
}

std::string index_page(const std::vector<Explanation>& explanations) {
  std::string out = head_of("Deep learning, measured");
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
