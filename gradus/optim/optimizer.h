// What all optimizers share: gradients, update and evaluation of a training step in one plan.
//
//   optim::AdamW optimizer(model, {.lr = 1e-3});
//   for (auto [images, labels] : loader) {
//     auto loss = cross_entropy(model(images), labels);
//     optimizer.minimize(loss);
//   }
//   NamedTensors saved = optimizer.state_dict();
#pragma once

#include <concepts>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "gradus/nn/fields.h"

namespace gradus::optim {

/// The parameters that an optimizer trains, by path. It refers to them: the model must outlive the optimizer, stay where it
/// is, and keep the number of its layers.
class ParameterList {
 public:
  /// All defined parameters of a model. Frozen ones keep their place, so they can be unfrozen later.
  template <class Model>
  requires(!std::is_const_v<Model> && !std::same_as<Model, ParameterList> &&
           !std::same_as<Model, std::vector<nn::Parameter*>>) ParameterList(Model& model)
      : ParameterList(std::span<const nn::FieldRef>(nn::all_fields(model))) {}  // NOLINT
  /// Some parameters, each of them once; Error(usage) otherwise.
  ParameterList(const std::vector<nn::Parameter*>& parameters);  // NOLINT: implicit by design
  explicit ParameterList(std::span<const nn::FieldRef> fields);

  std::size_t size() const { return parameters_.size(); }
  nn::Parameter& operator[](std::size_t i) const { return *parameters_[i]; }
  const std::string& path(std::size_t i) const { return paths_[i]; }
  const std::vector<std::string>& paths() const { return paths_; }

 private:
  std::vector<nn::Parameter*> parameters_;
  std::vector<std::string> paths_;
};

/// Base of the optimizers. Parameters that are frozen, or that the loss does not depend on, keep their value and state.
class Optimizer {
 public:
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;
  virtual ~Optimizer() = default;

  /// One training step: gradients of the scalar `loss`, update of the parameters, and evaluation of the loss, of `keep` and
  /// of everything else in the graph that is still held, in one plan. False when the guard refused the step (see
  /// set_skip_nonfinite). When an Error is thrown, parameters and state are those of before.
  /// Throws Error(state) when no parameter is trainable or the loss depends on none, and as grad().
  bool minimize(const Tensor& loss, const Tensors& keep = {}, SourceLocation where = SourceLocation::current());

  /// A step with gradients from elsewhere: a model of gradients, as gradients(loss, model) returns it, matched by path. A
  /// parameter whose gradient is undefined is left alone.
  template <class Model>
  requires(!std::convertible_to<const Model&, std::span<const Tensor>>) bool step(
      const Model& gradients, SourceLocation where = SourceLocation::current()) {
    return step_fields(nn::all_fields(gradients), where);
  }
  /// The same with one gradient (or an undefined tensor) per parameter.
  bool step(std::span<const Tensor> gradients, SourceLocation where = SourceLocation::current());

  double lr() const { return lr_; }
  /// Takes effect at the next step. Throws Error(value) unless finite and >= 0.
  void set_lr(double lr, SourceLocation where = SourceLocation::current());

  /// When on, a step whose loss, or whose sum of squared gradients, is not finite leaves parameters and state bit for bit
  /// as they were, and minimize() returns false. Costs one pass over the gradients. Default: off.
  void set_skip_nonfinite(bool skip) { skip_nonfinite_ = skip; }
  bool skip_nonfinite() const { return skip_nonfinite_; }

  /// PyTorch's state of this optimizer, flattened: "state.0.exp_avg", ..., "param_groups.0.lr". The number is the position
  /// of the parameter. State is there from a parameter's first step on.
  NamedTensors state_dict() const;
  /// Continues from a state_dict(): settings and state. Strict: throws Error(state) that lists every missing, unexpected
  /// and mis-shaped entry, and then changes nothing.
  void load_state_dict(const NamedTensors& dict, SourceLocation where = SourceLocation::current());

  const ParameterList& parameters() const { return parameters_; }

 protected:
  Optimizer(ParameterList parameters, double lr, std::string_view name, SourceLocation where);

  double lr_;

  /// The new value of a parameter after its step number `step` (from 1); reads and replaces its state. Settings enter the
  /// graph as number() only.
  virtual Tensor update(const Tensor& parameter, const Tensor& gradient, std::span<Tensor> state,
                        std::int64_t step) = 0;
  /// Names of the tensors of one parameter's state, as PyTorch names them; each has the parameter's type and shape.
  virtual std::vector<std::string> state_names() const = 0;
  /// Whether PyTorch's state has "step", too.
  virtual bool counts_steps() const = 0;
  /// The settings that state dicts carry under "param_groups.0.", in a fixed order, without lr.
  virtual std::vector<std::pair<std::string, double>> settings() const = 0;
  /// Takes values in the order of settings(). Throws Error(value), and then changes nothing.
  virtual void set_settings(std::span<const double> values, SourceLocation where) = 0;

  /// A rank-0 leaf: what changes from step to step must not be part of the graph's structure. All parameters share the leaf
  /// of one `role` and value; different roles never do, so equal values do not make another graph.
  Tensor number(std::string_view role, double value, DType dtype);
  /// Throws Error(value) "momentum is -1, must be >= 0" unless `holds`.
  void require(bool holds, std::string_view setting, double value, std::string_view rule, SourceLocation where) const;

 private:
  struct Slot {
    Tensors state;           // in the order of state_names(); empty before the first step
    std::int64_t steps = 0;  // that were taken
  };
  /// One parameter's part of a step: its new value and state, not evaluated.
  struct Change {
    std::size_t index;
    Tensor value;
    Tensors state;
  };
  class Exchange;

  bool step_fields(std::span<const nn::FieldRef> gradients, SourceLocation where);
  void check_gradients(std::span<const Tensor> gradients, SourceLocation where) const;
  std::vector<Change> record_changes(const Tensors& gradients, const Tensor& accepted);
  bool take_step(const Tensor& loss, Tensors gradients, const Tensors& keep, SourceLocation where);

  ParameterList parameters_;
  std::string name_;
  std::vector<Slot> slots_;
  bool skip_nonfinite_ = false;
  struct Number {
    std::string_view role;
    double value;
    Tensor leaf;
  };
  std::vector<Number> numbers_;  // of the step that is being recorded
};

}  // namespace gradus::optim
