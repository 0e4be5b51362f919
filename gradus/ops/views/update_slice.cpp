#include "gradus/ops/views/update_slice.h"

#include <fmt/format.h>

#include "gradus/base/error.h"
#include "gradus/graph/node.h"
#include "gradus/ops/argument.h"
#include "gradus/ops/batch.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/factory.h"
#include "gradus/ops/index.h"
#include "gradus/ops/view.h"

namespace gradus {

Specs DynamicUpdateSlice::infer(std::span<const TensorSpec> inputs) const {
  const TensorSpec &x = inputs[0], &update = inputs[1], &start = inputs[2];
  const auto refuse = [&](ErrorKind kind, const std::string& of_update, const std::string& of_start = "") {
    return Error(kind, std::string(name()))
        .operand("x", x)
        .operand("update", update, of_update)
        .operand("start", start, of_start);
  };
  if (update.dtype != x.dtype) throw refuse(ErrorKind::dtype, fmt::format("expected {}", name_of(x.dtype)));
  if (start.dtype != DType::i64) throw refuse(ErrorKind::dtype, "", "expected i64");
  if (start.shape.numel() != 1) throw refuse(ErrorKind::shape, "", "expected one element");
  if (update.shape.rank() != x.shape.rank()) throw refuse(ErrorKind::shape, "expected as many axes as x has");
  for (int i = 0; i < x.shape.rank(); ++i) {
    const bool fits = i == axis ? update.shape[i] <= x.shape[i] : update.shape[i] == x.shape[i];
    if (fits) continue;
    throw refuse(ErrorKind::shape, fmt::format("axis {} is {}, expected {}{}", i, update.shape[i],
                                               i == axis ? "at most " : "", x.shape[i]));
  }
  return {x};
}

Tensors DynamicUpdateSlice::vjp(const VjpArgs& args) const {
  const Tensor &update = args.inputs[1], &start = args.inputs[2], &cotangent = args.cotangents[0];
  Tensors gradients(3);
  if (args.wants(0)) gradients[0] = record(*this, {cotangent, zeros(update.shape(), update.dtype()), start});
  if (args.wants(1)) {
    const std::int64_t length = update.shape()[axis], last = cotangent.shape()[axis] - length;
    Shape line;
    for (int i = 0; i < update.rank(); ++i) line.push_back(i == axis ? length : 1);
    const Tensor first = minimum(maximum(reshape(start, Shape{}), 0), last);
    gradients[1] = gather(cotangent, axis, broadcast_to(reshape(first + arange(length), line), update.shape()));
  }
  return gradients;
}

Tensors DynamicUpdateSlice::batch(const BatchArgs& args) const {
  const Tensor x = detail::batched_input(args, 0), update = detail::batched_input(args, 1);
  const int moved = axis + 1;
  if (!args.is_batched(2)) return {record(DynamicUpdateSlice{moved}, {x, update, args.inputs[2]})};
  const std::int64_t size = x.shape()[moved], length = update.shape()[moved];
  if (length == 0) return {x};
  // A start of its own for each example: what is written is found by index.
  Shape of_examples, line;
  for (int i = 0; i < x.rank(); ++i) {
    of_examples.push_back(i == 0 ? args.size : 1);
    line.push_back(i == moved ? size : 1);
  }
  const Tensor first = minimum(maximum(reshape(args.inputs[2], of_examples), 0), size - length);
  const Tensor place = broadcast_to(reshape(arange(size), line) - first, x.shape());
  const Tensor inside = logical_and(greater_equal(place, 0), less(place, length));
  return {where(inside, gather(update, moved, clamp(place, 0, length - 1)), x)};
}

Tensor dynamic_update_slice(const TensorArg& x, const TensorArg& update, const TensorArg& start, int axis) {
  const Tensor whole = detail::operand(x, "dynamic_update_slice");
  const int rank = whole.rank(), wrapped = axis < 0 ? axis + rank : axis;
  if (wrapped < 0 || wrapped >= rank) {
    throw Error(ErrorKind::axis, "dynamic_update_slice", fmt::format("axis {} of a tensor of rank {}", axis, rank))
        .at(x.where())
        .operand("x", whole.spec());
  }
  return record(
      DynamicUpdateSlice{wrapped},
      {whole, detail::operand(update, "dynamic_update_slice"), detail::operand(start, "dynamic_update_slice")},
      x.where());
}

}  // namespace gradus
