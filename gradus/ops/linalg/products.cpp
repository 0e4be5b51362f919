#include "gradus/ops/linalg/products.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "gradus/base/error.h"
#include "gradus/ops/argument.h"
#include "gradus/ops/concat.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/matmul.h"
#include "gradus/ops/operands.h"
#include "gradus/ops/reduce.h"
#include "gradus/ops/view.h"
#include "gradus/ops/views/diagonal.h"

namespace gradus {
namespace {

/// Two operands whose ranks are what the function wants.
struct Pair {
  Tensor a, b;

  Pair(const char* op, const TensorArg& a_arg, const TensorArg& b_arg)
      : a(detail::tensor_operand(op, "a", a_arg, a_arg.where())),
        b(detail::tensor_operand(op, "b", b_arg, a_arg.where())) {}
  Pair(const char* op, const TensorArg& a_arg, int rank_a, const TensorArg& b_arg, int rank_b)
      : Pair(op, a_arg, b_arg) {
    if (a.rank() == rank_a && b.rank() == rank_b) return;
    const auto remark = [](const Tensor& x, int rank) {
      return x.rank() == rank ? "" : fmt::format("expected {} ax{}s", rank, rank == 1 ? "i" : "e");
    };
    throw refuse(op, remark(a, rank_a), remark(b, rank_b), a_arg.where());
  }
  Error refuse(const char* op, std::string of_a, std::string of_b, SourceLocation where) const {
    Error error(ErrorKind::shape, op);
    error.at(where).operand("a", a.spec(), std::move(of_a)).operand("b", b.spec(), std::move(of_b));
    return error;
  }
};

TensorArg at(const Tensor& x, const TensorArg& like) { return {x, like.where()}; }
TensorArg at_number(double number, const TensorArg& like) { return {number, like.where()}; }

/// The axes of an operand of tensordot: the kept and the folded ones, and the numbers of their elements.
struct Sides {
  std::vector<int> kept;
  std::int64_t kept_count = 1, folded_count = 1;

  Sides(const Tensor& x, std::uint32_t folded) {
    for (int axis = 0; axis < x.rank(); ++axis) {
      const bool folds = (folded >> axis & 1) != 0;
      (folds ? folded_count : kept_count) *= x.shape()[axis];
      if (!folds) kept.push_back(axis);
    }
  }
};

std::vector<int> joined(std::vector<int> first, const std::vector<int>& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

}  // namespace

Tensor bmm(const TensorArg& a, const TensorArg& b) {
  const Pair pair("bmm", a, 3, b, 3);
  if (pair.a.shape()[0] != pair.b.shape()[0]) {
    throw pair.refuse("bmm", "", fmt::format("axis 0 is {}, expected {}", pair.b.shape()[0], pair.a.shape()[0]),
                      a.where());
  }
  return matmul(a, b);
}

Tensor mm(const TensorArg& a, const TensorArg& b) {
  const Pair pair("mm", a, 2, b, 2);
  return matmul(a, b);
}

Tensor mv(const TensorArg& matrix, const TensorArg& vector) {
  const Pair pair("mv", matrix, 2, vector, 1);
  return matmul(matrix, vector);
}

Tensor dot(const TensorArg& a, const TensorArg& b) {
  const Pair pair("dot", a, 1, b, 1);
  return matmul(a, b);
}

Tensor outer(const TensorArg& a, const TensorArg& b) {
  const Pair pair("outer", a, 1, b, 1);
  return mul(at(unsqueeze(at(pair.a, a), 1), a), pair.b);
}

Tensor tensordot(const TensorArg& a, const TensorArg& b, std::span<const std::pair<int, int>> axes) {
  const Pair pair("tensordot", a, b);
  std::vector<int> folded_a, folded_b;
  for (const auto& [of_a, of_b] : axes) {
    const int i = detail::normalize_axis(of_a, pair.a, "tensordot", a.where());
    const int j = detail::normalize_axis(of_b, pair.b, "tensordot", a.where());
    if (pair.a.shape()[i] != pair.b.shape()[j]) {
      throw pair.refuse("tensordot", fmt::format("axis {} is {}", i, pair.a.shape()[i]),
                        fmt::format("axis {} is {}, expected {}", j, pair.b.shape()[j], pair.a.shape()[i]), a.where());
    }
    folded_a.push_back(i);
    folded_b.push_back(j);
  }
  const Sides of_a(pair.a, detail::axes_mask(std::span<const int>(folded_a), pair.a, "tensordot", a.where()));
  const Sides of_b(pair.b, detail::axes_mask(std::span<const int>(folded_b), pair.b, "tensordot", a.where()));
  Shape shape;
  for (const int axis : of_a.kept) shape.push_back(pair.a.shape()[axis]);
  for (const int axis : of_b.kept) shape.push_back(pair.b.shape()[axis]);
  const Tensor left = permute(at(pair.a, a), joined(of_a.kept, folded_a));
  const Tensor right = permute(at(pair.b, a), joined(folded_b, of_b.kept));
  const Tensor product = matmul(at(reshape(at(left, a), Shape{of_a.kept_count, of_a.folded_count}), a),
                                reshape(at(right, a), Shape{of_b.folded_count, of_b.kept_count}));
  return reshape(at(product, a), shape);
}

Tensor tensordot(const TensorArg& a, const TensorArg& b, std::initializer_list<std::pair<int, int>> axes) {
  return tensordot(a, b, std::span(axes.begin(), axes.size()));
}

Tensor tensordot(const TensorArg& a, const TensorArg& b, int axes) {
  const Pair pair("tensordot", a, b);
  if (axes < 0 || axes > pair.a.rank() || axes > pair.b.rank()) {
    throw pair.refuse("tensordot", fmt::format("{} axes are to be folded", axes), "", a.where());
  }
  std::vector<std::pair<int, int>> pairs;
  for (int i = 0; i < axes; ++i) pairs.emplace_back(pair.a.rank() - axes + i, i);
  return tensordot(a, b, std::span<const std::pair<int, int>>(pairs));
}

Tensor kron(const TensorArg& a, const TensorArg& b) {
  const Pair pair("kron", a, b);
  Shape from_a = pair.a.shape(), from_b = pair.b.shape(), shape;
  while (from_a.rank() < from_b.rank()) from_a.insert(0, 1);
  while (from_b.rank() < from_a.rank()) from_b.insert(0, 1);
  if (2 * from_a.rank() > Shape::max_rank) {
    throw pair.refuse("kron", "expected at most 4 axes", "expected at most 4 axes", a.where());
  }
  Shape spread_a, spread_b;
  for (int axis = 0; axis < from_a.rank(); ++axis) {
    for (const std::int64_t size : {from_a[axis], std::int64_t{1}}) spread_a.push_back(size);
    for (const std::int64_t size : {std::int64_t{1}, from_b[axis]}) spread_b.push_back(size);
    shape.push_back(from_a[axis] * from_b[axis]);
  }
  const Tensor products = mul(at(reshape(at(pair.a, a), spread_a), a), reshape(at(pair.b, a), spread_b));
  return reshape(at(products, a), shape);
}

Tensor cdist(const TensorArg& a, const TensorArg& b, double p) {
  const Pair pair("cdist", a, b);
  if (!(p >= 0)) throw Error(ErrorKind::value, "cdist").at(a.where()).field("p", fmt::format("{}, expected >= 0", p));
  if (pair.a.rank() < 2 || pair.b.rank() < 2) {
    throw pair.refuse("cdist", pair.a.rank() < 2 ? "expected 2 or more axes" : "",
                      pair.b.rank() < 2 ? "expected 2 or more axes" : "", a.where());
  }
  const std::int64_t size = pair.a.size(-1);
  if (pair.b.size(-1) != size) {
    throw pair.refuse("cdist", "", fmt::format("axis {} is {}, expected {}", pair.b.rank() - 1, pair.b.size(-1), size),
                      a.where());
  }
  const Tensor difference = sub(at(unsqueeze(at(pair.a, a), -2), a), unsqueeze(at(pair.b, a), -3));
  if (!is_floating(difference.dtype())) {
    throw Error(ErrorKind::dtype, "cdist").at(a.where()).operand("a", pair.a.spec(), "expected floating elements");
  }
  const Tensor zero = constant(0, difference.dtype()), one = constant(1, difference.dtype());
  const Tensor distance = abs(difference);
  if (p == 0) return sum(cast(not_equal(difference, zero), difference.dtype()), -1);
  if (p == 1) return sum(distance, -1);
  if (std::isinf(p)) return max(distance, -1);
  // Powers only where they have a derivative.
  const Tensor power = constant(p, difference.dtype());
  const Tensor apart = greater(distance, zero);
  const Tensor powers = p == 2 ? square(difference) : where(apart, pow(where(apart, distance, one), power), zero);
  const Tensor sums = sum(powers, -1);
  const Tensor positive = greater(sums, zero), safe = where(positive, sums, one);
  return where(positive, p == 2 ? sqrt(safe) : pow(safe, one / power), zero);
}

Tensor addmm(const TensorArg& c, const TensorArg& a, const TensorArg& b, double beta, double alpha) {
  const Tensor product = mm(a, b);
  const TensorArg scaled_product = alpha == 1 ? at(product, a) : at(at(product, a) * at_number(alpha, a), a);
  return beta == 1 ? c + scaled_product : at(c * at_number(beta, a), a) + scaled_product;
}

Tensor cross(const TensorArg& a, const TensorArg& b, int axis) {
  const Pair p("cross", a, b);
  const int position = detail::normalize_axis(axis, p.a, "cross", a.where());
  if (p.a.shape() != p.b.shape() || p.a.size(position) != 3) {
    const bool three = p.a.size(position) == 3, same = p.a.shape() == p.b.shape();
    throw p.refuse("cross", three ? "" : fmt::format("expected 3 elements along axis {}", position),
                   same ? "" : "expected the shape of a", a.where());
  }
  const auto turned = [&](const Tensor& x, int by) {
    return concat({slice(at(x, a), position, by, 3), slice(at(x, a), position, 0, by)}, position, a.where());
  };
  return at(turned(p.a, 1), a) * turned(p.b, 2) - at(turned(p.a, 2), a) * turned(p.b, 1);
}

Tensor cov(const TensorArg& x, double correction) {
  const Tensor input = detail::operand(x, "cov");
  if (input.rank() != 2) {
    throw detail::refusal(ErrorKind::shape, "cov", "expected 2 axes: (variables, observations)", input, x.where());
  }
  const Tensor centred = at(input, x) - at(mean(at(input, x), 1, {.keepdim = true}), x);
  const Tensor products = matmul(at(centred, x), transpose(at(centred, x), 0, 1));
  return at(products, x) / at_number(std::max(0.0, static_cast<double>(input.size(1)) - correction), x);
}

Tensor corrcoef(const TensorArg& x) {
  const Tensor c = cov(x);
  const Tensor spread = sqrt(at(diagonal(at(c, x)), x));
  const Tensor by_rows = at(c, x) / unsqueeze(at(spread, x), 1);
  return clamp(at(at(by_rows, x) / at(spread, x), x), -1, 1);
}

}  // namespace gradus
