// What all optimizers share: gradients, update and evaluation of a training step in one plan.
//
//   optim::AdamW optimizer(model, {.lr = 1e-3});
//   for (auto [images, labels] : loader) {
//     auto loss = cross_entropy(model(images), labels);
//     optimizer.minimize(loss);
//   }
//   NamedTensors saved = optimizer.state_dict();
#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "gradus/nn/fields.h"

namespace gradus::optim {

namespace detail {
class Entries;
}

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

/// One number of an optimizer's options under its name in PyTorch ("eps", "betas.0"); switches are 0 and 1.
struct Setting {
  std::string name;
  std::function<double()> get;
  std::function<void(double)> set;
  std::string_view values = "a number";  ///< what its type holds; another value is not taken as it is by set()
  bool fixed = false;                    ///< one value that set() cannot change; a state dict may lack it
};

/// One tensor of a parameter's state before the first step.
struct StateField {
  std::string name;  ///< PyTorch's
  Shape shape;
  DType dtype = DType::f32;
  double initial = 0;
  bool as_parameter = false;  ///< begins as the parameter itself instead, of whose type and shape it is
};

/// What a part of the parameters does in another way; see Optimizer::set_group.
struct GroupOptions {
  double lr_factor = 1;                     ///< the learning rate of the part is lr() times this
  std::optional<double> weight_decay = {};  ///< the optimizer's own when not given
};

/// Base of the optimizers. A new one is a struct of options, the update rule of one parameter in tensor functions, and the
/// names of its state: see sgd.h for a small one. Parameters that are frozen, or that the loss does not depend on, keep their value and state.
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

  /// Schedule-Free optimizers know two weights: those of training, at which gradients are taken, and those to judge, use and
  /// save the model with. These two functions give the model the ones or the others (as PyTorch's optimizer.train() and
  /// optimizer.eval()); going to and fro changes no bit. They are cheap where nothing is to do, and do nothing for all other
  /// optimizers, so a loop that may get any optimizer calls them always.
  ///
  /// So that neither is forgotten, such an optimizer begins in evaluation mode, refuses steps in it, and refuses its
  /// state_dict() in training mode. What is done to the parameters in evaluation mode is undone by train().
  void train();
  void eval_mode(SourceLocation where = SourceLocation::current());
  /// Whether the model has the weights of training.
  bool training() const { return training_; }

  /// When on, a step whose loss, or whose sum of squared gradients, is not finite leaves parameters and state bit for bit
  /// as they were, and minimize() returns false. Costs one pass over the gradients. Default: off.
  void set_skip_nonfinite(bool skip) { skip_nonfinite_ = skip; }
  bool skip_nonfinite() const { return skip_nonfinite_; }

  /// The sum of squares of all gradients together is brought down to max_norm^2 before the step where it is larger, as
  /// PyTorch's clip_grad_norm_ does it. 0 (the default): never. Throws Error(value) unless finite and >= 0.
  void set_clip_norm(double max_norm, SourceLocation where = SourceLocation::current());
  double clip_norm() const { return clip_norm_; }
  /// Elements of gradients are brought into [-limit, limit] before the step, and before the norm is taken. 0 (the default):
  /// never. Throws Error(value) unless finite and >= 0.
  void set_clip_value(double limit, SourceLocation where = SourceLocation::current());
  double clip_value() const { return clip_value_; }
  /// Adaptive gradient clipping (Brock et al., "High-performance large-scale image recognition without normalization", 2021): the
  /// gradient of each unit (a row of a weight: all axes but the first; a vector or a number as a whole) is scaled down to
  /// `factor` times the norm of the unit's own weights, or of 1e-3 where they are smaller, when its norm is larger; before the
  /// other two kinds of clipping. The paper has 0.01. 0 (the default): never. Throws Error(value) unless finite and >= 0.
  void set_clip_adaptive(double factor, SourceLocation where = SourceLocation::current());
  double clip_adaptive() const { return clip_adaptive_; }

  /// Gives the parameters whose path matches `pattern` (`*` stands for any characters) a learning rate and a weight decay of
  /// their own; a later call wins where two match. Returns how many matched. Every call makes one group of PyTorch's state
  /// dict, after that of all others; a program that continues from a state makes the same groups before it loads.
  ///   optimizer.set_group("*.bias", {.weight_decay = 0});
  /// Throws Error(value) when none matches, for a number that is not finite and >= 0, and for a weight decay of an optimizer
  /// that has none.
  int set_group(std::string_view pattern, const GroupOptions& options,
                SourceLocation where = SourceLocation::current());

  /// PyTorch's state of this optimizer, flattened: "state.0.exp_avg", ..., "param_groups.0.lr", ..., "param_groups.0.params".
  /// Settings and switches are f64 scalars; "params" (i64) lists the numbers that stand for the group's parameters in
  /// "state.N", which count on from group to group. State is there from a parameter's first step on.
  /// Throws Error(state) when the model has the weights of training and there are others; see eval_mode().
  NamedTensors state_dict(SourceLocation where = SourceLocation::current()) const;
  /// Continues from a state_dict(), or from PyTorch's in this form: settings, rates and decays of the groups, state. Strict:
  /// throws Error(state) when the groups are others, or listing every missing, unexpected and mis-shaped entry, and Error(value)
  /// for numbers out of range, and then changes nothing. PyTorch's entries foreach, capturable, differentiable, fused and
  /// initial_lr are passed by. The model should have the weights that were saved with the state.
  void load_state_dict(const NamedTensors& dict, SourceLocation where = SourceLocation::current());

  const ParameterList& parameters() const { return parameters_; }

  /// One parameter's step: what a rule reads, and the state that it replaces.
  struct Update {
    Tensor parameter;         ///< bf16 as f32, and so are the next two: the results are rounded once
    Tensor gradient;          ///< clipped; of -loss when maximising
    std::span<Tensor> state;  ///< in the order of state_fields()
    std::int64_t step;        ///< from 1
    double lr;                ///< of the parameter's group
    double weight_decay;      ///< likewise; 0 when the optimizer has none
    std::size_t group;
    Optimizer& optimizer;

    /// A rank-0 leaf of the parameter's type: what changes from step to step must not be part of the graph's structure. All
    /// parameters of a group share the leaf of one `role` and value; different roles never do, so equal values do not make
    /// another graph. `role` is a literal.
    Tensor number(std::string_view role, double value) const;
    /// gradient + weight_decay * parameter: decay as an L2 penalty.
    Tensor penalised_gradient() const;
    /// parameter * (1 - lr * weight_decay): decoupled decay.
    Tensor decayed_parameter() const;
    /// old + share * (now - old), the moving average of what has the weight `share`, under the roles of its name.
    Tensor average(const Tensor& old, const Tensor& now, std::string_view role, double share) const;
  };

 protected:
  Optimizer(ParameterList parameters, std::string_view name, SourceLocation where);
  /// The last thing of a constructor: takes and checks the options, which live as long as the optimizer.
  void start(double lr, bool skip_nonfinite, std::vector<Setting> settings, SourceLocation where);

  /// The parameter after the step. Settings enter the graph as number() only.
  virtual Tensor update(const Update& u) = 0;
  /// The state of a parameter whose group has the rate `lr`.
  virtual std::vector<StateField> state_fields(const Tensor& parameter, double lr) const = 0;
  /// Whether PyTorch's state has "step", too.
  virtual bool counts_steps() const { return true; }
  /// For rules with two weights: `u.parameter` are those of training; returns those for evaluation. See train().
  virtual bool has_evaluation_weights() const { return false; }
  virtual Tensor evaluation_weights(const Update& u) const { return u.parameter; }
  /// What start() and loading do not know: numbers are finite and >= 0, betas below 1. Throws Error(value) by require().
  virtual void check(SourceLocation) const {}
  virtual bool may_be_negative(std::string_view /*setting*/) const { return false; }

  /// State of the parameter's own type and shape, from zeros.
  static std::vector<StateField> zeros_like(const Tensor& parameter, std::initializer_list<const char*> names);
  /// Throws Error(value) "momentum is -1, must be >= 0" unless `holds`.
  void require(bool holds, std::string_view setting, double value, std::string_view rule, SourceLocation where) const;

 private:
  struct Slot {
    Tensors state;           // in the order of state_fields(); empty before the first step
    std::int64_t steps = 0;  // that were taken
    std::size_t group = 0;   // in groups_
    Tensor training;         // the parameter in training, while the model has the one for evaluation
  };
  /// One parameter's part of a step: its new value and state, not evaluated.
  struct Change {
    std::size_t index;
    Tensor value;
    Tensors state;
  };
  class Exchange;
  struct LoadedGroup;

  std::vector<std::vector<std::size_t>> members_of_groups() const;
  void append_state(NamedTensors& dict, std::size_t i, std::int64_t index) const;
  detail::Entries entries() const;
  std::vector<LoadedGroup> read_groups(detail::Entries& reader, const NamedTensors& dict, SourceLocation where) const;
  std::vector<GroupOptions> take_groups(const std::vector<LoadedGroup>& loaded, double lr, SourceLocation where);
  std::vector<std::int64_t> read_indices(const std::vector<LoadedGroup>& loaded, SourceLocation where) const;
  std::vector<Slot> read_slots(const NamedTensors& dict, const std::vector<std::int64_t>& indices,
                               SourceLocation where) const;

  friend class CompiledStep;
  struct Number {
    std::string_view role;
    std::size_t group;
    double value;
    Tensor leaf;
  };
  /// A recorded step just before it is evaluated: `roots` hold the new values, `old` names the nodes of the old ones.
  struct RecordedStep {
    struct Old {
      std::size_t index;
      const Node* value;
      std::vector<const Node*> state;
    };
    const Tensors& roots;
    const Tensor& loss;
    const Tensor& accepted;  ///< undefined without skip_nonfinite
    std::vector<Old> old;
    std::vector<Number> numbers;
  };

  bool step_fields(std::span<const nn::FieldRef> gradients, SourceLocation where);
  void check_gradients(std::span<const Tensor> gradients, SourceLocation where) const;
  void check_settings(SourceLocation where) const;
  void check_training(SourceLocation where) const;
  double setting(std::string_view name) const;
  Tensor shared_number(std::string_view role, std::size_t group, double value, DType dtype);
  /// Which guards a step has: their presence is part of the graph, their sizes are leaves.
  std::array<bool, 4> guards() const { return {clip_norm_ > 0, clip_value_ > 0, clip_adaptive_ > 0, skip_nonfinite_}; }
  void prepare(Tensors& gradients);
  Tensor clipped_adaptively(const Tensor& gradient, const Tensor& parameter);
  Update update_of(std::size_t index, const Tensor& gradient, std::span<Tensor> state);
  Change record_change(std::size_t index, const Tensor& gradient);
  std::vector<Change> record_changes(const Tensors& gradients, const Tensor& accepted);
  bool take_step(const Tensor& loss, Tensors gradients, const Tensors& keep, SourceLocation where);

  ParameterList parameters_;
  std::string name_;
  std::vector<Slot> slots_;
  std::vector<GroupOptions> groups_;  // the first is that of all others
  std::vector<Setting> settings_;
  double lr_ = 0;
  double clip_norm_ = 0, clip_value_ = 0, clip_adaptive_ = 0;
  bool skip_nonfinite_ = false;
  bool training_ = true;
  std::vector<Number> numbers_;                                  // of the step that is being recorded
  std::function<void(RecordedStep&, SourceLocation)> evaluate_;  // in place of eval(), while a CompiledStep looks on
};

}  // namespace gradus::optim
