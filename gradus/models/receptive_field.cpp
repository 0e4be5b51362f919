#include "gradus/models/receptive_field.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "gradus/ops/attach.h"
#include "gradus/ops/concat.h"
#include "gradus/ops/conv.h"
#include "gradus/ops/index.h"
#include "gradus/ops/matmul.h"
#include "gradus/ops/pooling/pool.h"
#include "gradus/ops/reduce.h"
#include "gradus/ops/softmax.h"
#include "gradus/ops/view.h"

namespace gradus::models {
namespace {

using Along = ReceptiveFields::Along;

Along collapsed(Along a) {
  a.axis = -1;
  a.period = a.count = 1;
  a.merged = false;
  a.start = a.low;
  a.stride = 0;
  a.size = a.high - a.low;
  return a;
}

/// Every element keeps what it sees, but neighbours are neighbours no more.
Along scattered(Along a) {
  a.axis = -1;
  a.stride = 0;
  return a;
}

/// After start, stride, size or count changed.
Along spanned(Along a) {
  a.low = a.start;
  a.high = a.start + static_cast<double>(a.count - 1) * a.stride + a.size;
  return a;
}

Along moved(Along a, int axis) {
  a.axis = axis;
  return a;
}

/// What an element sees that folds `kernel` elements, `dilation` apart, every `stride` elements from -padding on.
Along windowed(Along a, std::int64_t kernel, std::int64_t stride, std::int64_t padding, std::int64_t dilation,
               std::int64_t count) {
  a.start -= static_cast<double>(padding) * a.stride;
  a.size += static_cast<double>(dilation * (kernel - 1)) * a.stride;
  a.stride *= static_cast<double>(stride);
  a.count = count;
  return spanned(a);
}

/// The transpose: element o meets the inputs from (o + padding - dilation (kernel - 1)) / stride to (o + padding) / stride.
Along spread(Along a, std::int64_t kernel, std::int64_t stride, std::int64_t padding, std::int64_t dilation,
             std::int64_t count) {
  const std::int64_t reach = dilation * (kernel - 1);
  a.start += std::ceil(static_cast<double>(padding - reach) / static_cast<double>(stride)) * a.stride;
  a.size += static_cast<double>(reach / stride) * a.stride;
  a.stride /= static_cast<double>(stride);
  a.count = count;
  return spanned(a);
}

/// Reshaping keeps the row-major order: position i of the axis recurs every `inner` elements.
Along reshaped(Along a, const Shape& from, const Shape& to) {
  const std::int64_t inner = a.period * from.numel(a.axis + 1, from.rank());
  for (const bool whole_axis : {true, false}) {
    for (int axis = 0; axis < to.rank(); ++axis) {
      const std::int64_t behind = to.numel(axis + 1, to.rank());
      if (behind == 0 || inner % behind != 0 || behind * to[axis] < inner * a.count) continue;
      const bool merged = inner != behind || to[axis] != a.count;
      if (merged == whole_axis) continue;
      a.axis = axis;
      a.period = inner / behind;
      a.merged = merged;
      return a;
    }
  }
  return scattered(a);
}

Along reduced(Along a, const Reduce& op) {
  if (op.axes >> a.axis & 1) {
    Along all = collapsed(a);
    if (op.keepdim) all.axis = a.axis;
    return all;
  }
  int below = 0;
  for (int axis = 0; axis < a.axis; ++axis) below += static_cast<int>(op.axes >> axis & 1);
  return op.keepdim ? a : moved(a, a.axis - below);
}

/// Slices of the axis at constant indexes: [positions] or [positions, elements of a window].
Along taken(Along a, const Tensor& index) {
  if (index.rank() < 1 || index.rank() > 2 || !index.node()->is_leaf() || index.dtype() != DType::i64) {
    return collapsed(a);
  }
  const std::span<const std::int64_t> all = index.data<std::int64_t>();
  const auto positions = static_cast<std::size_t>(index.shape()[0]);
  const std::size_t width = index.rank() == 2 ? static_cast<std::size_t>(index.shape()[1]) : 1;
  if (positions == 0 || width == 0) return collapsed(a);
  const auto first_of = [&](std::size_t i) { return static_cast<double>(all[i * width]); };
  std::int64_t longest = 0;
  for (std::size_t i = 0; i < positions; ++i) {
    const auto [low, high] = std::minmax_element(all.begin() + static_cast<std::ptrdiff_t>(i * width),
                                                 all.begin() + static_cast<std::ptrdiff_t>((i + 1) * width));
    longest = std::max(longest, *high - *low);
  }
  // The line through the middle half: the ends of a padded axis differ.
  const std::size_t from = positions < 4 ? 0 : positions / 4, to = positions < 4 ? positions - 1 : from + positions / 2;
  const double slope = to > from ? (first_of(to) - first_of(from)) / static_cast<double>(to - from) : 0;
  const double at_zero = first_of(from) - slope * static_cast<double>(from);
  const auto [low, high] = std::minmax_element(all.begin(), all.end());
  const double begin = a.start + static_cast<double>(*low) * a.stride;
  const double end = a.start + static_cast<double>(*high) * a.stride + a.size;
  a.start += at_zero * a.stride;
  a.size += static_cast<double>(longest) * a.stride;
  a.stride *= slope;
  a.count = index.shape()[0];
  a.low = begin;
  a.high = end;
  return a;
}

template <int N>
std::optional<Along> through_convolution(const Along& a, const Node& node, std::size_t operand) {
  const auto window = [&](const Conv<N>& conv, bool transposed) -> Along {
    if (operand != 0 || a.axis < 2) return collapsed(a);
    const auto i = static_cast<std::size_t>(a.axis - 2);
    const std::int64_t kernel = node.inputs[1].shape()[a.axis], count = node.specs[0].shape[a.axis];
    return (transposed ? spread : windowed)(a, kernel, conv.stride[i], conv.padding[i], conv.dilation[i], count);
  };
  if (const auto* conv = node.op.as<Conv<N>>()) return window(*conv, false);
  if (const auto* back = node.op.as<ConvInputGradient<N>>()) return window(back->conv, true);
  return {};
}

std::optional<Along> through_window(const Along& a, const Node& node, std::size_t operand) {
  if (auto found = through_convolution<1>(a, node, operand)) return found;
  if (auto found = through_convolution<2>(a, node, operand)) return found;
  if (auto found = through_convolution<3>(a, node, operand)) return found;
  const auto* largest = node.op.as<MaxPool2d>();
  const auto* average = node.op.as<AvgPool2d>();
  if (!largest && !average) return {};
  if (a.axis < 2) return a;
  const PoolWindows& w = largest ? largest->windows : average->windows;
  const auto i = static_cast<std::size_t>(a.axis - 2);
  return windowed(a, w.kernel[i], w.stride[i], w.padding[i], w.dilation[i], node.specs[0].shape[a.axis]);
}

std::optional<Along> through_view(Along a, const Node& node, const Shape& from) {
  const Shape& to = node.specs[0].shape;
  if (node.op.as<Reshape>()) return reshaped(a, from, to);
  if (const auto* permute = node.op.as<Permute>()) {
    const auto* at = std::find(permute->order.begin(), permute->order.begin() + permute->rank, a.axis);
    return moved(a, static_cast<int>(at - permute->order.begin()));
  }
  if (const auto* slice = node.op.as<Slice>()) {
    if (slice->axis != a.axis) return a;
    a.start += static_cast<double>(slice->start) * a.stride;
    a.stride *= static_cast<double>(slice->step);
    a.count = to[a.axis];
    return spanned(a);
  }
  if (node.op.as<BroadcastTo>()) {
    a.axis += to.rank() - from.rank();
    if (a.count != to[a.axis]) a.stride = 0;
    a.count = to[a.axis];
    return a;
  }
  return {};
}

Along through_product(const Along& a, const MatMul& op, std::size_t operand, int rank) {
  const bool transposed = operand == 0 ? op.transpose_a : op.transpose_b;
  const int rows = transposed ? rank - 1 : rank - 2, columns = transposed ? rank - 2 : rank - 1;
  if (a.axis == (operand == 0 ? columns : rows)) return collapsed(a);
  if (a.axis == (operand == 0 ? rows : columns)) return moved(a, operand == 0 ? rank - 2 : rank - 1);
  return a;
}

/// Whether a pooling leaves this axis as it is.
bool pools_beside(const Node& node, int axis) {
  const auto* largest = node.op.as<MaxPool2d>();
  const auto* average = node.op.as<AvgPool2d>();
  if (!largest && !average) return false;
  if (axis < 2) return true;
  const PoolWindows& w = largest ? largest->windows : average->windows;
  const auto i = static_cast<std::size_t>(axis - 2);
  return w.kernel[i] == 1 && w.stride[i] == 1 && w.padding[i] == 0;
}

/// An axis that was merged with others may appear again, as those of a volume that is pooled plane by plane.
Along through_merged(const Along& a, const Node& node, const Shape& from) {
  const bool keeps = node.op.family() == OpFamily::elementwise || node.op.as<Permute>() || node.op.as<Reshape>() ||
                     node.op.as<Attach>() || pools_beside(node, a.axis);
  if (!keeps) return collapsed(a);
  return through_view(a, node, from).value_or(a);
}

/// What the elements of `node` see of the input axis through this operand.
Along through(Along a, const Node& node, std::size_t operand) {
  const Shape& from = node.inputs[operand].shape();
  const Op& op = node.op;
  if (op.as<MatMul>() && a.axis < 0) return collapsed(a);
  if (a.axis < 0) return op.family() == OpFamily::elementwise || op.family() == OpFamily::view ? a : collapsed(a);
  if (a.merged) return through_merged(a, node, from);
  if (const auto found = through_window(a, node, operand)) return *found;
  if (const auto found = through_view(a, node, from)) return *found;
  if (op.family() == OpFamily::elementwise) {
    a.axis += node.specs[0].shape.rank() - from.rank();
    return a;
  }
  if (op.as<Attach>()) return a;
  if (const auto* product = op.as<MatMul>()) return through_product(a, *product, operand, from.rank());
  if (const auto* fold = op.as<Reduce>()) return reduced(a, *fold);
  if (const auto* pad = op.as<Pad>()) {
    const auto i = static_cast<std::size_t>(a.axis);
    a.stride /= static_cast<double>(pad->interior[i] + 1);
    a.start -= static_cast<double>(pad->before[i]) * a.stride;
    a.count = node.specs[0].shape[a.axis];
    return spanned(a);
  }
  if (const auto* concat = op.as<Concat>()) return concat->axis == a.axis ? collapsed(a) : a;
  if (const auto* softmax = op.as<Softmax>()) return softmax->axis == a.axis ? collapsed(a) : a;
  if (const auto* log_softmax = op.as<LogSoftmax>()) return log_softmax->axis == a.axis ? collapsed(a) : a;
  if (const auto* take = op.as<Take>(); take && operand == 0) {
    const int more = node.inputs[1].rank() - 1;
    if (take->axis == a.axis) return taken(a, node.inputs[1]);
    return take->axis < a.axis ? moved(a, a.axis + more) : a;
  }
  return collapsed(a);
}

/// What either of two paths sees, counted at the middle of the axis.
Along joined(const Along& a, const Along& b) {
  const auto covers = [](const Along& x, const Along& y) {
    return x.stride == 0 && x.low <= std::max(0.0, y.low) && x.high >= std::min(x.extent, y.high);
  };
  if (covers(a, b)) return a;
  if (covers(b, a)) return b;
  if (a.axis != b.axis || a.count != b.count || a.period != b.period) {
    Along all = collapsed(a);
    all.low = std::min(a.low, b.low);
    all.high = std::max(a.high, b.high);
    return collapsed(all);
  }
  const auto middle = static_cast<double>((a.count - 1) / 2);
  const double begin = std::min(a.start + middle * a.stride, b.start + middle * b.stride);
  const double end = std::max(a.start + middle * a.stride + a.size, b.start + middle * b.stride + b.size);
  Along both = a;
  both.stride = std::max(a.stride, b.stride);
  both.start = begin - middle * both.stride;
  both.size = end - begin;
  both.low = std::min(a.low, b.low);
  both.high = std::max(a.high, b.high);
  return both;
}

bool has_window(const Op& op) {
  return op.as<Conv<1>>() || op.as<Conv<2>>() || op.as<Conv<3>>() || op.as<ConvInputGradient<1>>() ||
         op.as<ConvInputGradient<2>>() || op.as<ConvInputGradient<3>>() || op.as<MaxPool2d>() || op.as<AvgPool2d>();
}

}  // namespace

ReceptiveFields::ReceptiveFields(const Tensor& input) : input_(input.node().get()) {
  std::vector<Along>& axes = along_[input_];
  for (int axis = 2; axis < input.rank(); ++axis) {
    axes.push_back(
        spanned({.axis = axis, .count = input.shape()[axis], .extent = static_cast<double>(input.shape()[axis])}));
  }
}

void ReceptiveFields::add(const Node& node) {
  if (node.is_leaf()) return;
  std::vector<Along> result;
  for (std::size_t operand = 0; operand < node.inputs.size(); ++operand) {
    const auto found = along_.find(node.inputs[operand].node().get());
    if (found == along_.end()) continue;
    const bool first = result.empty();
    for (std::size_t i = 0; i < found->second.size(); ++i) {
      const Along through_here = through(found->second[i], node, operand);
      if (first) {
        result.push_back(through_here);
      } else {
        result[i] = joined(result[i], through_here);
      }
    }
  }
  if (result.empty()) return;
  has_windows_ = has_windows_ || has_window(node.op);
  along_[&node] = std::move(result);
}

std::vector<ReceptiveField> ReceptiveFields::of(const Node* node) const {
  std::vector<ReceptiveField> fields;
  const auto found = along_.find(node);
  if (found == along_.end()) return fields;
  for (const Along& a : found->second) {
    const bool same = (a.count == 1 || a.stride == 0) && a.size >= a.high - a.low;
    const bool sees_all = same && a.low <= 0 && a.high >= a.extent;
    fields.push_back({a.size, a.merged ? 0 : a.stride, sees_all});
  }
  return fields;
}

}  // namespace gradus::models
