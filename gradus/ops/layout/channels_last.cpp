#include "gradus/ops/layout/channels_last.h"

#include "gradus/base/error.h"

namespace gradus {

Shape permuted(const Shape& shape, const Permute& order) {
  Shape result;
  for (int axis = 0; axis < order.rank; ++axis) result.push_back(shape[order.order[static_cast<std::size_t>(axis)]]);
  return result;
}

std::string_view ConvChannelsLast::name() const {
  switch (pass) {
    case Pass::forward: return "conv2d_channels_last";
    case Pass::input_gradient: return "conv2d_input_gradient_channels_last";
    case Pass::weight_gradient: break;
  }
  return "conv2d_weight_gradient_channels_last";
}

Op ConvChannelsLast::channels_first() const {
  switch (pass) {
    case Pass::forward: return conv;
    case Pass::input_gradient: return Conv2dInputGradient{conv, shape};
    case Pass::weight_gradient: break;
  }
  return Conv2dWeightGradient{conv, shape};
}

SmallVector<TensorSpec, 2> ConvChannelsLast::operands_first(std::span<const TensorSpec> inputs) const {
  SmallVector<TensorSpec, 2> operands;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const bool weight = i == 1 && pass != Pass::weight_gradient;
    operands.push_back(weight ? inputs[i] : TensorSpec{inputs[i].dtype, permuted(inputs[i].shape, to_channels_first)});
  }
  return operands;
}

Specs ConvChannelsLast::infer(std::span<const TensorSpec> inputs) const {
  const SmallVector<TensorSpec, 2> operands = operands_first(inputs);
  Specs specs = channels_first().infer(std::span<const TensorSpec>(operands.begin(), operands.size()));
  if (pass != Pass::weight_gradient) specs[0] = {result, permuted(specs[0].shape, to_channels_last)};
  return specs;
}

Tensors ConvChannelsLast::vjp(const VjpArgs&) const {
  constexpr bool gradients_are_taken_before_layout = false;
  GRADUS_ASSERT(gradients_are_taken_before_layout);
  return {};
}

}  // namespace gradus
