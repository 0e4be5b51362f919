#include "gradus/insight/doctor/trial.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "gradus/base/error.h"
#include "gradus/insight/doctor/temporary_folder.h"
#include "gradus/train/setup.h"
#include "gradus/train/trainer.h"

namespace gradus::insight::doctor {
namespace {

/// Findings with a remedy that changes something, each remedy once.
std::vector<RemedyResult> choose(const train::Recipe& recipe, const Findings& findings, std::size_t most) {
  std::vector<RemedyResult> chosen;
  for (const Finding& finding : findings) {
    if (chosen.size() == most) break;
    const bool known = std::any_of(chosen.begin(), chosen.end(),
                                   [&](const RemedyResult& other) { return other.changes == finding.changes; });
    if (finding.changes.empty() || known || changed(recipe, finding.changes) == recipe) continue;
    chosen.push_back({.rule = finding.rule, .changes = finding.changes, .scores = {}, .claim = {}});
  }
  return chosen;
}

std::string changes_text(const std::vector<Change>& changes) {
  std::vector<std::string> texts;
  for (const Change& change : changes) texts.push_back(fmt::format("{} = {}", change.key, change.value));
  return fmt::format("{}", fmt::join(texts, ", "));
}

/// The recipe of one run: shorter, with this seed, and without files that nobody reads.
train::Recipe of_run(train::Recipe recipe, std::uint64_t seed, std::int64_t epochs) {
  recipe.seed = static_cast<std::int64_t>(seed);
  recipe.train.epochs = epochs;
  recipe.train.swa_start = std::min(recipe.train.swa_start, epochs);
  recipe.train.checkpoint_steps = 0;
  recipe.log = {};
  recipe.log.report = false;
  return recipe;
}

void judge_all(TrialResult& result, double smallest_gain) {
  std::vector<double> p;
  for (RemedyResult& remedy : result.remedies) {
    const Claim claim{.id = remedy.rule,
                      .sentence = fmt::format("{} raises the score.", changes_text(remedy.changes)),
                      .factor = changes_text(remedy.changes),
                      .response = "best validation score",
                      .direction = Direction::higher,
                      .smallest_effect = smallest_gain,
                      .data = "the run's own",
                      .measure = {}};
    std::vector<Pair> pairs;
    for (std::size_t i = 0; i < result.seeds.size(); ++i) pairs.push_back({remedy.scores[i], result.untouched[i]});
    remedy.claim = examine(claim, result.seeds, pairs);
    p.push_back(remedy.claim.p);
  }
  const std::vector<double> corrected = holm(p);
  for (std::size_t i = 0; i < p.size(); ++i) {
    result.remedies[i].claim.corrected_p = corrected[i];
    result.remedies[i].claim.verdict = judge(result.remedies[i].claim);
  }
}

}  // namespace

double validation_score(const train::Recipe& recipe) {
  const detail::TemporaryFolder folder;
  double best = 0;
  try {
    const train::TrainResult result = train::start(recipe, {.run = folder.path() + "/run"});
    for (const train::EpochMetrics& epoch : result.history)
      if (const double score = train::val_score(epoch); score > best) best = score;  // NaN is not
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::value || error.op() != "train") throw;
    best = 0;  // the loss was no longer finite
  }
  return best;
}

TrialResult run_trial(const train::Recipe& recipe, const Findings& findings, const TrialOptions& options) {
  if (options.seeds < 2) {
    throw Error(ErrorKind::value, "doctor", fmt::format("a trial on {} seeds", options.seeds))
        .hint("a paired test needs two at least, and five to find a gain of ordinary size");
  }
  TrialResult result;
  result.remedies = choose(recipe, findings, options.remedies);
  const std::int64_t examples = train::load_training_data(recipe).train.size();
  result.epochs = std::clamp<std::int64_t>(options.most_examples / examples, 1, recipe.train.epochs);
  const Score score = options.score ? options.score : validation_score;
  for (std::size_t i = 0; i < options.seeds && !result.remedies.empty(); ++i) {
    const std::uint64_t seed = static_cast<std::uint64_t>(recipe.seed) + i;
    result.seeds.push_back(seed);
    result.untouched.push_back(score(of_run(recipe, seed, result.epochs)));
    if (options.progress) options.progress(i, 0, result.untouched.back());
    for (std::size_t r = 0; r < result.remedies.size(); ++r) {
      RemedyResult& remedy = result.remedies[r];
      remedy.scores.push_back(score(of_run(changed(recipe, remedy.changes), seed, result.epochs)));
      if (options.progress) options.progress(i, r + 1, remedy.scores.back());
    }
  }
  if (!result.remedies.empty()) judge_all(result, options.smallest_gain);
  return result;
}

std::string text_of(const TrialResult& result) {
  if (result.remedies.empty()) return "trial: no finding has a remedy that a recipe can say\n";
  std::string text =
      fmt::format("trial: {} seeds, {} epochs each; best validation score of the untouched recipe {:.4f}\n",
                  result.seeds.size(), result.epochs, mean_of(result.untouched));
  for (const RemedyResult& remedy : result.remedies) {
    const ClaimResult& c = remedy.claim;
    const char* verdict = remedy.accepted()               ? "accepted"
                          : c.verdict == Verdict::refuted ? "did nothing"
                                                          : "not shown to help";
    text += fmt::format(
        "  {:<18} {}\n  {:<18} {:.4f}, gain {:+.4f} (95 % interval {:+.4f} to {:+.4f}), p {:.3g} after "
        "Holm's correction over {}\n",
        verdict, changes_text(remedy.changes), "", mean_of(remedy.scores), c.test.mean, c.test.interval.low,
        c.test.interval.high, c.corrected_p, result.remedies.size());
  }
  return text;
}

std::string json_of(const TrialResult& result) {
  nlohmann::ordered_json json = {{"seeds", result.seeds},
                                 {"epochs", result.epochs},
                                 {"untouched", result.untouched},
                                 {"remedies", nlohmann::ordered_json::array()}};
  for (const RemedyResult& remedy : result.remedies) {
    nlohmann::ordered_json changes = nlohmann::ordered_json::array();
    for (const Change& change : remedy.changes)
      changes.push_back({{"key", change.key}, {"value", change.value}, {"was", change.was}});
    json["remedies"].push_back({{"rule", remedy.rule},
                                {"changes", std::move(changes)},
                                {"scores", remedy.scores},
                                {"gain", remedy.claim.test.mean},
                                {"interval_95", {remedy.claim.test.interval.low, remedy.claim.test.interval.high}},
                                {"p", remedy.claim.p},
                                {"corrected_p", remedy.claim.corrected_p},
                                {"verdict", name_of(remedy.claim.verdict)},
                                {"accepted", remedy.accepted()}});
  }
  return json.dump();
}

}  // namespace gradus::insight::doctor
