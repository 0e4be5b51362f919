#include "gradus/train/record/sample.h"

#include <algorithm>

#include "gradus/base/random.h"
#include "gradus/nn/gradients.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/reduce.h"
#include "gradus/ops/view.h"

namespace gradus::train {
namespace {

/// The trainable parameters of a model, or what stands in their place in a model of gradients; undefined ones are left out.
NamedTensors parameters_of(models::AnyModel& model) {
  NamedTensors found;
  for (const nn::FieldRef& field : nn::all_fields(model)) {
    if (field.parameter && field.parameter->defined() && field.parameter->trainable())
      found.emplace_back(field.path, field.tensor());
  }
  return found;
}

Tensor squared_norm(models::AnyModel gradient) {
  Tensor total;
  for (const auto& [name, tensor] : parameters_of(gradient)) {
    const Tensor squares = sum(square(cast(tensor, DType::f32)));
    total = total.defined() ? total + squares : squares;
  }
  return total;
}

}  // namespace

Asked Asked::of(const std::vector<std::string>& names) {
  const auto asks = [&](const char* name) {
    return std::any_of(names.begin(), names.end(), [&](const std::string& n) { return n == name || n == "all"; });
  };
  Asked asked{.gradients = asks("gradients"),
              .activations = asks("activations"),
              .updates = asks("updates"),
              .losses = asks("losses"),
              .noise = asks("noise"),
              .generalisation = asks("generalisation"),
              .calibration = asks("calibration"),
              .sharpness = asks("sharpness"),
              .any = !names.empty()};
  return asked;
}

Sample::Sample(const Asked& asked, const Subject& subject, const Tensor& answer, const Tensor& loss) : asked_(asked) {
  if (asked_.activations) sites_ = activation_sites(answer);
  if (asked_.losses) losses_ = subject.objective.each(answer, subject.targets);
  if (asked_.updates) weights_ = parameters_of(subject.model);
  if (!asked_.gradients && !asked_.noise) return;
  models::AnyModel gradient = gradients(loss, subject.model);
  if (asked_.gradients) gradients_ = parameters_of(gradient);
  if (asked_.noise) watch_noise(subject, gradient);
}

void Sample::watch_noise(const Subject& subject, const models::AnyModel& gradient) {
  big_ = subject.targets.size(0);
  small_ = big_ / 2;
  if (small_ == 0) return;
  big_square_ = squared_norm(gradient);
  if (!big_square_.defined()) return;
  const auto stream = random_state();
  for (const std::int64_t start : {std::int64_t{0}, small_}) {
    models::AnyModel copy = subject.model;  // keeps the changes of running statistics to itself
    const Tensor inputs = slice(subject.inputs, 0, start, start + small_);
    const Tensor targets = slice(subject.targets, 0, start, start + small_);
    const Tensor square = squared_norm(gradients(subject.objective(copy(inputs), targets), copy)) * 0.5;
    small_square_ = small_square_.defined() ? small_square_ + square : square;
  }
  set_random_state(stream);
}

Tensors Sample::tensors() const {
  Tensors all;
  for (const auto& [name, tensor] : gradients_) all.push_back(tensor);
  for (const ActivationSite& site : sites_) all.push_back(site.output);
  if (losses_.defined()) all.push_back(losses_);
  if (small_square_.defined()) {
    all.push_back(small_square_);
    all.push_back(big_square_);
  }
  return all;
}

void Sample::set_gradients(const models::AnyModel& gradient) {
  models::AnyModel copy = gradient;
  if (asked_.gradients) gradients_ = parameters_of(copy);
}

StepRecord Sample::finish(models::AnyModel& model) const {
  StepRecord record;
  for (const auto& [name, tensor] : gradients_) record.gradients.push_back({name, spread_of(tensor)});
  const NamedTensors after = asked_.updates ? parameters_of(model) : NamedTensors();
  for (std::size_t i = 0; i < weights_.size(); ++i) {
    const auto& [name, before] = weights_[i];
    record.updates.push_back({name, spread_of_difference(after[i].second, before), spread_of(before).norm});
  }
  for (const ActivationSite& site : sites_) {
    const UnitShares shares = unit_shares(site.output, site.function, site.unit_axis);
    record.activations.push_back({.name = site.name,
                                  .function = site.function,
                                  .spread = spread_of(site.output),
                                  .units = shares.units,
                                  .dead = shares.dead,
                                  .saturated = shares.saturated});
  }
  if (losses_.defined()) record.losses = spread_of(losses_);
  if (small_square_.defined()) {
    const double a = small_square_.item<double>(), b = big_square_.item<double>();
    const auto small = static_cast<double>(small_), big = static_cast<double>(big_);
    record.noise = NoiseRecord{.small = small_,
                               .big = big_,
                               .signal = (big * b - small * a) / (big - small),
                               .noise = (a - b) / (1 / small - 1 / big)};
  }
  return record;
}

}  // namespace gradus::train
