#include "gradus/models/summary.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <functional>
#include <unordered_map>
#include <unordered_set>

#include "gradus/base/error.h"
#include "gradus/graph/node.h"
#include "gradus/graph/walk.h"
#include "gradus/nn/hooks.h"
#include "gradus/nn/mode.h"
#include "gradus/ops/attention/operation.h"
#include "gradus/ops/conv.h"
#include "gradus/ops/matmul.h"
#include "gradus/ops/recurrent/lstm.h"
#include "gradus/ops/view.h"

namespace gradus::models {
namespace {

Tensor zero_example(const TensorSpec& example) {
  TensorSpec spec = example;
  spec.shape.insert(0, 1);
  Ref<Buffer> buffer = Buffer::allocate(spec.bytes());
  std::fill_n(buffer->data(), spec.bytes(), std::byte{0});
  return leaf(spec, std::move(buffer));
}

Shape without_batch(Shape shape) {
  if (shape.rank() > 0 && shape[0] == 1) shape.erase(0);
  return shape;
}

/// Whether this is a convolution of the kind, over any number of axes.
template <template <int> class Kind>
bool is_a(const Op& op) {
  return op.as<Kind<1>>() || op.as<Kind<2>>() || op.as<Kind<3>>();
}

std::int64_t macs_of(const Node& node) {
  const std::int64_t outputs = node.specs[0].shape.numel();
  const bool transposed = is_a<ConvInputGradient>(node.op);  // each element of its input meets the whole kernel
  if (transposed || is_a<Conv>(node.op)) {
    const Shape& weight = node.inputs[1].shape();
    return (transposed ? node.inputs[0].numel() : outputs) * weight.numel(1, weight.rank());
  }
  if (const MatMul* product = node.op.as<MatMul>()) {
    const Shape& a = node.inputs[0].shape();
    return outputs * a[a.rank() - (product->transpose_a ? 2 : 1)];
  }
  if (const Attention* attention = node.op.as<Attention>()) {  // all pairs, those that are masked included
    const detail::AttentionSizes s(node.inputs[0].shape(), node.inputs[1].shape(), node.inputs[2].shape(),
                                   attention->time_first);
    return s.examples * s.heads * s.queries * s.keys * (s.width + s.value_width);
  }
  if (node.op.as<Lstm>()) return node.inputs[0].numel() * node.inputs[1].shape()[1];
  return 0;
}

/// A call of a layer.
struct Call {
  std::string path, type;
  Tensor input, output;
};

/// The calls of layers that hold no other layer that was called, in order.
std::vector<Call> innermost(const std::vector<Call>& calls) {
  std::vector<Call> kept;
  for (std::size_t i = 0; i < calls.size(); ++i) {
    const std::string prefix = calls[i].path.empty() ? "" : calls[i].path + ".";
    const bool holds_another = std::any_of(
        calls.begin(), calls.begin() + static_cast<std::ptrdiff_t>(i),
        [&](const Call& earlier) { return earlier.path != calls[i].path && earlier.path.starts_with(prefix); });
    if (!holds_another) kept.push_back(calls[i]);
  }
  return kept;
}

const Node* through_views(const Node* node) {
  while (!node->is_leaf() && node->op.family() == OpFamily::view) node = node->inputs[0].node().get();
  return node;
}

/// Sorts the nodes between input and output into rows.
class Reader {
 public:
  Reader(Summary& summary, const Tensor& input, const Tensor& output, std::vector<Call> calls)
      : summary_(summary),
        input_(input.node().get()),
        walk_(std::span(&output, 1)),
        calls_(std::move(calls)),
        fields_(input) {}

  void read() {
    find_dependents();
    for (std::size_t i = 0; i < calls_.size(); ++i) claim(static_cast<int>(i));
    for (const Node* node : walk_.nodes()) {
      if (!dependent(node) || node == input_ || group_of_.contains(node) || is_implicit(node)) continue;
      add_to_group(node);
    }
    row_of_[input_] = -1;
    pass_through(input_);
    // A row stands where its last node stands, behind all that it reads.
    for (const Node* node : walk_.nodes()) {
      const auto found = group_of_.find(node);
      if (found == group_of_.end()) continue;
      const Group& group = groups_[found->second];
      if (group.nodes.back() == node) add_row(group);
    }
    if (fields_.has_windows()) return;
    for (SummaryRow& row : summary_.rows) row.field.clear();
  }

 private:
  struct Group {
    int call = -1;  ///< of the layer; -1: none
    std::vector<const Node*> nodes;
  };

  bool dependent(const Node* node) const { return dependent_.contains(node); }

  /// A broadcast that an operation made for its one operand.
  bool is_implicit(const Node* node) const {
    const auto found = uses_.find(node);
    return !node->is_leaf() && node->op.as<BroadcastTo>() && found != uses_.end() && found->second == 1;
  }

  void find_dependents() {
    dependent_.insert(input_);
    for (const Node* node : walk_.nodes()) {
      if (node->is_leaf()) continue;
      for (const Tensor& operand : node->inputs) {
        ++uses_[operand.node().get()];
        if (dependent(operand.node().get())) dependent_.insert(node);
      }
      fields_.add(*node);
    }
  }

  /// Gives the nodes between the layer's input and output, where no other layer has them, to the layer.
  void claim(int call) {
    const Node* from = calls_[static_cast<std::size_t>(call)].input.node().get();
    const Node* to = calls_[static_cast<std::size_t>(call)].output.node().get();
    if (from == to) passing_[to].push_back(call);
    if (from == to || !dependent(to) || walk_.index(to) < 0 || group_of_.contains(to)) return;
    std::unordered_set<const Node*> below{to};
    std::vector<const Node*> pending{to};
    while (!pending.empty()) {
      const Node* node = pending.back();
      pending.pop_back();
      for (const Tensor& operand : node->inputs) {
        const Node* next = operand.node().get();
        if (next == from || next->is_leaf() || !dependent(next) || group_of_.contains(next)) continue;
        if (below.insert(next).second) pending.push_back(next);
      }
    }
    Group group{call, {below.begin(), below.end()}};
    std::sort(group.nodes.begin(), group.nodes.end(),
              [&](const Node* a, const Node* b) { return walk_.index(a) < walk_.index(b); });
    std::unordered_set<const Node*> above{from};
    std::erase_if(group.nodes, [&](const Node* node) {
      const bool keeps = std::any_of(node->inputs.begin(), node->inputs.end(),
                                     [&](const Tensor& operand) { return above.contains(operand.node().get()); });
      if (keeps) above.insert(node);
      return !keeps;
    });
    if (group.nodes.empty() || group.nodes.back() != to) return;
    for (const Node* node : group.nodes) group_of_[node] = groups_.size();
    groups_.push_back(std::move(group));
  }

  /// A node outside of layers is a row of its own, unless it only adds a parameter to a function's product, or belongs to
  /// the same function as an operand.
  void add_to_group(const Node* node) {
    std::size_t own = groups_.size();
    for (std::size_t i = 0; i < node->inputs.size(); ++i) {
      const Node* operand = node->inputs[i].node().get();
      const Node* product = through_views(operand);
      const bool adds_bias = node->op.family() == OpFamily::elementwise && node->inputs.size() == 2 &&
                             !product->is_leaf() && product->op.family() == OpFamily::contraction &&
                             through_views(node->inputs[1 - i].node().get())->is_parameter;
      const bool same_function =
          !node->called.empty() && node->called == operand->called && node->where.line == operand->where.line;
      const auto found = group_of_.find(adds_bias ? product : operand);
      if (!(adds_bias || same_function) || found == group_of_.end() || groups_[found->second].call >= 0) continue;
      own = own == groups_.size() ? found->second : merged(own, found->second);
    }
    if (own == groups_.size()) groups_.emplace_back();
    for (const Tensor& operand : node->inputs) {
      const Node* broadcast = operand.node().get();
      if (!dependent(broadcast) || group_of_.contains(broadcast) || !is_implicit(broadcast)) continue;
      groups_[own].nodes.push_back(broadcast);
      group_of_[broadcast] = own;
    }
    groups_[own].nodes.push_back(node);
    group_of_[node] = own;
  }

  std::size_t merged(std::size_t into, std::size_t from) {
    if (into == from) return into;
    std::vector<const Node*>& nodes = groups_[into].nodes;
    for (const Node* node : groups_[from].nodes) {
      nodes.push_back(node);
      group_of_[node] = into;
    }
    groups_[from].nodes.clear();
    std::sort(nodes.begin(), nodes.end(),
              [&](const Node* a, const Node* b) { return walk_.index(a) < walk_.index(b); });
    return into;
  }

  void add_row(const Group& group) {
    const Node* last = group.nodes.back();
    const auto index = static_cast<int>(summary_.rows.size());
    SummaryRow row;
    row.operation = name_of(group);
    if (group.call >= 0) row.layer = calls_[static_cast<std::size_t>(group.call)].path;
    bool computes = false;
    for (const Node* node : group.nodes) {
      row.macs += macs_of(*node);
      computes = computes || node->op.family() != OpFamily::view;
      for (const Tensor& operand : node->inputs) add_operand(operand.node().get(), row);
      row_of_[node] = index;
    }
    std::erase(row.inputs, index);
    row.output = without_batch(last->specs[0].shape);
    row.activation_bytes = computes ? static_cast<std::int64_t>(last->specs[0].bytes()) : 0;
    row.field = fields_.of(last);
    summary_.rows.push_back(std::move(row));
    pass_through(last);
  }

  /// What the row reads: other rows, or parameters.
  void add_operand(const Node* operand, SummaryRow& row) {
    if (!dependent(operand)) {
      row.parameters += new_parameters(operand, row);
      return;
    }
    const auto from = row_of_.find(operand);
    if (from == row_of_.end()) return;  // of the same row
    if (std::find(row.inputs.begin(), row.inputs.end(), from->second) == row.inputs.end()) {
      row.inputs.push_back(from->second);
    }
  }

  /// Rows for layers that did nothing to this node, as dropout in evaluation mode.
  void pass_through(const Node* node) {
    for (const int call : passing_[node]) {
      SummaryRow row;
      row.layer = calls_[static_cast<std::size_t>(call)].path;
      row.operation = calls_[static_cast<std::size_t>(call)].type;
      row.output = without_batch(node->specs[0].shape);
      row.inputs = {row_of_.at(node)};
      row.field = fields_.of(node);
      row_of_[node] = static_cast<int>(summary_.rows.size());
      summary_.rows.push_back(std::move(row));
    }
  }

  std::string name_of(const Group& group) const {
    if (group.call >= 0) {
      const std::string& type = calls_[static_cast<std::size_t>(group.call)].type;
      if (std::all_of(type.begin(), type.end(), [](unsigned char c) { return std::isalnum(c) || c == '_'; })) {
        return type;
      }
    }
    const Node* node =
        group.nodes.front()->op.family() == OpFamily::contraction ? group.nodes.front() : group.nodes.back();
    if (node->op.as<MatMul>() && through_views(node->inputs[1].node().get())->is_parameter) return "linear";
    return std::string(node->called.empty() ? node->op.name() : node->called);
  }

  /// Elements of the parameters below `node` that no row before has counted.
  std::int64_t new_parameters(const Node* node, SummaryRow& row) {
    std::int64_t count = 0;
    std::vector<const Node*> pending{node};
    while (!pending.empty()) {
      const Node* next = pending.back();
      pending.pop_back();
      if (next->is_leaf() && next->is_parameter && row.layer.empty() && next->label) {
        row.layer = next->label->substr(0, next->label->rfind('.'));
      }
      if (!seen_.insert(next).second) continue;
      if (next->is_leaf()) {
        count += next->is_parameter ? next->specs[0].shape.numel() : 0;
      } else {
        for (const Tensor& operand : next->inputs) pending.push_back(operand.node().get());
      }
    }
    return count;
  }

  Summary& summary_;
  const Node* input_;
  GraphWalk walk_;
  std::vector<Call> calls_;
  ReceptiveFields fields_;
  std::unordered_set<const Node*> dependent_, seen_;
  std::unordered_map<const Node*, std::size_t> group_of_;
  std::unordered_map<const Node*, int> uses_;
  std::unordered_map<const Node*, std::vector<int>> passing_;
  std::unordered_map<const Node*, int> row_of_;
  std::vector<Group> groups_;
};

/// "5" when all axes agree, else "5 x 3"; "" for 0, where there is no such figure.
std::string by_axis(const std::vector<ReceptiveField>& field, double ReceptiveField::*figure) {
  std::vector<std::string> figures;
  for (const ReceptiveField& along : field) figures.push_back(fmt::format("{:.4g}", along.*figure));
  if (std::adjacent_find(figures.begin(), figures.end(), std::not_equal_to<>()) == figures.end()) figures.resize(1);
  return figures == std::vector<std::string>{"0"} ? "" : fmt::format("{}", fmt::join(figures, " x "));
}

}  // namespace

std::string thousands(std::int64_t value) {
  std::string text = fmt::format("{}", value);
  for (std::size_t i = text.size(); i > 3; i -= 3) text.insert(i - 3, ",");
  return text;
}

Summary summarize(AnyModel& trained, const TensorSpec& example) {
  AnyModel model = trained;  // its mode is nobody else's business
  nn::eval_mode(model);
  Summary summary;
  summary.input = example;
  summary.parameters = nn::num_parameters(model);
  summary.trainable = nn::num_parameters(model, {.trainable_only = true});
  const Tensor input = zero_example(example);
  std::vector<Call> calls;
  const nn::Hook hook(nn::detail::layers(model), [&](const nn::LayerCall& call) {
    calls.push_back({call.path, call.type, call.input, call.output});
    return Tensor();
  });
  const Tensor output = model(input);
  Reader(summary, input, output, innermost(calls)).read();
  for (const SummaryRow& row : summary.rows) {
    summary.macs += row.macs;
    summary.activation_bytes += row.activation_bytes;
  }
  return summary;
}

Summary summarize(AnyModel& model, const Shape& example) { return summarize(model, TensorSpec{DType::f32, example}); }

std::string to_text(const Summary& summary) {
  const bool windows =
      std::any_of(summary.rows.begin(), summary.rows.end(), [](const SummaryRow& row) { return !row.field.empty(); });
  const auto line = [&](const std::string& layer, const std::string& shape, const std::string& parameters,
                        const std::string& macs, const std::string& bytes, const std::string& field,
                        const std::string& stride) {
    std::string text = fmt::format("{:<28} {:<18} {:>12} {:>14} {:>16}", layer, shape, parameters, macs, bytes);
    if (windows) text += fmt::format(" {:>9} {:>8}", field, stride);
    return text.substr(0, text.find_last_not_of(' ') + 1) + "\n";
  };
  std::string text = line("layer", "output", "parameters", "MACs", "activation bytes", "sees", "stride");
  text += line("input", summary.input.shape.str(), "", "", "", "", "");
  const auto figure = [](std::int64_t value) { return value > 0 ? thousands(value) : std::string(); };
  for (const SummaryRow& row : summary.rows) {
    const bool whole = std::all_of(row.field.begin(), row.field.end(), [](const auto& f) { return f.whole; });
    text += line(row.layer.empty() ? row.operation : fmt::format("{} ({})", row.layer, row.operation), row.output.str(),
                 figure(row.parameters), figure(row.macs), figure(row.activation_bytes),
                 whole ? "all" : by_axis(row.field, &ReceptiveField::size),
                 whole ? "" : by_axis(row.field, &ReceptiveField::stride));
  }
  text += line("total", "", thousands(summary.parameters), thousands(summary.macs), thousands(summary.activation_bytes),
               "", "");
  if (summary.trainable != summary.parameters) text += fmt::format("trainable: {}\n", thousands(summary.trainable));
  return text;
}

}  // namespace gradus::models
