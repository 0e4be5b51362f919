#include "gradus/train/record/sites.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <unordered_set>

#include "gradus/graph/walk.h"
#include "gradus/models/activations.h"

namespace gradus::train {
namespace {

std::string_view function_of(const Node& node) { return node.called.empty() ? node.op.name() : node.called; }

bool is_activation(const Node& node) {
  const auto& names = models::activation_names();
  return node.specs.size() == 1 && node.specs[0].shape.rank() > 0 && is_floating(node.specs[0].dtype) &&
         std::find(names.begin(), names.end(), function_of(node)) != names.end();
}

/// Nodes in the middle of a function that is made of several.
std::unordered_set<const Node*> inner_nodes(std::span<Node* const> nodes) {
  std::unordered_set<const Node*> inner;
  for (const Node* node : nodes) {
    if (node->is_leaf() || node->called.empty()) continue;
    for (const Tensor& input : node->inputs) {
      const Node& before = *input.node();
      if (before.called == node->called && before.where.line == node->where.line) inner.insert(&before);
    }
  }
  return inner;
}

int unit_axis(const Node* node) {
  const int rank = node->specs[0].shape.rank();
  while (!node->is_leaf() && !node->inputs.empty() && node->op.family() != OpFamily::contraction)
    node = node->inputs[0].node().get();
  const bool convolved = !node->is_leaf() && node->op.name().starts_with("conv");
  return rank > 1 && (convolved || rank > 3) ? 1 : rank - 1;
}

}  // namespace

std::vector<ActivationSite> activation_sites(const Tensor& answer) {
  const GraphWalk walk({&answer, 1});
  const std::unordered_set<const Node*> inner = inner_nodes(walk.nodes());
  std::vector<ActivationSite> sites;
  std::map<std::string, int> seen;
  const auto add = [&](Node* node, std::string_view function) {
    std::string name = node->label ? *node->label : "input";
    if (function == "output") {
      name = "output";
    } else if (const int times = ++seen[name]; times > 1) {
      name += fmt::format("#{}", times);
    }
    sites.push_back({std::move(name), std::string(function), Tensor(Ref<Node>(node), 0), unit_axis(node)});
  };
  for (Node* node : walk.nodes()) {
    if (!node->is_leaf() && is_activation(*node) && inner.count(node) == 0) add(node, function_of(*node));
  }
  Node* const last = answer.node().get();
  if (!last->is_leaf() && answer.rank() > 0 && (sites.empty() || sites.back().output != answer)) add(last, "output");
  return sites;
}

}  // namespace gradus::train
