#include "gradus/insight/compare/advice.h"

#include <fmt/format.h>

#include "gradus/base/error.h"

namespace gradus::insight {
namespace {

std::string interval_text(const PairedTest& test) {
  return fmt::format("{:+.4f}, 95 % interval {:+.4f} to {:+.4f}", test.mean, test.interval.low, test.interval.high);
}

/// "12 times as long", of two durations.
std::string ratio_text(double a, double b, const char* what) {
  if (!(b > 0)) return {};
  const double ratio = a / b;
  if (ratio >= 1.5) return fmt::format("{:.3g} times {}", ratio, what);
  if (ratio <= 1 / 1.5) return fmt::format("{:.3g} of {}", ratio, what);
  return fmt::format("about {}", what);
}

/// Learners that no test tells from the best one.
std::string company_of(const Comparison& comparison) {
  std::string names;
  const Standing& first = comparison.standings.front();
  for (const Standing& each : comparison.standings) {
    if (&each == &first || each.name == "baseline") continue;
    if (comparison.gain(first.name, each.name).interval.low > 0) continue;
    names += (names.empty() ? "" : ", ") + each.name;
  }
  return names;
}

std::vector<std::string> reasons_of(const Comparison& comparison, const Standing& network, const Standing& other) {
  std::vector<std::string> reasons;
  const std::string company = company_of(comparison);
  if (!company.empty())
    reasons.push_back(fmt::format("These splits cannot tell {} from: {}.", comparison.standings.front().name, company));
  const std::string fit =
      ratio_text(network.fit_seconds + network.tune_seconds, other.fit_seconds + other.tune_seconds, "the time");
  if (!fit.empty())
    reasons.push_back(fmt::format("Tuning and training the {} took {} of {} ({:.2g} s against {:.2g} s a split).",
                                  network.name, fit, other.name, network.fit_seconds + network.tune_seconds,
                                  other.fit_seconds + other.tune_seconds));
  const std::string size = ratio_text(static_cast<double>(network.bytes), static_cast<double>(other.bytes), "the size");
  if (!size.empty()) reasons.push_back(fmt::format("What it learned takes {} of that of {}.", size, other.name));
  return reasons;
}

}  // namespace

std::string_view name_of(Answer answer) {
  constexpr std::string_view names[] = {"yes", "no", "no difference", "undecided", "nothing learned"};
  return names[static_cast<int>(answer)];
}

Advice advise(const Comparison& comparison, double margin) {
  const Standing *network = comparison.best(true), *other = comparison.best(false);
  if (network == nullptr || other == nullptr)
    throw Error(ErrorKind::value, "advise", "needs a network and something else to compare it with");
  const std::string_view score = comparison.score_name();
  const PairedTest gain = comparison.gain(network->name, other->name);
  const Standing& best = gain.mean > 0 ? *network : *other;
  const PairedTest over_baseline = comparison.gain(best.name, "baseline");
  if (has_unit(comparison.metric)) margin *= comparison.of("baseline").mean;
  const std::string numbers = fmt::format("{} {:.4f} against {:.4f} ({})", score, network->mean, other->mean,
                                          interval_text(comparison.difference(network->name, other->name)));
  Advice advice{.sentence = {}, .reasons = reasons_of(comparison, *network, *other)};
  if (over_baseline.interval.low <= 0) {
    advice.answer = Answer::nothing_learned;
    advice.sentence = fmt::format(
        "No, and nothing else either: not even the best learner ({}) is surely better than the baseline ({} {:.4f} "
        "against {:.4f}). The columns say too little about the target, or there are too few rows.",
        best.name, score, best.mean, comparison.of("baseline").mean);
  } else if (gain.interval.low > 0 && gain.mean >= margin) {
    advice.answer = Answer::yes;
    advice.sentence =
        fmt::format("Yes: the {} is better than the best of the others, {}: {}.", network->name, other->name, numbers);
  } else if (gain.interval.high < 0) {
    advice.answer = Answer::no;
    advice.sentence = fmt::format("No: {} is better than the {}: {}.", other->name, network->name, numbers);
  } else if (gain.interval.low > -margin && gain.interval.high < margin) {
    advice.answer = Answer::no_difference;
    advice.sentence = fmt::format("No need to: between the {} and {} there is no difference that matters: {}.",
                                  network->name, other->name, numbers);
  } else {
    advice.answer = Answer::undecided;
    advice.sentence = fmt::format(
        "There is no evidence that you should: these rows cannot tell the {} from {}: {}. Take {} until more "
        "rows say otherwise.",
        network->name, other->name, numbers, other->name);
  }
  return advice;
}

}  // namespace gradus::insight
