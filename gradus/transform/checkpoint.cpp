#include "gradus/transform/checkpoint.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "gradus/base/error.h"
#include "gradus/graph/node.h"
#include "gradus/ops/argument.h"
#include "gradus/ops/batch.h"
#include "gradus/transform/grad.h"
#include "gradus/transform/redirect.h"

namespace gradus {
namespace {

/// Nodes between `outputs` and `bounds`, operands before their users; `bounds` are not entered. Leaves are included.
std::vector<Node*> walk_between(std::span<const Tensor> outputs, std::span<const Tensor> bounds) {
  std::unordered_set<const Node*> seen;
  for (const Tensor& bound : bounds) seen.insert(bound.node().get());
  struct Frame {
    Node* node;
    std::size_t next_input;
  };
  std::vector<Frame> stack;
  std::vector<Node*> nodes;
  for (const Tensor& output : outputs) {
    if (seen.insert(output.node().get()).second) stack.push_back({output.node().get(), 0});
    while (!stack.empty()) {
      Frame& top = stack.back();
      if (top.next_input < top.node->inputs.size()) {
        Node* input = top.node->inputs[top.next_input++].node().get();
        if (seen.insert(input).second) stack.push_back({input, 0});
        continue;
      }
      nodes.push_back(top.node);
      stack.pop_back();
    }
  }
  return nodes;
}

/// Records a region once more, behind barriers that wait for the cotangents of its outputs.
class Recomputation {
 public:
  Recomputation(std::span<const Tensor> outputs, std::span<const Tensor> bounds, std::span<const Tensor> cotangents) {
    for (const Tensor& cotangent : cotangents) {
      if (cotangent.defined()) awaited_.push_back(cotangent);
    }
    for (const Tensor& bound : bounds) guard(*bound.node());
    for (Node* node : walk_between(outputs, bounds)) {
      if (node->is_leaf()) {
        guard(*node);
      } else {
        repeat(*node);
      }
    }
  }

  const Tensor& operator()(const Tensor& original) const {
    return repeated_.at(original.node().get())[static_cast<std::size_t>(original.output())];
  }

 private:
  void guard(Node& node) {
    Tensors& guarded = repeated_[&node];
    if (!guarded.empty()) return;
    for (int i = 0; i < static_cast<int>(node.specs.size()); ++i) {
      Tensors inputs{Tensor(Ref<Node>(&node), i)};
      inputs.insert(inputs.end(), awaited_.begin(), awaited_.end());
      guarded.push_back(record_all(Barrier{}, inputs, node.where)[0]);
    }
  }

  void repeat(const Node& node) {
    Tensors inputs;
    for (const Tensor& input : node.inputs) inputs.push_back((*this)(input));
    Tensors outputs = record_all(node.op, inputs, node.where);
    outputs[0].node()->label = node.label;
    outputs[0].node()->called = node.called;
    repeated_[&node] = std::move(outputs);
  }

  Tensors awaited_;
  std::unordered_map<const Node*, Tensors> repeated_;
};

/// Inputs of the node: outputs of the region, its bounds (inputs of the function, and the leaves that it uses).
struct CheckpointRule {
  std::int64_t outputs = 1;

  std::string_view name() const { return "checkpoint"; }
  OpFamily family() const { return OpFamily::opaque; }
  Specs infer(std::span<const TensorSpec>) const { return {}; }

  Tensors vjp(const VjpArgs& args) const {
    const auto count = static_cast<std::size_t>(outputs);
    const std::span<const Tensor> region = args.inputs.first(count), bounds = args.inputs.subspan(count);
    const Recomputation repeated(region, bounds, args.cotangents);
    Tensors repeated_outputs, cotangents, wrt;
    for (std::size_t i = 0; i < count; ++i) {
      if (!args.cotangents[i].defined()) continue;
      repeated_outputs.push_back(repeated(region[i]));
      cotangents.push_back(args.cotangents[i]);
    }
    for (std::size_t i = 0; i < bounds.size(); ++i) {
      const bool wanted = args.wants(static_cast<int>(std::min<std::size_t>(count + i, 63)));
      wrt.push_back(wanted ? repeated(bounds[i]) : Tensor());
    }
    Tensors flows = gradus::vjp(repeated_outputs, cotangents, wrt);
    flows.insert(flows.begin(), count, Tensor());
    return flows;
  }

  Tensors batch(const BatchArgs& args) const {
    Tensors inputs(args.inputs.begin(), args.inputs.end());
    for (std::size_t i = 0; i < static_cast<std::size_t>(outputs); ++i) inputs[i] = detail::batched_input(args, i);
    return record_all(Redirect{GradientRule(Op(*this)), outputs}, inputs, {});
  }

  bool operator==(const CheckpointRule&) const = default;
};

}  // namespace

namespace detail {

Tensor checkpoint_input(const TensorArg& argument) { return operand(argument, "checkpoint"); }

Tensors checkpoint(const Tensors& outputs, const Tensors& inputs, SourceLocation where) {
  if (outputs.empty()) throw Error(ErrorKind::usage, "checkpoint", "the function returned no tensors").at(where);
  for (const Tensor& output : outputs) {
    if (!output.defined()) {
      throw Error(ErrorKind::state, "checkpoint", "the function returned an undefined tensor").at(where);
    }
  }
  Tensors operands = outputs;
  for (const Tensor& input : inputs) {
    if (input.defined()) operands.push_back(input);
  }
  const std::span<const Tensor> bounds = std::span<const Tensor>(operands).subspan(outputs.size());
  Tensors leaves;
  for (Node* node : walk_between(outputs, bounds)) {
    if (!node->is_leaf()) continue;
    for (int i = 0; i < static_cast<int>(node->specs.size()); ++i) {
      if (is_floating(node->specs[static_cast<std::size_t>(i)].dtype)) leaves.emplace_back(Ref<Node>(node), i);
    }
  }
  operands.insert(operands.end(), leaves.begin(), leaves.end());
  const CheckpointRule rule{static_cast<std::int64_t>(outputs.size())};
  Tensors results = record_all(Redirect{GradientRule(Op(rule)), rule.outputs}, operands, where);
  results[0].node()->called = "checkpoint";
  return results;
}

}  // namespace detail
}  // namespace gradus
