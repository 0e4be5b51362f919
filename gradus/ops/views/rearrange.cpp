#include "gradus/ops/views/rearrange.h"

#include <fmt/format.h>

#include <vector>

#include "gradus/base/error.h"
#include "gradus/ops/concat.h"
#include "gradus/ops/view.h"

namespace gradus {
namespace {

using detail::normalize_axis;
using detail::operand;
using detail::refusal;

/// `x` [.., size, ..] as [outer, 1, inner] with the middle repeated `count` times; `axis` starts the inner part.
Tensor repeat_blocks(const Tensor& x, int axis, std::int64_t count, SourceLocation where) {
  const Shape& shape = x.shape();
  const std::int64_t outer = shape.numel(0, axis), inner = shape.numel(axis, shape.rank());
  const Tensor blocks = reshape(TensorArg(x, where), Shape{outer, 1, inner});
  return broadcast_to(TensorArg(blocks, where), Shape{outer, count, inner});
}

Tensor repeat_all(std::string_view op, Tensor x, std::span<const std::int64_t> counts, SourceLocation where) {
  Shape shape = x.shape();
  while (shape.rank() < static_cast<int>(counts.size())) shape.insert(0, 1);
  x = reshape(TensorArg(x, where), shape);
  for (int axis = 0; axis < shape.rank(); ++axis) {
    const std::int64_t count = counts[static_cast<std::size_t>(axis)];
    if (count < 0) {
      throw refusal(ErrorKind::value, op, fmt::format("axis {} is repeated {} times", axis, count), x, where);
    }
    if (count == 1) continue;
    const Tensor blocks = repeat_blocks(x, axis, count, where);
    shape.set(axis, shape[axis] * count);
    x = reshape(TensorArg(blocks, where), shape);
  }
  return x;
}

}  // namespace

Specs Flip::infer(std::span<const TensorSpec> inputs) const { return {inputs[0]}; }
Tensors Flip::vjp(const VjpArgs& args) const { return {record(*this, {args.cotangents[0]})}; }
Tensors Flip::batch(const BatchArgs& args) const { return {record(Flip{axes << 1}, {args.inputs[0]})}; }

Tensor stack(std::span<const Tensor> tensors, int axis, SourceLocation where) {
  if (tensors.empty()) throw Error(ErrorKind::usage, "stack", "no tensors were given").at(where);
  Tensors parts;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const Tensor x = operand(TensorArg(tensors[i], where), "stack");
    if (x.spec() != tensors[0].spec()) {
      throw Error(x.dtype() == tensors[0].dtype() ? ErrorKind::shape : ErrorKind::dtype, "stack")
          .at(where)
          .operand("input 0", tensors[0].spec())
          .operand(fmt::format("input {}", i), x.spec(), fmt::format("expected {}", tensors[0].spec().str()));
    }
    parts.push_back(unsqueeze(TensorArg(x, where), normalize_axis(axis, x.rank() + 1, "stack", where)));
  }
  return concat(parts, normalize_axis(axis, tensors[0].rank() + 1, "stack", where), where);
}

Tensor stack(std::initializer_list<Tensor> tensors, int axis, SourceLocation where) {
  return stack(std::span(tensors.begin(), tensors.size()), axis, where);
}

Tensors split(const TensorArg& x, std::span<const std::int64_t> sizes, int axis) {
  const Tensor input = operand(x, "split");
  const int at = normalize_axis(axis, input, "split", x.where());
  std::int64_t total = 0;
  for (const std::int64_t size : sizes) {
    if (size < 0)
      throw refusal(ErrorKind::value, "split", fmt::format("a part has {} elements", size), input, x.where());
    total += size;
  }
  if (total != input.shape()[at]) {
    throw refusal(ErrorKind::shape, "split",
                  fmt::format("the parts have {} elements, axis {} has {}", total, at, input.shape()[at]), input,
                  x.where());
  }
  Tensors parts;
  std::int64_t start = 0;
  for (const std::int64_t size : sizes) {
    parts.push_back(slice(TensorArg(input, x.where()), at, start, start + size));
    start += size;
  }
  return parts;
}

Tensors split(const TensorArg& x, std::initializer_list<std::int64_t> sizes, int axis) {
  return split(x, std::span(sizes.begin(), sizes.size()), axis);
}

Tensors split(const TensorArg& x, std::int64_t size, int axis) {
  const Tensor input = operand(x, "split");
  const std::int64_t total = input.shape()[normalize_axis(axis, input, "split", x.where())];
  if (size < 1) {
    throw refusal(ErrorKind::value, "split", fmt::format("parts of {} elements, expected 1 or more", size), input,
                  x.where());
  }
  std::vector<std::int64_t> sizes;
  for (std::int64_t start = 0; start < total; start += size) sizes.push_back(std::min(size, total - start));
  if (sizes.empty()) sizes.push_back(0);
  return split(TensorArg(input, x.where()), sizes, axis);
}

Tensors chunk(const TensorArg& x, std::int64_t chunks, int axis) {
  const Tensor input = operand(x, "chunk");
  const std::int64_t total = input.shape()[normalize_axis(axis, input, "chunk", x.where())];
  if (chunks < 1) {
    throw refusal(ErrorKind::value, "chunk", fmt::format("{} chunks, expected 1 or more", chunks), input, x.where());
  }
  if (total == 0) return Tensors(static_cast<std::size_t>(chunks), input);
  return split(TensorArg(input, x.where()), (total + chunks - 1) / chunks, axis);
}

Tensors unbind(const TensorArg& x, int axis) {
  const Tensor input = operand(x, "unbind");
  const int at = normalize_axis(axis, input, "unbind", x.where());
  Tensors parts;
  for (std::int64_t i = 0; i < input.shape()[at]; ++i) parts.push_back(select(TensorArg(input, x.where()), at, i));
  return parts;
}

Tensor narrow(const TensorArg& x, int axis, std::int64_t start, std::int64_t length) {
  const Tensor input = operand(x, "narrow");
  const int at = normalize_axis(axis, input, "narrow", x.where());
  const std::int64_t size = input.shape()[at], first = start < 0 ? start + size : start;
  if (first < 0 || length < 0 || length > size - first) {
    throw refusal(ErrorKind::index, "narrow",
                  fmt::format("{} elements from {} do not lie in axis {}, which has {}", length, start, at, size),
                  input, x.where());
  }
  return slice(TensorArg(input, x.where()), at, first, first + length);
}

Tensor select(const TensorArg& x, int axis, std::int64_t index) {
  const Tensor input = operand(x, "select");
  const int at = normalize_axis(axis, input, "select", x.where());
  const std::int64_t size = input.shape()[at], position = index < 0 ? index + size : index;
  if (position < 0 || position >= size) {
    throw refusal(ErrorKind::index, "select", fmt::format("element {} of axis {}, which has {}", index, at, size),
                  input, x.where());
  }
  return squeeze(TensorArg(slice(TensorArg(input, x.where()), at, position, position + 1), x.where()), at);
}

Tensor flip(const TensorArg& x, const Axes& axes) {
  const Tensor input = operand(x, "flip");
  const std::uint32_t mask = detail::axes_mask(axes, input, "flip", x.where());
  return mask == 0 ? input : record(Flip{mask}, {input}, x.where());
}

Tensor roll(const TensorArg& x, std::int64_t shift, int axis) {
  const Tensor input = operand(x, "roll");
  const int at = normalize_axis(axis, input, "roll", x.where());
  const std::int64_t size = input.shape()[at];
  if (size == 0 || shift % size == 0) return input;
  const std::int64_t moved = shift % size < 0 ? shift % size + size : shift % size;
  const TensorArg arg(input, x.where());
  return concat({slice(arg, at, size - moved, size), slice(arg, at, 0, size - moved)}, at, x.where());
}

Tensor roll(const TensorArg& x, std::int64_t shift) {
  const Tensor input = operand(x, "roll");
  const Tensor flat = flatten(TensorArg(input, x.where()));
  return reshape(TensorArg(roll(TensorArg(flat, x.where()), shift, 0), x.where()), input.shape());
}

Tensor repeat(const TensorArg& x, std::span<const std::int64_t> counts) {
  const Tensor input = operand(x, "repeat");
  if (static_cast<int>(counts.size()) < input.rank()) {
    throw refusal(ErrorKind::shape, "repeat",
                  fmt::format("counts for {} axes given to a tensor with rank {}", counts.size(), input.rank()), input,
                  x.where())
        .hint("tile() accepts fewer counts than axes");
  }
  return repeat_all("repeat", input, counts, x.where());
}

Tensor repeat(const TensorArg& x, std::initializer_list<std::int64_t> counts) {
  return repeat(x, std::span(counts.begin(), counts.size()));
}

Tensor tile(const TensorArg& x, std::span<const std::int64_t> counts) {
  const Tensor input = operand(x, "tile");
  std::vector<std::int64_t> all(counts.begin(), counts.end());
  while (static_cast<int>(all.size()) < input.rank()) all.insert(all.begin(), 1);
  return repeat_all("tile", input, all, x.where());
}

Tensor tile(const TensorArg& x, std::initializer_list<std::int64_t> counts) {
  return tile(x, std::span(counts.begin(), counts.size()));
}

Tensor repeat_interleave(const TensorArg& x, std::int64_t count, int axis) {
  const Tensor input = operand(x, "repeat_interleave");
  const int at = normalize_axis(axis, input, "repeat_interleave", x.where());
  if (count < 0) {
    throw refusal(ErrorKind::value, "repeat_interleave", fmt::format("each element {} times", count), input, x.where());
  }
  Shape shape = input.shape();
  shape.set(at, shape[at] * count);
  return reshape(TensorArg(repeat_blocks(input, at + 1, count, x.where()), x.where()), shape);
}

Tensor expand(const TensorArg& x, std::span<const std::int64_t> sizes) {
  const Tensor input = operand(x, "expand");
  const int extra = static_cast<int>(sizes.size()) - input.rank();
  Shape shape;
  for (int axis = 0; axis < static_cast<int>(sizes.size()); ++axis) {
    const std::int64_t size = sizes[static_cast<std::size_t>(axis)];
    if (size == -1 && axis < extra) {
      throw refusal(ErrorKind::shape, "expand", fmt::format("size {} is -1, but the axis is a new one", axis), input,
                    x.where());
    }
    shape.push_back(size == -1 ? input.shape()[axis - extra] : size);
  }
  return broadcast_to(TensorArg(input, x.where()), shape);
}

Tensor expand(const TensorArg& x, std::initializer_list<std::int64_t> sizes) {
  return expand(x, std::span(sizes.begin(), sizes.size()));
}

Tensor movedim(const TensorArg& x, int from, int to) {
  const Tensor input = operand(x, "movedim");
  const int source = normalize_axis(from, input, "movedim", x.where());
  const int target = normalize_axis(to, input, "movedim", x.where());
  std::vector<int> axes;
  for (int axis = 0; axis < input.rank(); ++axis) {
    if (axis != source) axes.push_back(axis);
  }
  axes.insert(axes.begin() + target, source);
  return permute(TensorArg(input, x.where()), axes);
}

Tensor swapaxes(const TensorArg& x, int a, int b) { return transpose(x, a, b); }

Tensor hstack(std::initializer_list<Tensor> tensors, SourceLocation where) {
  const bool vectors = tensors.size() > 0 && tensors.begin()->defined() && tensors.begin()->rank() < 2;
  return concat(tensors, vectors ? 0 : 1, where);
}

Tensor vstack(std::initializer_list<Tensor> tensors, SourceLocation where) {
  Tensors rows;
  for (const Tensor& given : tensors) {
    const Tensor x = operand(TensorArg(given, where), "vstack");
    rows.push_back(x.rank() == 1 ? unsqueeze(TensorArg(x, where), 0) : x);
  }
  return concat(rows, 0, where);
}

Tensor rot90(const TensorArg& x, std::int64_t k, int from, int to) {
  const Tensor input = operand(x, "rot90");
  const int a = normalize_axis(from, input, "rot90", x.where()), b = normalize_axis(to, input, "rot90", x.where());
  if (a == b) throw refusal(ErrorKind::axis, "rot90", fmt::format("axis {} was given twice", a), input, x.where());
  const auto at = [&](const Tensor& t) { return TensorArg(t, x.where()); };
  switch ((k % 4 + 4) % 4) {
    case 1: return transpose(at(flip(at(input), b)), a, b);
    case 2: return flip(at(input), {a, b});
    case 3: return flip(at(transpose(at(input), a, b)), b);
    default: return input;
  }
}

Tensor unflatten(const TensorArg& x, int axis, std::span<const std::int64_t> sizes) {
  const Tensor input = operand(x, "unflatten");
  const int at = normalize_axis(axis, input, "unflatten", x.where());
  std::vector<std::int64_t> shape(input.shape().begin(), input.shape().begin() + at);
  shape.insert(shape.end(), sizes.begin(), sizes.end());
  shape.insert(shape.end(), input.shape().begin() + at + 1, input.shape().end());
  return reshape(TensorArg(input, x.where()), shape);
}

Tensor unflatten(const TensorArg& x, int axis, std::initializer_list<std::int64_t> sizes) {
  return unflatten(x, axis, std::span(sizes.begin(), sizes.size()));
}

Tensor channel_shuffle(const TensorArg& x, std::int64_t groups) {
  const Tensor input = operand(x, "channel_shuffle");
  if (input.rank() < 3 || groups < 1 || input.size(1) % groups != 0) {
    throw refusal(ErrorKind::value, "channel_shuffle",
                  fmt::format("expected (n, channels, ...) with a multiple of {} channels", groups), input, x.where());
  }
  const Tensor grouped = unflatten(TensorArg(input, x.where()), 1, {groups, input.size(1) / groups});
  const Tensor dealt = transpose(TensorArg(grouped, x.where()), 1, 2);
  return reshape(TensorArg(dealt, x.where()), input.shape());
}

}  // namespace gradus
