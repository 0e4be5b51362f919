#include "gradus/ops/conv.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "gradus/base/error.h"
#include "gradus/graph/node.h"
#include "gradus/ops/argument.h"
#include "gradus/ops/concat.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/operands.h"
#include "gradus/ops/view.h"

namespace gradus {
namespace {

/// "5 x 3"
std::string sizes_str(std::span<const std::int64_t> sizes) { return fmt::format("{}", fmt::join(sizes, " x ")); }

constexpr const char* layouts[] = {"(n, c, l)", "(n, c, h, w)", "(n, c, d, h, w)"};
constexpr const char* weight_layouts[] = {"(out, in / groups, length)", "(out, in / groups, height, width)",
                                          "(out, in / groups, depth, height, width)"};
constexpr const char* things[] = {"sequence", "image", "volume"};
constexpr const char* channels_first[] = {
    "channels come before the length: permute(input, {0, 2, 1})",
    "channels come before height and width: permute(input, {0, 3, 1, 2})",
    "channels come before depth, height and width: permute(input, {0, 4, 1, 2, 3})"};

Error conv_error(ErrorKind kind, std::string_view op, const TensorSpec& x, std::string of_x, const TensorSpec& weight,
                 std::string of_weight, std::string summary = {}) {
  return Error(kind, std::string(op), std::move(summary))
      .operand("input", x, std::move(of_x))
      .operand("weight", weight, std::move(of_weight));
}

void check_at_least(std::string_view op, const char* name, std::span<const std::int64_t> sizes, std::int64_t least) {
  for (const std::int64_t size : sizes) {
    if (size >= least) continue;
    throw Error(ErrorKind::value, std::string(op))
        .field(name, fmt::format("{}, expected {} or more", sizes_str(sizes), least));
  }
}

void check_groups(std::string_view op, std::int64_t groups) {
  if (groups >= 1) return;
  throw Error(ErrorKind::value, std::string(op)).field("groups", fmt::format("{}, expected 1 or more", groups));
}

template <int N>
void check_attributes(const Conv<N>& conv) {
  check_at_least(conv.name(), "stride", conv.stride, 1);
  check_at_least(conv.name(), "padding", conv.padding, 0);
  check_at_least(conv.name(), "dilation", conv.dilation, 1);
  check_groups(conv.name(), conv.groups);
}

/// Types and numbers of axes; `weight_layout` says what the weight's axes are.
void check_kind(std::string_view op, int spatial, const TensorSpec& x, const TensorSpec& weight,
                const char* weight_layout) {
  const int rank = spatial + 2;
  const auto at = static_cast<std::size_t>(spatial - 1);
  if (x.dtype != weight.dtype || !is_floating(x.dtype)) {
    throw conv_error(ErrorKind::dtype, op, x, is_floating(x.dtype) ? "" : "expected f32 or f64", weight,
                     x.dtype == weight.dtype ? "" : fmt::format("expected {}", name_of(x.dtype)));
  }
  if (x.shape.rank() == rank && weight.shape.rank() == rank) return;
  const auto remark = [&](const TensorSpec& spec, const char* layout) {
    return spec.shape.rank() == rank ? "" : fmt::format("expected {} axes: {}", rank, layout);
  };
  Error error = conv_error(ErrorKind::shape, op, x, remark(x, layouts[at]), weight, remark(weight, weight_layout));
  if (x.shape.rank() == rank - 1) error.hint(fmt::format("unsqueeze(input, 0) makes a batch of one {}", things[at]));
  throw error;
}

template <int N>
void check_operands(const Conv<N>& conv, const TensorSpec& x, const TensorSpec& weight) {
  check_kind(conv.name(), N, x, weight, weight_layouts[N - 1]);
  const std::int64_t channels = weight.shape[1] * conv.groups;
  if (x.shape[1] != channels) {
    Error error =
        conv_error(ErrorKind::shape, conv.name(), x, fmt::format("axis 1 is {}, expected {}", x.shape[1], channels),
                   weight, conv.groups == 1 ? "" : fmt::format("{} groups", conv.groups));
    if (x.shape[N + 1] == channels && x.shape[N] != channels) error.hint(channels_first[N - 1]);
    throw error;
  }
  if (weight.shape[0] % conv.groups != 0) {
    throw conv_error(ErrorKind::shape, conv.name(), x, "", weight,
                     fmt::format("axis 0 is {}, expected a multiple of {} groups", weight.shape[0], conv.groups));
  }
}

/// Size of the result along spatial axis `i`.
template <int N>
std::int64_t output_size(const Conv<N>& conv, std::size_t i, const TensorSpec& x, const TensorSpec& weight) {
  const int axis = static_cast<int>(i) + 2;
  const std::int64_t padded = x.shape[axis] + 2 * conv.padding[i];
  if (weight.shape[axis] < 1) {
    throw conv_error(ErrorKind::shape, conv.name(), x, "", weight,
                     fmt::format("axis {} is 0, expected 1 or more", axis));
  }
  const std::int64_t extent = conv.dilation[i] * (weight.shape[axis] - 1) + 1;
  if (extent > padded) {
    const std::string spread = conv.dilation[i] == 1 ? "" : fmt::format(", {} with dilation", extent);
    throw conv_error(ErrorKind::shape, conv.name(), x,
                     fmt::format("axis {} is {}, {} with padding", axis, x.shape[axis], padded), weight,
                     fmt::format("axis {} is {}{}", axis, weight.shape[axis], spread),
                     "the kernel is larger than the padded input");
  }
  return (padded - extent) / conv.stride[i] + 1;
}

/// The gradients' shape rule: `cotangent` must be what the convolution of `x` and `weight` gives.
template <int N>
void check_cotangent(std::string_view op, const Conv<N>& conv, const TensorSpec& x, const TensorSpec& weight,
                     const TensorSpec& cotangent) {
  const TensorSpec inputs[] = {x, weight};
  const TensorSpec expected{x.dtype, conv.infer(inputs).front().shape};
  if (expected == cotangent) return;
  throw Error(cotangent.dtype == x.dtype ? ErrorKind::shape : ErrorKind::dtype, std::string(op))
      .operand("cotangent", cotangent, fmt::format("expected {}", expected.str()))
      .operand("input", x)
      .operand("weight", weight);
}

// ---- Batches --------------------------------------------------------------------------------------------------------
// Examples that share their weights go into the batch axis n; examples with weights of their own become groups.

/// [size, n, ...] -> [size * n, ...]
Tensor fold_rows(const Tensor& x) {
  Shape shape = x.shape();
  shape.set(1, shape[0] * shape[1]);
  shape.erase(0);
  return reshape(x, shape);
}

Tensor unfold_rows(const Tensor& x, std::int64_t size) {
  Shape shape = x.shape();
  shape.set(0, shape[0] / size);
  shape.insert(0, size);
  return reshape(x, shape);
}

/// [size, n, c, ...], or [n, c, ...] for all examples -> [n, size * c, ...]
Tensor fold_channels(const Tensor& x, bool batched, std::int64_t size) {
  Tensor stacked;
  if (batched) {
    stacked = transpose(x, 0, 1);
  } else {
    Shape shape = x.shape();
    shape.insert(1, size);
    stacked = broadcast_to(unsqueeze(x, 1), shape);
  }
  Shape shape = stacked.shape();
  shape.set(2, shape[1] * shape[2]);
  shape.erase(1);
  return reshape(stacked, shape);
}

/// [n, size * c, ...] -> [size, n, c, ...]
Tensor unfold_channels(const Tensor& x, std::int64_t size) {
  Shape shape = x.shape();
  shape.set(1, shape[1] / size);
  shape.insert(1, size);
  return transpose(reshape(x, shape), 0, 1);
}

Shape with_factor(Shape shape, int axis, std::int64_t factor) {
  shape.set(axis, shape[axis] * factor);
  return shape;
}

template <int N>
Conv<N> with_groups(Conv<N> conv, std::int64_t factor) {
  conv.groups *= factor;
  return conv;
}

}  // namespace

template <int N>
Specs Conv<N>::infer(std::span<const TensorSpec> inputs) const {
  const TensorSpec &x = inputs[0], &weight = inputs[1];
  check_attributes(*this);
  check_operands(*this, x, weight);
  Shape shape{x.shape[0], weight.shape[0]};
  for (std::size_t i = 0; i < static_cast<std::size_t>(N); ++i) shape.push_back(output_size(*this, i, x, weight));
  return {{detail::product_dtype(x.dtype), shape}};
}

template <int N>
Tensors Conv<N>::vjp(const VjpArgs& args) const {
  const Tensor &x = args.inputs[0], &weight = args.inputs[1], &g = args.cotangents[0];
  Tensors gradients(2);
  if (args.wants(0)) gradients[0] = record(ConvInputGradient<N>{*this, x.shape()}, {g, weight});
  if (args.wants(1)) gradients[1] = record(ConvWeightGradient<N>{*this, weight.shape()}, {x, g});
  return gradients;
}

template <int N>
Tensors Conv<N>::batch(const BatchArgs& args) const {
  const Tensor &x = args.inputs[0], &weight = args.inputs[1];
  if (!args.is_batched(1)) return {unfold_rows(record(*this, {fold_rows(x), weight}), args.size)};
  if (!args.is_batched(0) && groups == 1) return {unfold_channels(record(*this, {x, fold_rows(weight)}), args.size)};
  const Tensor channels = fold_channels(x, args.is_batched(0), args.size);
  return {unfold_channels(record(with_groups(*this, args.size), {channels, fold_rows(weight)}), args.size)};
}

template <int N>
Specs ConvInputGradient<N>::infer(std::span<const TensorSpec> inputs) const {
  const TensorSpec x{inputs[1].dtype, input};
  check_cotangent(name(), conv, x, inputs[1], inputs[0]);
  return {{detail::product_dtype(x.dtype), input}};
}

template <int N>
Tensors ConvInputGradient<N>::vjp(const VjpArgs& args) const {
  const Tensor &g = args.inputs[0], &weight = args.inputs[1], &u = args.cotangents[0];  // u has the input's shape
  Tensors gradients(2);
  if (args.wants(0)) gradients[0] = record(conv, {u, weight});
  if (args.wants(1)) gradients[1] = record(ConvWeightGradient<N>{conv, weight.shape()}, {u, g});
  return gradients;
}

template <int N>
Tensors ConvInputGradient<N>::batch(const BatchArgs& args) const {
  const Tensor &g = args.inputs[0], &weight = args.inputs[1];
  if (!args.is_batched(1)) {
    const ConvInputGradient rows{conv, with_factor(input, 0, args.size)};
    return {unfold_rows(record(rows, {fold_rows(g), weight}), args.size)};
  }
  const ConvInputGradient grouped{with_groups(conv, args.size), with_factor(input, 1, args.size)};
  const Tensor channels = fold_channels(g, args.is_batched(0), args.size);
  return {unfold_channels(record(grouped, {channels, fold_rows(weight)}), args.size)};
}

template <int N>
Specs ConvWeightGradient<N>::infer(std::span<const TensorSpec> inputs) const {
  const TensorSpec w{inputs[0].dtype, weight};
  check_cotangent(name(), conv, inputs[0], w, inputs[1]);
  return {{detail::product_dtype(w.dtype), weight}};
}

template <int N>
Tensors ConvWeightGradient<N>::vjp(const VjpArgs& args) const {
  const Tensor &x = args.inputs[0], &g = args.inputs[1], &u = args.cotangents[0];  // u has the weights' shape
  Tensors gradients(2);
  if (args.wants(0)) gradients[0] = record(ConvInputGradient<N>{conv, x.shape()}, {g, u});
  if (args.wants(1)) gradients[1] = record(conv, {x, u});
  return gradients;
}

template <int N>
Tensors ConvWeightGradient<N>::batch(const BatchArgs& args) const {
  const ConvWeightGradient grouped{with_groups(conv, args.size), with_factor(weight, 0, args.size)};
  const Tensor x = fold_channels(args.inputs[0], args.is_batched(0), args.size);
  const Tensor g = fold_channels(args.inputs[1], args.is_batched(1), args.size);
  return {unfold_rows(record(grouped, {x, g}), args.size)};
}

template struct Conv<1>;
template struct Conv<2>;
template struct Conv<3>;
template struct ConvInputGradient<1>;
template struct ConvInputGradient<2>;
template struct ConvInputGradient<3>;
template struct ConvWeightGradient<1>;
template struct ConvWeightGradient<2>;
template struct ConvWeightGradient<3>;

// ---- User functions -------------------------------------------------------------------------------------------------

namespace {

struct Operands {
  Tensor x, weight, bias;
  DType dtype = DType::f32;  ///< common type of input and weight; bf16 computes in f32

  void widen(const char* op, SourceLocation where) {
    detail::promote_operands(op, "input", x, "weight", weight, where);
    dtype = x.dtype();
    x = detail::widen(x, where);
    weight = detail::widen(weight, where);
    if (bias.defined()) bias = detail::widen(bias, where);
  }
};

Operands operands_of(const char* op, const TensorArg& x, const TensorArg& weight, const TensorArg& bias,
                     SourceLocation where) {
  Operands operands{
      detail::tensor_operand(op, "input", x, where), detail::tensor_operand(op, "weight", weight, where), {}};
  if (bias.is_number() || bias.tensor().defined()) operands.bias = detail::tensor_operand(op, "bias", bias, where);
  return operands;
}

/// y + bias along axis 1, `out` channels.
Tensor with_bias(const char* op, const Tensor& y, const Operands& operands, std::int64_t out, SourceLocation where) {
  if (!operands.bias.defined()) return detail::narrow(y, operands.dtype, where);
  if (operands.bias.shape() != Shape{out}) {
    throw conv_error(ErrorKind::shape, op, operands.x.spec(), "", operands.weight.spec(), "")
        .operand("bias", operands.bias.spec(), fmt::format("expected [{}]", out))
        .at(where);
  }
  Shape shape{1, out};
  while (shape.rank() < y.rank()) shape.push_back(1);
  const Tensor sums = add(TensorArg(y, where), TensorArg(record(Reshape{shape}, {operands.bias}, where), where));
  return detail::narrow(sums, operands.dtype, where);
}

/// Resolves "same" and "valid": sets conv.padding, and pads `x` behind where the two sides differ.
template <int N>
void apply_rule(const char* rule, Conv<N>& conv, Tensor& x, const Tensor& weight, SourceLocation where) {
  const std::string_view name = rule;
  if (name != "same" && name != "valid") {
    throw Error(ErrorKind::value, std::string(conv.name()))
        .field("padding", fmt::format("\"{}\", expected numbers, \"same\" or \"valid\"", name));
  }
  if (name == "valid" || x.rank() != N + 2 || weight.rank() != N + 2) return;
  SmallVector<Padding, 5> behind(2, Padding{0, 0});
  for (std::size_t i = 0; i < static_cast<std::size_t>(N); ++i) {
    if (conv.stride[i] != 1) {
      throw Error(ErrorKind::value, std::string(conv.name()), "padding \"same\" needs a stride of 1")
          .field("stride", sizes_str(conv.stride));
    }
    const std::int64_t total = conv.dilation[i] * (weight.shape()[static_cast<int>(i) + 2] - 1);
    conv.padding[i] = total > 0 ? total / 2 : 0;
    behind.push_back({0, total > 0 ? total % 2 : 0});
  }
  x = pad(TensorArg(x, where), std::span<const Padding>(behind));
}

template <int N, class Size>
Tensor convolve(const char* op, const TensorArg& x_arg, const TensorArg& weight_arg, const TensorArg& bias_arg,
                const ConvOptions<Size>& options, SourceLocation where) {
  Operands o = operands_of(op, x_arg, weight_arg, bias_arg, where);
  Conv<N> conv{options.stride.array(), options.padding.size.array(), options.dilation.array(), options.groups};
  try {
    o.widen(op, where);
    if (options.padding.rule) apply_rule(options.padding.rule, conv, o.x, o.weight, where);
    return with_bias(op, record(conv, {o.x, o.weight}, where), o, o.weight.shape()[0], where);
  } catch (Error& error) {
    const Shape& w = o.weight.shape();
    if (w.rank() == N + 2) {
      error.context(detail::layer_context(
          o.weight, fmt::format("{} -> {}, {}", w[1] * options.groups, w[0], sizes_str(w.sizes().subspan(2)))));
    }
    error.at(where);
    throw;
  }
}

/// Checks the operands of a transposed convolution and gives the shape of its result.
template <int N>
Shape transposed_shape(const char* op, const Conv<N>& conv, const typename Conv<N>::Sizes& output_padding,
                       const TensorSpec& x, const TensorSpec& weight) {
  constexpr const char* weights[] = {"(in, out / groups, length)", "(in, out / groups, height, width)",
                                     "(in, out / groups, depth, height, width)"};
  check_at_least(op, "stride", conv.stride, 1);
  check_at_least(op, "padding", conv.padding, 0);
  check_at_least(op, "dilation", conv.dilation, 1);
  check_at_least(op, "output_padding", output_padding, 0);
  check_groups(op, conv.groups);
  check_kind(op, N, x, weight, weights[N - 1]);
  if (x.shape[1] != weight.shape[0]) {
    throw conv_error(ErrorKind::shape, op, x, fmt::format("axis 1 is {}, expected {}", x.shape[1], weight.shape[0]),
                     weight, "");
  }
  if (weight.shape[0] % conv.groups != 0) {
    throw conv_error(ErrorKind::shape, op, x, "", weight,
                     fmt::format("axis 0 is {}, expected a multiple of {} groups", weight.shape[0], conv.groups));
  }
  Shape shape{x.shape[0], weight.shape[1] * conv.groups};
  for (std::size_t i = 0; i < static_cast<std::size_t>(N); ++i) {
    const int axis = static_cast<int>(i) + 2;
    if (output_padding[i] >= std::max(conv.stride[i], conv.dilation[i])) {
      throw Error(ErrorKind::value, op)
          .field("output_padding", sizes_str(output_padding) + ", expected less than the stride or the dilation")
          .field("stride", sizes_str(conv.stride))
          .field("dilation", sizes_str(conv.dilation));
    }
    if (weight.shape[axis] < 1) {
      throw conv_error(ErrorKind::shape, op, x, "", weight, fmt::format("axis {} is 0, expected 1 or more", axis));
    }
    const std::int64_t size = (x.shape[axis] - 1) * conv.stride[i] - 2 * conv.padding[i] +
                              conv.dilation[i] * (weight.shape[axis] - 1) + output_padding[i] + 1;
    if (size < 1 || x.shape[axis] < 1) {
      throw conv_error(ErrorKind::shape, op, x, fmt::format("axis {} is {}", axis, x.shape[axis]), weight, "",
                       fmt::format("axis {} of the result would have size {}", axis, size));
    }
    shape.push_back(size);
  }
  return shape;
}

/// The transposed convolution with a result of `shape`. Rows beyond the last stride are no result of ConvInputGradient: the
/// full result is cut in front and filled with zeros behind.
template <int N>
Tensor transposed(const char* op, Conv<N> conv, const Tensor& x, const Tensor& weight, const Shape& shape,
                  SourceLocation where) {
  Shape full = shape;
  bool beyond = false;
  for (int i = 0; i < N; ++i) {
    const auto at = static_cast<std::size_t>(i);
    full.set(i + 2, (x.shape()[i + 2] - 1) * conv.stride[at] + conv.dilation[at] * (weight.shape()[i + 2] - 1) + 1);
    beyond = beyond || shape[i + 2] + 2 * conv.padding[at] >= full[i + 2] + conv.stride[at];
  }
  const auto padding = conv.padding;
  if (beyond) conv.padding = Conv<N>::every(0);
  Tensor y = record(ConvInputGradient<N>{conv, beyond ? full : shape}, {x, weight}, where);
  y.node()->called = op;
  for (int i = 0; beyond && i < N; ++i) {
    const std::int64_t before = padding[static_cast<std::size_t>(i)], rows = full[i + 2];
    std::vector<Padding> around(static_cast<std::size_t>(N) + 2);
    around[static_cast<std::size_t>(i) + 2] = {0, std::max<std::int64_t>(0, before + shape[i + 2] - rows)};
    y = pad(TensorArg(y, where), std::span<const Padding>(around));
    y = slice(TensorArg(y, where), i + 2, before, before + shape[i + 2]);
  }
  return y;
}

template <int N, class Size>
Tensor convolve_transposed(const char* op, const TensorArg& x_arg, const TensorArg& weight_arg,
                           const TensorArg& bias_arg, const ConvTransposeOptions<Size>& options, SourceLocation where) {
  Operands o = operands_of(op, x_arg, weight_arg, bias_arg, where);
  const Conv<N> conv{options.stride.array(), options.padding.array(), options.dilation.array(), options.groups};
  try {
    o.widen(op, where);
    const Shape shape = transposed_shape(op, conv, options.output_padding.array(), o.x.spec(), o.weight.spec());
    return with_bias(op, transposed(op, conv, o.x, o.weight, shape, where), o, shape[1], where);
  } catch (Error& error) {
    const Shape& w = o.weight.shape();
    if (w.rank() == N + 2) {
      error.context(detail::layer_context(
          o.weight, fmt::format("{} -> {}, {}", w[0], w[1] * options.groups, sizes_str(w.sizes().subspan(2)))));
    }
    error.at(where);
    throw;
  }
}

}  // namespace

Tensor conv1d(const TensorArg& x, const TensorArg& weight, const TensorArg& bias, const Conv1dOptions& options,
              SourceLocation where) {
  return convolve<1>("conv1d", x, weight, bias, options, where);
}

Tensor conv2d(const TensorArg& x, const TensorArg& weight, const TensorArg& bias, const Conv2dOptions& options,
              SourceLocation where) {
  return convolve<2>("conv2d", x, weight, bias, options, where);
}

Tensor conv3d(const TensorArg& x, const TensorArg& weight, const TensorArg& bias, const Conv3dOptions& options,
              SourceLocation where) {
  return convolve<3>("conv3d", x, weight, bias, options, where);
}

Tensor conv_transpose1d(const TensorArg& x, const TensorArg& weight, const TensorArg& bias,
                        const ConvTranspose1dOptions& options, SourceLocation where) {
  return convolve_transposed<1>("conv_transpose1d", x, weight, bias, options, where);
}

Tensor conv_transpose2d(const TensorArg& x, const TensorArg& weight, const TensorArg& bias,
                        const ConvTranspose2dOptions& options, SourceLocation where) {
  return convolve_transposed<2>("conv_transpose2d", x, weight, bias, options, where);
}

Tensor conv_transpose3d(const TensorArg& x, const TensorArg& weight, const TensorArg& bias,
                        const ConvTranspose3dOptions& options, SourceLocation where) {
  return convolve_transposed<3>("conv_transpose3d", x, weight, bias, options, where);
}

}  // namespace gradus
