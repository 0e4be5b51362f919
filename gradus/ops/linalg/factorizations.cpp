#include "gradus/ops/linalg/factorizations.h"

#include <fmt/format.h>

#include <string>

#include "gradus/base/error.h"
#include "gradus/graph/node.h"
#include "gradus/ops/concat.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/factory.h"
#include "gradus/ops/matmul.h"
#include "gradus/ops/view.h"
#include "gradus/ops/views/diagonal.h"

namespace gradus::linalg {
namespace {

// ---- Shape rules ----------------------------------------------------------------------------------------------------

void check_matrix(std::string_view op, const char* role, const TensorSpec& a, bool square) {
  if (a.dtype != DType::f32 && a.dtype != DType::f64) {
    throw Error(ErrorKind::dtype, std::string(op)).operand(role, a, "expected f32 or f64");
  }
  const int rank = a.shape.rank();
  if (rank < 2) throw Error(ErrorKind::shape, std::string(op)).operand(role, a, "expected 2 or more axes");
  if (square && a.shape[rank - 1] != a.shape[rank - 2]) {
    throw Error(ErrorKind::shape, std::string(op))
        .operand(role, a,
                 fmt::format("a matrix of {} x {}, expected a square one", a.shape[rank - 2], a.shape[rank - 1]));
  }
}

Specs infer_solution(std::string_view op, const TensorSpec& a, const TensorSpec& b) {
  check_matrix(op, "a", a, true);
  check_matrix(op, "b", b, false);
  const int rank = a.shape.rank();
  Shape expected = a.shape;
  if (b.shape.rank() == rank) expected.set(rank - 1, b.shape[rank - 1]);
  if (a.dtype == b.dtype && b.shape == expected) return {b};
  throw Error(a.dtype == b.dtype ? ErrorKind::shape : ErrorKind::dtype, std::string(op))
      .operand("a", a)
      .operand("b", b,
               a.dtype != b.dtype       ? fmt::format("expected {}", name_of(a.dtype))
               : b.shape.rank() != rank ? fmt::format("expected {} axes", rank)
                                        : fmt::format("expected {}", expected.str()));
}

/// The sizes of the batch, followed by these.
Shape with_sizes(const Shape& matrices, std::initializer_list<std::int64_t> sizes) {
  Shape shape(matrices.sizes().first(static_cast<std::size_t>(matrices.rank() - 2)));
  for (const std::int64_t size : sizes) shape.push_back(size);
  return shape;
}

// ---- What the gradients are written with ----------------------------------------------------------------------------

Tensor t(const Tensor& x) { return transpose(x, -2, -1); }
Tensor number(double value, const Tensor& like) { return constant(value, like.dtype()); }
Tensor symmetric(const Tensor& x) { return (x + t(x)) * number(0.5, x); }
/// The triangle below the diagonal, and half the diagonal.
Tensor lower_half(const Tensor& x) { return (tril(x) + tril(x, -1)) * number(0.5, x); }
Tensor as_column(const Tensor& x) { return unsqueeze(x, -1); }
Tensor as_row(const Tensor& x) { return unsqueeze(x, -2); }
Tensor zeros_like(const Tensor& x) { return broadcast_to(number(0, x), x.shape()); }
Tensor or_zeros(const Tensor& cotangent, const Tensor& output) {
  return cotangent.defined() ? cotangent : zeros_like(output);
}
Tensor transposed_solve(const Tensor& a, const Tensor& b) { return record(Solve{}, {t(a), b}); }

/// 1 / (values[j] - values[i]), 0 on the diagonal.
Tensor inverse_gaps(const Tensor& values) {
  const Tensor identity = eye(values.size(-1), values.dtype());
  const Tensor gaps = as_row(values) - as_column(values) + identity;
  return (number(1, values) - identity) / gaps;
}

/// Both operands with the batch in front.
Tensors with_batch(const BatchArgs& args) {
  Tensors operands;
  for (int i = 0; i < static_cast<int>(args.inputs.size()); ++i) {
    const Tensor& x = args.inputs[static_cast<std::size_t>(i)];
    Shape shape = x.shape();
    if (!args.is_batched(i)) shape.insert(0, args.size);
    operands.push_back(broadcast_to(x, shape));
  }
  return operands;
}

}  // namespace

Specs Cholesky::infer(std::span<const TensorSpec> inputs) const {
  check_matrix(name(), "input", inputs[0], true);
  return {inputs[0]};
}

Tensors Cholesky::vjp(const VjpArgs& args) const {
  const Tensor &l = args.outputs[0], &g = args.cotangents[0];
  const TriangularSolve transposed{false, true, false};
  // L^-T Phi(L^T g) L^-1
  const Tensor left = record(transposed, {l, lower_half(matmul(t(l), g))});
  return {symmetric(t(record(transposed, {l, t(left)})))};
}

Tensors Cholesky::batch(const BatchArgs& args) const { return record_all(*this, args.inputs, {}); }

Specs TriangularSolve::infer(std::span<const TensorSpec> inputs) const {
  return infer_solution(name(), inputs[0], inputs[1]);
}

Tensors TriangularSolve::vjp(const VjpArgs& args) const {
  const Tensor &a = args.inputs[0], &x = args.outputs[0];
  const Tensor g = record(TriangularSolve{upper, !transposed, unit}, {a, args.cotangents[0]});
  Tensors gradients{Tensor(), g};
  if (args.wants(0)) {
    const Tensor full = -(transposed ? matmul(x, t(g)) : matmul(g, t(x)));
    gradients[0] = upper ? triu(full, unit ? 1 : 0) : tril(full, unit ? -1 : 0);
  }
  return gradients;
}

Tensors TriangularSolve::batch(const BatchArgs& args) const { return record_all(*this, with_batch(args), {}); }

Specs Solve::infer(std::span<const TensorSpec> inputs) const { return infer_solution(name(), inputs[0], inputs[1]); }

Tensors Solve::vjp(const VjpArgs& args) const {
  const Tensor g = transposed_solve(args.inputs[0], args.cotangents[0]);
  return {args.wants(0) ? -matmul(g, t(args.outputs[0])) : Tensor(), g};
}

Tensors Solve::batch(const BatchArgs& args) const { return record_all(*this, with_batch(args), {}); }

Specs SlogDet::infer(std::span<const TensorSpec> inputs) const {
  check_matrix(name(), "input", inputs[0], true);
  const TensorSpec output{inputs[0].dtype, with_sizes(inputs[0].shape, {})};
  return {output, output};
}

Tensors SlogDet::vjp(const VjpArgs& args) const {
  const Tensor &a = args.inputs[0], &g = args.cotangents[1];
  if (!g.defined()) return {Tensor()};
  const Tensor identity = broadcast_to(eye(a.size(-1), a.dtype()), a.shape());
  return {transposed_solve(a, identity * as_column(as_column(g)))};
}

Tensors SlogDet::batch(const BatchArgs& args) const { return record_all(*this, args.inputs, {}); }

Specs QrOp::infer(std::span<const TensorSpec> inputs) const {
  check_matrix(name(), "input", inputs[0], false);
  const Shape& shape = inputs[0].shape;
  const std::int64_t m = shape[shape.rank() - 2], n = shape[shape.rank() - 1], k = std::min(m, n);
  return {{inputs[0].dtype, with_sizes(shape, {m, k})}, {inputs[0].dtype, with_sizes(shape, {k, n})}};
}

Tensors QrOp::vjp(const VjpArgs& args) const {
  const Tensor &q = args.outputs[0], &r = args.outputs[1];
  Tensor g_q = or_zeros(args.cotangents[0], q), g_r = or_zeros(args.cotangents[1], r);
  const std::int64_t m = q.size(-2), n = r.size(-1);
  Tensor square = r, g_rest;
  if (m < n) {  // A = Q [R1 R2]: the second part is a product, the first is factorised
    square = slice(r, -1, 0, m);
    g_rest = slice(g_r, -1, m);
    const Tensor rest = slice(args.inputs[0], -1, m);
    g_q = g_q + matmul(rest, t(g_rest));
    g_r = slice(g_r, -1, 0, m);
  }
  const Tensor middle = matmul(square, t(g_r)) - matmul(t(g_q), q);
  const Tensor mirrored = tril(middle) + t(tril(middle, -1));
  const Tensor sides = g_q + matmul(q, mirrored);
  const Tensor g = t(record(TriangularSolve{true, false, false}, {square, t(sides)}));
  return {m < n ? concat({g, matmul(q, g_rest)}, -1) : g};
}

Tensors QrOp::batch(const BatchArgs& args) const { return record_all(*this, args.inputs, {}); }

Specs EighOp::infer(std::span<const TensorSpec> inputs) const {
  check_matrix(name(), "input", inputs[0], true);
  const Shape& shape = inputs[0].shape;
  return {{inputs[0].dtype, with_sizes(shape, {shape[shape.rank() - 1]})}, inputs[0]};
}

Tensors EighOp::vjp(const VjpArgs& args) const {
  const Tensor &w = args.outputs[0], &v = args.outputs[1];
  Tensor inner = zeros_like(v);
  if (args.cotangents[1].defined()) inner = matmul(t(v), args.cotangents[1]) * inverse_gaps(w);
  if (args.cotangents[0].defined()) inner = inner + diag_embed(args.cotangents[0]);
  return {symmetric(matmul(matmul(v, inner), t(v)))};
}

Tensors EighOp::batch(const BatchArgs& args) const { return record_all(*this, args.inputs, {}); }

Specs SvdOp::infer(std::span<const TensorSpec> inputs) const {
  check_matrix(name(), "input", inputs[0], false);
  const Shape& shape = inputs[0].shape;
  const DType dtype = inputs[0].dtype;
  const std::int64_t m = shape[shape.rank() - 2], n = shape[shape.rank() - 1], k = std::min(m, n);
  return {{dtype, with_sizes(shape, {m, k})}, {dtype, with_sizes(shape, {k})}, {dtype, with_sizes(shape, {k, n})}};
}

Tensors SvdOp::vjp(const VjpArgs& args) const {
  const Tensor &u = args.outputs[0], &s = args.outputs[1], &vh = args.outputs[2];
  const Tensor &g_u = args.cotangents[0], &g_s = args.cotangents[1], &g_vh = args.cotangents[2];
  const auto skew = [](const Tensor& x) { return x - t(x); };
  Tensor inner = g_s.defined() ? diag_embed(g_s) : zeros_like(diag_embed(s));
  Tensor outside;
  const auto add_outside = [&](const Tensor& x) { outside = outside.defined() ? outside + x : x; };
  if (g_u.defined()) {
    inner = inner + skew(matmul(t(u), g_u)) * inverse_gaps(square(s)) * as_row(s);
    if (u.size(-2) > u.size(-1)) add_outside(matmul((g_u - matmul(u, matmul(t(u), g_u))) / as_row(s), vh));
  }
  if (g_vh.defined()) {
    inner = inner + as_column(s) * skew(matmul(vh, t(g_vh))) * inverse_gaps(square(s));
    if (vh.size(-1) > vh.size(-2)) {
      add_outside(matmul(u / as_row(s), g_vh - matmul(matmul(g_vh, t(vh)), vh)));
    }
  }
  const Tensor within = matmul(matmul(u, inner), vh);
  return {outside.defined() ? within + outside : within};
}

Tensors SvdOp::batch(const BatchArgs& args) const { return record_all(*this, args.inputs, {}); }

}  // namespace gradus::linalg
