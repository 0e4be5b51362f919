#include "gradus/ops/softmax.h"

#include "gradus/base/error.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/reduce.h"

namespace gradus {
namespace {

Specs infer_floating(std::string_view op, const TensorSpec& input) {
  if (!is_floating(input.dtype)) {
    throw Error(ErrorKind::dtype, std::string(op))
        .operand("input", input, "expected a floating type")
        .hint("convert it: cast(x, DType::f32)");
  }
  return {input};
}

/// Sum along `axis`, repeated over it by the arithmetic that follows.
Tensor total(const Tensor& x, int axis) { return sum(x, axis, {.keepdim = true}); }

}  // namespace

Specs Softmax::infer(std::span<const TensorSpec> inputs) const { return infer_floating(name(), inputs[0]); }

Tensors Softmax::vjp(const VjpArgs& args) const {
  const Tensor &y = args.outputs[0], &cotangent = args.cotangents[0];
  return {y * (cotangent - total(cotangent * y, axis))};
}

Specs LogSoftmax::infer(std::span<const TensorSpec> inputs) const { return infer_floating(name(), inputs[0]); }

Tensors LogSoftmax::vjp(const VjpArgs& args) const {
  const Tensor &y = args.outputs[0], &cotangent = args.cotangents[0];
  return {cotangent - exp(y) * total(cotangent, axis)};
}

Tensor softmax(const TensorArg& x, int axis) {
  const Tensor input = detail::operand(x, "softmax");
  const Softmax op{detail::normalize_axis(axis, input, "softmax", x.where())};
  return detail::narrow(record(op, {detail::widen(input, x.where())}, x.where()), input.dtype(), x.where());
}

Tensor log_softmax(const TensorArg& x, int axis) {
  const Tensor input = detail::operand(x, "log_softmax");
  const LogSoftmax op{detail::normalize_axis(axis, input, "log_softmax", x.where())};
  return detail::narrow(record(op, {detail::widen(input, x.where())}, x.where()), input.dtype(), x.where());
}

}  // namespace gradus
