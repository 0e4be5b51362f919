#include "gradus/ops/view.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "gradus/base/error.h"
#include "gradus/ops/batch.h"
#include "gradus/ops/reduce.h"

namespace gradus {
namespace {

std::string with_count(const Shape& shape) { return fmt::format("{} elements", shape.numel()); }

Error element_count_error(const TensorSpec& input, const std::string& wanted, const std::string& remark) {
  return Error(ErrorKind::shape, "reshape", "the numbers of elements differ")
      .operand("input", input, with_count(input.shape))
      .field("shape", wanted + "   " + remark);
}

/// Resolves one -1 among the sizes.
Shape resolve_sizes(const Tensor& x, std::span<const std::int64_t> sizes, SourceLocation where) {
  std::vector<std::int64_t> resolved(sizes.begin(), sizes.end());
  const auto open = std::find(resolved.begin(), resolved.end(), -1);
  if (open == resolved.end()) return Shape(resolved);
  *open = 1;
  const auto wanted = fmt::format("[{}]", fmt::join(sizes, ", "));
  if (std::find(resolved.begin(), resolved.end(), -1) != resolved.end()) {
    throw Error(ErrorKind::shape, "reshape", "more than one size is -1").at(where).field("shape", wanted);
  }
  const std::int64_t known = Shape(resolved).numel(), total = x.numel();
  if (known == 0) {
    throw element_count_error(x.spec(), wanted, "the other sizes multiply to 0, so -1 could be anything").at(where);
  }
  if (total % known != 0) {
    throw element_count_error(x.spec(), wanted, fmt::format("the other sizes multiply to {}", known)).at(where);
  }
  *open = total / known;
  return Shape(resolved);
}

}  // namespace

// ---- Shape rules and gradients --------------------------------------------------------------------------------------

Specs Reshape::infer(std::span<const TensorSpec> inputs) const {
  if (inputs[0].shape.numel() != shape.numel()) {
    throw element_count_error(inputs[0], shape.str(), with_count(shape));
  }
  return {{inputs[0].dtype, shape}};
}

Tensors Reshape::vjp(const VjpArgs& args) const {
  return detail::only(reshape(args.cotangents[0], args.inputs[0].shape()));
}

Specs Permute::infer(std::span<const TensorSpec> inputs) const {
  const Shape& from = inputs[0].shape;
  if (from.rank() != rank) {
    throw Error(ErrorKind::axis, "permute", fmt::format("{} axes given for a tensor with rank {}", rank, from.rank()))
        .operand("input", inputs[0]);
  }
  Shape to;
  for (int axis = 0; axis < rank; ++axis) to.push_back(from[order[static_cast<std::size_t>(axis)]]);
  return {{inputs[0].dtype, to}};
}

Tensors Permute::vjp(const VjpArgs& args) const {
  Permute inverse{{}, rank};
  for (int axis = 0; axis < rank; ++axis) {
    inverse.order[static_cast<std::size_t>(order[static_cast<std::size_t>(axis)])] = axis;
  }
  return detail::only(record(inverse, {args.cotangents[0]}));
}

std::string Permute::str() const {
  return fmt::format("{{order=[{}]}}", fmt::join(order.begin(), order.begin() + rank, ", "));
}

Specs Slice::infer(std::span<const TensorSpec> inputs) const {
  const std::int64_t size = inputs[0].shape[axis];
  if (start < 0 || start > stop || stop > size) {
    throw Error(ErrorKind::index, "slice", fmt::format("[{}, {}) does not lie in axis {}", start, stop, axis))
        .operand("input", inputs[0], fmt::format("axis {} is {}", axis, size));
  }
  if (step < 1) throw Error(ErrorKind::value, "slice", fmt::format("the step is {}, expected 1 or more", step));
  TensorSpec output = inputs[0];
  output.shape.set(axis, stop == start ? 0 : (stop - start - 1) / step + 1);
  return {output};
}

Tensors Slice::vjp(const VjpArgs& args) const {
  const std::int64_t size = args.inputs[0].shape()[axis], length = args.outputs[0].shape()[axis];
  const auto at = static_cast<std::size_t>(axis);
  Pad zeros_around;
  zeros_around.interior[at] = step - 1;
  zeros_around.before[at] = length == 0 ? size : start;
  zeros_around.after[at] = length == 0 ? 0 : size - start - (length - 1) * step - 1;
  return detail::only(record(zeros_around, {args.cotangents[0]}));
}

Specs BroadcastTo::infer(std::span<const TensorSpec> inputs) const {
  const Shape& from = inputs[0].shape;
  const int extra = shape.rank() - from.rank();
  if (extra < 0) {
    throw Error(ErrorKind::shape, "broadcast_to", "the shape has fewer axes than the input")
        .operand("input", inputs[0])
        .field("shape", shape.str());
  }
  for (int axis = 0; axis < from.rank(); ++axis) {
    if (from[axis] != 1 && from[axis] != shape[axis + extra]) {
      const std::int64_t wanted = shape[axis + extra];
      throw Error(ErrorKind::shape, "broadcast_to")
          .operand("input", inputs[0], fmt::format("axis {} is {}, expected 1 or {}", axis, from[axis], wanted))
          .field("shape", shape.str());
    }
  }
  return {{inputs[0].dtype, shape}};
}

Tensors BroadcastTo::vjp(const VjpArgs& args) const {
  const Shape& from = args.inputs[0].shape();
  const int extra = shape.rank() - from.rank();
  SmallVector<int, 8> repeated;
  for (int axis = 0; axis < shape.rank(); ++axis) {
    if (axis < extra || (from[axis - extra] == 1 && shape[axis] != 1)) repeated.push_back(axis);
  }
  return detail::only(reshape(sum(args.cotangents[0], std::span<const int>(repeated)), from));
}

// ---- Batching rules -------------------------------------------------------------------------------------------------

Tensors Reshape::batch(const BatchArgs& args) const {
  return {record(Reshape{detail::batched_shape(args.size, shape)}, {args.inputs[0]})};
}

Tensors Permute::batch(const BatchArgs& args) const {
  Permute moved{{}, rank + 1};
  for (std::size_t axis = 0; axis < static_cast<std::size_t>(rank); ++axis) moved.order[axis + 1] = order[axis] + 1;
  return {record(moved, {args.inputs[0]})};
}

Tensors Slice::batch(const BatchArgs& args) const {
  return {record(Slice{axis + 1, start, stop, step}, {args.inputs[0]})};
}

Tensors BroadcastTo::batch(const BatchArgs& args) const {
  // The batch stays in front: axes that the broadcast adds go behind it.
  const Tensor& x = args.inputs[0];
  Shape aligned = x.shape();
  for (int extra = shape.rank() + 1 - aligned.rank(); extra > 0; --extra) aligned.insert(1, 1);
  return {broadcast_to(reshape(x, aligned), detail::batched_shape(args.size, shape))};
}

// ---- User functions -------------------------------------------------------------------------------------------------

Tensor reshape(const TensorArg& x, std::span<const std::int64_t> sizes) {
  const Tensor& input = detail::operand(x, "reshape");
  return reshape(TensorArg(input, x.where()), resolve_sizes(input, sizes, x.where()));
}

Tensor reshape(const TensorArg& x, std::initializer_list<std::int64_t> sizes) {
  return reshape(x, std::span(sizes.begin(), sizes.size()));
}

Tensor reshape(const TensorArg& x, const Shape& shape) {
  const Tensor& input = detail::operand(x, "reshape");
  return input.shape() == shape ? input : record(Reshape{shape}, {input}, x.where());
}

Tensor flatten(const TensorArg& x, int start_axis, int end_axis) {
  const Tensor& input = detail::operand(x, "flatten");
  const Shape& from = input.shape();
  if (from.rank() == 0) return reshape(TensorArg(input, x.where()), Shape{1});
  const int start = detail::normalize_axis(start_axis, input, "flatten", x.where());
  const int end = detail::normalize_axis(end_axis, input, "flatten", x.where());
  if (start > end) {
    throw detail::refusal(ErrorKind::axis, "flatten", fmt::format("start axis {} lies behind end axis {}", start, end),
                          input, x.where());
  }
  Shape shape;
  for (int axis = 0; axis < start; ++axis) shape.push_back(from[axis]);
  shape.push_back(from.numel(start, end + 1));
  for (int axis = end + 1; axis < from.rank(); ++axis) shape.push_back(from[axis]);
  const Tensor flat = record(Reshape{shape}, {input}, x.where());
  flat.node()->called = "flatten";
  return flat;
}

Tensor transpose(const TensorArg& x, int a, int b) {
  const Tensor& input = detail::operand(x, "transpose");
  Permute op{{}, input.rank()};
  for (int axis = 0; axis < op.rank; ++axis) op.order[static_cast<std::size_t>(axis)] = axis;
  const int first = detail::normalize_axis(a, input, "transpose", x.where());
  const int second = detail::normalize_axis(b, input, "transpose", x.where());
  if (first == second) return input;
  std::swap(op.order[static_cast<std::size_t>(first)], op.order[static_cast<std::size_t>(second)]);
  return record(op, {input}, x.where());
}

Tensor permute(const TensorArg& x, std::span<const int> axes) {
  const Tensor& input = detail::operand(x, "permute");
  detail::axes_mask(axes, input, "permute", x.where());  // refuses duplicates and axes out of range
  if (static_cast<int>(axes.size()) != input.rank()) {
    throw detail::refusal(ErrorKind::axis, "permute",
                          fmt::format("{} axes given for a tensor with rank {}", axes.size(), input.rank()), input,
                          x.where());
  }
  Permute op{{}, input.rank()};
  bool moved = false;
  for (int axis = 0; axis < op.rank; ++axis) {
    const int from = axes[static_cast<std::size_t>(axis)];
    op.order[static_cast<std::size_t>(axis)] = from < 0 ? from + op.rank : from;
    moved = moved || op.order[static_cast<std::size_t>(axis)] != axis;
  }
  return moved ? record(op, {input}, x.where()) : input;
}

Tensor permute(const TensorArg& x, std::initializer_list<int> axes) {
  return permute(x, std::span(axes.begin(), axes.size()));
}

Tensor slice(const TensorArg& x, int axis, std::int64_t start, std::int64_t stop, std::int64_t step) {
  const Tensor& input = detail::operand(x, "slice");
  Slice op{detail::normalize_axis(axis, input, "slice", x.where()), start, stop, step};
  const std::int64_t size = input.shape()[op.axis];
  if (op.start < 0) op.start += size;
  if (op.stop == to_end) op.stop = size;
  if (op.stop < 0) op.stop += size;
  if (op == Slice{op.axis, 0, size, 1}) return input;
  return record(op, {input}, x.where());
}

Tensor broadcast_to(const TensorArg& x, const Shape& shape) {
  const Tensor& input = detail::operand(x, "broadcast_to");
  return input.shape() == shape ? input : record(BroadcastTo{shape}, {input}, x.where());
}

Tensor squeeze(const TensorArg& x, const Axes& axes) {
  const Tensor& input = detail::operand(x, "squeeze");
  const std::uint32_t mask = detail::axes_mask(axes, input, "squeeze", x.where());
  Shape shape;
  for (int axis = 0; axis < input.rank(); ++axis) {
    const std::int64_t size = input.shape()[axis];
    const bool chosen = (mask >> axis & 1) != 0;
    if (chosen && size != 1 && !axes.all()) {
      throw detail::refusal(ErrorKind::shape, "squeeze", fmt::format("axis {} has size {}, expected 1", axis, size),
                            input, x.where());
    }
    if (!chosen || size != 1) shape.push_back(size);
  }
  return reshape(TensorArg(input, x.where()), shape);
}

Tensor unsqueeze(const TensorArg& x, int axis) {
  const Tensor& input = detail::operand(x, "unsqueeze");
  Shape shape = input.shape();
  shape.insert(detail::normalize_axis(axis, input.rank() + 1, "unsqueeze", x.where()), 1);
  return reshape(TensorArg(input, x.where()), shape);
}

}  // namespace gradus
