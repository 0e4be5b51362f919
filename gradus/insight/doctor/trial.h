// A remedy on trial: the recipe as it is and with each remedy, on the same seeds, and a test whether it helped.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "gradus/insight/claims.h"
#include "gradus/insight/doctor/rules.h"

namespace gradus::insight::doctor {

/// What the best epoch of a recipe's run is worth.
using Score = std::function<double(const train::Recipe& recipe)>;

struct TrialOptions {
  std::size_t remedies = 3;  ///< at most so many, those of the most severe findings
  std::size_t seeds = 5;     ///< at least 2: the recipe's seed and those after it
  /// A smaller gain in the score is not worth a change.
  double smallest_gain = 0.005;
  /// Examples that a run may train on, over all its epochs: more shorten it to fewer epochs.
  std::int64_t most_examples = 300'000;
  /// Called with the seed's number, the remedy's (0: the untouched recipe) and the score.
  std::function<void(std::size_t seed, std::size_t remedy, double score)> progress = {};
  /// Absent: trains in a folder that is gone afterwards, see validation_score.
  Score score = {};
};

struct RemedyResult {
  std::string rule;
  std::vector<Change> changes;
  std::vector<double> scores;  ///< by seed
  ClaimResult claim;           ///< that it raises the score: paired test, Holm's correction over the remedies, verdict
  bool accepted() const { return claim.verdict == Verdict::holds; }
};

struct TrialResult {
  std::vector<std::uint64_t> seeds;
  std::int64_t epochs = 0;  ///< of each run
  std::vector<double> untouched;
  std::vector<RemedyResult> remedies;
};

/// Trains and gives the best validation accuracy, or R2, of all epochs; 0 for a run that fails, and for less than 0.
double validation_score(const train::Recipe& recipe);

/// Runs the recipe and up to `remedies` remedies of the findings on every seed. A remedy is accepted when the claim that it raises the
/// score holds at the 5 % level, corrected for the number of remedies. Findings without changes have no remedy to try. Error(value) for
/// fewer than two seeds.
TrialResult run_trial(const train::Recipe& recipe, const Findings& findings, const TrialOptions& options);

std::string text_of(const TrialResult& result);
std::string json_of(const TrialResult& result);

}  // namespace gradus::insight::doctor
