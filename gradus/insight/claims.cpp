#include "gradus/insight/claims.h"

#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>

#include "gradus/base/error.h"
#include "gradus/base/version.h"

namespace gradus::insight {
namespace {

constexpr double alpha = 0.05;

/// The larger p of the two one-sided tests against -limit and limit.
double equivalence_p(const PairedTest& test, double limit) {
  const double distance = limit - std::abs(test.mean);
  if (test.deviation == 0) return distance > 0 ? 0 : 1;
  const double error = test.deviation / std::sqrt(static_cast<double>(test.pairs));
  return student_t_cdf(-distance / error, static_cast<double>(test.pairs - 1));
}

}  // namespace

std::string_view name_of(Direction direction) {
  switch (direction) {
    case Direction::higher: return "higher";
    case Direction::lower: return "lower";
    case Direction::equal: return "equal";
  }
  return "";
}

std::string_view name_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::holds: return "holds";
    case Verdict::refuted: return "refuted";
    case Verdict::undecided: return "undecided";
  }
  return "";
}

ClaimResult examine(const Claim& claim, std::span<const std::uint64_t> seeds, std::span<const Pair> pairs) {
  if (!(claim.smallest_effect > 0))
    throw Error(ErrorKind::value, "claim", fmt::format("{}: smallest_effect is {}", claim.id, claim.smallest_effect))
        .hint("how small a difference would not matter to anybody? It has to be positive");
  if (pairs.size() < 2 || pairs.size() != seeds.size())
    throw Error(ErrorKind::value, "claim",
                fmt::format("{}: {} seeds and {} pairs", claim.id, seeds.size(), pairs.size()))
        .hint("a paired test needs two seeds at least");
  ClaimResult result{
      .claim = claim, .seeds = {seeds.begin(), seeds.end()}, .pairs = {pairs.begin(), pairs.end()}, .test = {}};
  std::vector<double> differences;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    differences.push_back(pairs[i].treated - pairs[i].control);
    if (!std::isfinite(differences.back()))
      throw Error(ErrorKind::value, "claim", fmt::format("{}: the response is not finite", claim.id))
          .field("seed", fmt::format("{}", seeds[i]))
          .field("response",
                 fmt::format("{} with, {} without: {}", pairs[i].treated, pairs[i].control, claim.response));
  }
  result.test = paired_t_test(differences);
  result.p = claim.direction == Direction::equal ? equivalence_p(result.test, claim.smallest_effect) : result.test.p;
  result.corrected_p = result.p;
  result.detectable = smallest_detectable(pairs.size(), result.test.deviation);
  result.verdict = judge(result);
  return result;
}

Verdict judge(const ClaimResult& result) {
  const double limit = result.claim.smallest_effect, mean = result.test.mean;
  const Interval interval = result.test.interval;
  const bool sure = result.corrected_p < alpha;
  if (result.claim.direction == Direction::equal) {
    if (sure && std::abs(mean) < limit) return Verdict::holds;
    return interval.low > limit || interval.high < -limit ? Verdict::refuted : Verdict::undecided;
  }
  const bool higher = result.claim.direction == Direction::higher;
  const double effect = higher ? mean : -mean, highest = higher ? interval.high : -interval.low;
  if (sure && effect >= limit) return Verdict::holds;
  return highest < limit ? Verdict::refuted : Verdict::undecided;
}

std::vector<ClaimResult> run_claims(std::span<const Claim> claims, const std::vector<std::uint64_t>& seeds,
                                    const ClaimProgress& progress) {
  std::vector<ClaimResult> results;
  std::vector<double> p;
  for (const Claim& claim : claims) {
    const auto start = std::chrono::steady_clock::now();
    std::vector<Pair> pairs;
    for (const std::uint64_t seed : seeds) {
      if (progress) progress(results.size(), pairs.size());
      pairs.push_back(claim.measure(seed));
    }
    results.push_back(examine(claim, seeds, pairs));
    results.back().seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    p.push_back(results.back().p);
  }
  const std::vector<double> corrected = holm(p);
  for (std::size_t i = 0; i < results.size(); ++i) {
    results[i].corrected_p = corrected[i];
    results[i].verdict = judge(results[i]);
  }
  return results;
}

std::string ledger_line(const std::string& chapter, const ClaimResult& result, const Provenance& provenance) {
  const Claim& claim = result.claim;
  nlohmann::ordered_json line = {{"chapter", chapter},
                                 {"claim", claim.id},
                                 {"sentence", claim.sentence},
                                 {"factor", claim.factor},
                                 {"response", claim.response},
                                 {"direction", name_of(claim.direction)},
                                 {"smallest_effect", claim.smallest_effect},
                                 {"belief", claim.belief},
                                 {"data", claim.data},
                                 {"seeds", result.seeds}};
  for (const Pair& pair : result.pairs) {
    line["treated"].push_back(pair.treated);
    line["control"].push_back(pair.control);
  }
  line["effect"] = result.test.mean;
  line["interval"] = {result.test.interval.low, result.test.interval.high};
  line["p"] = result.p;
  line["corrected_p"] = result.corrected_p;
  line["detectable"] = result.detectable;
  line["verdict"] = name_of(result.verdict);
  line["version"] = version;
  line["data_checksums"] = provenance.data;
  line["machine"] = provenance.machine;
  return line.dump();
}

}  // namespace gradus::insight
