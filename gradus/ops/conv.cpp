#include "gradus/ops/conv.h"

#include <fmt/format.h>

#include "gradus/base/error.h"
#include "gradus/graph/node.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/operands.h"
#include "gradus/ops/view.h"

namespace gradus {
namespace {

std::string pair_str(std::int64_t height, std::int64_t width) { return fmt::format("{} x {}", height, width); }

Error conv_error(ErrorKind kind, const TensorSpec& x, std::string of_x, const TensorSpec& weight, std::string of_weight,
                 std::string summary = {}) {
  return Error(kind, "conv2d", std::move(summary))
      .operand("input", x, std::move(of_x))
      .operand("weight", weight, std::move(of_weight));
}

void check_attributes(const Conv2d& conv) {
  const auto check = [](const char* name, const std::array<std::int64_t, 2>& pair, std::int64_t least) {
    if (pair[0] >= least && pair[1] >= least) return;
    throw Error(ErrorKind::value, "conv2d")
        .field(name, fmt::format("{}, expected {} or more", pair_str(pair[0], pair[1]), least));
  };
  check("stride", conv.stride, 1);
  check("padding", conv.padding, 0);
  check("dilation", conv.dilation, 1);
  if (conv.groups < 1) {
    throw Error(ErrorKind::value, "conv2d").field("groups", fmt::format("{}, expected 1 or more", conv.groups));
  }
}

void check_operands(const Conv2d& conv, const TensorSpec& x, const TensorSpec& weight) {
  if (x.dtype != weight.dtype || !is_floating(x.dtype)) {
    throw conv_error(ErrorKind::dtype, x, is_floating(x.dtype) ? "" : "expected f32 or f64", weight,
                     x.dtype == weight.dtype ? "" : fmt::format("expected {}", name_of(x.dtype)));
  }
  if (x.shape.rank() != 4 || weight.shape.rank() != 4) {
    Error error = conv_error(ErrorKind::shape, x, x.shape.rank() == 4 ? "" : "expected 4 axes: (n, c, h, w)", weight,
                             weight.shape.rank() == 4 ? "" : "expected 4 axes: (out, in / groups, height, width)");
    if (x.shape.rank() == 3) error.hint("unsqueeze(input, 0) makes a batch of one image");
    throw error;
  }
  const std::int64_t channels = weight.shape[1] * conv.groups;
  if (x.shape[1] != channels) {
    Error error = conv_error(ErrorKind::shape, x, fmt::format("axis 1 is {}, expected {}", x.shape[1], channels),
                             weight, conv.groups == 1 ? "" : fmt::format("{} groups", conv.groups));
    if (x.shape[3] == channels && x.shape[2] != channels)
      error.hint("channels come before height and width: permute(input, {0, 3, 1, 2})");
    throw error;
  }
  if (weight.shape[0] % conv.groups != 0) {
    throw conv_error(ErrorKind::shape, x, "", weight,
                     fmt::format("axis 0 is {}, expected a multiple of {} groups", weight.shape[0], conv.groups));
  }
}

/// Size of the result along one axis (0 = height, 1 = width).
std::int64_t output_size(const Conv2d& conv, std::size_t i, const TensorSpec& x, const TensorSpec& weight) {
  const int axis = static_cast<int>(i) + 2;
  const std::int64_t padded = x.shape[axis] + 2 * conv.padding[i];
  if (weight.shape[axis] < 1) {
    throw conv_error(ErrorKind::shape, x, "", weight, fmt::format("axis {} is 0, expected 1 or more", axis));
  }
  const std::int64_t extent = conv.dilation[i] * (weight.shape[axis] - 1) + 1;
  if (extent > padded) {
    const std::string spread = conv.dilation[i] == 1 ? "" : fmt::format(", {} with dilation", extent);
    throw conv_error(ErrorKind::shape, x, fmt::format("axis {} is {}, {} with padding", axis, x.shape[axis], padded),
                     weight, fmt::format("axis {} is {}{}", axis, weight.shape[axis], spread),
                     "the kernel is larger than the padded input");
  }
  return (padded - extent) / conv.stride[i] + 1;
}

/// The gradients' shape rule: `cotangent` must be what the convolution of `x` and `weight` gives.
void check_cotangent(const char* op, const Conv2d& conv, const TensorSpec& x, const TensorSpec& weight,
                     const TensorSpec& cotangent) {
  const TensorSpec inputs[] = {x, weight};
  const Specs result = conv.infer(inputs);
  if (result.front() == cotangent) return;
  throw Error(cotangent.dtype == x.dtype ? ErrorKind::shape : ErrorKind::dtype, op)
      .operand("cotangent", cotangent, fmt::format("expected {}", result.front().str()))
      .operand("input", x)
      .operand("weight", weight);
}

std::string layer_sizes(const Tensor& weight, std::int64_t groups) {
  const Shape& shape = weight.shape();
  if (shape.rank() != 4) return {};
  return detail::layer_context(weight,
                               fmt::format("{} -> {}, {}", shape[1] * groups, shape[0], pair_str(shape[2], shape[3])));
}

}  // namespace

Specs Conv2d::infer(std::span<const TensorSpec> inputs) const {
  const TensorSpec &x = inputs[0], &weight = inputs[1];
  check_attributes(*this);
  check_operands(*this, x, weight);
  const std::int64_t height = output_size(*this, 0, x, weight), width = output_size(*this, 1, x, weight);
  return {{x.dtype, Shape{x.shape[0], weight.shape[0], height, width}}};
}

Tensors Conv2d::vjp(const VjpArgs& args) const {
  const Tensor &x = args.inputs[0], &weight = args.inputs[1], &g = args.cotangents[0];
  Tensors gradients(2);
  if (args.wants(0)) gradients[0] = record(Conv2dInputGradient{*this, x.shape()}, {g, weight});
  if (args.wants(1)) gradients[1] = record(Conv2dWeightGradient{*this, weight.shape()}, {x, g});
  return gradients;
}

Specs Conv2dInputGradient::infer(std::span<const TensorSpec> inputs) const {
  const TensorSpec x{inputs[1].dtype, input};
  check_cotangent("conv2d_input_gradient", conv, x, inputs[1], inputs[0]);
  return {x};
}

Tensors Conv2dInputGradient::vjp(const VjpArgs& args) const {
  const Tensor &g = args.inputs[0], &weight = args.inputs[1], &u = args.cotangents[0];  // u has the images' shape
  Tensors gradients(2);
  if (args.wants(0)) gradients[0] = record(conv, {u, weight});
  if (args.wants(1)) gradients[1] = record(Conv2dWeightGradient{conv, weight.shape()}, {u, g});
  return gradients;
}

Specs Conv2dWeightGradient::infer(std::span<const TensorSpec> inputs) const {
  const TensorSpec w{inputs[0].dtype, weight};
  check_cotangent("conv2d_weight_gradient", conv, inputs[0], w, inputs[1]);
  return {w};
}

Tensors Conv2dWeightGradient::vjp(const VjpArgs& args) const {
  const Tensor &x = args.inputs[0], &g = args.inputs[1], &u = args.cotangents[0];  // u has the weights' shape
  Tensors gradients(2);
  if (args.wants(0)) gradients[0] = record(Conv2dInputGradient{conv, x.shape()}, {g, u});
  if (args.wants(1)) gradients[1] = record(conv, {x, u});
  return gradients;
}

Tensor conv2d(const TensorArg& x_arg, const TensorArg& weight_arg, const TensorArg& bias_arg,
              const Conv2dOptions& options, SourceLocation where) {
  Tensor x = detail::tensor_operand("conv2d", "input", x_arg, where);
  Tensor weight = detail::tensor_operand("conv2d", "weight", weight_arg, where);
  const bool has_bias = bias_arg.is_number() || bias_arg.tensor().defined();
  const Tensor bias = has_bias ? detail::tensor_operand("conv2d", "bias", bias_arg, where) : Tensor();
  const Conv2d conv{options.stride.array(), options.padding.array(), options.dilation.array(), options.groups};
  try {
    detail::promote_operands("conv2d", "input", x, "weight", weight, where);
    const Tensor y = record(conv, {x, weight}, where);
    if (!bias.defined()) return y;
    const std::int64_t out = weight.shape()[0];
    if (bias.shape() != Shape{out}) {
      throw conv_error(ErrorKind::shape, x.spec(), "", weight.spec(), "")
          .operand("bias", bias.spec(), fmt::format("expected [{}]", out))
          .at(where);
    }
    return add(TensorArg(y, where), TensorArg(record(Reshape{Shape{1, out, 1, 1}}, {bias}, where), where));
  } catch (Error& error) {
    if (const std::string sizes = layer_sizes(weight, options.groups); !sizes.empty()) error.context(sizes);
    throw;
  }
}

}  // namespace gradus
