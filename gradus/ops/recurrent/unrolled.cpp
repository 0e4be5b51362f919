// The LSTM as a composition of operations, and the way back through it.
#include <unordered_map>
#include <vector>

#include "gradus/graph/node.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/matmul.h"
#include "gradus/ops/recurrent/lstm.h"
#include "gradus/ops/view.h"
#include "gradus/ops/views/rearrange.h"

namespace gradus::detail {
namespace {

/// Nodes between `roots` and `ends`, operands before their users. Leaves and the ends themselves are not entered.
std::vector<Node*> nodes_between(std::span<const Tensor> roots, std::span<const Tensor> ends) {
  std::unordered_map<const Node*, bool> done;  // false: entered, its operands are on the way
  for (const Tensor& end : ends) done[end.node().operator->()] = true;
  std::vector<Node*> order, stack;
  for (const Tensor& root : roots) {
    if (root.defined()) stack.push_back(root.node().operator->());
  }
  while (!stack.empty()) {
    Node* node = stack.back();
    const auto [place, fresh] = done.try_emplace(node, false);
    if (!fresh) {
      stack.pop_back();
      if (place->second) continue;
      place->second = true;
      order.push_back(node);
    } else if (!node->is_leaf()) {
      for (const Tensor& input : node->inputs) stack.push_back(input.node().operator->());
    }
  }
  return order;
}

}  // namespace

LstmStates unrolled_lstm(const Tensor& x, const Tensor& w, const Tensor& h0, const Tensor& c0, bool reverse) {
  const std::int64_t steps = x.size(0), width = h0.size(1);
  Tensors all_h(static_cast<std::size_t>(steps)), all_c = all_h;
  Tensor h = h0, c = c0;
  for (std::int64_t step = 0; step < steps; ++step) {
    const std::int64_t t = reverse ? steps - 1 - step : step;
    const Tensor z = select(x, 0, t) + record(MatMul{false, true}, {h, w});
    const auto quarter = [&](std::int64_t i) { return slice(z, 1, i * width, (i + 1) * width); };
    c = sigmoid(quarter(1)) * c + sigmoid(quarter(0)) * tanh(quarter(2));
    h = sigmoid(quarter(3)) * tanh(c);
    all_h[static_cast<std::size_t>(t)] = h;
    all_c[static_cast<std::size_t>(t)] = c;
  }
  return {stack(all_h), stack(all_c)};
}

Tensors pull_back(std::span<const Tensor> outputs, std::span<const Tensor> cotangents, std::span<const Tensor> wrt) {
  std::unordered_map<const Node*, Tensors> arrived;
  const auto accumulate = [&](const Tensor& to, const Tensor& flow) {
    Tensors& slots = arrived[to.node().operator->()];
    if (slots.empty()) slots.resize(to.node()->specs.size());
    Tensor& slot = slots[static_cast<std::size_t>(to.output())];
    slot = slot.defined() ? slot + flow : flow;
  };
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (outputs[i].defined() && cotangents[i].defined()) accumulate(outputs[i], cotangents[i]);
  }
  const std::vector<Node*> nodes = nodes_between(outputs, wrt);
  for (std::size_t i = nodes.size(); i-- > 0;) {
    Node* node = nodes[i];
    const auto found = arrived.find(node);
    if (node->is_leaf() || found == arrived.end()) continue;
    const Tensors flow_in = std::move(found->second);
    Tensors results;
    for (int k = 0; k < static_cast<int>(node->specs.size()); ++k) results.emplace_back(Ref<Node>(node), k);
    const Tensors flows = node->op.vjp({node->inputs, results, flow_in});
    for (std::size_t k = 0; k < flows.size(); ++k) {
      if (flows[k].defined()) accumulate(node->inputs[k], flows[k]);
    }
  }
  Tensors result;
  for (const Tensor& x : wrt) {
    const auto found = arrived.find(x.node().operator->());
    result.push_back(found == arrived.end() ? Tensor() : found->second[static_cast<std::size_t>(x.output())]);
  }
  return result;
}

}  // namespace gradus::detail
