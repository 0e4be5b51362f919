#include "gradus/ops/recurrent/lstm.h"

#include <fmt/format.h>

#include "gradus/base/error.h"
#include "gradus/graph/node.h"
#include "gradus/ops/batch.h"
#include "gradus/ops/concat.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/matmul.h"
#include "gradus/ops/view.h"
#include "gradus/ops/views/rearrange.h"

namespace gradus {
namespace {

constexpr std::size_t weight_input = 1;

void check_inputs(std::string_view op, std::span<const TensorSpec> in) {
  const Shape &x = in[0].shape, &w = in[1].shape, &h = in[2].shape, &c = in[3].shape;
  const auto operands = [&](ErrorKind kind, std::string of_x, std::string of_w, std::string of_state) {
    return Error(kind, std::string(op))
        .operand("x", in[0], std::move(of_x))
        .operand("w", in[1], std::move(of_w))
        .operand("h", in[2], of_state)
        .operand("c", in[3], of_state);
  };
  if (x.rank() != 3 || w.rank() != 2 || w[0] != 4 * w[1]) {
    throw operands(ErrorKind::shape, "expected (steps, batch, 4 hidden)", "expected (4 hidden, hidden)", "");
  }
  const Shape state{x[1], w[1]};
  if (x[0] < 1 || x[2] != w[0] || h != state || c != state) {
    throw operands(ErrorKind::shape, fmt::format("expected 1 or more steps of width {}", w[0]), "",
                   "expected " + state.str());
  }
  const DType dtype = in[0].dtype;
  for (const TensorSpec& spec : in) {
    if (spec.dtype == dtype && (dtype == DType::f32 || dtype == DType::f64)) continue;
    throw operands(ErrorKind::dtype, "expected f32 or f64, the same for all", "", "");
  }
}

/// [S, T, B, n] as [T, S * B, n]: examples and batch are one batch.
Tensor fold_steps(const Tensor& x) {
  return reshape(permute(x, {1, 0, 2, 3}), {x.size(1), x.size(0) * x.size(2), x.size(3)});
}
Tensor unfold_steps(const Tensor& x, std::int64_t size) {
  return permute(reshape(x, {x.size(0), size, x.size(1) / size, x.size(2)}), {1, 0, 2, 3});
}

/// The rule of both operations: examples that share the weight are one larger batch; else each runs by itself.
Tensors batched(const Op& op, const BatchArgs& args) {
  Tensors inputs = detail::batched_inputs(args), results;
  if (!args.is_batched(weight_input)) {
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (i == weight_input) continue;
      inputs[i] = inputs[i].rank() == 4 ? fold_steps(inputs[i]) : detail::merge_batch(inputs[i]);
    }
    inputs[weight_input] = args.inputs[weight_input];
    for (const Tensor& y : record_all(op, inputs, {})) {
      results.push_back(y.rank() == 3 ? unfold_steps(y, args.size)
                                      : detail::split_batch(y, args.size, y.size(0) / args.size));
    }
    return results;
  }
  std::vector<Tensors> each;  // by output, then by example
  for (std::int64_t i = 0; i < args.size; ++i) {
    Tensors one;
    for (const Tensor& input : inputs) one.push_back(select(input, 0, i));
    const Tensors outputs = record_all(op, one, {});
    each.resize(outputs.size());
    for (std::size_t k = 0; k < outputs.size(); ++k) each[k].push_back(outputs[k]);
  }
  for (const Tensors& examples : each) results.push_back(stack(examples));
  return results;
}

/// h before each step: `h` of all steps, moved by one, with `first` in front.
Tensor states_before(const Tensor& h, const Tensor& first, bool reverse) {
  const std::int64_t steps = h.size(0);
  const Tensor edge = unsqueeze(first, 0);
  if (steps == 1) return edge;
  return reverse ? concat({slice(h, 0, 1, steps), edge}) : concat({edge, slice(h, 0, 0, steps - 1)});
}

Tensor zeros_of(const TensorSpec& spec) { return broadcast_to(constant(0, spec.dtype), spec.shape); }

/// The same elements under an identity of their own.
Tensor alias(const Tensor& x) { return record(Reshape{x.shape()}, {x}); }

}  // namespace

Specs Lstm::infer(std::span<const TensorSpec> inputs) const {
  check_inputs(name(), inputs);
  const Shape &x = inputs[0].shape, states{x[0], x[1], inputs[1].shape[1]};
  const DType dtype = inputs[0].dtype;
  return {{dtype, states}, {dtype, states}, {dtype, x}};
}

Tensors Lstm::vjp(const VjpArgs& args) const {
  GRADUS_ASSERT(!args.cotangents[2].defined());
  const Tensor &h = args.outputs[0], &c = args.outputs[1];
  Tensors inputs(args.inputs.begin(), args.inputs.end());
  inputs.push_back(c);
  inputs.push_back(args.outputs[2]);
  inputs.push_back(args.cotangents[0].defined() ? args.cotangents[0] : zeros_of(h.spec()));
  if (args.cotangents[1].defined()) inputs.push_back(args.cotangents[1]);
  const Tensors flows = record_all(LstmGradient{reverse}, inputs, {});
  Tensor of_weight;
  if (args.wants(weight_input)) {
    const std::int64_t rows = h.size(0) * h.size(1), width = h.size(2);
    const Tensor before = reshape(states_before(h, args.inputs[2], reverse), {rows, width});
    of_weight = record(MatMul{true, false}, {reshape(flows[0], {rows, 4 * width}), before});
  }
  return {flows[0], of_weight, flows[1], flows[2]};
}

Tensors Lstm::batch(const BatchArgs& args) const { return batched(Op(*this), args); }

Specs LstmGradient::infer(std::span<const TensorSpec> inputs) const {
  check_inputs(name(), inputs);
  return {inputs[0], inputs[2], inputs[3]};
}

Tensors LstmGradient::vjp(const VjpArgs& args) const {
  // The states of all steps and the gates are functions of the first four inputs, so that the whole derivative goes there.
  const bool has_cells = args.inputs.size() > 7;
  Tensors own;
  for (const std::size_t i : {0, 1, 2, 3, 6, 7}) {
    if (i < args.inputs.size()) own.push_back(alias(args.inputs[i]));
  }
  const detail::LstmStates states = detail::unrolled_lstm(own[0], own[1], own[2], own[3], reverse);
  const Tensor outputs[] = {states.h, states.c}, flows[] = {own[4], has_cells ? own[5] : Tensor()};
  const Tensors first = detail::pull_back(outputs, flows, own);
  const Tensor gradients[] = {first[0], first[2], first[3]};
  Tensors result = detail::pull_back(gradients, args.cotangents, own);
  result.insert(result.begin() + 4, 2, Tensor());
  return result;
}

Tensors LstmGradient::batch(const BatchArgs& args) const { return batched(Op(*this), args); }

namespace detail {

LstmStates lstm(const Tensor& x, const Tensor& w, const Tensor& h, const Tensor& c, bool reverse,
                SourceLocation where) {
  const Tensor inputs[] = {x, w, h, c};
  const Tensors results = record_all(Lstm{reverse}, inputs, where);
  return {results[0], results[1]};
}

}  // namespace detail
}  // namespace gradus
