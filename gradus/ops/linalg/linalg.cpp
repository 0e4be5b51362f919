#include "gradus/ops/linalg/linalg.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "gradus/base/error.h"
#include "gradus/graph/node.h"
#include "gradus/ops/argument.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/factory.h"
#include "gradus/ops/linalg/factorizations.h"
#include "gradus/ops/matmul.h"
#include "gradus/ops/operands.h"
#include "gradus/ops/reduce.h"
#include "gradus/ops/view.h"

namespace gradus::linalg {
namespace {

/// An operand in the type that it is computed in, and the type of the result.
struct Operand {
  Tensor a;
  DType dtype;
  SourceLocation where;

  Operand(const char* op, const TensorArg& arg)
      : a(detail::tensor_operand(op, "input", arg, arg.where())), dtype(a.dtype()), where(arg.where()) {
    a = detail::widen(a, where);
  }
  Tensor narrow(const Tensor& y) const { return detail::narrow(y, dtype, where); }
};

Tensor t(const Tensor& x) { return transpose(x, -2, -1); }

Tensor identity_like(const Tensor& a) { return broadcast_to(eye(a.size(-1), a.dtype()), a.shape()); }

/// The matrices of a system, with their batches broadcast.
struct System {
  Tensor a, b;
  DType dtype;
  bool vector = false;  ///< b was one

  System(const char* op, const TensorArg& a_arg, const TensorArg& b_arg, bool vectors, SourceLocation where)
      : a(detail::tensor_operand(op, "a", a_arg, where)), b(detail::tensor_operand(op, "b", b_arg, where)) {
    detail::promote_operands(op, "a", a, "b", b, where);
    dtype = a.dtype();
    a = detail::widen(a, where);
    b = detail::widen(b, where);
    vector = vectors && b.rank() == 1;
    if (vector) b = unsqueeze(TensorArg(b, where), -1);
    const auto refuse = [&](std::string of_a, std::string of_b) {
      Error error(ErrorKind::shape, op);
      error.at(where).operand("a", a.spec(), std::move(of_a)).operand("b", b.spec(), std::move(of_b));
      return error;
    };
    if (a.rank() < 2) throw refuse("expected 2 or more axes", "");
    if (b.rank() < 2) throw refuse("", "expected 2 or more axes");
    Shape batch;
    const Shape of_a(a.shape().sizes().first(static_cast<std::size_t>(a.rank() - 2)));
    const Shape of_b(b.shape().sizes().first(static_cast<std::size_t>(b.rank() - 2)));
    if (!broadcast_shapes(of_a, of_b, batch)) throw refuse("the batches do not broadcast", "");
    a = broadcast_to(TensorArg(a, where), with_matrix(batch, a.shape()));
    b = broadcast_to(TensorArg(b, where), with_matrix(batch, b.shape()));
  }
  Tensor finish(Tensor x, SourceLocation where) const {
    if (vector) x = squeeze(x, -1);
    return detail::narrow(x, dtype, where);
  }

 private:
  static Shape with_matrix(Shape batch, const Shape& matrix) {
    batch.push_back(matrix[matrix.rank() - 2]);
    batch.push_back(matrix[matrix.rank() - 1]);
    return batch;
  }
};

double default_rcond(const Tensor& a) {
  const double epsilon = a.dtype() == DType::f64 ? std::numeric_limits<double>::epsilon()
                                                 : static_cast<double>(std::numeric_limits<float>::epsilon());
  return epsilon * static_cast<double>(std::max(a.size(-1), a.size(-2)));
}

Tensors decompose(const Op& op, const Operand& x) {
  Tensors outputs = record_all(op, std::span(&x.a, 1), x.where);
  for (Tensor& output : outputs) output = x.narrow(output);
  return outputs;
}

Tensor pseudo_inverse(const Tensor& a, std::optional<double> rcond, SourceLocation where) {
  const Tensors parts = record_all(SvdOp{}, std::span(&a, 1), where);
  const Tensor& s = parts[1];
  const Tensor one = constant(1, s.dtype()), zero = constant(0, s.dtype());
  if (s.size(-1) == 0) return t(a);
  const Tensor limit = max(s, -1, {.keepdim = true}) * constant(rcond.value_or(default_rcond(a)), s.dtype());
  const Tensor counts = greater(s, stop_gradient(limit));
  const Tensor inverse = gradus::where(counts, one / gradus::where(counts, s, one), zero);
  return matmul(t(parts[2]) * unsqueeze(inverse, -2), t(parts[0]));
}

Operand matrix_operand(const char* op, const TensorArg& arg) {
  Operand x(op, arg);
  if (x.a.rank() < 2) {
    throw detail::refusal(ErrorKind::shape, op, "expected 2 or more axes", x.a, arg.where());
  }
  if (!is_floating(x.a.dtype())) {
    throw detail::refusal(ErrorKind::dtype, op, "expected floating elements", x.a, arg.where());
  }
  return x;
}

}  // namespace

Tensor cholesky(const TensorArg& a, bool upper) {
  const Operand x("cholesky", a);
  const Tensor l = record(Cholesky{}, {x.a}, x.where);
  return x.narrow(upper ? t(l) : l);
}

Tensor solve(const TensorArg& a, const TensorArg& b) {
  const System s("solve", a, b, true, a.where());
  return s.finish(record(Solve{}, {s.a, s.b}, a.where()), a.where());
}

Tensor solve_triangular(const TensorArg& a, const TensorArg& b, TriangularOptions options) {
  const System s("solve_triangular", a, b, false, a.where());
  const TriangularSolve op{options.upper, !options.left, options.unitriangular};
  if (options.left) return s.finish(record(op, {s.a, s.b}, a.where()), a.where());
  return s.finish(t(record(op, {s.a, t(s.b)}, a.where())), a.where());  // x a = b: a^T x^T = b^T
}

Tensor inv(const TensorArg& a) {
  const Operand x = matrix_operand("inv", a);
  const Tensor inverse = record(Solve{}, {x.a, identity_like(x.a)}, x.where);
  inverse.node()->called = "inv";
  return x.narrow(inverse);
}

SignLog slogdet(const TensorArg& a) {
  const Tensors parts = decompose(SlogDet{}, Operand("slogdet", a));
  return {parts[0], parts[1]};
}

Tensor det(const TensorArg& a) {
  const Operand x("det", a);
  const Tensors parts = record_all(SlogDet{}, std::span(&x.a, 1), x.where);
  parts[0].node()->called = "det";
  return x.narrow(parts[0] * exp(parts[1]));
}

Qr qr(const TensorArg& a) {
  const Tensors parts = decompose(QrOp{}, Operand("qr", a));
  return {parts[0], parts[1]};
}

Eigen eigh(const TensorArg& a) {
  const Tensors parts = decompose(EighOp{}, Operand("eigh", a));
  return {parts[0], parts[1]};
}

Svd svd(const TensorArg& a) {
  const Tensors parts = decompose(SvdOp{}, Operand("svd", a));
  return {parts[0], parts[1], parts[2]};
}

Tensor pinv(const TensorArg& a, std::optional<double> rcond) {
  const Operand x = matrix_operand("pinv", a);
  return x.narrow(pseudo_inverse(x.a, rcond, x.where));
}

Tensor lstsq(const TensorArg& a, const TensorArg& b, std::optional<double> rcond) {
  const System s("lstsq", a, b, true, a.where());
  if (s.a.size(-2) != s.b.size(-2)) {
    throw Error(ErrorKind::shape, "lstsq")
        .at(a.where())
        .operand("a", s.a.spec(), fmt::format("{} rows", s.a.size(-2)))
        .operand("b", s.b.spec(), fmt::format("{} rows", s.b.size(-2)));
  }
  return s.finish(matmul(pseudo_inverse(s.a, rcond, a.where()), s.b), a.where());
}

Tensor matrix_norm(const TensorArg& a, std::string_view order) {
  const Operand x = matrix_operand("matrix_norm", a);
  if (order == "nuc") return x.narrow(sum(record_all(SvdOp{}, std::span(&x.a, 1), x.where)[1], -1));
  if (order != "fro") {
    throw Error(ErrorKind::value, "matrix_norm")
        .at(x.where)
        .field("order", fmt::format("\"{}\", expected \"fro\", \"nuc\" or a number", order));
  }
  const Tensor squares = sum(square(TensorArg(x.a, x.where)), {-2, -1});
  const Tensor zero = constant(0, squares.dtype()), positive = greater(squares, zero);
  const Tensor safe = gradus::where(positive, squares, constant(1, squares.dtype()));
  return x.narrow(gradus::where(positive, sqrt(safe), zero));
}

Tensor matrix_norm(const TensorArg& a, double order) {
  const Operand x = matrix_operand("matrix_norm", a);
  const double kind = std::abs(order);
  if (kind != 1 && kind != 2 && !std::isinf(kind)) {
    throw Error(ErrorKind::value, "matrix_norm")
        .at(x.where)
        .field("order", fmt::format("{}, expected 1, 2, inf or their negatives", order));
  }
  const Tensor candidates = kind == 2 ? record_all(SvdOp{}, std::span(&x.a, 1), x.where)[1]
                                      : sum(abs(TensorArg(x.a, x.where)), kind == 1 ? -2 : -1);
  return x.narrow(order > 0 ? max(candidates, -1) : min(candidates, -1));
}

Tensor matrix_power(const TensorArg& a, int exponent) {
  const Operand x = matrix_operand("matrix_power", a);
  if (x.a.size(-1) != x.a.size(-2)) {
    throw detail::refusal(ErrorKind::shape, "matrix_power", "expected square matrices", x.a, x.where);
  }
  Tensor factor = exponent < 0 ? inv(TensorArg(x.a, x.where)) : x.a, power;
  for (std::int64_t left = std::abs(static_cast<std::int64_t>(exponent)); left > 0; left /= 2) {
    if (left % 2 == 1) power = power.defined() ? matmul(TensorArg(power, x.where), factor) : factor;
    if (left > 1) factor = matmul(TensorArg(factor, x.where), factor);
  }
  return x.narrow(power.defined() ? power : identity_like(x.a));
}

}  // namespace gradus::linalg
