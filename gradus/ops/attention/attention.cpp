#include "gradus/ops/attention/attention.h"

#include <fmt/format.h>

#include <cmath>
#include <string>

#include "gradus/base/error.h"
#include "gradus/ops/argument.h"
#include "gradus/ops/attention/composed.h"
#include "gradus/ops/attention/operation.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/matmul.h"
#include "gradus/ops/operands.h"
#include "gradus/ops/random.h"
#include "gradus/ops/view.h"
#include "gradus/ops/views/rearrange.h"

namespace gradus {
namespace {

constexpr std::string_view op_name = "scaled_dot_product_attention";

struct Operands {
  Tensor query, key, value;
};

Error operand_error(const Operands& x, ErrorKind kind, SourceLocation where, std::string query, std::string key,
                    std::string value) {
  Error error(kind, std::string(op_name));
  error.at(where)
      .operand("query", x.query.spec(), std::move(query))
      .operand("key", x.key.spec(), std::move(key))
      .operand("value", x.value.spec(), std::move(value));
  return error;
}

void check_operands(const Operands& x, SourceLocation where) {
  const auto rank = [](const Tensor& t) { return t.rank() < 2 ? "expected 2 or more axes" : ""; };
  if (x.query.rank() < 2 || x.key.rank() < 2 || x.value.rank() < 2) {
    throw operand_error(x, ErrorKind::shape, where, rank(x.query), rank(x.key), rank(x.value));
  }
  const auto type = [](const Tensor& t) { return is_floating(t.dtype()) ? "" : "expected a floating type"; };
  if (!is_floating(x.query.dtype()) || !is_floating(x.key.dtype()) || !is_floating(x.value.dtype())) {
    throw operand_error(x, ErrorKind::dtype, where, type(x.query), type(x.key), type(x.value));
  }
  if (x.query.size(-1) != x.key.size(-1)) {
    throw operand_error(x, ErrorKind::shape, where, fmt::format("axis {} is {}", x.query.rank() - 1, x.query.size(-1)),
                        fmt::format("axis {} is {}, expected {}", x.key.rank() - 1, x.key.size(-1), x.query.size(-1)),
                        "");
  }
  if (x.key.size(-2) != x.value.size(-2)) {
    throw operand_error(
        x, ErrorKind::shape, where, "", fmt::format("{} keys on axis {}", x.key.size(-2), x.key.rank() - 2),
        fmt::format("axis {} is {}, expected {}", x.value.rank() - 2, x.value.size(-2), x.key.size(-2)));
  }
}

Shape batch_axes(const Tensor& x) { return Shape(x.shape().sizes().first(static_cast<std::size_t>(x.rank() - 2))); }

/// `batch` followed by the sizes of the last two axes.
Shape with_matrix(Shape batch, std::int64_t rows, std::int64_t columns) {
  batch.push_back(rows);
  batch.push_back(columns);
  return batch;
}

/// The leading axes that the three have in common after broadcasting.
Shape common_batch(const Operands& x, SourceLocation where) {
  Shape batch, both;
  if (broadcast_shapes(batch_axes(x.query), batch_axes(x.key), both) &&
      broadcast_shapes(both, batch_axes(x.value), batch)) {
    return batch;
  }
  throw operand_error(x, ErrorKind::shape, where, "the leading axes do not broadcast", "", "")
      .hint("heads that share keys and values: {.enable_gqa = true}");
}

/// Repeats the heads of keys and values so that every head of the queries has its own.
void repeat_heads(Operands& x, SourceLocation where) {
  const auto heads = [](const Tensor& t) { return t.rank() < 3 ? 1 : t.size(-3); };
  const std::int64_t queries = heads(x.query), keys = heads(x.key), values = heads(x.value);
  if (x.query.rank() < 3 || x.key.rank() < 3 || x.value.rank() < 3 || keys != values || keys < 1 ||
      queries % keys != 0) {
    throw operand_error(x, ErrorKind::shape, where, fmt::format("{} heads on axis -3", queries),
                        fmt::format("{} heads, expected a divisor", keys),
                        fmt::format("{} heads, expected {}", values, keys));
  }
  if (keys == queries) return;
  x.key = repeat_interleave(TensorArg(x.key, where), queries / keys, -3);
  x.value = repeat_interleave(TensorArg(x.value, where), queries / keys, -3);
}

/// The mask as scores to add, whose axes are as many as those of `scores` and broadcast to them.
Tensor checked_mask(const Tensor& mask, const Shape& scores, DType dtype, SourceLocation where) {
  if (mask.dtype() != DType::boolean && !is_floating(mask.dtype())) {
    throw Error(ErrorKind::dtype, std::string(op_name))
        .at(where)
        .operand("attn_mask", mask.spec(), "expected bool or a floating type")
        .hint("compare it: not_equal(mask, 0) lets pass where it is not 0");
  }
  Shape both;
  if (mask.rank() > scores.rank() || !broadcast_shapes(mask.shape(), scores, both) || both != scores) {
    throw Error(ErrorKind::shape, std::string(op_name))
        .at(where)
        .operand("attn_mask", mask.spec(), fmt::format("must broadcast to {}", scores.str()));
  }
  Shape shape = mask.shape();
  while (shape.rank() < scores.rank()) shape.insert(0, 1);
  return detail::additive_mask(reshape(TensorArg(mask, where), shape), dtype, where);
}

void check_options(const ScaledDotProductAttentionOptions& options, SourceLocation where) {
  if (options.is_causal && options.attn_mask.defined()) {
    throw Error(ErrorKind::usage, std::string(op_name), "is_causal and attn_mask exclude each other")
        .at(where)
        .hint("put the causal part into the mask: logical_and(mask, tril(...))");
  }
  if (!(options.dropout_p >= 0 && options.dropout_p <= 1)) {
    throw Error(ErrorKind::value, std::string(op_name),
                fmt::format("dropout_p is {}, must be in [0, 1]", options.dropout_p))
        .at(where);
  }
  if (options.scale && !std::isfinite(*options.scale)) {
    throw Error(ErrorKind::value, std::string(op_name), fmt::format("scale is {}, must be finite", *options.scale))
        .at(where);
  }
}

double default_scale(const Tensor& query) { return 1 / std::sqrt(static_cast<double>(query.size(-1))); }

/// With the probabilities in memory: (.., L, E), (.., S, E), (.., S, Ev) -> (.., L, Ev).
Tensor composed(const Operands& x, const Tensor& mask, const detail::AttentionRule& rule, double dropout_p,
                SourceLocation where) {
  const Tensor p = detail::attention_probabilities(x.query, x.key, mask, rule, where);
  const Tensor kept = dropout(TensorArg(p, where), dropout_p);
  return matmul(TensorArg(kept, where), TensorArg(x.value, where));
}

/// Without: four axes each.
Tensor tiled(const Operands& x, const Tensor& mask, const Attention& op, SourceLocation where) {
  Tensors inputs{x.query, x.key, x.value};
  if (mask.defined()) inputs.push_back(mask);
  return record_all(op, inputs, where)[0];
}

/// `batch` as two axes: examples and heads.
Shape two_axes(const Shape& batch) {
  const int rank = batch.rank();
  if (rank == 0) return {1, 1};
  return {batch.numel(0, rank - 1), batch[rank - 1]};
}

/// `x` (.., a, b), broadcast over `batch`, as (examples, heads, a, b).
Tensor with_four_axes(const Tensor& x, const Shape& batch, SourceLocation where) {
  const std::int64_t rows = x.size(-2), columns = x.size(-1);
  const Tensor full = batch_axes(x) == batch ? x : broadcast_to(TensorArg(x, where), with_matrix(batch, rows, columns));
  return reshape(TensorArg(full, where), with_matrix(two_axes(batch), rows, columns));
}

/// The same for a mask, whose axes stay 1 where they can.
Tensor mask_with_four_axes(const Tensor& mask, const Shape& batch, SourceLocation where) {
  const int rank = batch.rank();
  const Shape& shape = mask.shape();
  if (rank <= 2) {
    Shape four = shape;
    while (four.rank() < 4) four.insert(0, 1);
    return reshape(TensorArg(mask, where), four);
  }
  Shape wanted = shape;
  const bool same_for_all = shape.numel(0, rank - 1) == 1;
  for (int axis = 0; axis + 1 < rank; ++axis) wanted.set(axis, same_for_all ? 1 : batch[axis]);
  const Tensor full = wanted == shape ? mask : broadcast_to(TensorArg(mask, where), wanted);
  return reshape(TensorArg(full, where), {wanted.numel(0, rank - 1), shape[rank - 1], shape[rank], shape[rank + 1]});
}

}  // namespace

namespace detail {

Tensor attention(const AttentionCall& call, SourceLocation where) {
  const auto at = [&](const Tensor& x) { return TensorArg(x, where); };
  const double scale = default_scale(call.query);
  Operands x{widen(call.query, where), widen(call.key, where), widen(call.value, where)};
  const Tensor mask = call.mask.defined() ? cast(at(call.mask), x.query.dtype()) : Tensor();
  if (call.dropout_p == 0) {
    return narrow(tiled(x, mask, {scale, call.causal, true}, where), call.query.dtype(), where);
  }
  for (Tensor* t : {&x.query, &x.key, &x.value}) *t = transpose(at(*t), 1, 2);
  const Tensor y = composed(x, mask, {scale, call.causal}, call.dropout_p, where);
  return narrow(transpose(at(y), 1, 2), call.query.dtype(), where);
}

}  // namespace detail

Tensor scaled_dot_product_attention(const TensorArg& query, const TensorArg& key, const TensorArg& value,
                                    const ScaledDotProductAttentionOptions& options, SourceLocation where) {
  Operands x{detail::tensor_operand(op_name, "query", query, where), detail::tensor_operand(op_name, "key", key, where),
             detail::tensor_operand(op_name, "value", value, where)};
  check_operands(x, where);
  check_options(options, where);
  if (options.enable_gqa) repeat_heads(x, where);
  const Shape batch = common_batch(x, where);

  const DType dtype = promote(promote(x.query.dtype(), x.key.dtype()), x.value.dtype());
  const DType wide = detail::compute_type(dtype);
  for (Tensor* t : {&x.query, &x.key, &x.value}) *t = cast(TensorArg(*t, where), wide);
  Tensor mask;
  if (options.attn_mask.defined()) {
    mask = checked_mask(options.attn_mask, with_matrix(batch, x.query.size(-2), x.key.size(-2)), wide, where);
  }
  const double scale = options.scale.value_or(default_scale(x.query));
  if (options.dropout_p > 0) {
    return detail::narrow(composed(x, mask, {scale, options.is_causal}, options.dropout_p, where), dtype, where);
  }
  const Shape result = with_matrix(batch, x.query.size(-2), x.value.size(-1));
  for (Tensor* t : {&x.query, &x.key, &x.value}) *t = with_four_axes(*t, batch, where);
  if (mask.defined()) mask = mask_with_four_axes(mask, batch, where);
  const Tensor y = tiled(x, mask, {scale, options.is_causal, false}, where);
  return detail::narrow(reshape(TensorArg(y, where), result), dtype, where);
}

}  // namespace gradus
