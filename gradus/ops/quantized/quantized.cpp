#include "gradus/ops/quantized/quantized.h"

#include "gradus/base/error.h"

namespace gradus {
namespace {

Tensors no_gradient() {
  constexpr bool gradients_are_taken_before_quantisation = false;
  GRADUS_ASSERT(gradients_are_taken_before_quantisation);
  return {};
}

}  // namespace

Specs QuantizeRows::infer(std::span<const TensorSpec> inputs) const {
  const Shape& shape = inputs[0].shape;
  GRADUS_ASSERT(inputs[0].dtype == DType::f32 && shape.rank() == 2);
  return {TensorSpec{DType::u8, {quantized_bytes(shape[0], shape[1])}}};
}

Tensors QuantizeRows::vjp(const VjpArgs&) const { return no_gradient(); }

Specs QuantizedMatMul::infer(std::span<const TensorSpec> inputs) const {
  const Shape& x = inputs[0].shape;
  GRADUS_ASSERT(inputs[0].dtype == DType::f32 && x.rank() >= 1 && inputs[1].dtype == DType::u8);
  GRADUS_ASSERT(inputs[1].shape == (Shape{quantized_bytes(rows, x[x.rank() - 1])}));
  Shape shape;
  for (int axis = 0; axis + 1 < x.rank(); ++axis) shape.push_back(x[axis]);
  shape.push_back(rows);
  return {TensorSpec{DType::f32, shape}};
}

Tensors QuantizedMatMul::vjp(const VjpArgs&) const { return no_gradient(); }

}  // namespace gradus
