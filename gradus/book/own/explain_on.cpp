#include "gradus/book/own/explain_on.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "gradus/base/error.h"
#include "gradus/base/version.h"
#include "gradus/book/page_parts.h"
#include "gradus/train/report/svg_plot.h"

namespace gradus::book {
namespace {

using train::escaped;

std::string coloured(insight::Verdict verdict, bool colour) {
  const std::string name(insight::name_of(verdict));
  const int code = verdict == insight::Verdict::holds ? 32 : verdict == insight::Verdict::refuted ? 31 : 33;
  return colour ? fmt::format("\033[{}m{}\033[0m", code, name) : name;
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
  std::string out = page_top(title);
  out += fmt::format(
      "<p class=\"kicker\">Chapter {}, on a network of your own</p>\n<h1 id=\"text\">{}</h1>\n<p "
      "class=\"request\">{}</p>\n<p>The "
      "claims of the chapter, tried on this network and these data.</p>\n",
      explanation.entry->number, escaped(title), escaped(explanation.setting));
  if (!explanation.claims.empty()) {
    out += "<h2>What was measured</h2>\n";
    for (const insight::ClaimResult& r : explanation.claims) out += claim_html(r);
    out += "<h2>In a table</h2>\n" + claims_html(explanation.claims);
  }
  if (!explanation.refused.empty()) {
    out += "<h2>What cannot be asked of it</h2>\n<ul>\n";
    for (const Refusal& refusal : explanation.refused)
      out += fmt::format("<li>{}<br><span class=\"soft\">{}</span></li>\n", escaped(refusal.sentence),
                         escaped(refusal.reason));
    out += "</ul>\n";
  }
  const std::size_t seeds = explanation.claims.empty() ? 0 : explanation.claims[0].seeds.size();
  return out + "<p class=\"soft\">The same command gives the same numbers.</p>\n" +
         page_bottom(explanation.provenance, seeds);
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
