#include "gradus/graph/node.h"

#include <fmt/format.h>

#include <atomic>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "gradus/base/error.h"

namespace gradus {
namespace {

std::atomic<std::int64_t> live_count{0};

/// What every label is.
struct Interned : std::string {
  mutable std::atomic<Label> module{nullptr};  ///< once somebody asked for it

  explicit Interned(std::string_view text) : std::string(text) {}
};

/// The path of the module that a parameter belongs to: "encoder.fc1" for "encoder.fc1.weight".
Label module_of(Label parameter) {
  std::atomic<Label>& module = static_cast<const Interned*>(parameter)->module;
  Label known = module.load(std::memory_order_acquire);
  if (!known) {
    known = intern(std::string_view(*parameter).substr(0, parameter->rfind('.')));
    module.store(known, std::memory_order_release);
  }
  return known;
}

Label nearest_label(std::span<const Tensor> inputs) {
  for (const Tensor& input : inputs) {
    if (input.node()->is_leaf() && input.node()->label) return module_of(input.node()->label);
  }
  for (const Tensor& input : inputs) {
    if (input.node()->label) return input.node()->label;
  }
  return nullptr;
}

}  // namespace

Label intern(std::string_view text) {
  static auto* mutex = new std::mutex;  // leaked, like the table: labels live as long as the program
  static auto* table = new std::unordered_map<std::string_view, Label>;
  const std::lock_guard lock(*mutex);
  const auto found = table->find(text);
  if (found != table->end()) return found->second;
  const Label label = new Interned(text);
  table->emplace(*label, label);
  return label;
}

Node::Node() = default;
Node::~Node() = default;

void RefTraits<Node>::retain(Node* node) noexcept { node->retain(); }

void RefTraits<Node>::release(Node* node) noexcept {
  if (!node->release()) return;
  // Operands that die with their last user go to a list instead of the stack.
  constinit thread_local Node* dying = nullptr;
  constinit thread_local bool is_releasing = false;
  node->next_dying = std::exchange(dying, node);
  if (is_releasing) return;
  is_releasing = true;
  std::int64_t unevaluated = 0;
  while (Node* next = dying) {
    dying = next->next_dying;
    if (next->op && !next->is_leaf()) ++unevaluated;
    delete next;  // releases its inputs, which arrive in `dying`
  }
  is_releasing = false;
  if (unevaluated > 0) live_count.fetch_sub(unevaluated, std::memory_order_relaxed);
}

namespace {

[[noreturn]] void refuse_undefined(const Op& op, std::size_t operand, SourceLocation where) {
  throw Error(ErrorKind::state, std::string(op.name()), fmt::format("operand {} is an undefined tensor", operand))
      .at(where)
      .hint("give it a value first; a layer made without bias has an undefined bias");
}

Ref<Node> record_node(Op op, std::span<const Lent> inputs, SourceLocation where) {
  auto node = Ref<Node>::first(new Node);
  SmallVector<TensorSpec, 3> specs;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Tensor& input = inputs[i];
    if (!input.defined()) refuse_undefined(op, i, where);
    const Node& from = *input.node();
    specs.push_back(from.specs[static_cast<std::size_t>(input.output())]);
    node->from_parameter = node->from_parameter || from.is_parameter || from.from_parameter;
    node->inputs.push_back(input);
  }
  try {
    node->specs = op.infer(specs);
  } catch (Error& error) {
    error.at(where);
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const Tensor& input = inputs[i];
      if (!input.node()->is_leaf()) error.note(fmt::format("operand {} comes from {}", i, origin(input)));
    }
    throw;
  }
  live_count.fetch_add(1, std::memory_order_relaxed);
  node->op = std::move(op);
  node->where = where;
  node->label = nearest_label(node->inputs);
  return node;
}

}  // namespace

Tensors record_all(Op op, std::span<const Tensor> inputs, SourceLocation where) {
  SmallVector<Lent, 4> lent;
  for (const Tensor& input : inputs) lent.push_back(input);
  const Ref<Node> node = record_node(std::move(op), lent, where);
  Tensors outputs;
  outputs.reserve(node->specs.size());
  for (int i = 0; i < static_cast<int>(node->specs.size()); ++i) outputs.emplace_back(node, i);
  return outputs;
}

Tensor record(Op op, std::span<const Lent> inputs, SourceLocation where) {
  return Tensor(record_node(std::move(op), inputs, where), 0);
}

Tensor record(Op op, std::initializer_list<Lent> inputs, SourceLocation where) {
  return record(std::move(op), std::span(inputs.begin(), inputs.size()), where);
}

std::string origin(const Tensor& tensor) {
  const Node& node = *tensor.node();
  if (node.is_leaf() && node.label) return *node.label;
  if (!node.op) return "a leaf";
  std::string text(node.called.empty() ? node.op.name() : node.called);
  if (!node.inputs.empty()) text += " of " + node.inputs.front().spec().str();
  return text;
}

std::int64_t live_nodes() { return live_count.load(std::memory_order_relaxed); }

void publish(Node& node, SmallVector<Ref<Buffer>, 1> values, SourceLocation where) noexcept {
  GRADUS_ASSERT(!node.is_leaf() && values.size() == node.specs.size());
  node.values = std::move(values);
  node.evaluated_at = where;
  live_count.fetch_sub(1, std::memory_order_relaxed);
  SmallVector<Tensor, 3> dropped = std::move(node.inputs);
  node.inputs.clear();
}

}  // namespace gradus
