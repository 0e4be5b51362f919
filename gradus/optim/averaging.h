// Averages of a model's weights over the steps of its training.
//
//   optim::AveragedModel average(model, {.decay = 0.999});       // exponential moving average
//   for (...) {
//     optimizer.minimize(loss);
//     average.update(model);
//   }
//   evaluate(average.model());
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <span>

#include "gradus/nn/fields.h"

namespace gradus::optim {

struct AveragingOptions {
  /// Of the exponential moving average, in [0, 1): average = decay average + (1 - decay) parameter. Without one all updates
  /// weigh the same (stochastic weight averaging; Izmailov et al., 2018).
  std::optional<double> decay = {};
  /// Begin with a small decay: update n (from 0) uses min(decay, (1 + n) / (10 + n)), as TensorFlow's ExponentialMovingAverage
  /// does with num_updates.
  bool warmup = false;
};

namespace detail {

/// What an average is made of, whatever the type of the model.
class Averaging {
 public:
  Averaging(const AveragingOptions& options, SourceLocation where);
  /// Moves `average` towards `model`; one plan for all parameters.
  void update(std::span<const nn::FieldRef> average, std::span<const nn::FieldRef> model, SourceLocation where);
  std::int64_t updates() const { return updates_; }
  NamedTensors state_dict(std::span<const nn::FieldRef> average) const;
  void load_state_dict(std::span<const nn::FieldRef> average, const NamedTensors& dict, SourceLocation where);

 private:
  AveragingOptions options_;
  std::int64_t updates_ = 0;
};

}  // namespace detail

/// A copy of a model whose parameters are averages of those that update() is shown; PyTorch's AveragedModel. The first update
/// copies them, so what the model was before does not enter. Buffers (running statistics) and undefined or integer
/// parameters are those of the last update.
template <std::copyable Model>
class AveragedModel {
 public:
  /// Throws Error(value) for settings out of range.
  explicit AveragedModel(const Model& model, const AveragingOptions& options = {},
                         SourceLocation where = SourceLocation::current())
      : model_(model), averaging_(options, where) {}

  /// Takes the model's parameters into the average: one plan, compiled once. Throws Error(state) when the model is made of
  /// other layers than the one that the average was made from.
  void update(const Model& model, SourceLocation where = SourceLocation::current()) {
    averaging_.update(nn::all_fields(model_), nn::all_fields(model), where);
  }

  /// The average. What is done with it (predictions, saving, swapping it in by assignment) changes nothing here unless it is
  /// changed itself.
  Model& model() { return model_; }
  const Model& model() const { return model_; }
  /// Number of updates.
  std::int64_t n_averaged() const { return averaging_.updates(); }

  /// "n_averaged" and the model's entries as "module.fc1.weight", as PyTorch names them.
  NamedTensors state_dict() const { return averaging_.state_dict(nn::all_fields(model_)); }
  /// Continues from a state_dict(); strict and all or nothing as nn::load_state_dict.
  void load_state_dict(const NamedTensors& dict, SourceLocation where = SourceLocation::current()) {
    averaging_.load_state_dict(nn::all_fields(model_), dict, where);
  }

 private:
  Model model_;
  detail::Averaging averaging_;
};

}  // namespace gradus::optim
