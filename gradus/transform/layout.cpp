#include "gradus/transform/layout.h"

#include <algorithm>
#include <array>
#include <optional>

#include "gradus/ops/elementwise.h"
#include "gradus/ops/layout/channels_last.h"
#include "gradus/ops/reduce.h"
#include "gradus/ops/view.h"

namespace gradus::transform {
namespace {

constexpr int image_rank = 4;

/// Where axis `axis` of (n, c, h, w) stands in (n, h, w, c).
int moved_axis(int axis) { return to_channels_first.order[static_cast<std::size_t>(axis)]; }

/// Whether a permutation moves nothing but axes of size 1: then it is a reshape.
bool keeps_order(const Shape& shape, const Permute& permute) {
  int last = -1;
  for (int i = 0; i < permute.rank; ++i) {
    const int axis = permute.order[static_cast<std::size_t>(i)];
    if (shape[axis] == 1) continue;
    if (axis < last) return false;
    last = axis;
  }
  return true;
}

class ChannelsLast {
 public:
  explicit ChannelsLast(const Graph& graph) : graph_(graph), values_(graph.vertices.size()) {
    for (std::size_t i = 0; i < graph.vertices.size(); ++i) values_[i].resize(graph.vertices[i].specs.size());
  }

  Graph run() {
    find_narrowed();
    for (std::size_t i = 0; i < graph_.vertices.size(); ++i) rebuild(static_cast<std::int32_t>(i));
    for (const ValueId id : graph_.results) result_.results.push_back(first(id));
    return std::move(result_);
  }

 private:
  /// Convolutions whose images nobody reads but a cast to bf16: that cast becomes part of them.
  void find_narrowed() {
    std::vector<std::int32_t> readers(graph_.vertices.size(), 0);
    for (const Vertex& v : graph_.vertices) {
      for (const ValueId id : v.inputs) ++readers[static_cast<std::size_t>(id.vertex)];
    }
    for (const ValueId id : graph_.results) ++readers[static_cast<std::size_t>(id.vertex)];
    narrowed_.resize(graph_.vertices.size(), 0);
    for (const Vertex& v : graph_.vertices) {
      const Cast* cast = v.op.as<Cast>();
      if (!cast || cast->to != DType::bf16) continue;
      const auto from = static_cast<std::size_t>(v.inputs[0].vertex);
      const Vertex& conv = graph_.vertices[from];
      const bool of_bf16 = !conv.inputs.empty() && graph_.spec(conv.inputs[0]).dtype == DType::bf16;
      narrowed_[from] = of_bf16 && readers[from] == 1 && conv.op.family() == OpFamily::contraction;
    }
  }

  /// A value of the old graph in the new one: as it was, and with channels last. Either is made when somebody asks.
  struct Value {
    std::optional<ValueId> first, last;
    bool native_last = false;  ///< computed with channels last
  };

  const Vertex& vertex(ValueId id) const { return graph_.vertices[static_cast<std::size_t>(id.vertex)]; }
  Value& value(ValueId id) { return values_[static_cast<std::size_t>(id.vertex)][static_cast<std::size_t>(id.output)]; }
  bool is_last(ValueId id) { return value(id).native_last; }
  bool is_broadcast(const Vertex& v) const {
    return v.op.as<BroadcastTo>() && v.specs.front().shape.rank() == image_rank;
  }
  /// Values that cost nothing, or nearly so, in either order: made where they are read.
  bool is_free(const Vertex& v) const {
    return is_broadcast(v) || (is_pointwise(v) && std::all_of(v.inputs.begin(), v.inputs.end(),
                                                              [&](ValueId id) { return is_broadcast(vertex(id)); }));
  }
  static bool is_pointwise(const Vertex& v) { return v.op.as<Elementwise>() || v.op.as<Cast>(); }

  ValueId add(Vertex v) {
    result_.vertices.push_back(std::move(v));
    return {static_cast<std::int32_t>(result_.vertices.size()) - 1, 0};
  }

  /// A vertex with one input; label and source are those of `like`.
  ValueId add(const Vertex& like, Op op, ValueId input) {
    Vertex v;
    const TensorSpec spec = result_.spec(input);
    v.specs = op.infer(std::span(&spec, 1));
    v.op = std::move(op);
    v.inputs = {input};
    v.label = like.label;
    v.source = like.source;
    return add(std::move(v));
  }

  ValueId permuted(const Vertex& like, const Permute& permute, ValueId input) {
    const Shape shape = result_.spec(input).shape;
    if (keeps_order(shape, permute)) return add(like, Reshape{gradus::permuted(shape, permute)}, input);
    return add(like, permute, input);
  }

  ValueId first(ValueId id) {
    Value& made = value(id);
    if (made.first) return *made.first;
    const Vertex& v = vertex(id);
    if (!is_free(v)) {
      made.first = permuted(v, to_channels_first, *made.last);
    } else {
      Vertex copy = v;
      for (ValueId& input : copy.inputs) input = first(input);
      made.first = add(std::move(copy));
    }
    return *made.first;
  }

  ValueId last(ValueId id) {
    Value& made = value(id);
    if (made.last) return *made.last;
    const Vertex& v = vertex(id);
    made.last = is_broadcast(v) ? broadcast_last(v)
                : is_free(v)    ? pointwise_last(v)
                                : permuted(v, to_channels_last, first(id));
    return *made.last;
  }

  ValueId pointwise_last(Vertex v) {
    for (ValueId& input : v.inputs) input = last(input);
    v.specs[0].shape = gradus::permuted(v.specs[0].shape, to_channels_last);
    return add(std::move(v));
  }

  /// What is repeated is turned around before.
  ValueId broadcast_last(const Vertex& v) {
    const Shape to = gradus::permuted(v.specs.front().shape, to_channels_last);
    ValueId from = first(v.inputs[0]);
    Shape shape = result_.spec(from).shape;
    if (shape.rank() == 0) return add(v, BroadcastTo{to}, from);
    if (shape.rank() < image_rank) {
      while (shape.rank() < image_rank) shape.insert(0, 1);
      from = add(v, Reshape{shape}, from);
    }
    from = permuted(v, to_channels_last, from);
    return result_.spec(from).shape == to ? from : add(v, BroadcastTo{to}, from);
  }

  void rebuild(std::int32_t i) {
    const ValueId id{i, 0};
    const Vertex& v = vertex(id);
    if (is_free(v)) return;
    if (!v.is_leaf() && prefers_channels_last(graph_, v)) return convolve(id);
    if (!v.is_leaf() && std::any_of(v.inputs.begin(), v.inputs.end(), [&](ValueId input) { return is_last(input); })) {
      if (is_pointwise(v)) {
        const bool done = v.op.as<Cast>() && narrowed_[static_cast<std::size_t>(v.inputs[0].vertex)] != 0;
        return set_last(id, done ? last(v.inputs[0]) : pointwise_last(v));
      }
      if (const Slice* slice = v.op.as<Slice>()) {
        const Slice moved{moved_axis(slice->axis), slice->start, slice->stop, slice->step};
        return set_last(id, add(v, moved, last(v.inputs[0])));
      }
      if (const Reduce* op = v.op.as<Reduce>(); op && reduce(id, *op)) return;
    }
    Vertex copy = v;
    for (ValueId& input : copy.inputs) input = first(input);
    const ValueId moved = add(std::move(copy));
    for (std::int32_t output = 0; output < static_cast<std::int32_t>(v.specs.size()); ++output) {
      value({i, output}).first = {moved.vertex, output};
    }
  }

  void set_last(ValueId id, ValueId made) {
    value(id).last = made;
    value(id).native_last = true;
  }

  void convolve(ValueId id) {
    using Pass = ConvChannelsLast::Pass;
    Vertex v = vertex(id);
    ConvChannelsLast op;
    if (const auto* conv = v.op.as<Conv2d>()) {
      op.conv = *conv;
    } else if (const auto* input_gradient = v.op.as<Conv2dInputGradient>()) {
      op = {Pass::input_gradient, input_gradient->conv, input_gradient->input};
    } else {
      const auto& weight_gradient = *v.op.as<Conv2dWeightGradient>();
      op = {Pass::weight_gradient, weight_gradient.conv, weight_gradient.weight};
    }
    const bool gives_image = op.pass != Pass::weight_gradient;
    v.inputs[0] = last(v.inputs[0]);
    v.inputs[1] = gives_image ? first(v.inputs[1]) : last(v.inputs[1]);
    if (gives_image) {
      if (narrowed_[static_cast<std::size_t>(id.vertex)] != 0) op.result = DType::bf16;
      v.specs[0] = {op.result, gradus::permuted(v.specs[0].shape, to_channels_last)};
    }
    v.op = op;
    const ValueId made = add(std::move(v));
    if (gives_image) return set_last(id, made);
    value(id).first = made;
  }

  /// A reduction of an image; false when what it keeps would come out in another order.
  bool reduce(ValueId id, const Reduce& op) {
    const Vertex& v = vertex(id);
    const Shape& shape = graph_.spec(v.inputs[0]).shape;
    Shape kept = shape;
    Reduce moved{op.kind, 0, op.keepdim};
    for (int axis = 0; axis < image_rank; ++axis) {
      if ((op.axes >> axis & 1) == 0) continue;
      kept.set(axis, 1);
      moved.axes |= std::uint32_t{1} << moved_axis(axis);
    }
    if (!keeps_order(kept, to_channels_last)) return false;
    const ValueId folded = add(v, moved, last(v.inputs[0]));
    const bool same = result_.spec(folded).shape == v.specs.front().shape;
    value(id).first = same ? folded : add(v, Reshape{v.specs.front().shape}, folded);
    return true;
  }

  const Graph& graph_;
  std::vector<SmallVector<Value, 1>> values_;  // by vertex and output
  std::vector<char> narrowed_;                 // by vertex
  Graph result_;
};

/// Channels that fill vectors; few channels of an image that comes from outside are padded inside the kernel.
bool fits(const Conv2d& conv, const Shape& weight) {
  constexpr std::int64_t vector = 16, colours = 4;
  return conv.groups == 1 && weight[0] % vector == 0 && (weight[1] % vector == 0 || weight[1] <= colours);
}

bool any_prefers(const Graph& graph) {
  return std::any_of(graph.vertices.begin(), graph.vertices.end(),
                     [&](const Vertex& v) { return prefers_channels_last(graph, v); });
}

/// Elements of the images that convolutions with channels last read and write, and of those that are turned around.
struct Traffic {
  double convolved = 0, turned = 0;

  explicit Traffic(const Graph& graph) {
    for (const Vertex& v : graph.vertices) {
      const auto count = [](const TensorSpec& spec) { return static_cast<double>(spec.shape.numel()); };
      if (const ConvChannelsLast* op = v.op.as<ConvChannelsLast>()) {
        const bool two_operands = op->pass == ConvChannelsLast::Pass::weight_gradient;
        convolved += count(graph.spec(v.inputs[0])) + count(two_operands ? graph.spec(v.inputs[1]) : v.specs.front());
      }
      const Permute* permute = v.op.as<Permute>();
      if (permute && (*permute == to_channels_last || *permute == to_channels_first)) turned += count(v.specs.front());
    }
  }
};

}  // namespace

bool channels_last_pays(const Graph& graph) {
  if (!any_prefers(graph)) return false;
  // Measured: two convolutions with maxima behind them, half as many elements turned as convolved, lose a tenth by it; 20 with
  // normalisation between them, a hundredth turned, gain a fifth.
  constexpr double most_turned = 0.25;
  const Traffic traffic(use_channels_last(graph));
  return traffic.turned <= most_turned * traffic.convolved;
}

bool prefers_channels_last(const Graph& graph, const Vertex& v) {
  const DType dtype = v.is_leaf() || v.inputs.empty() ? DType::f64 : graph.spec(v.inputs[0]).dtype;
  if (dtype != DType::f32 && dtype != DType::bf16) return false;
  if (const auto* op = v.op.as<Conv2d>()) return fits(*op, graph.spec(v.inputs[1]).shape);
  if (const auto* op = v.op.as<Conv2dInputGradient>()) return fits(op->conv, graph.spec(v.inputs[1]).shape);
  if (const auto* op = v.op.as<Conv2dWeightGradient>()) return fits(op->conv, op->weight);
  return false;
}

Graph use_channels_last(const Graph& graph) { return any_prefers(graph) ? ChannelsLast(graph).run() : graph; }

}  // namespace gradus::transform
