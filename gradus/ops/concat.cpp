#include "gradus/ops/concat.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <vector>

#include "gradus/base/error.h"
#include "gradus/ops/batch.h"
#include "gradus/ops/view.h"

namespace gradus {
namespace {

/// Slices of the cotangent are wanted for this operand; VjpArgs can say so for the first 64 only.
bool wanted(const VjpArgs& args, std::size_t input) { return input >= 64 || args.wants(static_cast<int>(input)); }

/// True when `value` can be stored as `dtype`: integers and booleans take no fractions and nothing beyond their range.
bool fits(double value, DType dtype) {
  if (is_floating(dtype)) return true;
  if (dtype == DType::boolean) return value == 0 || value == 1;
  const double bits = dtype == DType::u8 ? 8 : static_cast<double>(8 * size_of(dtype) - 1);
  return value == std::floor(value) && value >= (dtype == DType::u8 ? 0 : -std::exp2(bits)) && value < std::exp2(bits);
}

}  // namespace

Specs Pad::infer(std::span<const TensorSpec> inputs) const {
  TensorSpec output = inputs[0];
  if (!fits(value, output.dtype)) {
    throw Error(ErrorKind::value, "pad",
                fmt::format("{} is not a number of type {}", static_cast<double>(value), name_of(output.dtype)))
        .operand("input", inputs[0]);
  }
  for (int axis = 0; axis < output.shape.rank(); ++axis) {
    const auto at = static_cast<std::size_t>(axis);
    if (before[at] < 0 || after[at] < 0 || interior[at] < 0) {
      throw Error(ErrorKind::value, "pad", fmt::format("the padding of axis {} is negative", axis))
          .operand("input", inputs[0])
          .field("before", std::to_string(before[at]))
          .field("after", std::to_string(after[at]))
          .hint("slice() removes elements");
    }
    const std::int64_t size = output.shape[axis], gaps = size > 0 ? size - 1 : 0;
    // Each summand is checked by itself, so that their sum cannot overflow.
    const bool huge = before[at] > Shape::max_elements || after[at] > Shape::max_elements ||
                      (gaps > 0 && interior[at] > Shape::max_elements / gaps);
    output.shape.set(
        axis, huge ? std::numeric_limits<std::int64_t>::max() : before[at] + size + gaps * interior[at] + after[at]);
  }
  return {output};
}

Tensors Pad::vjp(const VjpArgs& args) const {
  const Shape& shape = args.inputs[0].shape();
  Tensor gradient = args.cotangents[0];
  for (int axis = 0; axis < shape.rank(); ++axis) {
    const auto at = static_cast<std::size_t>(axis);
    const std::int64_t step = interior[at] + 1, start = before[at];
    const std::int64_t stop = shape[axis] == 0 ? start : start + (shape[axis] - 1) * step + 1;
    gradient = slice(gradient, axis, start, stop, step);
  }
  return {gradient};
}

Specs Concat::infer(std::span<const TensorSpec> inputs) const {
  TensorSpec output = inputs[0];
  std::int64_t total = 0;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const TensorSpec& input = inputs[i];
    const auto refuse = [&](ErrorKind kind, std::string remark) {
      return Error(kind, "concat")
          .operand("input 0", inputs[0])
          .operand(fmt::format("input {}", i), input, std::move(remark));
    };
    if (input.dtype != output.dtype) {
      throw refuse(ErrorKind::dtype, fmt::format("expected {}", name_of(output.dtype))).hint("convert it with cast()");
    }
    if (input.shape.rank() != output.shape.rank()) {
      throw refuse(ErrorKind::shape, fmt::format("expected {} axes", output.shape.rank()));
    }
    for (int a = 0; a < input.shape.rank(); ++a) {
      if (a != axis && input.shape[a] != output.shape[a]) {
        throw refuse(ErrorKind::shape, fmt::format("axis {} is {}, expected {}", a, input.shape[a], output.shape[a]));
      }
    }
    total += input.shape[axis];
  }
  output.shape.set(axis, total);
  return {output};
}

Tensors Concat::vjp(const VjpArgs& args) const {
  Tensors gradients(args.inputs.size());
  std::int64_t start = 0;
  for (std::size_t i = 0; i < args.inputs.size(); ++i) {
    const std::int64_t stop = start + args.inputs[i].shape()[axis];
    if (wanted(args, i)) gradients[i] = slice(args.cotangents[0], axis, start, stop);
    start = stop;
  }
  return gradients;
}

Tensors Pad::batch(const BatchArgs& args) const {
  Pad moved;
  moved.value = value;
  for (std::size_t axis = 0; axis + 1 < before.size(); ++axis) {
    moved.before[axis + 1] = before[axis];
    moved.after[axis + 1] = after[axis];
    moved.interior[axis + 1] = interior[axis];
  }
  return {record(moved, {args.inputs[0]})};
}

Tensors Concat::batch(const BatchArgs& args) const {
  return {record_all(Concat{axis + 1}, detail::batched_inputs(args), {})[0]};
}

Tensor pad(const TensorArg& x, std::span<const Padding> padding, double value) {
  const Tensor input = detail::operand(x, "pad");
  if (static_cast<int>(padding.size()) != input.rank()) {
    throw detail::refusal(
        ErrorKind::shape, "pad",
        fmt::format("padding for {} axes given to a tensor with rank {}", padding.size(), input.rank()), input,
        x.where());
  }
  Pad op;
  op.value = value;
  bool grows = false;
  for (std::size_t axis = 0; axis < padding.size(); ++axis) {
    op.before[axis] = padding[axis].first;
    op.after[axis] = padding[axis].second;
    grows = grows || padding[axis] != Padding{0, 0};
  }
  return grows ? record(op, {input}, x.where()) : input;
}

Tensor pad(const TensorArg& x, std::initializer_list<Padding> padding, double value) {
  return pad(x, std::span(padding.begin(), padding.size()), value);
}

Tensor concat(std::span<const Tensor> tensors, int axis, SourceLocation where) {
  if (tensors.empty()) throw Error(ErrorKind::usage, "concat", "no tensors were given").at(where);
  for (const Tensor& tensor : tensors) {
    if (!tensor.defined()) throw Error(ErrorKind::state, "concat", "an operand is an undefined tensor").at(where);
  }
  const int position = detail::normalize_axis(axis, tensors[0], "concat", where);
  if (tensors.size() == 1) return tensors[0];
  return record_all(Concat{position}, tensors, where)[0];
}

Tensor concat(std::initializer_list<Tensor> tensors, int axis, SourceLocation where) {
  return concat(std::span(tensors.begin(), tensors.size()), axis, where);
}

}  // namespace gradus
