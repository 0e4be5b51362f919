#include "gradus/insight/doctor/rules.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "gradus/insight/doctor/remedies.h"

// Every number in a condition below was chosen on the development part of the fault suite (suite/cases.h), and never on the
// held-out part.

namespace gradus::insight::doctor {
namespace {

using std::optional;

double share(std::int64_t part, std::int64_t whole) {
  return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole) : 0;
}

bool found(const Findings& before, std::initializer_list<std::string_view> names) {
  return std::any_of(before.begin(), before.end(),
                     [&](const Finding& f) { return std::find(names.begin(), names.end(), f.rule) != names.end(); });
}

/// The network knows less of its own training examples than their neighbours do, or nothing at all.
bool falls_short(const Evidence& e) {
  const double goal = std::isnan(e.data.neighbour_skill) ? 0.25 : e.data.neighbour_skill;
  return !(e.training_skill >= 0.1) || e.training_skill < goal - 0.15;
}

std::string skills(const Evidence& e) {
  return fmt::format(
      "skill on the training examples {:.2f} (0: the commonest answer, 1: perfect), of their nearest "
      "neighbours {:.2f}",
      e.training_skill, e.data.neighbour_skill);
}

/// How far the loss where the run ended lies above `loss`, in losses of knowing nothing.
double behind(const Evidence& e, double loss) { return (e.final_loss - loss) / e.prior_loss; }

std::string rate_text(const Evidence& e, RateEvidence::Point other) {
  return fmt::format(
      "the run ended at loss {:.3g} (knowing nothing: {:.3g}); {} steps with the rate {:g} reach {:.3g}, "
      "with the recipe's {:g} {:.3g}",
      e.final_loss, e.prior_loss, e.rates.steps, other.lr, other.loss, e.rates.same.lr, e.rates.same.loss);
}

/// What the run recorded of the length of its steps, for the evidence of a rate.
std::string recorded_steps(const Evidence& e) {
  std::string text;
  if (!std::isnan(e.recorded.update))
    text += fmt::format("; the run recorded updates of {:.1e} of the weights (median; about 1e-3 is usual)",
                        e.recorded.update);
  if (!std::isnan(e.recorded.sharpness))
    text +=
        fmt::format("; sharpness times the rate was {:.2g} (plain descent needs less than 2)", e.recorded.sharpness);
  return text;
}

/// Since when an activation was as the last checkpoint shows it, if the run recorded that.
std::string since(const RecordedEvidence::Mark& mark) {
  if (mark.step == 0 || !(mark.value > 0)) return "";
  return fmt::format("; the run recorded {:.0f} % for {}, at least half of that since step {}", 100 * mark.value,
                     mark.path, mark.step);
}

optional<Finding> leaked_rows(const Evidence& e, const Findings&) {
  const double leaked = share(e.data.leaked_test, e.data.test);
  if (e.data.leaked_test < 3 || leaked < 0.005) return {};
  return Finding{.severity = Severity::critical,
                 .evidence = fmt::format("{} of {} test examples are training examples, too, bit for bit",
                                         e.data.leaked_test, e.data.test),
                 .numbers = {{"leaked_share", leaked}},
                 .cause = "The test measures memory, not skill: its figures are too good.",
                 .advice = "remove the repeated rows, then split anew: gradus data split FILE.csv"};
}

optional<Finding> duplicate_rows(const Evidence& e, const Findings&) {
  const std::int64_t all = e.data.training + e.data.validation, count = e.data.repeated + e.data.leaked_validation;
  if (count < 3 || share(count, all) < 0.02) return {};
  return Finding{.evidence = fmt::format("{} of {} training and validation examples occur more than once; {} of {} "
                                         "validation examples are training examples, too",
                                         count, all, e.data.leaked_validation, e.data.validation),
                 .numbers = {{"repeated_share", share(count, all)},
                             {"leaked_validation_share", share(e.data.leaked_validation, e.data.validation)}},
                 .cause = "Rows that were repeated before validation examples were held out stand on both sides.",
                 .advice = "remove the repeated rows of the training file"};
}

optional<Finding> unshuffled_data(const Evidence& e, const Findings&) {
  const double excess = e.data.same_neighbour - e.data.same_expected;
  if (e.recipe.data.shuffle || excess < 0.3) return {};
  return Finding{
      .severity = Severity::critical,
      .evidence = fmt::format("{:.0f} % of the training examples have the class of the one before them, in a "
                              "random order {:.0f} %, and data.shuffle is false",
                              100 * e.data.same_neighbour, 100 * e.data.same_expected),
      .numbers = {{"same_class_as_before", e.data.same_neighbour}, {"expected", e.data.same_expected}},
      .cause = "Batches of one class pull the network from one answer to the next; it forgets the others.",
      .changes = {change(e.recipe, "data.shuffle", "true")}};
}

optional<Finding> unshuffled_split(const Evidence& e, const Findings&) {
  if (e.data.split_p > 1e-6 || e.data.split_distance < 0.15) return {};
  return Finding{
      .severity = Severity::critical,
      .evidence = fmt::format("classes of the training examples: {}; of the test examples: {} (chi-square "
                              "p {:.1g})",
                              fmt::join(e.data.classes, ", "), fmt::join(e.data.test_classes, ", "), e.data.split_p),
      .numbers = {{"distance", e.data.split_distance}, {"p", e.data.split_p}},
      .cause = "The file was cut in two without being shuffled: the parts hold different things.",
      .advice = "split at random: gradus data split FILE.csv --stratify COLUMN"};
}

optional<Finding> unscaled_inputs(const Evidence& e, const Findings&) {
  const bool large = e.data.largest_rms > 30, small = e.data.largest_rms > 0 && e.data.largest_rms < 0.01;
  const bool shifted = e.data.largest_offset > 30 && e.data.largest_rms > 3;
  const bool wild = e.data.largest_value > 1e6 * std::max(e.data.median_rms, 1.0);
  if (!large && !small && !shifted && !wild) return {};
  return Finding{
      .severity = e.failure || falls_short(e) ? Severity::critical : Severity::warning,
      .evidence = fmt::format("column {} has a root mean square of {:.3g}, the median column {:.3g}; the "
                              "mean of column {} is {:.3g} standard deviations from 0; the largest value is {:.3g}, "
                              "in column {}",
                              e.data.rms_column, e.data.largest_rms, e.data.median_rms, e.data.offset_column,
                              e.data.largest_offset, e.data.largest_value, e.data.value_column),
      .numbers = {{"largest_rms", e.data.largest_rms},
                  {"median_rms", e.data.median_rms},
                  {"largest_offset", e.data.largest_offset}},
      .cause = "Weights start for inputs of size 1: no learning rate suits columns of such sizes.",
      .changes = standardise(e.recipe)};
}

optional<Finding> label_noise(const Evidence& e, const Findings&) {
  if (e.data.contradicted < 0.05) return {};
  return Finding{.evidence = fmt::format("{:.1f} % of the training examples have another class than at least 8 of "
                                         "their 10 nearest neighbours agree on",
                                         100 * e.data.contradicted),
                 .numbers = {{"contradicted_share", e.data.contradicted}},
                 .cause =
                     "Wrong labels are suspected, or classes that overlap; a network that fits them learns them by "
                     "heart.",
                 .changes = {change(e.recipe, "train.label_smoothing", 0.1)},
                 .advice = "look at the examples; correct labels help more than any setting"};
}

optional<Finding> class_imbalance(const Evidence& e, const Findings&) {
  const train::TrainSettings& t = e.recipe.train;
  if (e.data.classes.size() < 2 || t.class_balance != "none" || !t.class_weights.empty()) return {};
  const std::int64_t rarest = e.data.classes[static_cast<std::size_t>(e.rarest_class)];
  const double relative = share(rarest, e.data.training) * static_cast<double>(e.data.classes.size());
  if (relative > 0.3) return {};
  return Finding{
      .evidence = fmt::format("class {} has {} of {} training examples; {} of it are recognised, out of {} "
                              "in validation and test",
                              e.rarest_class, rarest, e.data.training,
                              std::isnan(e.rarest_recall) ? "none" : fmt::format("{:.0f} %", 100 * e.rarest_recall),
                              e.rarest_examples),
      .numbers = {{"share_of_fair_share", relative}, {"recall", e.rarest_recall}},
      .cause = "The rare class hardly counts in the loss, and accuracy hides it.",
      .changes = {change(e.recipe, "train.class_balance", "\"balanced\"")}};
}

optional<Finding> batch_norm_mode(const Evidence& e, const Findings&) {
  if (e.untracked_norms > 0) {
    return Finding{.severity = Severity::critical,
                   .evidence = fmt::format("{} of {} batch norms recorded no batch in {} steps", e.untracked_norms,
                                           e.batch_norms, e.loop.step),
                   .numbers = {{"untracked", static_cast<double>(e.untracked_norms)}},
                   .cause = "The network trained in evaluation mode: its batch norms did not normalise.",
                   .advice = "nn::train(model) before training, nn::eval_mode(model) before measuring"};
  }
  if (e.batch_norms == 0 || !(e.batch_skill - e.training_skill > 0.2)) return {};
  return Finding{
      .severity = Severity::critical,
      .evidence = fmt::format("skill on training examples {:.2f} with recorded statistics, {:.2f} with those "
                              "of the batch",
                              e.training_skill, e.batch_skill),
      .numbers = {{"recorded", e.training_skill}, {"batch", e.batch_skill}},
      .cause = "The running statistics of the batch norms are not those of the network that is measured.",
      .advice = "a larger momentum of the batch norms, more steps, or optim::update_bn after training"};
}

optional<Finding> frozen_layer(const Evidence& e, const Findings&) {
  std::vector<std::string> paths;
  for (const LayerEvidence& layer : e.layers)
    if (layer.frozen) paths.push_back(layer.path);
  if (paths.empty()) return {};
  return Finding{.evidence = fmt::format("the weights of {} are those of the start, bit for bit, after {} steps, "
                                         "although the loss has a gradient there",
                                         fmt::join(paths, ", "), e.loop.step),
                 .numbers = {{"layers", static_cast<double>(paths.size())}},
                 .cause = "The layer is frozen, or the optimizer was not given its parameters.",
                 .advice = "nn::unfreeze(model) before the optimizer is made, unless it is meant"};
}

optional<Finding> identical_units(const Evidence& e, const Findings&) {
  std::vector<std::string> paths;
  for (const LayerEvidence& layer : e.layers)
    if (layer.copies) paths.push_back(layer.path);
  if (paths.empty()) return {};
  return Finding{.severity = Severity::critical,
                 .evidence = fmt::format("all units of {} have equal weights", fmt::join(paths, ", ")),
                 .numbers = {{"layers", static_cast<double>(paths.size())}},
                 .cause = "Units that start equal get equal gradients: the layer is one unit, many times.",
                 .advice = "start from random weights (nn::init), not from zeros or constants"};
}

optional<Finding> exploding_gradients(const Evidence& e, const Findings&) {
  const LayerEvidence* worst = nullptr;
  const auto relative = [](const LayerEvidence& layer) { return std::max(layer.start_relative, layer.last_relative); };
  for (const LayerEvidence& layer : e.layers)
    if (worst == nullptr || relative(layer) > relative(*worst)) worst = &layer;
  if (worst == nullptr) return {};
  // A start of one's own is not in the folder, but its first epoch is.
  const double first = e.history.empty() ? 0 : e.history.front().train_loss / e.prior_loss;
  const bool own_start = first > 10 && e.rates.same.loss < e.prior_loss;
  const RecordedEvidence::Mark& recorded = e.recorded.largest_gradient;
  if (!(relative(*worst) > 30) && !own_start && !(recorded.value > 30)) return {};
  std::vector<Change> remedy = standardise_targets(e.recipe);
  if (remedy.empty()) remedy = {change(e.recipe, "train.clip_norm", 1.0)};
  std::string seen = fmt::format(
      "the gradient of {} is {:.3g} times its weights at the start, {:.3g} times at the last "
      "checkpoint",
      worst->path, worst->start_relative, worst->last_relative);
  if (own_start)
    seen = fmt::format(
        "the loss of the first epoch was {:.3g} times that of knowing nothing; from the start that the "
        "recipe gives it falls at once",
        first);
  if (recorded.value > relative(*worst))
    seen +=
        fmt::format("; the run recorded {:.3g} times, of {} in step {}", recorded.value, recorded.path, recorded.step);
  return Finding{.severity = Severity::critical,
                 .evidence = std::move(seen),
                 .numbers = {{"start", worst->start_relative},
                             {"last", worst->last_relative},
                             {"first_epoch", first},
                             {"recorded", recorded.value}},
                 .cause = "Gradients far above the size of the weights throw them away with each step.",
                 .changes = std::move(remedy),
                 .advice = own_start ? "smaller starting weights: nn::init::kaiming_normal, not larger ones" : ""};
}

optional<Finding> rate_too_high(const Evidence& e, const Findings& before) {
  const RateEvidence::Point lower = e.rates.best_lower();
  const double gain = (e.rates.same.loss - lower.loss) / e.prior_loss;
  const bool lost = behind(e, lower.loss) > 0.07 && gain > 0.1;
  // The run found back in the end: it took epochs to make good what its first steps broke.
  const bool recovered = !e.history.empty() && e.history.front().train_loss > 10 * e.prior_loss &&
                         e.rates.same.loss > e.prior_loss && lower.loss < 0.5 * e.prior_loss;
  if (!std::isfinite(lower.loss) || (!lost && !recovered)) return {};
  if (found(before, {"exploding-gradients", "identical-units"})) return {};
  return Finding{.severity = lost ? Severity::critical : Severity::warning,
                 .evidence = rate_text(e, lower) + recorded_steps(e),
                 .numbers = {{"ended_at", e.final_loss}, {"lower", lower.loss}, {"same", e.rates.same.loss}},
                 .cause = "The steps are longer than the slope of the loss is valid.",
                 .changes = {change(e.recipe, "optimizer.lr", lower.lr)}};
}

optional<Finding> nan_origin(const Evidence& e, const Findings&) {
  if (!e.failure) return {};
  std::string recorded;
  if (e.recorded.failed.step > 0 && !e.recorded.failed.path.empty())
    recorded = fmt::format("; in step {} the run recorded gradients that are not finite for {} parameters, {} first",
                           e.recorded.failed.step, e.recorded.failed.value, e.recorded.failed.path);
  return Finding{.severity = Severity::critical,
                 .evidence = fmt::format("{} step {}: {}; the largest input is {:.3g}, in column {}{}",
                                         e.failure->training ? "in" : "in the validation after", e.failure->step,
                                         e.failure->origin, e.data.largest_value, e.data.value_column, recorded),
                 .numbers = {{"step", static_cast<double>(e.failure->step)}, {"largest_input", e.data.largest_value}},
                 .cause = "From this operation on nothing is a number.",
                 .advice = e.data.largest_value > 1e15 ? "the column holds a value that no measurement has: remove it"
                                                       : "mend what stands above this finding first"};
}

optional<Finding> dead_units(const Evidence& e, const Findings&) {
  const auto worst = std::max_element(e.activations.begin(), e.activations.end(),
                                      [](const auto& a, const auto& b) { return a.dead < b.dead; });
  if (worst == e.activations.end() || worst->dead < 0.4) return {};
  std::vector<Change> remedy = other_activation(e.recipe, "leaky_relu");
  if (remedy.empty()) remedy = {change(e.recipe, "optimizer.lr", e.rates.same.lr / 10)};
  return Finding{
      .severity = worst->dead > 0.9 ? Severity::critical : Severity::warning,
      .evidence = fmt::format("{:.0f} % of the units behind {} have the derivative 0 for all of the examined "
                              "examples ({}){}",
                              100 * worst->dead, worst->path, worst->function, since(e.recorded.dead)),
      .numbers = {{"dead_share", worst->dead}},
      .cause = "They get no gradient any more and never come back: after a step too long, or a bad start.",
      .changes = std::move(remedy)};
}

optional<Finding> saturated_units(const Evidence& e, const Findings&) {
  const auto worst = std::max_element(e.activations.begin(), e.activations.end(),
                                      [](const auto& a, const auto& b) { return a.saturated < b.saturated; });
  if (worst == e.activations.end() || worst->saturated < 0.5) return {};
  std::vector<Change> remedy = standardise(e.recipe);
  if (remedy.empty()) remedy = other_activation(e.recipe, "relu");
  return Finding{
      .evidence = fmt::format("{:.0f} % of the values behind {} lie where {} is flat{}", 100 * worst->saturated,
                              worst->path, worst->function, since(e.recorded.saturated)),
      .numbers = {{"saturated_share", worst->saturated}},
      .cause = "Inputs or weights are too large for the function: little gradient comes through.",
      .changes = std::move(remedy)};
}

std::string start_text(const Evidence& e) {
  return e.recorded_step > 0 ? fmt::format("step {}, as the run recorded it", e.recorded_step) : "the start";
}

optional<Finding> vanishing_gradients(const Evidence& e, const Findings& before) {
  if (e.layers.size() < 3 || found(before, {"identical-units", "unscaled-inputs"})) return {};
  const LayerEvidence &first = e.layers.front(), &last = e.layers.back();
  const double start = last.start_gradient > 0 ? first.start_gradient / last.start_gradient : 1,
               now = last.last_gradient > 0 ? first.last_gradient / last.last_gradient : 1;
  if (!(start < 1e-3)) return {};
  std::vector<Change> remedy = with_norms(e.recipe);
  if (remedy.empty()) remedy = other_activation(e.recipe, "relu");
  return Finding{
      .severity = falls_short(e) ? Severity::critical : Severity::note,
      .evidence = fmt::format("the gradient of {} is {:.1e} of that of {} at {}, {:.1e} at the last checkpoint",
                              first.path, start, last.path, start_text(e), now),
      .numbers = {{"start", start}, {"last", now}},
      .cause = "Each layer passes on a fraction of the gradient: the first ones learn nothing.",
      .changes = std::move(remedy),
      .advice = "fewer layers, batch_norm between them, or connections around them"};
}

optional<Finding> rate_too_low(const Evidence& e, const Findings& before) {
  const RateEvidence::Point higher = e.rates.best_higher();
  const double gain = (e.rates.same.loss - higher.loss) / e.prior_loss;
  if (!(behind(e, higher.loss) > 0.1) || !(gain > 0.1)) return {};
  if (found(before, {"identical-units", "batch-norm-mode", "unshuffled-data", "learning-rate-too-high"})) return {};
  return Finding{.evidence = rate_text(e, higher) + recorded_steps(e),
                 .numbers = {{"ended_at", e.final_loss}, {"higher", higher.loss}, {"same", e.rates.same.loss}},
                 .cause = "The steps are too short to get anywhere in the epochs that there are.",
                 .changes = {change(e.recipe, "optimizer.lr", higher.lr)}};
}

optional<Finding> plateau(const Evidence& e, const Findings& before) {
  if (e.history.size() < 4 || found(before, {"learning-rate-too-low", "identical-units"})) return {};
  const std::size_t half = e.history.size() / 2;
  const double then = e.history[half].train_loss, now = e.history.back().train_loss;
  const double left = e.history[half].lr / std::max(e.rates.same.lr, 1e-30);
  if (left > 0.05 || std::abs(then - now) > 0.02 * e.prior_loss || !(behind(e, e.rates.same.loss) > 0.1)) return {};
  return Finding{.evidence = fmt::format("the training loss was {:.3g} after epoch {} and is {:.3g} after epoch {}, "
                                         "the learning rate {:.1e} of the recipe's by then; {} steps at the recipe's "
                                         "rate reach {:.3g}",
                                         then, half + 1, now, e.history.size(), left, e.rates.steps, e.rates.same.loss),
                 .numbers = {{"loss_then", then}, {"loss_now", now}, {"rate_left", left}},
                 .cause = "The schedule took the rate away before there was anything to refine.",
                 .changes = slower_schedule(e.recipe)};
}

optional<Finding> bf16_underflow(const Evidence& e, const Findings&) {
  const auto worst = std::max_element(e.rounding.begin(), e.rounding.end(),
                                      [](const auto& a, const auto& b) { return a.lost < b.lost; });
  if (worst == e.rounding.end() || worst->lost < 0.05) return {};
  return Finding{.evidence = fmt::format("rounding to bf16 costs {:.0f} % of the variance of a column that enters {}",
                                         100 * worst->lost, worst->path),
                 .numbers = {{"lost_share", worst->lost}},
                 .cause = "Differences below 1/256 of a number are gone in bf16: what tells examples apart underflows.",
                 .changes = {change(e.recipe, "train.precision", "\"f32\"")},
                 .advice = "or standardise: around 0 bf16 has room for the differences"};
}

optional<Finding> overfitting(const Evidence& e, const Findings&) {
  // Both held-out parts have to say so: one of them alone may be unlucky.
  const double unseen = std::max(e.validation_skill, e.test_skill);
  const double v = std::clamp(unseen, 0.05, 0.95), gap = e.training_skill - unseen;
  const double doubt = 2 * std::sqrt(v * (1 - v) / static_cast<double>(std::min(e.data.validation, e.data.test)));
  if (e.training_skill < 0.5 || !(gap > 0.15 + doubt)) return {};
  std::string recorded;
  if (e.recorded.generalisation)
    recorded = fmt::format("; the run recorded a loss of {:.3g} in training and {:.3g} in validation",
                           e.recorded.generalisation->train_loss, e.recorded.generalisation->val_loss);
  if (!std::isnan(e.recorded.calibration_error))
    recorded += fmt::format("; its confidence is off by {:.0f} %", 100 * e.recorded.calibration_error);
  return Finding{
      .evidence = fmt::format("skill {:.2f} on the training examples, {:.2f} in validation, {:.2f} in the test{}",
                              e.training_skill, e.validation_skill, e.test_skill, recorded),
      .numbers = {{"training", e.training_skill}, {"validation", e.validation_skill}},
      .cause = "The network learned examples by heart that do not carry over.",
      .changes = more_decay(e.recipe),
      .advice = "more examples help most; then a smaller network, dropout, or augmentation"};
}

optional<Finding> underfitting(const Evidence& e, const Findings& before) {
  if (!falls_short(e)) return {};
  const bool explained = std::any_of(before.begin(), before.end(), [](const Finding& f) {
    return f.severity != Severity::note && f.rule != "class-imbalance" && f.rule != "label-noise" &&
           f.rule != "leaked-rows" && f.rule != "duplicate-rows" && f.rule != "overfitting";
  });
  if (explained) return {};
  return Finding{.evidence = skills(e),
                 .numbers = {{"training", e.training_skill}, {"neighbours", e.data.neighbour_skill}},
                 .cause = "The network is too small for its task, or held back too much.",
                 .changes = more_capacity(e.recipe)};
}

constexpr Rule table[] = {
    {"leaked-rows", "test examples that are training examples, too", leaked_rows},
    {"unshuffled-data", "sorted examples that are not shuffled", unshuffled_data},
    {"unshuffled-split", "training and test parts with different classes", unshuffled_split},
    {"batch-norm-mode", "batch norms in the wrong mode, or with wrong statistics", batch_norm_mode},
    {"identical-units", "layers whose units are copies of each other", identical_units},
    {"bf16-underflow", "differences that bf16 rounds away", bf16_underflow},
    {"unscaled-inputs", "columns far from size 1", unscaled_inputs},
    {"exploding-gradients", "gradients far larger than the weights", exploding_gradients},
    {"learning-rate-too-high", "a tenth of the rate learns more", rate_too_high},
    {"nan-origin", "the operation that gave the first number that is none", nan_origin},
    {"vanishing-gradients", "first layers without a gradient", vanishing_gradients},
    {"dead-units", "units without a derivative for any example", dead_units},
    {"saturated-units", "values where the activation is flat", saturated_units},
    {"duplicate-rows", "examples that occur more than once", duplicate_rows},
    {"frozen-layer", "weights that never moved", frozen_layer},
    {"label-noise", "labels that all neighbours contradict", label_noise},
    {"class-imbalance", "a class that is rare and has no weight", class_imbalance},
    {"learning-rate-too-low", "ten times the rate learns more", rate_too_low},
    {"plateau", "a loss that stands still too high", plateau},
    {"overfitting", "training examples known by heart", overfitting},
    {"underfitting", "less skill than the neighbours of an example have", underfitting},
};

}  // namespace

std::span<const Rule> rules() { return table; }

Findings apply_rules(const Evidence& evidence) {
  Findings all;
  for (const Rule& rule : table) {
    std::optional<Finding> finding = rule.examine(evidence, all);
    if (!finding) continue;
    finding->rule = rule.name;
    all.push_back(std::move(*finding));
  }
  std::stable_sort(all.begin(), all.end(), [](const Finding& a, const Finding& b) { return a.severity > b.severity; });
  return all;
}

}  // namespace gradus::insight::doctor
