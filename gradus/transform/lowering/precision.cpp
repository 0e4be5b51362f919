#include "gradus/transform/lowering/precision.h"

#include <algorithm>

#include "gradus/ops/attention/operation.h"
#include "gradus/ops/conv.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/matmul.h"
#include "gradus/ops/recurrent/lstm.h"
#include "gradus/ops/reduce.h"
#include "gradus/ops/view.h"
#include "gradus/transform/layout.h"

namespace gradus::transform {
namespace {

// Measured on AMX with oneDNN 2.6.3: below these, tiles are mostly empty and f32 is as fast. (AVX512_BF16 gains less, at the same sizes.)
constexpr std::int64_t least_inner = 16;         // of a product
constexpr std::int64_t least_channels = 3;       // of a convolution, in and out, each group
constexpr double least_products = 32 * 32 * 32;  // multiplications of one call
constexpr std::int64_t least_sequences = 4;      // of a recurrence, side by side

bool pays(std::int64_t inner, double products) { return inner >= least_inner && products >= least_products; }

bool pays(const Shape& weight, std::int64_t groups, const Shape& y) {
  const double products = static_cast<double>(y.numel()) * static_cast<double>(weight.numel(1, weight.rank()));
  return std::min(weight[1], weight[0] / groups) >= least_channels && products >= least_products;
}

template <int N>
bool conv_pays(const Graph& graph, const Vertex& v) {
  const auto shape = [&](std::size_t input) -> const Shape& { return graph.spec(v.inputs[input]).shape; };
  if (const auto* op = v.op.as<Conv<N>>()) return pays(shape(1), op->groups, v.specs.front().shape);
  if (const auto* op = v.op.as<ConvInputGradient<N>>()) return pays(shape(1), op->conv.groups, shape(0));
  if (const auto* op = v.op.as<ConvWeightGradient<N>>()) return pays(op->weight, op->conv.groups, shape(1));
  return false;
}

/// Whether a vertex is a contraction of f32 operands that bf16 makes faster.
bool is_lowered(const Graph& graph, const Vertex& v) {
  if (v.is_leaf() || v.op.family() != OpFamily::contraction) return false;
  for (const ValueId id : v.inputs) {
    if (graph.spec(id).dtype != DType::f32) return false;
  }
  if (const MatMul* op = v.op.as<MatMul>()) {
    const Shape& a = graph.spec(v.inputs[0]).shape;
    const std::int64_t inner = a[a.rank() - (op->transpose_a ? 2 : 1)];
    return pays(inner, static_cast<double>(v.specs.front().shape.numel()) * static_cast<double>(inner));
  }
  return conv_pays<1>(graph, v) || conv_pays<2>(graph, v) || conv_pays<3>(graph, v);
}

/// Views whose elements may as well be cast before.
bool is_plain_view(const Vertex& v) {
  return !v.is_leaf() && (v.op.as<Reshape>() || v.op.as<Permute>() || v.op.as<BroadcastTo>() || v.op.as<Slice>());
}

/// Readers that see no difference between an activation and its rounding, or no more than a product does: the mask of relu's
/// gradient, and the sum behind a way around some layers. Others do: the gradient of tanh takes 1 - y * y.
bool may_read_rounded(const Vertex& v) {
  const Elementwise* op = v.op.as<Elementwise>();
  return op && (op->code == ElementwiseCode::less_equal || op->code == ElementwiseCode::add);
}

/// Readers that take a value as it comes from memory and compute with it at once: a cast in front of them costs nothing, because
/// fusion takes it in.
bool widens_for_itself(const Vertex& v) {
  const Reduce* reduce = v.op.as<Reduce>();
  return v.op.as<Elementwise>() || v.op.as<Cast>() || (reduce && reduce->kind != ReduceKind::prod);
}

/// Whole sequences keep their operands in f32 and round them where their products are.
Op with_narrow_products(const Graph& graph, const Vertex& v) {
  const auto narrow = [](auto op) -> Op {
    op.narrow = true;
    return op;
  };
  const auto f32 = [&] { return graph.spec(v.inputs[0]).dtype == DType::f32; };
  if (const auto* op = v.op.as<Attention>()) return f32() ? narrow(*op) : v.op;
  if (const auto* op = v.op.as<AttentionGradient>()) return f32() ? narrow(*op) : v.op;
  const auto pays_in_steps = [&] {
    const Shape &w = graph.spec(v.inputs[1]).shape, &h = graph.spec(v.inputs[2]).shape;
    return f32() && h[0] >= least_sequences && pays(w[1], static_cast<double>(h[0] * w.numel()));
  };
  if (const auto* op = v.op.as<Lstm>()) return pays_in_steps() ? narrow(*op) : v.op;
  if (const auto* op = v.op.as<LstmGradient>()) return pays_in_steps() ? narrow(*op) : v.op;
  return v.op;
}

class Lowering {
 public:
  Lowering(const Graph& graph, bool narrow_images)
      : graph_(graph), narrow_images_(narrow_images), values_(graph.vertices.size()) {
    for (std::size_t i = 0; i < graph.vertices.size(); ++i) values_[i].resize(graph.vertices[i].specs.size());
  }

  Graph run() {
    for (const ValueId id : graph_.results) value(id).needed = value(id).exact = value(id).stored = true;
    for (std::size_t i = graph_.vertices.size(); i-- > 0;) ask_for_operands(static_cast<std::int32_t>(i));
    for (std::size_t i = 0; i < graph_.vertices.size(); ++i) rebuild(static_cast<std::int32_t>(i));
    for (const ValueId id : graph_.results) lowered_.results.push_back(value(id).moved);
    return std::move(lowered_);
  }

 private:
  struct Value {
    bool needed = false;       ///< as it is
    bool exact = false;        ///< and nothing else will do
    bool wanted = false;       ///< in bf16
    bool stored = false;       ///< in f32, by somebody who cannot widen it for himself
    bool narrow_only = false;  ///< what makes it writes bf16, and everybody reads that
    ValueId moved;             ///< in the new graph
    ValueId narrow;            ///< its bf16 twin there
  };

  const Vertex& vertex(ValueId id) const { return graph_.vertices[static_cast<std::size_t>(id.vertex)]; }
  bool was_bf16(const Vertex& v) const { return v.op.as<Cast>() && graph_.spec(v.inputs[0]).dtype == DType::bf16; }
  Value& value(ValueId id) { return values_[static_cast<std::size_t>(id.vertex)][static_cast<std::size_t>(id.output)]; }

  bool any(std::int32_t i, bool Value::*flag) const {
    const auto& values = values_[static_cast<std::size_t>(i)];
    return std::any_of(values.begin(), values.end(), [&](const Value& v) { return v.*flag; });
  }

  /// What vertex `i` reads, in the type in which it reads it. All its readers have asked before.
  void ask_for_operands(std::int32_t i) {
    const Vertex& v = vertex({i, 0});
    if (v.is_leaf()) return;
    if (any(i, &Value::wanted)) {
      if (is_plain_view(v)) {
        value(v.inputs[0]).wanted = true;
      } else {
        value(was_bf16(v) ? v.inputs[0] : ValueId{i, 0}).needed = true;
      }
    }
    if (!any(i, &Value::needed)) return;
    const bool lowered = is_lowered(graph_, v);
    for (const ValueId id : v.inputs) {
      Value& read = value(id);
      (lowered ? read.wanted : read.needed) = true;
      read.exact = read.exact || (!lowered && !may_read_rounded(v));
      read.stored = read.stored || (!lowered && (is_plain_view(v) ? any(i, &Value::stored) : !widens_for_itself(v)));
    }
  }

  ValueId add(Vertex v) {
    lowered_.vertices.push_back(std::move(v));
    return {static_cast<std::int32_t>(lowered_.vertices.size()) - 1, 0};
  }

  /// What a vertex reads. An activation that is stored in bf16 anyway, and whose readers take it so, is stored in f32 no more:
  /// each reader widens it for itself, in its own region.
  ValueId operand(ValueId id, bool lowered) {
    const Value& read = value(id);
    if (lowered) return read.narrow;
    const Vertex& made_by = vertex(id);
    const bool narrow_activation = read.wanted && !read.exact && made_by.op.as<Elementwise>();
    if (!read.narrow_only && !narrow_activation) return read.moved;
    Vertex wide;
    wide.op = Cast{DType::f32};
    wide.inputs = {read.narrow};
    wide.specs = made_by.specs;
    wide.label = made_by.label;
    wide.source = made_by.source;
    return add(std::move(wide));
  }

  void rebuild(std::int32_t i) {
    const Vertex& old = vertex({i, 0});
    const bool lowered = is_lowered(graph_, old);
    if (makes_narrow(i, lowered)) return rebuild_narrow(i, lowered);
    ValueId moved;
    if (old.is_leaf() || any(i, &Value::needed)) {
      Vertex v = old;
      if (!v.is_leaf()) v.op = with_narrow_products(graph_, v);
      for (ValueId& id : v.inputs) id = operand(id, lowered);
      moved = add(std::move(v));
    }
    for (std::int32_t output = 0; output < static_cast<std::int32_t>(old.specs.size()); ++output) {
      Value& made = value({i, output});
      made.moved = {moved.vertex, output};
      if (made.wanted) made.narrow = narrow(old, old.specs[static_cast<std::size_t>(output)].shape, made.moved);
    }
  }

  /// Whether vertex `i` gives bf16 alone: products that write it, and views of them.
  bool makes_narrow(std::int32_t i, bool lowered) {
    const Vertex& v = vertex({i, 0});
    if (v.is_leaf() || any(i, &Value::stored) || !(any(i, &Value::needed) || any(i, &Value::wanted))) return false;
    return lowered ? may_be_narrow(v) : is_plain_view(v) && value(v.inputs[0]).narrow_only;
  }

  /// Products and images whose elements may be rounded, as those of PyTorch's autocast are. Not the ones that fold the rows of
  /// a batch: they are the gradients of weights, which go on to the optimizer.
  bool may_be_narrow(const Vertex& v) const {
    if (const MatMul* op = v.op.as<MatMul>()) return !op->transpose_a;
    return narrow_images_ && prefers_channels_last(graph_, v) && !v.op.as<Conv2dWeightGradient>();
  }

  void rebuild_narrow(std::int32_t i, bool lowered) {
    Vertex v = vertex({i, 0});
    v.inputs = {};
    for (const ValueId id : vertex({i, 0}).inputs) v.inputs.push_back(value(id).narrow);
    Value& made = value({i, 0});
    made.narrow_only = true;
    const MatMul* product = v.op.as<MatMul>();
    if (lowered && !product) {  // an image: the layout pass makes one of the convolution and the cast behind it
      const Vertex& old = vertex({i, 0});
      made.narrow = narrow(old, old.specs.front().shape, add(std::move(v)));
      return;
    }
    if (product) v.op = MatMul{product->transpose_a, product->transpose_b, true};
    v.specs.front().dtype = DType::bf16;
    made.narrow = add(std::move(v));
  }

  /// The bf16 twin of a value that was just added, or of a view whose f32 nobody reads.
  ValueId narrow(const Vertex& old, const Shape& shape, ValueId moved) {
    if (was_bf16(old)) return value(old.inputs[0]).moved;
    Vertex twin;
    twin.label = old.label;
    twin.source = old.source;
    const bool view = is_plain_view(old);
    twin.op = view ? old.op : Op(Cast{DType::bf16});
    twin.inputs = {view ? value(old.inputs[0]).narrow : moved};
    twin.specs = {TensorSpec{DType::bf16, shape}};
    return add(std::move(twin));
  }

  const Graph& graph_;
  bool narrow_images_;
  std::vector<std::vector<Value>> values_;  // by vertex and output
  Graph lowered_;
};

}  // namespace

Graph use_bf16(const Graph& graph, bool narrow_images) { return Lowering(graph, narrow_images).run(); }

}  // namespace gradus::transform
