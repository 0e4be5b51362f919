#include "gradus/models/summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "gradus/base/error.h"
#include "gradus/graph/node.h"
#include "gradus/graph/walk.h"
#include "gradus/nn/mode.h"
#include "gradus/ops/conv.h"
#include "gradus/ops/matmul.h"

namespace gradus::models {
namespace {

Tensor zero_example(const Shape& example) {
  Shape shape = example;
  shape.insert(0, 1);
  const TensorSpec spec{DType::f32, shape};
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
  return 0;
}

/// Walks the recorded graph once, operands first.
class Reader {
 public:
  Reader(Summary& summary, const Node* input) : summary_(summary), from_input_{input} {}

  void read(Node& node) {
    if (node.is_leaf()) return;
    bool dependent = false;
    for (const Tensor& operand : node.inputs) dependent = dependent || from_input_.contains(operand.node().get());
    if (!dependent) return;  // a bias on its way into its shape
    from_input_.insert(&node);
    SummaryRow& row = row_of(node);
    for (const Tensor& operand : node.inputs) row.parameters += new_parameters(operand.node().get(), row);
    row.output = without_batch(node.specs[0].shape);
    row.macs += macs_of(node);
    row.activation_bytes =
        node.op.family() == OpFamily::view ? row.activation_bytes : static_cast<std::int64_t>(node.specs[0].bytes());
  }

 private:
  /// A node that only adds a parameter to a layer's product belongs to the product's row.
  SummaryRow& row_of(const Node& node) {
    if (node.op.family() == OpFamily::elementwise && node.inputs.size() == 2) {
      for (std::size_t i = 0; i < 2; ++i) {
        const Node* product = through_views(node.inputs[i].node().get());
        const Node* other = through_views(node.inputs[1 - i].node().get());
        const auto found = rows_.find(product);
        if (found != rows_.end() && other->is_parameter && product->op.family() == OpFamily::contraction) {
          rows_[&node] = found->second;
          return summary_.rows[found->second];
        }
      }
    }
    rows_[&node] = summary_.rows.size();
    const bool is_linear = node.op.as<MatMul>() && through_views(node.inputs[1].node().get())->is_parameter;
    SummaryRow& row = summary_.rows.emplace_back();
    row.operation = is_linear ? "linear" : std::string(node.called.empty() ? node.op.name() : node.called);
    return row;
  }

  static const Node* through_views(const Node* node) {
    while (!node->is_leaf() && node->op.family() == OpFamily::view) node = node->inputs[0].node().get();
    return node;
  }

  std::int64_t new_parameters(const Node* node, SummaryRow& row) {
    const Node* source = from_input_.contains(node) ? node : through_views(node);
    if (!source->is_leaf() || !source->is_parameter) return 0;
    if (row.layer.empty() && source->label) row.layer = source->label->substr(0, source->label->rfind('.'));
    return seen_.insert(source).second ? source->specs[0].shape.numel() : 0;
  }

  Summary& summary_;
  std::unordered_set<const Node*> from_input_, seen_;
  std::unordered_map<const Node*, std::size_t> rows_;
};

std::string thousands(std::int64_t value) {
  std::string text = fmt::format("{}", value);
  for (std::size_t i = text.size(); i > 3; i -= 3) text.insert(i - 3, ",");
  return text;
}

}  // namespace

Summary summarize(AnyModel& trained, const Shape& example) {
  AnyModel model = trained;  // its mode is nobody else's business
  nn::eval_mode(model);
  Summary summary;
  summary.input = {DType::f32, example};
  summary.parameters = nn::num_parameters(model);
  summary.trainable = nn::num_parameters(model, {.trainable_only = true});
  const Tensor input = zero_example(example);
  const Tensor output = model(input);
  const GraphWalk walk(std::span(&output, 1));
  Reader reader(summary, input.node().get());
  for (Node* node : walk.nodes()) reader.read(*node);
  for (const SummaryRow& row : summary.rows) {
    summary.macs += row.macs;
    summary.activation_bytes += row.activation_bytes;
  }
  return summary;
}

std::string to_text(const Summary& summary) {
  const auto line = [](const std::string& layer, const std::string& shape, const std::string& parameters,
                       const std::string& macs, const std::string& bytes) {
    return fmt::format("{:<24} {:<18} {:>12} {:>14} {:>16}\n", layer, shape, parameters, macs, bytes);
  };
  std::string text = line("layer", "output", "parameters", "MACs", "activation bytes");
  text += line("input", summary.input.shape.str(), "", "", "");
  for (const SummaryRow& row : summary.rows) {
    text += line(row.layer.empty() ? row.operation : fmt::format("{} ({})", row.layer, row.operation), row.output.str(),
                 row.parameters > 0 ? thousands(row.parameters) : "", row.macs > 0 ? thousands(row.macs) : "",
                 row.activation_bytes > 0 ? thousands(row.activation_bytes) : "");
  }
  text +=
      line("total", "", thousands(summary.parameters), thousands(summary.macs), thousands(summary.activation_bytes));
  if (summary.trainable != summary.parameters) text += fmt::format("trainable: {}\n", thousands(summary.trainable));
  return text;
}

}  // namespace gradus::models
