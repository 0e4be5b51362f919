#include "gradus/book/explain.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "gradus/base/error.h"
#include "gradus/base/parallel.h"
#include "gradus/base/version.h"
#include "gradus/book/lab.h"

namespace gradus::book {
namespace {

/// `line` with every {{name}} replaced.
std::string filled(std::string_view line, const std::map<std::string, std::string>& values) {
  std::string out;
  while (true) {
    const std::size_t open = line.find("{{"), close = line.find("}}", open);
    if (open == line.npos || close == line.npos) return out += line;
    const std::string name(line.substr(open + 2, close - open - 2));
    const auto found = values.find(name);
    if (found == values.end())
      throw Error(ErrorKind::value, "chapter", fmt::format("the text uses {{{{{}}}}}, which was not measured", name));
    out += line.substr(0, open);
    out += found->second;
    line.remove_prefix(close + 2);
  }
}

template <class Range>
bool has_id(const Range& range, const std::string& id) {
  return std::any_of(range.begin(), range.end(), [&](const auto& each) { return each.id == id; });
}

Piece piece_of(const Explanation& explanation, std::string_view line) {
  const std::size_t space = std::min(line.find(' '), line.size());
  const std::string_view what = line.substr(1, space - 1);
  const std::string id(line.substr(std::min(space + 1, line.size())));
  if (what == "claims" && id.empty()) return {Piece::Kind::claims, ""};
  if (what == "oracles" && id.empty()) return {Piece::Kind::oracles, ""};
  if (what == "figure" && has_id(explanation.notebook.figures, id)) return {Piece::Kind::figure, id};
  if (what == "claim" && std::any_of(explanation.claims.begin(), explanation.claims.end(),
                                     [&](const auto& each) { return each.claim.id == id; }))
    return {Piece::Kind::claim, id};
  if (const auto found = explanation.left_out.find(id);
      found != explanation.left_out.end() && (what == "figure" || what == "claim"))
    return {Piece::Kind::left_out, found->second};
  throw Error(ErrorKind::value, "chapter", fmt::format("the text asks for {}, which does not exist", line));
}

std::string in_words(insight::Direction direction) {
  switch (direction) {
    case insight::Direction::higher: return "above";
    case insight::Direction::lower: return "below";
    case insight::Direction::equal: return "within";
  }
  return "";
}

nlohmann::ordered_json json_of(const train::LinePlot& plot) {
  nlohmann::ordered_json lines = nlohmann::ordered_json::array();
  for (const train::PlotSeries& series : plot.series) {
    lines.push_back({{"name", series.name}, {"x", series.x}, {"y", series.y}});
    if (!series.low.empty()) lines.back()["low"] = series.low;
    if (!series.high.empty()) lines.back()["high"] = series.high;
  }
  return {{"title", plot.title}, {"x_label", plot.x_label}, {"series", lines}};
}

}  // namespace

std::string this_machine() {
  std::ifstream file("/proc/cpuinfo");
  std::string processor = "unknown processor";
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("model name")) continue;
    processor = line.substr(line.find(':') + 2);
    break;
  }
  return fmt::format("{}, {} threads", processor, num_threads());
}

void require_written(const Entry& entry) {
  if (!text_of(entry).empty()) return;
  throw Error(ErrorKind::usage, "explain", fmt::format("chapter {} is not written yet", entry.slug))
      .field("it will answer", std::string(entry.request))
      .hint("gradus explain lists the chapters that are");
}

Explanation explain(const Entry& entry, Effort effort, const Progress& progress) {
  require_written(entry);
  std::optional<Chapter> chapter = find_chapter(entry);
  Explanation result{.entry = &entry,
                     .chapter = *std::move(chapter),
                     .effort = effort,
                     .claims = {},
                     .oracles = {},
                     .notebook = {},
                     .left_out = {},
                     .provenance = {this_machine(), data_checksums()}};
  const auto say = [&](const std::string& what) {
    if (progress) progress(what);
  };
  if (result.chapter.left_out) result.left_out = result.chapter.left_out(effort);
  std::vector<insight::Claim> claims = result.chapter.claims(effort);
  std::erase_if(claims, [&](const insight::Claim& claim) { return result.left_out.contains(claim.id); });
  const std::vector<std::uint64_t> seeds = seeds_of(effort);
  result.claims = insight::run_claims(claims, seeds, [&](std::size_t claim, std::size_t seed) {
    say(fmt::format("claim {} of {}: {}, seed {} of {}", claim + 1, claims.size(), claims[claim].id, seed + 1,
                    seeds.size()));
  });
  say("exact results");
  for (const train::Oracle& oracle : train::oracles()) {
    const auto& own = result.chapter.oracles;
    if (std::find(own.begin(), own.end(), oracle.name) != own.end())
      result.oracles.push_back(train::run_oracle(oracle));
  }
  say("figures");
  result.chapter.measure(result.notebook, effort);
  return result;
}

std::vector<Piece> pieces_of(const Explanation& explanation, std::string_view text) {
  std::vector<Piece> pieces;
  std::set<std::string> shown;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size() - 1) + 1;
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end);
    if (line.starts_with("@")) {
      pieces.push_back(piece_of(explanation, line.substr(0, line.find_last_not_of(" \n") + 1)));
      if (pieces.back().kind == Piece::Kind::figure) shown.insert(pieces.back().content);
      continue;
    }
    if (pieces.empty() || pieces.back().kind != Piece::Kind::text) pieces.push_back({});
    pieces.back().content += filled(line, explanation.notebook.values);
  }
  for (const Figure& figure : explanation.notebook.figures)
    if (!shown.contains(figure.id))
      throw Error(ErrorKind::value, "chapter", fmt::format("the text never shows figure {}", figure.id));
  return pieces;
}

std::string effect_text(const insight::ClaimResult& result) {
  const insight::PairedTest& test = result.test;
  return fmt::format("{:+.3g} [{:.3g}, {:.3g}]", test.mean, test.interval.low, test.interval.high);
}

std::string reason_of(const insight::ClaimResult& result) {
  const double limit = (result.claim.direction == insight::Direction::lower ? -1 : 1) * result.claim.smallest_effect;
  const std::string limits = fmt::format("{} {}{:.3g}", in_words(result.claim.direction),
                                         result.claim.direction == insight::Direction::equal ? "\u00b1" : "", limit);
  switch (result.verdict) {
    case insight::Verdict::holds:
      return fmt::format("{} pairs, corrected p {:.2g}; the effect that matters is {}", result.test.pairs,
                         result.corrected_p, limits);
    case insight::Verdict::refuted: return fmt::format("the whole interval misses the effect that matters, {}", limits);
    case insight::Verdict::undecided:
      return fmt::format("{} pairs could have seen an effect of {:.2g}; the one that matters is {}", result.test.pairs,
                         result.detectable, limits);
  }
  return "";
}

std::string json_text(const Explanation& explanation) {
  nlohmann::ordered_json json = {
      {"chapter", explanation.entry->slug},        {"number", explanation.entry->number},
      {"title", explanation.entry->title},         {"version", version},
      {"machine", explanation.provenance.machine}, {"data_checksums", explanation.provenance.data}};
  json["claims"] = nlohmann::ordered_json::array();
  for (const insight::ClaimResult& result : explanation.claims)
    json["claims"].push_back(nlohmann::ordered_json::parse(
        insight::ledger_line(std::string(explanation.entry->slug), result, explanation.provenance)));
  json["oracles"] = nlohmann::ordered_json::array();
  for (const train::OracleResult& r : explanation.oracles)
    json["oracles"].push_back({{"check", r.name},
                               {"figure", r.about},
                               {"expected", r.expected},
                               {"found", r.found},
                               {"tolerance", r.tolerance},
                               {"passed", r.passed}});
  json["figures"] = nlohmann::ordered_json::array();
  for (const Figure& figure : explanation.notebook.figures) {
    nlohmann::ordered_json each = json_of(figure.plot);
    each["id"] = figure.id;
    each["caption"] = figure.caption;
    json["figures"].push_back(each);
  }
  json["values"] = explanation.notebook.values;
  json["left_out"] = explanation.left_out;
  return json.dump();
}

}  // namespace gradus::book
