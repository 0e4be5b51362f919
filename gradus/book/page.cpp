// A chapter as a page that needs nothing else.
#include <cmark.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

#include "gradus/base/version.h"
#include "gradus/book/explain.h"
#include "gradus/book/page_style.h"
#include "gradus/train/report/style.h"

namespace gradus::book {
namespace {

using train::escaped;

std::string html_of(const std::string& markdown) {
  const std::unique_ptr<char, void (*)(void*)> html(
      cmark_markdown_to_html(markdown.data(), markdown.size(), CMARK_OPT_SMART | CMARK_OPT_VALIDATE_UTF8), std::free);
  return html.get();
}

std::string badge(insight::Verdict verdict) {
  return fmt::format("<b class=\"verdict {0}\">{0}</b>", insight::name_of(verdict));
}

/// The numbers behind a figure.
std::string data_table(const train::LinePlot& plot) {
  std::string out = "<details><summary>the numbers</summary><div class=\"scroll\"><table>";
  out += fmt::format("<tr><th>line</th><th class=\"n\">{}</th><th class=\"n\">{}</th></tr>\n", escaped(plot.x_label),
                     escaped(plot.title));
  for (const train::PlotSeries& series : plot.series)
    for (std::size_t i = 0; i < series.x.size(); ++i)
      out += fmt::format("<tr><th>{}</th><td class=\"n\">{:.6g}</td><td class=\"n\">{:.6g}</td></tr>\n",
                         escaped(series.name), series.x[i], series.y[i]);
  return out + "</table></div></details>";
}

std::string figure_html(const Figure& figure) {
  train::LinePlot plot = figure.plot;
  plot.width = 720;  // as wide as the text, so that title and legend have room
  plot.height = 350;
  return fmt::format("<figure class=\"plot\" id=\"figure-{}\">{}<figcaption>{}{}</figcaption></figure>\n",
                     escaped(figure.id), train::svg(plot), escaped(figure.caption), data_table(figure.plot));
}

std::string claim_html(const insight::ClaimResult& result) {
  return fmt::format(
      "<aside class=\"claim\" id=\"claim-{}\"><p>{}{} {}</p><p class=\"soft\">{}: <b>{}</b> ({}). {}. Data: "
      "{}.</p></aside>\n",
      escaped(result.claim.id), badge(result.verdict), result.claim.belief ? " Belief:" : "",
      escaped(result.claim.sentence), escaped(result.claim.response), effect_text(result), escaped(result.claim.factor),
      reason_of(result), escaped(result.claim.data));
}

std::string claims_html(const Explanation& explanation) {
  std::string out =
      "<div class=\"card scroll\"><table class=\"claims\"><tr><th>claim</th><th>verdict</th><th class=\"n\">effect, 95 "
      "% interval</th>"
      "<th class=\"n\">corrected p</th><th class=\"n\">could have seen</th><th class=\"n\">matters from</th></tr>\n";
  for (const insight::ClaimResult& r : explanation.claims)
    out += fmt::format(
        "<tr><td>{}{}</td><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{:.2g}</td><td class=\"n\">{:.2g}</td>"
        "<td class=\"n\">{:.2g}</td></tr>\n",
        r.claim.belief ? "<i>belief:</i> " : "", escaped(r.claim.sentence), badge(r.verdict), effect_text(r),
        r.corrected_p, r.detectable, r.claim.smallest_effect);
  return out + "</table></div>\n";
}

std::string oracles_html(const Explanation& explanation) {
  std::string out =
      "<div class=\"card scroll\"><table><tr><th>exact result</th><th>figure</th><th class=\"n\">expected</th><th "
      "class=\"n\">found</th>"
      "<th class=\"n\">tolerance</th><th></th></tr>\n";
  for (const train::OracleResult& r : explanation.oracles)
    out += fmt::format(
        "<tr><td>{}</td><td>{}</td><td class=\"n\">{:.6g}</td><td class=\"n\">{:.6g}</td><td "
        "class=\"n\">{:.1g}</td><td>{}</td></tr>\n",
        escaped(r.name), escaped(r.about), r.expected, r.found, r.tolerance, r.passed ? "ok" : "FAILED");
  return out + "</table></div>\n";
}

std::string html_of(const Explanation& explanation, const Piece& piece) {
  std::string out;
  switch (piece.kind) {
    case Piece::Kind::text: return html_of(piece.content);
    case Piece::Kind::claims: return claims_html(explanation);
    case Piece::Kind::oracles: return oracles_html(explanation);
    case Piece::Kind::claim:
      for (const insight::ClaimResult& result : explanation.claims)
        if (result.claim.id == piece.content) out += claim_html(result);
      return out;
    case Piece::Kind::figure:
      for (const Figure& figure : explanation.notebook.figures)
        if (figure.id == piece.content) out += figure_html(figure);
      return out;
  }
  return out;
}

std::string head_of(const std::string& title) {
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
      "content=\"width=device-width,initial-scale=1\">\n<title>{}</title>\n<style>{}{}</style></head>\n<body><main "
      "class=\"chapter\">\n",
      escaped(title), train::report_style, page_style);
}

}  // namespace

std::string page(const Explanation& explanation) {
  const Entry& entry = *explanation.entry;
  std::string out = head_of(std::string(entry.title));
  out += fmt::format("<p class=\"soft\">{}. {}</p>\n", entry.number, escaped(std::string(entry.request)));
  for (const Piece& piece : pieces_of(explanation, text_of(entry))) out += html_of(explanation, piece);
  out += fmt::format("<footer class=\"soft\">Measured by Gradus {} on {}, with {} seeds a claim. Data: {}.</footer>\n",
                     version, escaped(explanation.provenance.machine), seeds_of(explanation.effort).size(),
                     escaped(explanation.provenance.data));
  return out + "</main></body></html>\n";
}

std::string index_page(const std::vector<Explanation>& explanations) {
  std::string out = head_of("Deep learning, measured");
  out +=
      "<h1>Deep learning, measured</h1>\n<p>Each chapter answers one request, and every claim in it was tested by "
      "experiments that Gradus "
      "ran on this machine.</p>\n<div class=\"card scroll\"><table><tr><th>chapter</th><th>what it "
      "answers</th><th>claims</th></tr>\n";
  for (const Entry& entry : entries()) {
    const auto found =
        std::find_if(explanations.begin(), explanations.end(), [&](const auto& e) { return e.entry == &entry; });
    const std::string title = fmt::format("{}. {}", entry.number, escaped(std::string(entry.title)));
    std::string verdicts;
    if (found != explanations.end())
      for (const insight::ClaimResult& result : found->claims)
        verdicts += fmt::format("<a href=\"{}.html#claim-{}\" title=\"{}\">{}</a> ", entry.slug,
                                escaped(result.claim.id), escaped(result.claim.sentence), badge(result.verdict));
    out +=
        fmt::format("<tr><th>{}</th><td>{}</td><td>{}</td></tr>\n",
                    found == explanations.end() ? title : fmt::format("<a href=\"{}.html\">{}</a>", entry.slug, title),
                    escaped(std::string(entry.request)), found == explanations.end() ? "not written yet" : verdicts);
  }
  return out + "</table></div></main></body></html>\n";
}

}  // namespace gradus::book
