#include "gradus/book/own/explain_on.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "gradus/base/error.h"
#include "gradus/base/version.h"
#include "gradus/train/report/figure.h"
#include "gradus/train/report/style.h"

namespace gradus::book {
namespace {

using train::escaped;

std::string coloured(insight::Verdict verdict, bool colour) {
  const std::string name(insight::name_of(verdict));
  const int code = verdict == insight::Verdict::holds ? 32 : verdict == insight::Verdict::refuted ? 31 : 33;
  return colour ? fmt::format("\033[{}m{}\033[0m", code, name) : name;
}

const char* css_class(insight::Verdict verdict) {
  return verdict == insight::Verdict::holds ? "good" : verdict == insight::Verdict::refuted ? "bad" : "doubt";
}

constexpr const char* own_style =
    "h2+p{margin-top:0}.claims "
    "td{vertical-align:top}.good{color:var(--good)}.bad{color:var(--bad)}.doubt{color:var(--doubt)}"
    ".good,.bad,.doubt{font-weight:650}";

std::string row_of(const insight::ClaimResult& r) {
  return fmt::format(
      "<tr><td>{}{}<br><span class=\"soft\">{}; {}; {}</span></td><td class=\"verdict {}\">{}</td><td "
      "class=\"n\">{}</td>"
      "<td>{}</td></tr>\n",
      r.claim.belief ? "<b>Belief:</b> " : "", escaped(r.claim.sentence), escaped(r.claim.response),
      escaped(r.claim.factor), escaped(r.claim.data), css_class(r.verdict), insight::name_of(r.verdict),
      escaped(effect_text(r)), escaped(reason_of(r)));
}

}  // namespace

void require_own_claims(const Entry& entry) {
  require_written(entry);
  if (find_chapter(entry)->own) return;
  std::string others;
  for (const Entry& other : entries()) {
    const std::optional<Chapter> chapter = find_chapter(other);
    if (chapter && chapter->own) others += fmt::format("{}{}", others.empty() ? "" : ", ", other.slug);
  }
  throw Error(ErrorKind::usage, "explain",
              fmt::format("chapter {} has no claims that can be asked of another network", entry.slug))
      .hint("these chapters have: " + others);
}

OwnExplanation explain_on(const Entry& entry, const Setting& setting, const std::string& on, Effort effort,
                          const Progress& progress) {
  require_own_claims(entry);
  OwnExplanation result;
  result.entry = &entry;
  result.on = on;
  result.setting = setting.description();
  result.provenance = {this_machine(), setting.checksum()};
  std::vector<insight::Claim> claims;
  for (OwnClaim& own : find_chapter(entry)->own(setting)) {
    if (own.refusal.empty()) {
      claims.push_back(std::move(own.claim));
    } else {
      result.refused.push_back({own.claim.id, own.claim.sentence, own.refusal});
    }
  }
  const std::vector<std::uint64_t> seeds = seeds_of(effort);
  result.claims = insight::run_claims(claims, seeds, [&](std::size_t claim, std::size_t seed) {
    if (!progress) return;
    progress(fmt::format("claim {} of {}: {}, seed {} of {}", claim + 1, claims.size(), claims[claim].id, seed + 1,
                         seeds.size()));
  });
  return result;
}

std::string text_of(const OwnExplanation& explanation, bool colour) {
  std::string out = fmt::format("{} on {}\n{}\n\n", explanation.entry->title, explanation.on, explanation.setting);
  for (const insight::ClaimResult& r : explanation.claims) {
    out += fmt::format("{}{}\n  {}: {}. {}\n  {}; {}\n\n", r.claim.belief ? "Belief: " : "", r.claim.sentence,
                       coloured(r.verdict, colour), effect_text(r), reason_of(r), r.claim.response, r.claim.factor);
  }
  for (const Refusal& refusal : explanation.refused)
    out += fmt::format("{}\n  not asked: {}\n\n", refusal.sentence, refusal.reason);
  return out;
}

std::string page_of(const OwnExplanation& explanation) {
  const std::string title = fmt::format("{} on {}", explanation.entry->title, explanation.on);
  std::string out = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">{3}<meta name=\"viewport\" "
      "content=\"width=device-width,initial-scale=1\">\n<title>{0}</title>\n<style>{1}{2}</style></"
      "head>\n<body><main>\n"
      "<h1>{0}</h1>\n<p class=\"soft\">{4}. The claims of the chapter \"{5}\", tried on this network and these "
      "data.</p>\n",
      escaped(title), train::report_style, own_style, train::page_policy(), escaped(explanation.setting),
      escaped(std::string(explanation.entry->title)));
  if (!explanation.claims.empty()) {
    out +=
        "<h2>What was measured</h2>\n<div class=\"card scroll\"><table class=\"claims\"><thead><tr><th>claim</th>"
        "<th>verdict</th><th class=\"n\">effect [95 % interval]</th><th>why</th></tr></thead><tbody>\n";
    for (const insight::ClaimResult& r : explanation.claims) out += row_of(r);
    out += "</tbody></table></div>\n";
  }
  if (!explanation.refused.empty()) {
    out += "<h2>What cannot be asked of it</h2>\n<div class=\"card scroll\"><table>\n";
    for (const Refusal& refusal : explanation.refused)
      out += fmt::format("<tr><td>{}</td><td>{}</td></tr>\n", escaped(refusal.sentence), escaped(refusal.reason));
    out += "</table></div>\n";
  }
  return out + fmt::format(
                   "<h2>To repeat it</h2>\n<p class=\"soft\">Gradus {}; data {}; {}. The same command gives the same "
                   "numbers.</p>\n</main></body></html>\n",
                   version, escaped(explanation.provenance.data), escaped(explanation.provenance.machine));
}

std::string json_of(const OwnExplanation& explanation) {
  nlohmann::ordered_json json = {{"chapter", explanation.entry->slug},
                                 {"on", explanation.on},
                                 {"setting", explanation.setting},
                                 {"version", version},
                                 {"machine", explanation.provenance.machine},
                                 {"data_checksums", explanation.provenance.data}};
  json["claims"] = nlohmann::ordered_json::array();
  for (const insight::ClaimResult& result : explanation.claims)
    json["claims"].push_back(nlohmann::ordered_json::parse(
        insight::ledger_line(std::string(explanation.entry->slug), result, explanation.provenance)));
  json["refused"] = nlohmann::ordered_json::array();
  for (const Refusal& refusal : explanation.refused)
    json["refused"].push_back({{"claim", refusal.id}, {"sentence", refusal.sentence}, {"reason", refusal.reason}});
  return json.dump();
}

}  // namespace gradus::book
