#include "gradus/ops/batch.h"

#include <vector>

#include "gradus/base/error.h"
#include "gradus/ops/view.h"

namespace gradus::detail {

Shape batched_shape(std::int64_t size, const Shape& shape) {
  Shape result{size};
  for (const std::int64_t axis : shape) result.push_back(axis);
  return result;
}

Tensor batched_input(const BatchArgs& args, std::size_t input) {
  const Tensor& x = args.inputs[input];
  // BatchArgs has bits for 64 inputs; vmap batches all that come behind them.
  if (input >= 64 || args.is_batched(static_cast<int>(input))) return x;
  return broadcast_to(x, batched_shape(args.size, x.shape()));
}

Tensors batched_inputs(const BatchArgs& args) {
  Tensors result;
  for (std::size_t i = 0; i < args.inputs.size(); ++i) result.push_back(batched_input(args, i));
  return result;
}

Tensor merge_batch(const Tensor& x) {
  GRADUS_ASSERT(x.rank() >= 2);
  Shape shape = x.shape();
  shape.erase(0);
  shape.set(0, x.shape()[0] * x.shape()[1]);
  return reshape(x, shape);
}

Tensor split_batch(const Tensor& x, std::int64_t size, std::int64_t n) {
  Shape shape = x.shape();
  shape.set(0, n);
  return reshape(x, batched_shape(size, shape));
}

Shape example_shape(const Tensor& batched) {
  Shape shape = batched.shape();
  shape.erase(0);
  return shape;
}

Tensor move_axis(const TensorArg& x, int from, int to) {
  if (from == to) return x.tensor();
  std::vector<int> order;
  for (int axis = 0; axis < x.tensor().rank(); ++axis) {
    if (axis != from) order.push_back(axis);
  }
  order.insert(order.begin() + to, from);
  return permute(x, order);
}

}  // namespace gradus::detail
