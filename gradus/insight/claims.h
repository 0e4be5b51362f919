// Sentences that can be wrong, and the experiments that decide about them.
//
//   insight::Claim claim{.id = "momentum", .sentence = "Momentum needs fewer steps.",
//                        .factor = "momentum 0.9 instead of 0", .response = "log10 of the steps",
//                        .direction = insight::Direction::lower, .smallest_effect = 0.1, .measure = ...};
//   const auto results = insight::run_claims({&claim, 1}, {1, 2, 3, 4, 5});
//   insight::name_of(results[0].verdict)   // "holds"
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gradus/insight/statistics.h"

namespace gradus::insight {

/// What the factor is said to do to the response.
enum class Direction {
  higher,
  lower,
  equal  ///< nothing that matters: less than the smallest effect of interest, either way
};
std::string_view name_of(Direction direction);

enum class Verdict { holds, refuted, undecided };
std::string_view name_of(Verdict verdict);

/// The response with and without the factor, all else (data, initial weights, order of the examples) being equal.
struct Pair {
  double treated = 0, control = 0;
};

struct Claim {
  std::string id;        ///< unique in its chapter
  std::string sentence;  ///< as the text says it
  std::string factor;    ///< what is changed: "momentum 0.9 instead of 0"
  std::string response;  ///< what is measured, with its unit: "test accuracy"
  Direction direction = Direction::higher;
  double smallest_effect =
      0;                ///< of interest, > 0, in the unit of the response: a smaller one would not matter to anybody
  bool belief = false;  ///< popular, and tested because it is: no promise that it holds
  std::string data;     ///< what the experiment runs on: "digits", "quadratic"
  std::function<Pair(std::uint64_t seed)> measure;  ///< equal seeds give equal pairs, bit for bit
};

struct ClaimResult {
  Claim claim;
  std::vector<std::uint64_t> seeds;
  std::vector<Pair> pairs;
  PairedTest test;         ///< of treated - control
  double p = 1;            ///< of the claim: two-sided against 0, or of both one-sided tests for `equal`
  double corrected_p = 1;  ///< Holm's correction over all claims of the chapter
  double detectable = 0;   ///< the smallest effect that so many seeds would have found, with power 0.8
  Verdict verdict = Verdict::undecided;
  double seconds = 0;
};

/// What differences of pairs say about a claim before the correction; `corrected_p` is p.
/// Error(value) for fewer than two pairs, a response that is not finite (it names the seed), or smallest_effect <= 0.
ClaimResult examine(const Claim& claim, std::span<const std::uint64_t> seeds, std::span<const Pair> pairs);

/// The verdict of a result with its corrected_p, with 95 % intervals:
/// - higher, lower: *holds* when corrected_p < 0.05, the effect has the direction, and its mean is at least smallest_effect;
///   *refuted* when the whole interval lies below smallest_effect in that direction.
/// - equal: *holds* when corrected_p < 0.05, that is, when both one-sided tests exclude the smallest effect (Schuirmann, "A
///   comparison of the two one-sided tests procedure", 1987); *refuted* when the interval lies outside of it.
/// - *undecided* else: the seeds were too few for an effect of this size.
Verdict judge(const ClaimResult& result);

/// Called before every pair: claim number, seed number.
using ClaimProgress = std::function<void(std::size_t claim, std::size_t seed)>;

/// Runs every claim on every seed, corrects over them all, and judges.
std::vector<ClaimResult> run_claims(std::span<const Claim> claims, const std::vector<std::uint64_t>& seeds,
                                    const ClaimProgress& progress = {});

/// Where and on what something was measured.
struct Provenance {
  std::string machine;  ///< processor and threads
  std::string data;     ///< the data sets and the checksums of their examples: "digits 5d0c1f3a"
};

/// One line of JSON for a ledger: the claim, seeds, pairs, test and verdict, the version of Gradus, and the provenance. No clock: the
/// same run gives the same line.
std::string ledger_line(const std::string& chapter, const ClaimResult& result, const Provenance& provenance);

}  // namespace gradus::insight
