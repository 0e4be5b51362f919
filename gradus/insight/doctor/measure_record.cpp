#include <algorithm>
#include <cmath>
#include <vector>

#include "gradus/insight/doctor/measures.h"

namespace gradus::insight::doctor::detail {
namespace {

using Mark = RecordedEvidence::Mark;

double median_of(std::vector<double> values) {
  if (values.empty()) return unknown;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// Gradients and updates of one step.
void examine_step(const train::StepRecord& step, RecordedEvidence& found, std::vector<double>& ratios) {
  for (const train::UpdateRecord& update : step.updates) {
    if (std::isfinite(update.ratio())) ratios.push_back(update.ratio());
    const auto gradient = std::find_if(step.gradients.begin(), step.gradients.end(),
                                       [&](const train::GradientRecord& g) { return g.name == update.name; });
    // Biases start near 0, where a ratio says nothing.
    if (gradient == step.gradients.end() || update.weight_norm <= 0 || update.name.ends_with("bias")) continue;
    const double relative = gradient->spread.norm / update.weight_norm;
    if (!(relative <= found.largest_gradient.value)) found.largest_gradient = {update.name, step.step, relative};
  }
}

bool is_bounded(const std::string& function) {
  return function == "sigmoid" || function == "tanh" || function == "hardsigmoid" || function == "hardtanh" ||
         function == "softsign";
}

/// The activation with the largest share at the last step that has any, and since when it is at least half as large.
template <class Share>
Mark worst_activation(const std::vector<train::StepRecord>& steps, const Share& share) {
  Mark worst;
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    if (step->activations.empty()) continue;
    if (worst.step == 0) {
      for (const train::ActivationRecord& record : step->activations) {
        const double value = share(record);
        if (!std::isnan(value) && !(value <= worst.value)) worst = {record.name, step->step, value};
      }
      if (worst.step == 0) return worst;
      continue;
    }
    for (const train::ActivationRecord& record : step->activations) {
      if (record.name != worst.path) continue;
      if (!(share(record) >= worst.value / 2)) return worst;
      worst.step = step->step;
    }
  }
  return worst;
}

Mark failed_step(const train::StepRecord& step) {
  Mark mark{.path = {}, .step = step.step, .value = 0};
  for (const train::GradientRecord& gradient : step.gradients) {
    if (gradient.spread.nans + gradient.spread.infinities == 0) continue;
    if (mark.path.empty()) mark.path = gradient.name;
    mark.value += 1;
  }
  return mark;
}

}  // namespace

RecordedEvidence examine_record(const train::Instruments& seen) {
  RecordedEvidence found;
  found.steps = static_cast<std::int64_t>(seen.steps.size());
  std::vector<double> ratios;
  for (const train::StepRecord& step : seen.steps) {
    if (step.failed) {
      found.failed = failed_step(step);
    } else {
      examine_step(step, found, ratios);
    }
  }
  found.update = median_of(std::move(ratios));
  found.dead = worst_activation(
      seen.steps, [](const train::ActivationRecord& r) { return r.function == "output" ? unknown : r.dead; });
  found.saturated = worst_activation(
      seen.steps, [](const train::ActivationRecord& r) { return is_bounded(r.function) ? r.saturated : unknown; });
  found.noise_scale = train::noise_scale(seen.steps);
  for (const train::EpochRecord& epoch : seen.epochs) {
    if (epoch.calibration) found.calibration_error = epoch.calibration->error;
    if (epoch.generalisation) found.generalisation = epoch.generalisation;
    if (!epoch.sharpness) continue;
    const auto last = std::find_if(seen.steps.rbegin(), seen.steps.rend(),
                                   [&](const train::StepRecord& step) { return step.step <= epoch.step; });
    if (last != seen.steps.rend()) found.sharpness = epoch.sharpness->eigenvalue * last->lr;
  }
  return found;
}

}  // namespace gradus::insight::doctor::detail
