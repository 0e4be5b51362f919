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

Specs Sparsemax::infer(std::span<const TensorSpec> inputs) const { return infer_floating(name(), inputs[0]); }

Tensors Sparsemax::vjp(const VjpArgs& args) const {
  // Inside the support every element moves with the gradient less its mean there (equation 10 of the paper).
  const Tensor& cotangent = args.cotangents[0];
  const Tensor support = cast(greater(args.outputs[0], constant(0, cotangent.dtype())), cotangent.dtype());
  return {support * (cotangent - total(cotangent * support, axis) / total(support, axis))};
}

Tensors Softmax::batch(const BatchArgs& args) const { return {record(Softmax{axis + 1}, {args.inputs[0]})}; }
Tensors LogSoftmax::batch(const BatchArgs& args) const { return {record(LogSoftmax{axis + 1}, {args.inputs[0]})}; }
Tensors Sparsemax::batch(const BatchArgs& args) const { return {record(Sparsemax{axis + 1}, {args.inputs[0]})}; }

namespace {

template <class T>
Tensor along(const TensorArg& x, int axis) {
  const std::string_view name = T{}.name();
  const Tensor& input = detail::operand(x, name);
  const T op{detail::normalize_axis(axis, input, name, x.where())};
  return detail::narrow(record(op, {detail::widen(input, x.where())}, x.where()), input.dtype(), x.where());
}

}  // namespace

Tensor softmax(const TensorArg& x, int axis) { return along<Softmax>(x, axis); }
Tensor log_softmax(const TensorArg& x, int axis) { return along<LogSoftmax>(x, axis); }
Tensor softmin(const TensorArg& x, int axis) {
  const Tensor& input = detail::operand(x, "softmin");
  const int position = detail::normalize_axis(axis, input, "softmin", x.where());
  return along<Softmax>(TensorArg(neg(x), x.where()), position);
}
Tensor sparsemax(const TensorArg& x, int axis) { return along<Sparsemax>(x, axis); }

}  // namespace gradus
