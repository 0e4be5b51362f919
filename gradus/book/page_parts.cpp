#include "gradus/book/page_parts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "gradus/base/version.h"
#include "gradus/book/explain.h"
#include "gradus/book/page_style.h"
#include "gradus/train/report/figure.h"
#include "gradus/train/report/style.h"

namespace gradus::book {

using train::escaped;

std::string address_of(const std::string& heading) {
  std::string id = "on-";
  for (const char c : heading) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
    if (letter) id += static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    if (!letter && id.back() != '-') id += '-';
  }
  while (id.ends_with('-')) id.pop_back();
  return id;
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

std::string badge(insight::Verdict verdict) {
  return fmt::format("<b class=\"verdict {0}\">{0}</b>", insight::name_of(verdict));
}

namespace {

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

/// The effect, and its interval on one line.
std::string effect_html(const insight::ClaimResult& result) {
  std::string text = effect_text(result);
  return "<span>" + text.insert(text.find('['), "<span class=\"pair\">") +
         "</span></span>";  // one piece, which may break
}

}  // namespace

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

std::string claims_html(const std::vector<insight::ClaimResult>& results) {
  std::string out =
      "<div class=\"card\"><table class=\"measured claims\"><thead><tr><th scope=\"col\">claim</th><th "
      "scope=\"col\">verdict</th><th scope=\"col\" class=\"n\">effect, 95 % interval</th><th scope=\"col\" "
      "class=\"n\">corrected p</th><th scope=\"col\" class=\"n\">could have seen</th><th scope=\"col\" "
      "class=\"n\">matters from</th></tr></thead><tbody>\n";
  for (const insight::ClaimResult& r : results)
    out += fmt::format(
        "<tr><td>{}{}</td><td data-what=\"verdict\">{}</td><td class=\"n\" data-what=\"effect, 95 % "
        "interval\">{}</td><td "
        "class=\"n\" data-what=\"corrected p\">{:.2g}</td><td class=\"n\" data-what=\"could have seen\">{:.2g}</td><td "
        "class=\"n\" data-what=\"matters from\">{:.2g}</td></tr>\n",
        r.claim.belief ? "<i>belief:</i> " : "", escaped(r.claim.sentence), badge(r.verdict), effect_html(r),
        r.corrected_p, r.detectable, r.claim.smallest_effect);
  return out + "</tbody></table></div>\n";
}

std::string page_top(const std::string& title) {
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">{}<meta name=\"viewport\" "
      "content=\"width=device-width,initial-scale=1\">\n<title>{}</title>\n<style>{}{}</style></head>\n<body>"
      "<a class=\"skip\" href=\"#text\">to the text</a><main class=\"book\">\n",
      train::page_policy(), escaped(title), train::report_style, page_style);
}

std::string page_bottom(const insight::Provenance& provenance, std::size_t seeds) {
  return fmt::format("<footer>Measured by Gradus {} on {}{}. Data: {}.{}</footer>\n</main>{}</body></html>\n", version,
                     escaped(provenance.machine), seeds > 0 ? fmt::format(", with {} seeds a claim", seeds) : "",
                     escaped(provenance.data), train::page_credit(), train::page_script());
}

}  // namespace gradus::book
