#include "gradus/transform/join_parts.h"

#include <optional>

#include "gradus/graph/node.h"
#include "gradus/ops/concat.h"

namespace gradus::transform {
namespace {

/// `tensor` as the elements [begin, end) of an axis; zero before and after.
struct Part {
  const Pad* pad = nullptr;
  Tensor tensor;
  int axis = 0;
  std::int64_t begin = 0, end = 0;
};

std::optional<Part> part_of(const Tensor& x) {
  const Pad* pad = x.node()->op ? x.node()->op.as<Pad>() : nullptr;
  if (!pad || pad->value != Immediate{}) return std::nullopt;
  Part part{pad, x.node()->inputs[0]};
  int padded = 0;
  for (int axis = 0; axis < x.rank(); ++axis) {
    const auto at = static_cast<std::size_t>(axis);
    if (pad->interior[at] != 0 && part.tensor.shape()[axis] > 1) return std::nullopt;
    if (pad->before[at] == 0 && pad->after[at] == 0) continue;
    if (++padded > 1) return std::nullopt;
    part.axis = axis;
    part.begin = pad->before[at];
    part.end = x.shape()[axis] - pad->after[at];
  }
  return padded == 1 && part.end > part.begin ? std::optional(part) : std::nullopt;
}

/// What a part consists of.
void append(Tensors& pieces, const Part& part) {
  const Node& node = *part.tensor.node();
  const Concat* concat = node.op ? node.op.as<Concat>() : nullptr;
  if (concat && concat->axis == part.axis) {
    for (const Tensor& piece : node.inputs) pieces.push_back(piece);
  } else {
    pieces.push_back(part.tensor);
  }
}

}  // namespace

Tensor joined(const Tensor& a, const Tensor& b) {
  const std::optional<Part> one = part_of(a), other = part_of(b);
  if (!one || !other || one->axis != other->axis) return {};
  if (one->end != other->begin && other->end != one->begin) return {};
  const Part &first = one->begin < other->begin ? *one : *other, &second = &first == &*one ? *other : *one;
  Tensors pieces;
  append(pieces, first);
  append(pieces, second);
  Tensor whole = record_all(Concat{first.axis}, pieces, {})[0];
  if (first.begin == 0 && second.end == a.shape()[first.axis]) return whole;
  Pad rest;
  const auto at = static_cast<std::size_t>(first.axis);
  rest.before[at] = first.begin;
  rest.after[at] = a.shape()[first.axis] - second.end;
  return record(rest, {whole});
}

}  // namespace gradus::transform
