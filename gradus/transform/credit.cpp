#include "gradus/transform/credit.h"

#include <limits>
#include <string>
#include <unordered_map>

#include "gradus/base/small_vector.h"

namespace gradus::transform {
namespace {

/// The walk id of nodes that have been credited: no walk has it, and fresh nodes have 0.
constexpr std::uint64_t credited = std::numeric_limits<std::uint64_t>::max();

bool is_fresh(const Tensor& tensor) {
  return tensor.defined() && !tensor.node()->is_leaf() && tensor.node()->walk_id == 0;
}

}  // namespace

void credit(const Tensor& result, const Node& source, std::string_view called) {
  if (!is_fresh(result)) return;
  SmallVector<Node*, 16> pending{result.node().get()};
  while (!pending.empty()) {
    Node& node = *pending.back();
    pending.pop_back();
    if (node.walk_id != 0) continue;
    node.walk_id = credited;
    node.label = source.label;
    node.where = source.where;
    if (!called.empty()) node.called = called;
    for (const Tensor& input : node.inputs) {
      if (is_fresh(input)) pending.push_back(input.node().get());
    }
  }
}

void claim(const Tensor& tensor) {
  if (is_fresh(tensor)) tensor.node()->walk_id = credited;
}

std::string_view gradient_name(std::string_view op) {
  // Names of operations are constants: their address finds the text again without a lock.
  thread_local std::unordered_map<const char*, Label> known;
  Label& label = known[op.data()];
  constexpr std::string_view prefix = "gradient of ";
  if (!label || std::string_view(*label).substr(prefix.size()) != op) label = intern(std::string(prefix).append(op));
  return *label;
}

}  // namespace gradus::transform
