#include "gradus/ops/pooling/pool.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <string>

#include "gradus/base/error.h"
#include "gradus/graph/node.h"
#include "gradus/ops/argument.h"
#include "gradus/ops/concat.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/factory.h"
#include "gradus/ops/index.h"
#include "gradus/ops/operands.h"
#include "gradus/ops/view.h"

namespace gradus {
namespace {

/// The windows of one pooling over 1, 2 or 3 axes.
struct Windows {
  std::span<const std::int64_t> kernel, stride, padding, dilation;
  bool ceil_mode;
};

Windows windows_of(const PoolWindows& w) { return {w.kernel, w.stride, w.padding, w.dilation, w.ceil_mode}; }

std::string sizes_str(std::span<const std::int64_t> sizes) { return fmt::format("{}", fmt::join(sizes, " x ")); }

void check_windows(std::string_view op, const Windows& windows) {
  const auto check = [&](const char* name, std::span<const std::int64_t> sizes) {
    for (const std::int64_t size : sizes) {
      if (size >= 1) continue;
      throw Error(ErrorKind::value, std::string(op)).field(name, sizes_str(sizes) + ", expected 1 or more");
    }
  };
  check("kernel", windows.kernel);
  check("stride", windows.stride);
  check("dilation", windows.dilation);
  for (std::size_t i = 0; i < windows.kernel.size(); ++i) {
    const std::int64_t extent = windows.dilation[i] * (windows.kernel[i] - 1) + 1;
    if (windows.padding[i] < 0 || windows.padding[i] > extent / 2) {
      throw Error(ErrorKind::value, std::string(op))
          .field("padding", sizes_str(windows.padding) + ", expected 0 up to half the kernel")
          .field("kernel", sizes_str(windows.kernel));
    }
  }
}

void check_input(std::string_view op, const TensorSpec& x, std::size_t axes) {
  constexpr const char* layouts[] = {"(n, c, l)", "(n, c, h, w)", "(n, c, d, h, w)"};
  constexpr const char* things[] = {"sequence", "image", "volume"};
  const int rank = static_cast<int>(axes) + 2;
  if (x.shape.rank() != rank) {
    Error error(ErrorKind::shape, std::string(op));
    error.operand("input", x, fmt::format("expected {} axes: {}", rank, layouts[axes - 1]));
    if (x.shape.rank() == rank - 1)
      error.hint(fmt::format("unsqueeze(input, 0) makes a batch of one {}", things[axes - 1]));
    throw error;
  }
  if (!is_floating(x.dtype)) throw Error(ErrorKind::dtype, std::string(op)).operand("input", x, "expected f32 or f64");
}

void check_images(std::string_view op, const TensorSpec& x) { check_input(op, x, 2); }

/// Windows with holes can miss a small axis altogether.
bool holds_elements(const Windows& w, std::size_t i, std::int64_t size, std::int64_t count) {
  const std::int64_t step = w.dilation[i];
  for (std::int64_t window = 0; step > 1 && window < count; ++window) {
    const std::int64_t start = window * w.stride[i] - w.padding[i];
    if (start < 0 && start + (-start + step - 1) / step * step >= size) return false;
  }
  return true;
}

Shape pooled_shape(std::string_view op, const Windows& windows, const TensorSpec& x) {
  check_windows(op, windows);
  check_input(op, x, windows.kernel.size());
  Shape shape = x.shape;
  for (std::size_t i = 0; i < windows.kernel.size(); ++i) {
    const int axis = static_cast<int>(i) + 2;
    const std::int64_t size = x.shape[axis], padded = size + 2 * windows.padding[i], stride = windows.stride[i];
    const std::int64_t extent = windows.dilation[i] * (windows.kernel[i] - 1) + 1;
    const auto refuse = [&](const char* summary) {
      return Error(ErrorKind::shape, std::string(op), summary)
          .operand("input", x, fmt::format("axis {} is {}, {} with padding", axis, size, padded))
          .field("kernel", sizes_str(windows.kernel) +
                               (windows.dilation[i] == 1 ? "" : fmt::format(", {} with dilation", extent)));
    };
    if (extent > padded || size == 0) throw refuse("the kernel is larger than the padded input");
    std::int64_t count = (padded - extent + (windows.ceil_mode ? stride - 1 : 0)) / stride + 1;
    if (windows.ceil_mode && (count - 1) * stride >= size + windows.padding[i]) --count;
    if (!holds_elements(windows, i, size, count)) throw refuse("a window lies in the padding alone");
    shape.set(axis, count);
  }
  return shape;
}

void check_index(std::string_view op, const TensorSpec& index, const Shape& expected) {
  if (index.dtype == DType::i32 && index.shape == expected) return;
  throw Error(index.dtype == DType::i32 ? ErrorKind::shape : ErrorKind::dtype, std::string(op))
      .operand("index", index, fmt::format("expected i32 {}", expected.str()));
}

Shape with_plane(Shape shape, std::int64_t height, std::int64_t width) {
  shape.set(2, height);
  shape.set(3, width);
  return shape;
}

// ---- Batches: examples are more images ------------------------------------------------------------------------------

/// [size, n, ...], or [n, ...] for all examples -> [size * n, ...]
Tensor fold(const BatchArgs& args, int input) {
  Tensor x = args.inputs[static_cast<std::size_t>(input)];
  Shape shape = x.shape();
  if (!args.is_batched(input)) {
    shape.insert(0, args.size);
    x = broadcast_to(x, shape);
  }
  shape.set(1, shape[0] * shape[1]);
  shape.erase(0);
  return reshape(x, shape);
}

Tensors unfold(Tensors outputs, std::int64_t size) {
  for (Tensor& output : outputs) {
    Shape shape = output.shape();
    shape.set(0, shape[0] / size);
    shape.insert(0, size);
    output = reshape(output, shape);
  }
  return outputs;
}

Tensors batch_unary(const Op& op, const BatchArgs& args) {
  const Tensor x = fold(args, 0);
  return unfold(record_all(op, std::span(&x, 1), {}), args.size);
}

Tensors batch_binary(const Op& op, const BatchArgs& args) {
  const Tensor operands[] = {fold(args, 0), fold(args, 1)};
  return unfold(record_all(op, operands, {}), args.size);
}

}  // namespace

Specs MaxPool2d::infer(std::span<const TensorSpec> inputs) const {
  const TensorSpec& x = inputs[0];
  const Shape shape = pooled_shape("max_pool2d", windows_of(windows), x);
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
  if (windows.dilation != PoolWindows{}.dilation) {
    throw Error(ErrorKind::value, "avg_pool2d").field("dilation", sizes_str(windows.dilation) + ", expected 1");
  }
  return {{inputs[0].dtype, pooled_shape("avg_pool2d", windows_of(windows), inputs[0])}};
}

Tensors AvgPool2d::vjp(const VjpArgs& args) const {
  const Shape& shape = args.inputs[0].shape();
  return {record(AvgPool2dGradient{*this, shape[2], shape[3]}, {args.cotangents[0]})};
}

Specs AvgPool2dGradient::infer(std::span<const TensorSpec> inputs) const {
  const TensorSpec& cotangent = inputs[0];
  check_images("avg_pool2d_gradient", cotangent);
  const TensorSpec x{cotangent.dtype, with_plane(cotangent.shape, height, width)};
  const Shape expected = pooled_shape("avg_pool2d_gradient", windows_of(pool.windows), x);
  if (cotangent.shape != expected) {
    throw Error(ErrorKind::shape, "avg_pool2d_gradient")
        .operand("cotangent", cotangent, fmt::format("expected {}", expected.str()));
  }
  return {x};
}

Tensors AvgPool2dGradient::vjp(const VjpArgs& args) const { return {record(pool, {args.cotangents[0]})}; }

Tensors MaxPool2d::batch(const BatchArgs& args) const { return batch_unary(*this, args); }
Tensors MaxPool2dGradient::batch(const BatchArgs& args) const { return batch_binary(*this, args); }
Tensors MaxPool2dGather::batch(const BatchArgs& args) const { return batch_binary(*this, args); }
Tensors AvgPool2d::batch(const BatchArgs& args) const { return batch_unary(*this, args); }
Tensors AvgPool2dGradient::batch(const BatchArgs& args) const { return batch_unary(*this, args); }

// ---- User functions -------------------------------------------------------------------------------------------------

namespace {

using Triple = std::array<std::int64_t, 3>;

/// The windows of a pooling over N axes, as those of a volume: leading axes have windows of size 1.
struct VolumeWindows {
  Triple kernel{1, 1, 1}, stride{1, 1, 1}, padding{0, 0, 0}, dilation{1, 1, 1};
  bool ceil_mode = false;
  std::size_t axes = 3;

  template <class Size>
  VolumeWindows(Size kernels, Size strides, Size paddings, Size dilations, bool ceil)
      : ceil_mode(ceil), axes(kernels.array().size()) {
    for (std::size_t i = 0, at = 3 - axes; i < axes; ++i, ++at) {
      kernel[at] = kernels.array()[i];
      stride[at] = strides.array()[i] == 0 ? kernel[at] : strides.array()[i];
      padding[at] = paddings.array()[i];
      dilation[at] = dilations.array()[i];
    }
  }
  Windows own() const {
    const auto last = [&](const Triple& sizes) { return std::span<const std::int64_t>(sizes).subspan(3 - axes); };
    return {last(kernel), last(stride), last(padding), last(dilation), ceil_mode};
  }
  PoolWindows plane() const {
    return {{kernel[1], kernel[2]},
            {stride[1], stride[2]},
            {padding[1], padding[2]},
            {dilation[1], dilation[2]},
            ceil_mode};
  }
  /// Over the depth of images (depth, pixels).
  PoolWindows depth() const { return {{kernel[0], 1}, {stride[0], 1}, {padding[0], 0}, {dilation[0], 1}, ceil_mode}; }
};

/// The operand, and the shapes of it and of the result as volumes (n, c, d, h, w).
struct Volume {
  Tensor x;
  Shape from, to, result;
  DType dtype = DType::f32;  ///< of the operand; x is f32 when it is bf16
};

Volume volume_of(const char* op, const TensorArg& argument, const VolumeWindows& windows) {
  Volume volume{detail::tensor_operand(op, "input", argument, argument.where()), {}, {}, {}, {}};
  try {
    volume.result = pooled_shape(op, windows.own(), volume.x.spec());
    volume.from = volume.x.shape();
    volume.to = volume.result;
    for (std::size_t i = windows.axes; i < 3; ++i) {
      volume.from.insert(2, 1);
      volume.to.insert(2, 1);
    }
    if (volume.from.numel(2, 5) > std::numeric_limits<std::int32_t>::max()) {
      throw Error(ErrorKind::shape, op)
          .operand("input", volume.x.spec(), "expected fewer than 2^31 elements a channel");
    }
  } catch (Error& error) {
    detail::note_origin(error.at(argument.where()), "operand 0", volume.x);
    throw;
  }
  volume.dtype = volume.x.dtype();
  volume.x = detail::widen(volume.x, argument.where());
  return volume;
}

Tensor reshaped(const Tensor& x, const Shape& shape, SourceLocation where) {
  return reshape(TensorArg(x, where), shape);
}

/// Values and i32 positions.
Pooled max_pool(const char* op, const TensorArg& argument, const VolumeWindows& windows) {
  const SourceLocation where = argument.where();
  const Volume v = volume_of(op, argument, windows);
  const Shape &from = v.from, &to = v.to;
  const Tensor planes = reshaped(v.x, {from[0], from[1] * from[2], from[3], from[4]}, where);
  Tensors pooled = record_all(MaxPool2d{windows.plane()}, std::span(&planes, 1), where);
  if (windows.axes == 3) {
    const std::int64_t pixels = to[3] * to[4];
    const Shape stacked{from[0], from[1], from[2], pixels};
    const Tensor depths = reshaped(pooled[0], stacked, where);
    const Tensors deepest = record_all(MaxPool2d{windows.depth()}, std::span(&depths, 1), where);
    const Tensor first = cast(arange(std::int64_t{0}, from[2] * from[3] * from[4], from[3] * from[4]), DType::i32);
    const Tensor positions = reshape(pooled[1], stacked) + reshape(first, Shape{from[2], 1});
    const Shape rows{from[0], from[1], from[2] * pixels}, picked{from[0], from[1], to[2] * pixels};
    pooled = {deepest[0], gather(reshape(positions, rows), 2, reshape(deepest[1], picked))};
  }
  pooled[0].node()->called = op;
  return {detail::narrow(reshaped(pooled[0], v.result, where), v.dtype, where), reshaped(pooled[1], v.result, where)};
}

Pooled with_long_indices(Pooled pooled) { return {pooled.values, cast(pooled.indices, DType::i64)}; }

/// Zeros around `x` as far as the windows reach, so that every mean is over a whole window.
Tensor padded_for(const Volume& v, VolumeWindows& windows, SourceLocation where) {
  SmallVector<Padding, 5> around(2, Padding{0, 0});
  for (std::size_t i = 0; i < 3; ++i) {
    const int axis = static_cast<int>(i) + 2;
    const std::int64_t reach = (v.to[axis] - 1) * windows.stride[i] + windows.kernel[i];
    const std::int64_t behind = std::max<std::int64_t>(0, reach - v.from[axis] - windows.padding[i]);
    around.push_back({windows.padding[i], behind});
    windows.padding[i] = 0;
  }
  windows.ceil_mode = false;
  return pad(TensorArg(reshaped(v.x, v.from, where), where), std::span<const Padding>(around));
}

template <class Size>
Tensor avg_pool(const char* op, const TensorArg& argument, Size kernel, const AvgPoolOptions<Size>& options) {
  const SourceLocation where = argument.where();
  VolumeWindows windows(kernel, options.stride, options.padding, Size(1), options.ceil_mode);
  const Volume v = volume_of(op, argument, windows);
  if (options.divisor_override < 0) {
    throw Error(ErrorKind::value, op)
        .at(where)
        .field("divisor_override", fmt::format("{}, expected 1 or more, or 0 for none", options.divisor_override));
  }
  const Tensor x = options.divisor_override > 0 ? padded_for(v, windows, where) : v.x;
  const Shape from = options.divisor_override > 0 ? x.shape() : v.from;
  const Tensor planes = reshaped(x, {from[0], from[1] * from[2], from[3], from[4]}, where);
  Tensor y = record(AvgPool2d{windows.plane(), options.count_include_pad}, {planes}, where);
  y.node()->called = op;
  if (windows.axes == 3) {
    const Tensor depths = reshaped(y, {from[0], from[1], from[2], v.to[3] * v.to[4]}, where);
    y = record(AvgPool2d{windows.depth(), options.count_include_pad}, {depths}, where);
  }
  y = reshaped(y, v.result, where);
  if (options.divisor_override == 0) return detail::narrow(y, v.dtype, where);
  const auto elements = static_cast<double>(windows.kernel[0] * windows.kernel[1] * windows.kernel[2]);
  y = y * constant(elements / static_cast<double>(options.divisor_override), y.dtype());
  return detail::narrow(y, v.dtype, where);
}

template <class Size>
VolumeWindows volume_windows(Size kernel, const MaxPoolOptions<Size>& o) {
  return {kernel, o.stride, o.padding, o.dilation, o.ceil_mode};
}

}  // namespace

Tensor max_pool1d(const TensorArg& x, Size1 kernel, const MaxPool1dOptions& options) {
  return max_pool("max_pool1d", x, volume_windows(kernel, options)).values;
}
Tensor max_pool2d(const TensorArg& x, Size2 kernel, const MaxPool2dOptions& options) {
  return max_pool("max_pool2d", x, volume_windows(kernel, options)).values;
}
Tensor max_pool3d(const TensorArg& x, Size3 kernel, const MaxPool3dOptions& options) {
  return max_pool("max_pool3d", x, volume_windows(kernel, options)).values;
}

Pooled max_pool1d_with_indices(const TensorArg& x, Size1 kernel, const MaxPool1dOptions& options) {
  return with_long_indices(max_pool("max_pool1d", x, volume_windows(kernel, options)));
}
Pooled max_pool2d_with_indices(const TensorArg& x, Size2 kernel, const MaxPool2dOptions& options) {
  return with_long_indices(max_pool("max_pool2d", x, volume_windows(kernel, options)));
}
Pooled max_pool3d_with_indices(const TensorArg& x, Size3 kernel, const MaxPool3dOptions& options) {
  return with_long_indices(max_pool("max_pool3d", x, volume_windows(kernel, options)));
}

Tensor avg_pool1d(const TensorArg& x, Size1 kernel, const AvgPool1dOptions& options) {
  return avg_pool("avg_pool1d", x, kernel, options);
}
Tensor avg_pool2d(const TensorArg& x, Size2 kernel, const AvgPool2dOptions& options) {
  return avg_pool("avg_pool2d", x, kernel, options);
}
Tensor avg_pool3d(const TensorArg& x, Size3 kernel, const AvgPool3dOptions& options) {
  return avg_pool("avg_pool3d", x, kernel, options);
}

}  // namespace gradus
