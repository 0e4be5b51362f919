#include "gradus/ops/pool.h"

#include <fmt/format.h>

#include <limits>

#include "gradus/base/error.h"
#include "gradus/graph/node.h"
#include "gradus/ops/operands.h"

namespace gradus {
namespace {

std::string pair_str(const std::array<std::int64_t, 2>& pair) { return fmt::format("{} x {}", pair[0], pair[1]); }

void check_windows(const char* op, const PoolWindows& windows) {
  for (std::size_t i = 0; i < 2; ++i) {
    if (windows.kernel[i] < 1) {
      throw Error(ErrorKind::value, op).field("kernel", pair_str(windows.kernel) + ", expected 1 or more");
    }
    if (windows.stride[i] < 1) {
      throw Error(ErrorKind::value, op).field("stride", pair_str(windows.stride) + ", expected 1 or more");
    }
    if (windows.padding[i] < 0 || windows.padding[i] > windows.kernel[i] / 2) {
      throw Error(ErrorKind::value, op)
          .field("padding", pair_str(windows.padding) + ", expected 0 up to half the kernel")
          .field("kernel", pair_str(windows.kernel));
    }
  }
}

void check_images(const char* op, const TensorSpec& x) {
  if (x.shape.rank() != 4) {
    Error error(ErrorKind::shape, op);
    error.operand("input", x, "expected 4 axes: (n, c, h, w)");
    if (x.shape.rank() == 3) error.hint("unsqueeze(input, 0) makes a batch of one image");
    throw error;
  }
  if (!is_floating(x.dtype)) throw Error(ErrorKind::dtype, op).operand("input", x, "expected f32 or f64");
}

Shape pooled_shape(const char* op, const PoolWindows& windows, const TensorSpec& x) {
  check_windows(op, windows);
  check_images(op, x);
  Shape shape = x.shape;
  for (std::size_t i = 0; i < 2; ++i) {
    const int axis = static_cast<int>(i) + 2;
    const std::int64_t padded = x.shape[axis] + 2 * windows.padding[i];
    if (windows.kernel[i] > padded || x.shape[axis] == 0) {
      throw Error(ErrorKind::shape, op, "the kernel is larger than the padded input")
          .operand("input", x, fmt::format("axis {} is {}, {} with padding", axis, x.shape[axis], padded))
          .field("kernel", pair_str(windows.kernel));
    }
    shape.set(axis, (padded - windows.kernel[i]) / windows.stride[i] + 1);
  }
  return shape;
}

void check_index(const char* op, const TensorSpec& index, const Shape& expected) {
  if (index.dtype == DType::i32 && index.shape == expected) return;
  throw Error(index.dtype == DType::i32 ? ErrorKind::shape : ErrorKind::dtype, op)
      .operand("index", index, fmt::format("expected i32 {}", expected.str()));
}

PoolWindows windows_of(Size2 kernel, Size2 stride, Size2 padding) {
  return {kernel.array(),
          {stride.height == 0 ? kernel.height : stride.height, stride.width == 0 ? kernel.width : stride.width},
          padding.array()};
}

Shape with_plane(Shape shape, std::int64_t height, std::int64_t width) {
  shape.set(2, height);
  shape.set(3, width);
  return shape;
}

}  // namespace

Specs MaxPool2d::infer(std::span<const TensorSpec> inputs) const {
  const TensorSpec& x = inputs[0];
  const Shape shape = pooled_shape("max_pool2d", windows, x);
  if (x.shape[2] > std::numeric_limits<std::int32_t>::max() / x.shape[3]) {
    throw Error(ErrorKind::shape, "max_pool2d").operand("input", x, "expected planes of fewer than 2^31 elements");
  }
  return {{x.dtype, shape}, {DType::i32, shape}};
}

Tensors MaxPool2d::vjp(const VjpArgs& args) const {
  const Shape& shape = args.inputs[0].shape();
  if (!args.wants(0) || !args.cotangents[0].defined()) return {Tensor()};
  return {record(MaxPool2dGradient{shape[2], shape[3]}, {args.cotangents[0], args.outputs[1]})};
}

Specs MaxPool2dGradient::infer(std::span<const TensorSpec> inputs) const {
  check_images("max_pool2d_gradient", inputs[0]);
  check_index("max_pool2d_gradient", inputs[1], inputs[0].shape);
  return {{inputs[0].dtype, with_plane(inputs[0].shape, height, width)}};
}

Tensors MaxPool2dGradient::vjp(const VjpArgs& args) const {
  return {record(MaxPool2dGather{}, {args.cotangents[0], args.inputs[1]}), Tensor()};
}

Specs MaxPool2dGather::infer(std::span<const TensorSpec> inputs) const {
  const TensorSpec &planes = inputs[0], &index = inputs[1];
  check_images("max_pool2d_gather", planes);
  const Shape expected =
      index.shape.rank() == 4 ? with_plane(planes.shape, index.shape[2], index.shape[3]) : planes.shape;
  check_index("max_pool2d_gather", index, expected);
  return {{planes.dtype, index.shape}};
}

Tensors MaxPool2dGather::vjp(const VjpArgs& args) const {
  const Shape& planes = args.inputs[0].shape();
  return {record(MaxPool2dGradient{planes[2], planes[3]}, {args.cotangents[0], args.inputs[1]}), Tensor()};
}

Specs AvgPool2d::infer(std::span<const TensorSpec> inputs) const {
  return {{inputs[0].dtype, pooled_shape("avg_pool2d", windows, inputs[0])}};
}

Tensors AvgPool2d::vjp(const VjpArgs& args) const {
  const Shape& shape = args.inputs[0].shape();
  return {record(AvgPool2dGradient{*this, shape[2], shape[3]}, {args.cotangents[0]})};
}

Specs AvgPool2dGradient::infer(std::span<const TensorSpec> inputs) const {
  const TensorSpec& cotangent = inputs[0];
  check_images("avg_pool2d_gradient", cotangent);
  const TensorSpec x{cotangent.dtype, with_plane(cotangent.shape, height, width)};
  const Shape expected = pooled_shape("avg_pool2d_gradient", pool.windows, x);
  if (cotangent.shape != expected) {
    throw Error(ErrorKind::shape, "avg_pool2d_gradient")
        .operand("cotangent", cotangent, fmt::format("expected {}", expected.str()));
  }
  return {x};
}

Tensors AvgPool2dGradient::vjp(const VjpArgs& args) const { return {record(pool, {args.cotangents[0]})}; }

Tensor max_pool2d(const TensorArg& x, Size2 kernel, const MaxPool2dOptions& options) {
  const Tensor& images = detail::tensor_operand("max_pool2d", "input", x, x.where());
  return record(MaxPool2d{windows_of(kernel, options.stride, options.padding)}, {images}, x.where());
}

Tensor avg_pool2d(const TensorArg& x, Size2 kernel, const AvgPool2dOptions& options) {
  const Tensor& images = detail::tensor_operand("avg_pool2d", "input", x, x.where());
  const PoolWindows windows = windows_of(kernel, options.stride, options.padding);
  return record(AvgPool2d{windows, options.count_include_pad}, {images}, x.where());
}

}  // namespace gradus
