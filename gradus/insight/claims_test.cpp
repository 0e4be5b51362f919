#include "gradus/insight/claims.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "gradus/base/error.h"
#include "gradus/base/random.h"

namespace gradus::insight {
namespace {

using ::testing::HasSubstr;

Claim claim_of(Direction direction, double smallest) {
  return {.id = "c",
          .sentence = "s",
          .factor = "f",
          .response = "r",
          .direction = direction,
          .smallest_effect = smallest,
          .data = "d",
          .measure = {}};
}

Verdict verdict_of(Direction direction, double smallest, std::vector<double> effects) {
  std::vector<std::uint64_t> seeds;
  std::vector<Pair> pairs;
  for (const double effect : effects) {
    seeds.push_back(seeds.size());
    pairs.push_back({1 + effect, 1});
  }
  return examine(claim_of(direction, smallest), seeds, pairs).verdict;
}

TEST(Claims, Verdicts) {
  const std::vector<double> large = {1.0, 1.1, 0.9, 1.05, 0.95}, none = {0.01, -0.01, 0.02, -0.02, 0.005};
  const std::vector<double> wild = {3, -2, 1, -1, 2}, negative = {-1.0, -1.1, -0.9, -1.05, -0.95};
  const struct {
    Direction direction;
    double smallest;
    std::vector<double> effects;
    Verdict verdict;
  } rows[] = {
      {Direction::higher, 0.5, large, Verdict::holds},      {Direction::higher, 1.5, large, Verdict::refuted},
      {Direction::higher, 0.5, none, Verdict::refuted},     {Direction::higher, 0.5, wild, Verdict::undecided},
      {Direction::higher, 0.5, negative, Verdict::refuted}, {Direction::lower, 0.5, negative, Verdict::holds},
      {Direction::lower, 0.5, large, Verdict::refuted},     {Direction::equal, 0.5, none, Verdict::holds},
      {Direction::equal, 0.5, large, Verdict::refuted},     {Direction::equal, 0.5, negative, Verdict::refuted},
      {Direction::equal, 0.5, wild, Verdict::undecided},    {Direction::equal, 0.1, {0, 0, 0}, Verdict::holds},
      {Direction::higher, 0.1, {1, 1, 1}, Verdict::holds},  {Direction::equal, 0.1, {1, 1}, Verdict::refuted},
  };
  for (const auto& row : rows)
    EXPECT_EQ(verdict_of(row.direction, row.smallest, row.effects), row.verdict)
        << name_of(row.direction) << ' ' << row.smallest << ' ' << row.effects[0];
}

/// A claim without any effect: treated and control are noise.
Claim placebo(std::uint64_t number) {
  Claim claim = claim_of(Direction::higher, 0.1);
  claim.measure = [number](std::uint64_t seed) {
    float z[2];
    fill_normal(std::span<float>(z), Key{number}.fold(seed), 0, 1);
    return Pair{z[0], z[1]};
  };
  return claim;
}

// In 400 chapters of five placebos each, about one in forty says of one of them that it holds (two-sided at 0.05, and
// the direction has to be right); 20 is three standard deviations above the 10 that are expected.
TEST(Claims, PlacebosDoNotHold) {
  std::vector<std::uint64_t> seeds = {1, 2, 3, 4, 5, 6, 7, 8};
  int chapters = 0;
  for (std::uint64_t chapter = 0; chapter < 400; ++chapter) {
    std::vector<Claim> claims;
    for (std::uint64_t i = 0; i < 5; ++i) claims.push_back(placebo(chapter * 5 + i));
    int holding = 0;
    for (const ClaimResult& r : run_claims(claims, seeds)) holding += r.verdict == Verdict::holds;
    chapters += holding > 0;
  }
  EXPECT_LE(chapters, 20);
  EXPECT_GE(chapters, 1);
}

TEST(Claims, RunsAreCorrectedAndRepeat) {
  std::vector<Claim> claims = {placebo(1), placebo(2)};
  claims.push_back(claim_of(Direction::higher, 0.5));
  claims.back().measure = [](std::uint64_t seed) { return Pair{2 + 0.01 * std::sin(static_cast<double>(seed)), 1}; };
  std::size_t calls = 0;
  const auto results = run_claims(claims, {1, 2, 3, 4}, [&](std::size_t, std::size_t) { ++calls; });
  EXPECT_EQ(calls, 12u);
  EXPECT_EQ(results[2].verdict, Verdict::holds);
  EXPECT_DOUBLE_EQ(results[2].corrected_p, 3 * results[2].p);
  const auto again = run_claims(claims, {1, 2, 3, 4});
  for (std::size_t i = 0; i < results.size(); ++i)
    EXPECT_EQ(ledger_line("x", results[i], {"m", "d"}), ledger_line("x", again[i], {"m", "d"}));
  EXPECT_THAT(ledger_line("x", results[2], {"m", "digits 1"}), HasSubstr("\"verdict\":\"holds\""));
  EXPECT_THAT(ledger_line("x", results[2], {"m", "digits 1"}), HasSubstr("\"data_checksums\":\"digits 1\""));
}

TEST(Claims, RefuseWhatCannotBeJudged) {
  const std::uint64_t seeds[] = {7, 8};
  const Pair pairs[] = {{1, 2}, {NAN, 1}};
  try {
    examine(claim_of(Direction::higher, 1), seeds, pairs);
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(
        error.what(),
        "value error in claim: c: the response is not finite\n  seed      8\n  response  nan with, 1 without: r");
  }
  EXPECT_THROW(examine(claim_of(Direction::higher, 0), seeds, {{{1, 2}, {1, 1}}}), Error);
  EXPECT_THROW(examine(claim_of(Direction::higher, 1), {seeds, 1}, {pairs, 1}), Error);
}

}  // namespace
}  // namespace gradus::insight
