#include "gradus/ops/attention/operation.h"

#include <fmt/format.h>

#include "gradus/base/error.h"
#include "gradus/graph/node.h"
#include "gradus/ops/attention/composed.h"
#include "gradus/ops/batch.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/matmul.h"
#include "gradus/ops/reduce.h"
#include "gradus/ops/view.h"

namespace gradus {
namespace {

void check_operands(std::string_view op, std::span<const TensorSpec> in, bool time_first) {
  const auto refuse = [&](ErrorKind kind, std::string remark) {
    return Error(kind, std::string(op))
        .operand("query", in[0], std::move(remark))
        .operand("key", in[1])
        .operand("value", in[2]);
  };
  const Shape &q = in[0].shape, &k = in[1].shape, &v = in[2].shape;
  if (q.rank() != 4 || k.rank() != 4 || v.rank() != 4) throw refuse(ErrorKind::shape, "expected 4 axes");
  const detail::AttentionSizes s(q, k, v, time_first);
  const int key_axis = time_first ? 1 : 2, head_axis = time_first ? 2 : 1;
  if (k[0] != s.examples || v[0] != s.examples || k[head_axis] != s.heads || v[head_axis] != s.heads ||
      v[key_axis] != s.keys || k[3] != s.width) {
    throw refuse(ErrorKind::shape, "");
  }
  for (const TensorSpec& spec : in) {
    if (spec.dtype != in[0].dtype || (spec.dtype != DType::f32 && spec.dtype != DType::f64)) {
      throw refuse(ErrorKind::dtype, "expected f32 or f64, the same for all");
    }
  }
}

void check_mask(std::string_view op, const TensorSpec& mask, const Shape& scores, DType dtype) {
  if (mask.dtype != dtype) {
    throw Error(ErrorKind::dtype, std::string(op)).operand("mask", mask, fmt::format("expected {}", name_of(dtype)));
  }
  bool fits = mask.shape.rank() == 4;
  for (int axis = 0; fits && axis < 4; ++axis) fits = mask.shape[axis] == 1 || mask.shape[axis] == scores[axis];
  if (fits) return;
  throw Error(ErrorKind::shape, std::string(op))
      .operand("mask", mask, fmt::format("must broadcast to {}", scores.str()));
}

Shape scores_shape(const detail::AttentionSizes& s) { return {s.examples, s.heads, s.queries, s.keys}; }

/// Between the layout of the operation and (n, heads, length, width).
Tensor heads_first(const Tensor& x, bool time_first) { return time_first ? transpose(x, 1, 2) : x; }

Tensor transposed(const Tensor& x) { return transpose(x, -2, -1); }

Tensor row_sum(const Tensor& x) { return sum(x, -1, {.keepdim = true}); }

/// Sum over the axes along which `shape` was broadcast.
Tensor sum_to(const Tensor& x, const Shape& shape) {
  SmallVector<int, 4> axes;
  for (int axis = 0; axis < 4; ++axis) {
    if (shape[axis] == 1 && x.shape()[axis] != 1) axes.push_back(axis);
  }
  return axes.empty() ? x : sum(x, std::span<const int>(axes.begin(), axes.size()), {.keepdim = true});
}

/// The parts of a gradient of attention, composed: probabilities, what flows back to them, and to the scores.
struct Parts {
  Tensor p, dp, ds;

  Parts(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& dy, const Tensor& mask,
        const detail::AttentionRule& rule)
      : p(detail::attention_probabilities(q, k, mask, rule, {})), dp(matmul(dy, transposed(v))) {
    ds = p * (dp - row_sum(p * dp));
  }
};

/// Inputs that all have the batch in front, with it merged into the examples; the mask (at `mask`) takes its part.
Tensors merged(const BatchArgs& args, std::size_t mask, std::int64_t examples) {
  Tensors inputs = detail::batched_inputs(args);
  if (mask < inputs.size() && inputs[mask].size(1) != examples) {
    Shape shape = inputs[mask].shape();
    shape.set(1, examples);
    inputs[mask] = broadcast_to(inputs[mask], shape);
  }
  for (Tensor& x : inputs) x = detail::merge_batch(x);
  return inputs;
}

Tensors run_merged(const Op& op, const BatchArgs& args, std::size_t mask) {
  const std::int64_t examples = args.inputs[0].size(args.is_batched(0) ? 1 : 0);
  Tensors results = record_all(op, merged(args, mask, examples), {});
  for (Tensor& y : results) y = detail::split_batch(y, args.size, examples);
  return results;
}

constexpr std::size_t mask_of_forward = 3, mask_of_gradient = 6;

}  // namespace

namespace detail {

AttentionSizes::AttentionSizes(const Shape& q, const Shape& k, const Shape& v, bool time_first)
    : examples(q[0]),
      heads(q[time_first ? 2 : 1]),
      queries(q[time_first ? 1 : 2]),
      keys(k[time_first ? 1 : 2]),
      width(q[3]),
      value_width(v[3]) {}

}  // namespace detail

Specs Attention::infer(std::span<const TensorSpec> inputs) const {
  check_operands(name(), inputs.first(3), time_first);
  const detail::AttentionSizes s(inputs[0].shape, inputs[1].shape, inputs[2].shape, time_first);
  if (inputs.size() > mask_of_forward) check_mask(name(), inputs[mask_of_forward], scores_shape(s), inputs[0].dtype);
  Shape y = inputs[0].shape;
  y.set(3, s.value_width);
  return {{inputs[0].dtype, y}, {inputs[0].dtype, {s.examples, s.heads, s.queries}}};
}

Tensors Attention::vjp(const VjpArgs& args) const {
  GRADUS_ASSERT(!args.cotangents[1].defined());
  const Tensor &q = args.inputs[0], &k = args.inputs[1], &v = args.inputs[2], &dy = args.cotangents[0];
  const bool masked = args.inputs.size() > mask_of_forward;
  Tensors inputs{q, k, v, args.outputs[0], args.outputs[1], dy};
  if (masked) inputs.push_back(args.inputs[mask_of_forward]);
  Tensors flows = record_all(AttentionGradient{scale, causal, time_first}, inputs, {});
  if (!masked) return flows;
  flows.emplace_back();
  if (args.wants(static_cast<int>(mask_of_forward))) {
    const auto h = [&](const Tensor& x) { return heads_first(x, time_first); };
    const Tensor& mask = args.inputs[mask_of_forward];
    flows.back() = sum_to(Parts(h(q), h(k), h(v), h(dy), mask, {scale, causal}).ds, mask.shape());
  }
  return flows;
}

Tensors Attention::batch(const BatchArgs& args) const { return run_merged(Op(*this), args, mask_of_forward); }

Specs AttentionGradient::infer(std::span<const TensorSpec> inputs) const {
  check_operands(name(), inputs.first(3), time_first);
  return {inputs[0], inputs[1], inputs[2]};
}

Tensors AttentionGradient::vjp(const VjpArgs& args) const {
  // y and the logarithms are functions of q, k and v, so that the whole derivative goes there. With P the probabilities,
  // A = dy v^T and dS = P (A - D), D the row sums of P A, the operation computes dq = s dS k, dk = s dS^T q, dv = P^T dy; what
  // flows back to these is gq, gk and gv. Their inner product is sum(M dS) + sum(P dy gv^T) with M = s (gq k^T + q gk^T).
  const auto h = [&](const Tensor& x) { return x.defined() ? heads_first(x, time_first) : x; };
  const Tensor q = h(args.inputs[0]), k = h(args.inputs[1]), v = h(args.inputs[2]), dy = h(args.inputs[5]);
  const Tensor mask = args.inputs.size() > mask_of_gradient ? args.inputs[mask_of_gradient] : Tensor();
  const Tensor gq = h(args.cotangents[0]), gk = h(args.cotangents[1]), gv = h(args.cotangents[2]);
  const auto plus = [](const Tensor& a, const Tensor& b) { return !a.defined() ? b : !b.defined() ? a : a + b; };
  const auto scaled = [&](const Tensor& x) { return x * static_cast<double>(scale); };

  const Parts parts(q, k, v, dy, mask, {scale, causal});
  Tensor m, to_p, to_dp;
  if (gq.defined()) m = scaled(matmul(gq, transposed(k)));
  if (gk.defined()) m = plus(m, scaled(matmul(q, transposed(gk))));
  if (m.defined()) {
    const Tensor weight = row_sum(parts.p * m);
    to_dp = parts.p * (m - weight);
    to_p = m * (parts.dp - row_sum(parts.p * parts.dp)) - parts.dp * weight;
  }
  if (gv.defined()) to_p = plus(to_p, matmul(dy, transposed(gv)));
  Tensors result(args.inputs.size());
  if (!to_p.defined()) return result;
  const Tensor to_scores = parts.p * (to_p - row_sum(parts.p * to_p));
  Tensor to_q = scaled(matmul(to_scores, k)), to_k = scaled(matmul(transposed(to_scores), q)), to_v, to_dy;
  if (gk.defined()) to_q = to_q + scaled(matmul(parts.ds, gk));
  if (gq.defined()) to_k = to_k + scaled(matmul(transposed(parts.ds), gq));
  if (to_dp.defined()) {
    to_v = matmul(transposed(to_dp), dy);
    to_dy = matmul(to_dp, v);
  }
  if (gv.defined()) to_dy = plus(to_dy, matmul(parts.p, gv));
  result[0] = h(to_q);
  result[1] = h(to_k);
  result[2] = h(to_v);
  result[5] = h(to_dy);
  if (mask.defined()) result[mask_of_gradient] = sum_to(to_scores, mask.shape());
  return result;
}

Tensors AttentionGradient::batch(const BatchArgs& args) const { return run_merged(Op(*this), args, mask_of_gradient); }

}  // namespace gradus
