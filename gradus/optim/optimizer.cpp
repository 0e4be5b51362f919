#include "gradus/optim/optimizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "gradus/base/error.h"
#include "gradus/engine/eval.h"
#include "gradus/engine/precision.h"
#include "gradus/graph/node.h"
#include "gradus/nn/init.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/reduce.h"
#include "gradus/transform/grad.h"

namespace gradus::optim {
namespace {

/// Whether the loss and the sum of all squared gradients are finite, as a bool scalar.
Tensor all_finite(const Tensor& loss, const Tensors& gradients) {
  Tensor total;
  for (const Tensor& gradient : gradients) {
    if (!gradient.defined()) continue;
    const Tensor squares = sum(square(gradient));
    total = total.defined() ? total + squares : squares;
  }
  const Tensor finite = isfinite(total);
  return loss.defined() ? logical_and(isfinite(loss), finite) : finite;
}

/// A leaf of the state belongs to its parameter, and is a constant to gradients: from the first step to the last it looks
/// the same to the plan cache.
void mark_state(const Tensor& state, const Tensor& parameter) {
  Node& node = *state.node();
  if (!node.is_leaf()) return;
  // Only when different: another thread may be reading a state that it was given.
  if (node.label != parameter.node()->label) node.label = parameter.node()->label;
  if (node.from_parameter) node.from_parameter = false;
}

Tensor filled(const StateField& field, const Tensor& parameter) {
  if (field.as_parameter) {  // a copy, so that the first step has the graph of all others
    eval({&parameter, 1});
    const Ref<Buffer> buffer = Buffer::allocate(parameter.spec().bytes());
    std::copy_n(parameter.buffer()->data(), parameter.spec().bytes(), buffer->data());
    return leaf(parameter.spec(), buffer);
  }
  if (field.dtype != DType::bf16) return nn::init::constant(field.shape, field.initial, field.dtype);
  const std::vector<BFloat16> elements(static_cast<std::size_t>(field.shape.numel()),
                                       BFloat16(static_cast<float>(field.initial)));
  return leaf<BFloat16>(field.shape, elements);
}

/// bf16 as f32.
Tensor computable(const Tensor& x) { return x.dtype() == DType::bf16 ? cast(x, DType::f32) : x; }

}  // namespace

ParameterList::ParameterList(const std::vector<nn::Parameter*>& parameters) {
  std::unordered_set<const nn::Parameter*> seen;
  for (nn::Parameter* parameter : parameters) {
    if (!parameter || !parameter->defined() || !seen.insert(parameter).second) {
      throw Error(ErrorKind::usage, "optim::ParameterList",
                  fmt::format("parameter {} is {}", parameters_.size(),
                              !parameter || !parameter->defined() ? "undefined" : "given twice"));
    }
    paths_.push_back(parameter->name().empty() ? fmt::format("parameter {}", parameters_.size()) : parameter->name());
    parameters_.push_back(parameter);
  }
}

ParameterList::ParameterList(std::span<const nn::FieldRef> fields) {
  for (const nn::FieldRef& field : fields) {
    if (!field.parameter || !field.parameter->defined()) continue;
    parameters_.push_back(field.parameter);
    paths_.push_back(field.path);
  }
}

/// Puts the new values into the parameters and the state. Until commit() it can put the old ones back, but it does not
/// hold them: the recorded update does, so their memory can be given to their successors.
class Optimizer::Exchange {
 public:
  Exchange(Optimizer& optimizer, std::vector<Change> changes) : optimizer_(optimizer) {
    old_.reserve(changes.size());
    for (Change& change : changes) {
      nn::Parameter& parameter = optimizer_.parameters_[change.index];
      Slot& slot = optimizer_.slots_[change.index];
      Old& old = old_.emplace_back(Old{change.index, remember(parameter.tensor()), {}});
      for (const Tensor& tensor : slot.state) old.state.push_back(remember(tensor));
      parameter = std::move(change.value);
      slot.state = std::move(change.state);
    }
  }
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;
  ~Exchange() {
    if (!committed_) restore();
  }

  void append_to(Tensors& roots) const {
    for (const Old& old : old_) {
      roots.push_back(optimizer_.parameters_[old.index].tensor());
      for (const Tensor& tensor : optimizer_.slots_[old.index].state) roots.push_back(tensor);
    }
  }

  std::vector<RecordedStep::Old> old_nodes() const {
    std::vector<RecordedStep::Old> nodes;
    for (const Old& old : old_) {
      nodes.push_back({old.index, old.value.node, {}});
      for (const Held& state : old.state) nodes.back().state.push_back(state.node);
    }
    return nodes;
  }

  /// The new values were evaluated; `taken` says whether they are more than copies of the old ones.
  void commit(bool taken) {
    committed_ = true;
    for (const Old& old : old_) {
      const Tensor& parameter = optimizer_.parameters_[old.index].tensor();  // marks the new leaf
      for (const Tensor& tensor : optimizer_.slots_[old.index].state) mark_state(tensor, parameter);
      if (taken) ++optimizer_.slots_[old.index].steps;
    }
  }

 private:
  struct Held {
    Node* node;
    int output;
  };
  struct Old {
    std::size_t index;
    Held value;
    std::vector<Held> state;
  };

  static Held remember(const Tensor& tensor) { return {tensor.node().get(), tensor.output()}; }
  static Tensor recall(Held held) { return Tensor(Ref<Node>(held.node), held.output); }

  void restore() {
    for (const Old& old : old_) {
      Slot& slot = optimizer_.slots_[old.index];
      Tensors state;
      for (const Held held : old.state) state.push_back(recall(held));
      slot.state = std::move(state);
      optimizer_.parameters_[old.index] = recall(old.value);
    }
  }

  Optimizer& optimizer_;
  std::vector<Old> old_;
  bool committed_ = false;
};

Optimizer::Optimizer(ParameterList parameters, std::string_view name, SourceLocation where)
    : parameters_(std::move(parameters)), name_(name), slots_(parameters_.size()), groups_(1) {
  if (parameters_.size() == 0) {
    throw Error(ErrorKind::usage, name_, "there are no parameters to train")
        .at(where)
        .hint("does the model have layers?");
  }
}

void Optimizer::start(double lr, bool skip_nonfinite, std::vector<Setting> settings, SourceLocation where) {
  set_lr(lr, where);
  skip_nonfinite_ = skip_nonfinite;
  settings_ = std::move(settings);
  training_ = !has_evaluation_weights();
  check_settings(where);
}

void Optimizer::require(bool holds, std::string_view setting, double value, std::string_view rule,
                        SourceLocation where) const {
  if (holds) return;
  throw Error(ErrorKind::value, name_, fmt::format("{} is {}, must be {}", setting, value, rule)).at(where);
}

void Optimizer::check_settings(SourceLocation where) const {
  for (const Setting& setting : settings_) {
    const double value = setting.get();
    if (setting.name.starts_with("betas.")) {
      require(value >= 0 && value < 1, setting.name, value, "in [0, 1)", where);
    } else if (may_be_negative(setting.name)) {
      require(std::isfinite(value), setting.name, value, "finite", where);
    } else {
      require(std::isfinite(value) && value >= 0, setting.name, value, "finite and >= 0", where);
    }
  }
  check(where);
}

double Optimizer::setting(std::string_view name) const {
  for (const Setting& setting : settings_) {
    if (setting.name == name) return setting.get();
  }
  return 0;
}

void Optimizer::set_lr(double lr, SourceLocation where) {
  require(std::isfinite(lr) && lr >= 0, "lr", lr, "finite and >= 0", where);
  lr_ = lr;
}

void Optimizer::set_clip_norm(double max_norm, SourceLocation where) {
  require(std::isfinite(max_norm) && max_norm >= 0, "clip_norm", max_norm, "finite and >= 0", where);
  clip_norm_ = max_norm;
}

void Optimizer::set_clip_value(double limit, SourceLocation where) {
  require(std::isfinite(limit) && limit >= 0, "clip_value", limit, "finite and >= 0", where);
  clip_value_ = limit;
}

void Optimizer::set_clip_adaptive(double factor, SourceLocation where) {
  require(std::isfinite(factor) && factor >= 0, "clip_adaptive", factor, "finite and >= 0", where);
  clip_adaptive_ = factor;
}

int Optimizer::set_group(std::string_view pattern, const GroupOptions& options, SourceLocation where) {
  require(std::isfinite(options.lr_factor) && options.lr_factor >= 0, "lr_factor", options.lr_factor, "finite and >= 0",
          where);
  if (options.weight_decay) {
    const double decay = *options.weight_decay;
    require(std::isfinite(decay) && decay >= 0, "weight_decay", decay, "finite and >= 0", where);
    if (std::none_of(settings_.begin(), settings_.end(), [](const Setting& s) { return s.name == "weight_decay"; })) {
      throw Error(ErrorKind::value, name_, "a group has a weight_decay, which this optimizer does not know").at(where);
    }
  }
  int matched = 0;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (!nn::detail::matches(pattern, parameters_.path(i))) continue;
    slots_[i].group = groups_.size();
    ++matched;
  }
  if (matched == 0) {
    throw Error(ErrorKind::value, name_, fmt::format("no parameter matches \"{}\"", pattern))
        .at(where)
        .hint(fmt::format("the first path is {}", parameters_.path(0)));
  }
  groups_.push_back(options);
  return matched;
}

void Optimizer::train() {
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i].training.defined()) parameters_[i] = std::move(slots_[i].training);
    slots_[i].training = {};
  }
  training_ = true;
}

void Optimizer::eval_mode(SourceLocation where) {
  if (!training_ || !has_evaluation_weights()) return;
  Tensors weights(slots_.size());
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i].steps == 0) continue;
    Tensors state;
    for (const Tensor& tensor : slots_[i].state) state.push_back(computable(tensor));
    weights[i] = cast(evaluation_weights(update_of(i, {}, state)), parameters_[i].dtype());
  }
  numbers_.clear();
  eval(weights, where);
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (!weights[i].defined()) continue;
    slots_[i].training = parameters_[i].tensor();
    parameters_[i] = weights[i];
  }
  training_ = false;
}

void Optimizer::check_training(SourceLocation where) const {
  if (precision::current() == Precision::int8) {
    throw Error(ErrorKind::state, name_, "int8 is for inference: its rounding lets no gradient through")
        .at(where)
        .hint("end the scope of precision::int8 before training, or train in precision::bf16");
  }
  if (training_) return;
  throw Error(ErrorKind::state, name_, "a step needs the weights of training, and the model has those for evaluation")
      .at(where)
      .hint("call optimizer.train() before training, and optimizer.eval_mode() before the model is used or saved");
}

bool Optimizer::minimize(const Tensor& loss, const Tensors& keep, SourceLocation where) {
  check_training(where);
  Tensors wrt;
  bool any_trainable = false, any_gradient = false;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const bool trainable = parameters_[i].trainable();
    wrt.push_back(trainable ? parameters_[i].tensor() : Tensor());
    any_trainable = any_trainable || trainable;
  }
  if (!any_trainable) {
    throw Error(ErrorKind::state, name_, "all parameters are frozen").at(where).hint("nn::unfreeze(model) thaws them");
  }
  Tensors gradients = grad(loss, wrt, where);
  for (const Tensor& gradient : gradients) any_gradient = any_gradient || gradient.defined();
  if (!any_gradient) {
    throw Error(ErrorKind::state, name_, "the loss depends on none of the trainable parameters")
        .at(where)
        .operand("loss", loss.spec(), origin(loss))
        .hint("was it computed with another copy of the model?");
  }
  wrt.clear();
  return take_step(loss, std::move(gradients), keep, where);
}

bool Optimizer::step(std::span<const Tensor> gradients, SourceLocation where) {
  check_training(where);
  check_gradients(gradients, where);
  Tensors wanted(gradients.begin(), gradients.end());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (!parameters_[i].trainable()) wanted[i] = {};  // frozen since the gradients were taken
  }
  if (std::none_of(wanted.begin(), wanted.end(), [](const Tensor& g) { return g.defined(); })) {
    throw Error(ErrorKind::state, name_, "all parameters that have a gradient are frozen").at(where);
  }
  return take_step({}, std::move(wanted), {}, where);
}

bool Optimizer::step_fields(std::span<const nn::FieldRef> fields, SourceLocation where) {
  std::unordered_map<std::string_view, std::size_t> positions;
  for (std::size_t i = 0; i < parameters_.size(); ++i) positions.emplace(parameters_.path(i), i);
  Tensors gradients(parameters_.size());
  for (const nn::FieldRef& field : fields) {
    if (!field.parameter || !field.parameter->defined()) continue;
    const auto found = positions.find(field.path);
    if (found == positions.end()) {
      const std::string nearest = nearest_name(field.path, parameters_.paths());
      throw Error(ErrorKind::state, name_, fmt::format("there is a gradient for {}, but no such parameter", field.path))
          .at(where)
          .hint(nearest.empty() ? "gradients must come from the model that the optimizer was made for"
                                : fmt::format("the nearest name is {}", nearest));
    }
    gradients[found->second] = field.tensor();
  }
  return step(gradients, where);
}

void Optimizer::check_gradients(std::span<const Tensor> gradients, SourceLocation where) const {
  if (gradients.size() != parameters_.size()) {
    throw Error(ErrorKind::usage, name_,
                fmt::format("{} gradients for {} parameters", gradients.size(), parameters_.size()))
        .at(where)
        .hint("give one per parameter, undefined where there is none");
  }
  bool any = false;
  for (std::size_t i = 0; i < gradients.size(); ++i) {
    if (!gradients[i].defined()) continue;
    any = true;
    if (gradients[i].spec() == parameters_[i].tensor().spec()) continue;
    throw Error(ErrorKind::shape, name_, "a gradient must have the type and shape of its parameter")
        .at(where)
        .operand("gradient", gradients[i].spec())
        .operand("parameter", parameters_[i].tensor().spec(), parameters_.path(i));
  }
  if (!any) throw Error(ErrorKind::usage, name_, "all gradients are undefined").at(where);
}

Optimizer::Update Optimizer::update_of(std::size_t index, const Tensor& gradient, std::span<Tensor> state) {
  const Slot& slot = slots_[index];
  const GroupOptions& group = groups_[slot.group];
  const double decay = group.weight_decay.value_or(setting("weight_decay"));
  return {computable(parameters_[index].tensor()),
          gradient,
          state,
          slot.steps + 1,
          lr_ * group.lr_factor,
          decay,
          slot.group,
          *this};
}

Optimizer::Change Optimizer::record_change(std::size_t index, const Tensor& gradient) {
  Slot& slot = slots_[index];
  const Tensor& old = parameters_[index].tensor();
  if (slot.steps == 0) {
    slot.state.clear();
    for (const StateField& field : state_fields(old, lr_ * groups_[slot.group].lr_factor)) {
      slot.state.push_back(filled(field, old));
    }
  }
  for (const Tensor& tensor : slot.state) mark_state(tensor, old);

  Change change{index, {}, {}};
  for (const Tensor& tensor : slot.state) change.state.push_back(computable(tensor));
  change.value = cast(update(update_of(index, computable(gradient), change.state)), old.dtype());
  for (std::size_t s = 0; s < slot.state.size(); ++s) change.state[s] = cast(change.state[s], slot.state[s].dtype());
  return change;
}

std::vector<Optimizer::Change> Optimizer::record_changes(const Tensors& gradients, const Tensor& accepted) {
  std::vector<Change> changes;
  for (std::size_t i = 0; i < gradients.size(); ++i) {
    if (!gradients[i].defined()) continue;
    Change& change = changes.emplace_back(record_change(i, gradients[i]));
    if (!accepted.defined()) continue;
    change.value = gradus::where(accepted, change.value, parameters_[i].tensor());
    for (std::size_t s = 0; s < change.state.size(); ++s) {
      change.state[s] = gradus::where(accepted, change.state[s], slots_[i].state[s]);
    }
  }
  return changes;
}

bool Optimizer::take_step(const Tensor& loss, Tensors gradients, const Tensors& keep, SourceLocation where) {
  const Tensor accepted = skip_nonfinite_ ? all_finite(loss, gradients) : Tensor();
  prepare(gradients);
  Exchange exchange(*this, record_changes(gradients, accepted));
  gradients.clear();  // what is held is computed for its own sake
  Tensors roots = keep;
  roots.push_back(loss);
  roots.push_back(accepted);
  exchange.append_to(roots);
  if (evaluate_) {
    RecordedStep recorded{roots, loss, accepted, exchange.old_nodes(), std::exchange(numbers_, {})};
    evaluate_(recorded, where);
  } else {
    numbers_.clear();
    eval(roots, where);
  }
  const bool taken = !accepted.defined() || accepted.data<bool>()[0];
  exchange.commit(taken);
  return taken;
}

}  // namespace gradus::optim
