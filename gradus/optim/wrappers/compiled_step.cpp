#include "gradus/optim/wrappers/compiled_step.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <unordered_map>

#include "gradus/base/error.h"
#include "gradus/engine/eval.h"
#include "gradus/engine/recording.h"
#include "gradus/graph/node.h"

namespace gradus::optim {
namespace {

/// What a leaf of a recorded step stands for.
enum class Role : std::uint8_t { input, parameter, state, number, constant };

std::vector<TensorSpec> specs_of(const Tensors& tensors) {
  std::vector<TensorSpec> specs;
  for (const Tensor& tensor : tensors) specs.push_back(tensor.spec());
  return specs;
}

bool same_elements(const Node& a, const Node& b) {
  if (&a == &b) return true;
  if (!(a.specs == b.specs)) return false;
  for (std::size_t i = 0; i < a.values.size(); ++i) {
    if (std::memcmp(a.values[i]->data(), b.values[i]->data(), a.specs[i].bytes()) != 0) return false;
  }
  return true;
}

/// A leaf whose memory a result may take over: nobody else sees it change.
bool is_alone(const Node& leaf) {
  return leaf.use_count() == 1 && leaf.values.size() == 1 && leaf.values[0]->writable() &&
         leaf.values[0]->use_count() == 1;
}

}  // namespace

struct CompiledStep::Leaf {
  Role role = Role::constant;
  std::size_t index = 0;  ///< of the input, parameter or number
  std::size_t state = 0;
  Ref<Node> constant;
  TensorSpec spec;

  bool stands_for_the_same(const Leaf& other) const {
    return role == other.role && index == other.index && state == other.state &&
           (role != Role::constant || same_elements(*constant, *other.constant));
  }
};

/// A step that ran: its plan, and where its leaves and results belong.
struct CompiledStep::Recording {
  std::vector<TensorSpec> inputs;
  std::optional<engine::Recording> run;
  std::vector<Leaf> leaves;
  std::vector<Leaf> results;         // role input: the loss; number: whether the step was accepted
  std::vector<std::size_t> changed;  // parameters
  std::vector<Optimizer::Number> numbers;
  // What has to be the same for the next step to have the same structure.
  std::vector<double> settings;
  std::array<bool, 4> guards{};
  std::vector<bool> trainable;
  std::vector<std::size_t> groups;
  std::vector<std::int64_t> ages;  // steps of each changed parameter, more than the first one has: who shares numbers

  bool all_numbers = false;  // every parameter has to be asked for its numbers
  bool confirmed = false;    // a second recording was the same
  std::string refusal;       // why it cannot be replayed
};

CompiledStep::CompiledStep(Optimizer& optimizer, std::function<Tensor(const Tensors&)> loss)
    : optimizer_(optimizer), function_(std::move(loss)) {}
CompiledStep::~CompiledStep() = default;

Tensor CompiledStep::operator()(const Tensors& inputs, SourceLocation where) {
  constexpr std::size_t most_recordings = 16;
  eval(inputs, where);
  const std::vector<TensorSpec> specs = specs_of(inputs);
  const auto found = std::find_if(recordings_.begin(), recordings_.end(),
                                  [&](const auto& recording) { return recording->inputs == specs; });
  if (found != recordings_.end() && (*found)->confirmed) {
    if (fits(**found) && find_numbers(**found) && bind(**found, inputs)) {
      reason_.clear();
      return replay(**found);
    }
    optimizer_.numbers_.clear();
  }
  Tensor loss;
  std::unique_ptr<Recording> fresh = record(inputs, loss, where);
  reason_ = fresh->refusal;
  if (found == recordings_.end()) {
    if (reason_.empty()) reason_ = "the first step";
    if (recordings_.size() == most_recordings) recordings_.erase(recordings_.begin());
    recordings_.push_back(std::move(fresh));
    return loss;
  }
  const Recording& before = **found;
  if (reason_.empty()) {
    const bool same_way = before.refusal.empty() && before.run->same_plan(*fresh->run);
    const bool same_elements =
        same_way && std::equal(before.leaves.begin(), before.leaves.end(), fresh->leaves.begin(), fresh->leaves.end(),
                               [](const Leaf& a, const Leaf& b) { return a.stands_for_the_same(b); });
    fresh->confirmed = same_elements;
    reason_ = same_elements ? "the second step of its kind"
              : same_way    ? "the function reads tensors that are no inputs and differ from step to step"
                            : "it has another structure than the step before";
  }
  *found = std::move(fresh);
  return loss;
}

std::unique_ptr<CompiledStep::Recording> CompiledStep::record(const Tensors& inputs, Tensor& loss,
                                                              SourceLocation where) {
  auto recording = std::make_unique<Recording>();
  recording->inputs = specs_of(inputs);
  loss = function_(inputs);
  struct Following {
    Optimizer& optimizer;
    ~Following() { optimizer.evaluate_ = nullptr; }
  } const following{optimizer_};
  optimizer_.evaluate_ = [&](Optimizer::RecordedStep& step, SourceLocation place) {
    follow(*recording, step, inputs, place);
  };
  optimizer_.minimize(loss, {}, where);
  return recording;
}

/// Evaluates a recorded step, and writes down where its leaves come from and its results go.
void CompiledStep::follow(Recording& r, Optimizer::RecordedStep& step, const Tensors& inputs, SourceLocation where) {
  std::unordered_map<const Node*, Leaf> roles, results;
  const auto name = [&](auto& map, const Node* node, Leaf leaf) {
    leaf.spec = node->specs.front();
    if (node->specs.size() != 1) r.refusal = "a tensor is one of several results of an operation";
    if (!map.emplace(node, std::move(leaf)).second) r.refusal = "a tensor has two parts in the step";
  };
  for (std::size_t i = 0; i < inputs.size(); ++i) name(roles, inputs[i].node().get(), {Role::input, i, 0, {}, {}});
  for (std::size_t i = 0; i < step.numbers.size(); ++i) {
    name(roles, step.numbers[i].leaf.node().get(), {Role::number, i, 0, {}, {}});
  }
  std::vector<bool> changes(optimizer_.slots_.size(), false);
  name(results, step.loss.node().get(), {Role::input, 0, 0, {}, {}});
  if (step.accepted.defined()) name(results, step.accepted.node().get(), {Role::number, 0, 0, {}, {}});
  for (const auto& old : step.old) {
    changes[old.index] = true;
    r.ages.push_back(optimizer_.slots_[old.index].steps - optimizer_.slots_[step.old.front().index].steps);
    r.changed.push_back(old.index);
    name(roles, old.value, {Role::parameter, old.index, 0, {}, {}});
    name(results, optimizer_.parameters_[old.index].tensor().node().get(), {Role::parameter, old.index, 0, {}, {}});
    for (std::size_t s = 0; s < old.state.size(); ++s) {
      name(roles, old.state[s], {Role::state, old.index, s, {}, {}});
      name(results, optimizer_.slots_[old.index].state[s].node().get(), {Role::state, old.index, s, {}, {}});
    }
  }
  for (std::size_t i = 0; i < changes.size(); ++i) {
    if (!changes[i]) name(roles, optimizer_.parameters_[i].tensor().node().get(), {Role::parameter, i, 0, {}, {}});
    r.trainable.push_back(optimizer_.parameters_[i].trainable());
    r.groups.push_back(optimizer_.slots_[i].group);
  }
  const auto may_give = [&](const Node& node) {  // what is read again keeps its elements
    const auto found = roles.find(&node);
    return found != roles.end() && (found->second.role == Role::parameter || found->second.role == Role::state);
  };
  engine::Recording& run = r.run.emplace(step.roots, may_give, where);
  for (std::size_t i = 0; i < run.leaves.size(); ++i) {
    // Old parameters and state may be gone by now: looked up, not looked at.
    const auto found = roles.find(run.leaves[i]);
    r.leaves.push_back(found != roles.end() ? found->second
                                            : Leaf{Role::constant, 0, 0, run.kept[i], run.kept[i]->specs.front()});
  }
  run.kept.clear();
  for (const Node* node : run.results) {
    const auto found = results.find(node);
    if (found == results.end() || node->specs.size() != 1) {
      r.refusal = "tensors other than the loss are computed for their own sake";
      break;
    }
    r.results.push_back(found->second);
  }
  r.numbers = std::move(step.numbers);
  for (const Setting& setting : optimizer_.settings_) r.settings.push_back(setting.get());
  r.guards = optimizer_.guards();
}

/// Whether the next step has the structure of the recording.
bool CompiledStep::fits(const Recording& r) const {
  const Optimizer& o = optimizer_;
  if (!o.training_ || !r.run->is_current()) return false;
  for (std::size_t i = 0; i < o.settings_.size(); ++i) {
    if (o.settings_[i].get() != r.settings[i]) return false;
  }
  if (r.guards != o.guards()) return false;
  for (std::size_t i = 0; i < r.trainable.size(); ++i) {
    if (r.trainable[i] != o.parameters_[i].trainable() || r.groups[i] != o.slots_[i].group) return false;
  }
  for (std::size_t i = 0; i < r.changed.size(); ++i) {
    // Before the first step that was taken, the state begins anew from the learning rate of the day.
    if (o.slots_[r.changed[i]].steps == 0) return false;
    if (o.slots_[r.changed[i]].steps - o.slots_[r.changed.front()].steps != r.ages[i]) return false;
  }
  return true;
}

/// Computes the numbers of the coming step into optimizer_.numbers_: rates, corrections of averages. They are functions of
/// group, type and step count, so one parameter of each kind is asked, unless that does not give all.
bool CompiledStep::find_numbers(Recording& r) {
  Optimizer& o = optimizer_;
  const auto ask = [&](bool all) {
    std::vector<std::size_t> asked;
    for (const std::size_t i : r.changed) {
      const bool known = std::any_of(asked.begin(), asked.end(), [&](std::size_t j) {
        return o.slots_[i].group == o.slots_[j].group && o.slots_[i].steps == o.slots_[j].steps &&
               o.parameters_[i].dtype() == o.parameters_[j].dtype();
      });
      if (all || !known) asked.push_back(i);
    }
    Tensors gradients(o.slots_.size());
    for (const std::size_t i : asked) gradients[i] = o.parameters_[i].tensor();
    o.prepare(gradients);
    for (const std::size_t i : asked) o.record_change(i, gradients[i]);
    return std::equal(r.numbers.begin(), r.numbers.end(), o.numbers_.begin(), o.numbers_.end(),
                      [](const Optimizer::Number& a, const Optimizer::Number& b) {
                        return a.role == b.role && a.group == b.group && a.leaf.spec() == b.leaf.spec();
                      });
  };
  if (ask(r.all_numbers)) return true;
  if (r.all_numbers) return false;
  r.all_numbers = true;
  return ask(true);
}

/// Puts today's tensors into the places of the recording's leaves.
bool CompiledStep::bind(Recording& r, const Tensors& inputs) {
  for (std::size_t i = 0; i < r.leaves.size(); ++i) {
    const Leaf& leaf = r.leaves[i];
    const Tensor* tensor = nullptr;
    switch (leaf.role) {
      case Role::input: tensor = &inputs[leaf.index]; break;
      case Role::parameter: tensor = &optimizer_.parameters_[leaf.index].tensor(); break;
      case Role::state: {
        const Tensors& state = optimizer_.slots_[leaf.index].state;
        if (leaf.state >= state.size()) return false;
        tensor = &state[leaf.state];
        break;
      }
      case Role::number: tensor = &optimizer_.numbers_[leaf.index].leaf; break;
      case Role::constant: r.run->leaves[i] = leaf.constant.get(); continue;
    }
    if (!tensor->evaluated() || !(tensor->spec() == leaf.spec) || tensor->output() != 0) return false;
    r.run->leaves[i] = tensor->node().get();
  }
  return std::all_of(r.run->donors.begin(), r.run->donors.end(),
                     [&](std::int32_t i) { return is_alone(*r.run->leaves[static_cast<std::size_t>(i)]); });
}

Tensor CompiledStep::replay(Recording& r) {
  Optimizer& o = optimizer_;
  const std::vector<Ref<Buffer>> buffers = r.run->run();
  o.numbers_.clear();
  Tensor loss;
  bool taken = true;
  for (std::size_t i = 0; i < r.results.size(); ++i) {
    const Leaf& result = r.results[i];
    // A leaf whose memory was taken over holds the new elements already.
    const auto update = [&](const Tensor& old, auto assign) {
      if (!(old.buffer() == buffers[i])) assign(leaf(result.spec, buffers[i]));
    };
    switch (result.role) {
      case Role::input: loss = leaf(result.spec, buffers[i]); break;
      case Role::number: taken = *reinterpret_cast<const bool*>(buffers[i]->data()); break;
      case Role::parameter:
        update(o.parameters_[result.index].tensor(),
               [&](Tensor value) { o.parameters_[result.index] = std::move(value); });
        break;
      default: {
        Tensor& state = o.slots_[result.index].state[result.state];
        update(state, [&](Tensor value) { state = std::move(value); });
      }
    }
  }
  for (const std::size_t i : r.changed) {
    if (taken) ++o.slots_[i].steps;
  }
  ++replays_;
  return loss;
}

}  // namespace gradus::optim
