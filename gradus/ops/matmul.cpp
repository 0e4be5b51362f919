#include "gradus/ops/matmul.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdint>
#include <utility>

#include "gradus/base/error.h"
#include "gradus/graph/node.h"
#include "gradus/ops/argument.h"
#include "gradus/ops/batch.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/operands.h"
#include "gradus/ops/view.h"

namespace gradus {
namespace {

bool multipliable(DType dtype) { return is_floating(dtype) || dtype == DType::i32 || dtype == DType::i64; }

Error rank_error(const TensorSpec& a, const TensorSpec& b, int least) {
  const auto remark = [&](const TensorSpec& spec) {
    return spec.shape.rank() < least ? fmt::format("expected {} or more axes", least) : std::string();
  };
  return Error(ErrorKind::shape, "matmul").operand("a", a, remark(a)).operand("b", b, remark(b));
}

Error inner_error(const TensorSpec& a, int axis_a, const TensorSpec& b, int axis_b) {
  return Error(ErrorKind::shape, "matmul", "the inner axes differ")
      .operand("a", a, fmt::format("axis {} is {}", axis_a, a.shape[axis_a]))
      .operand("b", b, fmt::format("axis {} is {}, expected {}", axis_b, b.shape[axis_b], a.shape[axis_a]));
}

Error batch_error(const TensorSpec& a, int axis_a, const TensorSpec& b, int axis_b) {
  return Error(ErrorKind::shape, "matmul", "the batch axes differ")
      .operand("a", a, fmt::format("axis {} is {}", axis_a, a.shape[axis_a]))
      .operand("b", b, fmt::format("axis {} is {}", axis_b, b.shape[axis_b]));
}

/// Sizes of all axes but the last two.
Shape batch_axes(const Shape& shape) { return Shape(shape.sizes().first(static_cast<std::size_t>(shape.rank() - 2))); }

Shape with_matrix(Shape batch, std::int64_t rows, std::int64_t columns) {
  batch.push_back(rows);
  batch.push_back(columns);
  return batch;
}

Tensor reshaped(const Tensor& x, const Shape& shape, SourceLocation where) {
  return x.shape() == shape ? x : record(Reshape{shape}, {x}, where);
}

/// Product of matrices or stacks of them (rank >= 2 each), batch axes broadcast.
Tensor matmul_stacks(const Tensor& a, const Tensor& b, SourceLocation where) {
  const Shape &sa = a.shape(), &sb = b.shape();
  const std::int64_t m = sa[sa.rank() - 2], k = sa[sa.rank() - 1], n = sb[sb.rank() - 1];
  const Shape batch_a = batch_axes(sa), batch_b = batch_axes(sb);
  if (sb.rank() == 2 && sa.rank() > 2) {  // one large product instead of many small ones
    const Tensor rows = reshaped(a, {batch_a.numel() * m, k}, where);
    return reshaped(record(MatMul{}, {rows, b}, where), with_matrix(batch_a, m, n), where);
  }
  Shape batch;
  if (int right = 0; !broadcast_shapes(batch_a, batch_b, batch, &right)) {
    throw batch_error(a.spec(), batch_a.rank() - 1 - right, b.spec(), batch_b.rank() - 1 - right).at(where);
  }
  const auto expanded = [&](const Tensor& x, const Shape& shape) {
    return x.shape() == shape ? x : record(BroadcastTo{shape}, {x}, where);
  };
  return record(MatMul{}, {expanded(a, with_matrix(batch, m, k)), expanded(b, with_matrix(batch, k, n))}, where);
}

/// A guess at what went wrong in front of a linear layer, or "".
std::string linear_hint(const Tensor& x, std::int64_t expected) {
  const Shape& shape = x.shape();
  for (int axis = 0; axis + 1 < shape.rank(); ++axis) {
    if (axis > 0 && shape.numel(axis, shape.rank()) == expected) {
      return fmt::format("flatten(input, {}) has {} in its last axis", axis, expected);
    }
  }
  if (shape.rank() == 2 && shape[0] == expected) return "axis 0 has the expected size: is the input transposed?";
  if (!x.node()->op.as<Reshape>() || x.node()->inputs.empty()) return {};
  const Shape before = x.node()->inputs[0].shape();
  if (before.rank() != 4 || before[1] == 0 || expected % before[1] != 0) return {};
  const auto side = static_cast<std::int64_t>(std::lround(std::sqrt(static_cast<double>(expected / before[1]))));
  if (side * side * before[1] != expected) return {};
  const std::string channels = before[1] == 1 ? "" : fmt::format("{} x ", before[1]);
  return fmt::format("{}{} x {} = {}; the images are {}{} x {}", channels, side, side, expected, channels, before[2],
                     before[3]);
}

void check_linear(const Tensor& x, const Tensor& weight, const Tensor& bias, SourceLocation where) {
  const auto operands = [&](std::string of_x, std::string of_weight, std::string of_bias) {
    Error error(ErrorKind::shape, "linear");
    if (weight.rank() == 2) {
      error.context(detail::layer_context(weight, fmt::format("{} -> {}", weight.shape()[1], weight.shape()[0])));
    }
    if (of_weight.empty()) of_weight = detail::parameter_name(weight);
    error.at(where).operand("input", x.spec(), std::move(of_x)).operand("weight", weight.spec(), std::move(of_weight));
    if (!of_bias.empty()) error.operand("bias", bias.spec(), std::move(of_bias));
    return error;
  };
  if (weight.rank() != 2) throw operands("", "expected 2 axes: (out, in)", "");
  if (bias.defined() && bias.shape() != Shape{weight.shape()[0]}) {
    throw operands("", "", fmt::format("expected [{}]", weight.shape()[0]));
  }
  const std::int64_t in = weight.shape()[1];
  const int last = x.rank() - 1;
  if (last < 0) throw operands("expected 1 or more axes", "", "");
  if (x.shape()[last] == in) return;
  Error error = operands(fmt::format("axis {} is {}, expected {}", last, x.shape()[last], in), "", "");
  detail::note_origin(error, "input", x);
  if (const std::string hint = linear_hint(x, in); !hint.empty()) error.hint(hint);
  throw error;
}

}  // namespace

Specs MatMul::infer(std::span<const TensorSpec> inputs) const {
  const TensorSpec &a = inputs[0], &b = inputs[1];
  const int rank = a.shape.rank();
  if (rank < 2 || b.shape.rank() < 2) throw rank_error(a, b, 2);
  if (a.dtype != b.dtype || !multipliable(a.dtype)) {
    throw Error(ErrorKind::dtype, "matmul")
        .operand("a", a, multipliable(a.dtype) ? "" : "expected f32, f64, i32 or i64")
        .operand("b", b, a.dtype != b.dtype ? fmt::format("expected {}", name_of(a.dtype)) : "");
  }
  const int inner_a = rank - (transpose_a ? 2 : 1), inner_b = b.shape.rank() - (transpose_b ? 1 : 2);
  if (a.shape[inner_a] != b.shape[inner_b]) throw inner_error(a, inner_a, b, inner_b);
  if (rank != b.shape.rank()) throw rank_error(a, b, std::max(rank, b.shape.rank()));
  for (int axis = 0; axis < rank - 2; ++axis) {
    if (a.shape[axis] != b.shape[axis]) throw batch_error(a, axis, b, axis);
  }
  const std::int64_t m = a.shape[rank - (transpose_a ? 1 : 2)], n = b.shape[rank - (transpose_b ? 2 : 1)];
  GRADUS_ASSERT(!narrow || a.dtype == DType::bf16);
  return {{narrow ? DType::bf16 : detail::product_dtype(a.dtype), with_matrix(batch_axes(a.shape), m, n)}};
}

Tensors MatMul::vjp(const VjpArgs& args) const {
  const Tensor &a = args.inputs[0], &b = args.inputs[1], &g = args.cotangents[0];
  Tensors gradients(2);
  if (args.wants(0)) {
    gradients[0] =
        transpose_a ? record(MatMul{transpose_b, true}, {b, g}) : record(MatMul{false, !transpose_b}, {g, b});
  }
  if (args.wants(1)) {
    gradients[1] =
        transpose_b ? record(MatMul{true, transpose_a}, {g, a}) : record(MatMul{!transpose_a, false}, {a, g});
  }
  return gradients;
}

Tensors MatMul::batch(const BatchArgs& args) const {
  const Tensor &a = args.inputs[0], &b = args.inputs[1];
  const bool one_matrix = args.is_batched(0) ? !args.is_batched(1) && b.rank() == 2 : a.rank() == 2;
  if (!one_matrix) {  // stacks of products
    return {record(*this, {detail::batched_input(args, 0), detail::batched_input(args, 1)})};
  }
  // A matrix that all examples share makes one large product. On the left side: a b = (b^T a^T)^T.
  const bool left = args.is_batched(0);
  Tensor rows = left ? a : b;
  if (left ? transpose_a : !transpose_b) rows = transpose(rows, 1, 2);
  const MatMul product{false, left ? transpose_b : !transpose_a};
  const Tensor all = record(product, {detail::merge_batch(rows), left ? b : a});
  const Tensor split = detail::split_batch(all, args.size, rows.shape()[1]);
  return {left ? split : transpose(split, 1, 2)};
}

Tensor matmul(const TensorArg& a_arg, const TensorArg& b_arg) {
  const SourceLocation where = a_arg.where();
  Tensor a = detail::tensor_operand("matmul", "a", a_arg, where);
  Tensor b = detail::tensor_operand("matmul", "b", b_arg, where);
  if (a.rank() == 0 || b.rank() == 0) throw rank_error(a.spec(), b.spec(), 1).at(where);
  const int inner_a = a.rank() - 1, inner_b = std::max(0, b.rank() - 2);
  if (a.shape()[inner_a] != b.shape()[inner_b]) throw inner_error(a.spec(), inner_a, b.spec(), inner_b).at(where);
  detail::promote_operands("matmul", "a", a, "b", b, where);
  const DType dtype = a.dtype();
  a = detail::widen(std::move(a), where);
  b = detail::widen(std::move(b), where);

  const bool row = a.rank() == 1, column = b.rank() == 1;
  if (row) a = reshaped(a, {1, a.shape()[0]}, where);
  if (column) b = reshaped(b, {b.shape()[0], 1}, where);
  const Tensor product = matmul_stacks(a, b, where);
  Shape shape = product.shape();
  if (column) shape.erase(shape.rank() - 1);
  if (row) shape.erase(shape.rank() - (column ? 1 : 2));
  return detail::narrow(reshaped(product, shape, where), dtype, where);
}

Tensor linear(const TensorArg& x_arg, const TensorArg& weight_arg, const TensorArg& bias_arg, SourceLocation where) {
  Tensor x = detail::tensor_operand("linear", "input", x_arg, where);
  Tensor weight = detail::tensor_operand("linear", "weight", weight_arg, where);
  const bool has_bias = bias_arg.is_number() || bias_arg.tensor().defined();
  const Tensor bias = has_bias ? detail::tensor_operand("linear", "bias", bias_arg, where) : Tensor();
  check_linear(x, weight, bias, where);
  detail::promote_operands("linear", "input", x, "weight", weight, where);
  const DType dtype = x.dtype();
  x = detail::widen(std::move(x), where);
  weight = detail::widen(std::move(weight), where);

  Shape shape = x.shape();
  const std::int64_t in = weight.shape()[1], out = weight.shape()[0];
  shape.set(shape.rank() - 1, out);
  const Tensor rows = reshaped(x, {shape.numel(0, shape.rank() - 1), in}, where);
  // The shape comes first: what follows has it too, and takes the bias into its own pass.
  Tensor y = reshaped(record(MatMul{false, true}, {rows, weight}, where), shape, where);
  if (bias.defined()) y = add(TensorArg(std::move(y), where), TensorArg(detail::widen(bias, where), where));
  return detail::narrow(std::move(y), dtype, where);
}

}  // namespace gradus
