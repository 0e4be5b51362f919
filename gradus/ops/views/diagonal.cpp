#include "gradus/ops/views/diagonal.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "gradus/base/error.h"
#include "gradus/ops/argument.h"
#include "gradus/ops/concat.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/factory.h"
#include "gradus/ops/reduce.h"
#include "gradus/ops/view.h"

namespace gradus {
namespace {

/// Keeps what lies below diagonal k (`lower`) or above it.
Tensor triangle(const char* op, const TensorArg& x, std::int64_t k, bool lower) {
  const Tensor input = detail::operand(x, op);
  if (input.rank() < 2) throw detail::refusal(ErrorKind::shape, op, "expected 2 or more axes", input, x.where());
  const std::int64_t rows = input.shape()[input.rank() - 2], columns = input.shape()[input.rank() - 1];
  const Tensor limit = reshape(arange(k, k + rows), Shape{rows, 1}), column = arange(columns);
  const Tensor inside = lower ? less_equal(column, limit) : greater_equal(column, limit);
  return where(TensorArg(inside, x.where()), input, constant(0, input.dtype()));
}

}  // namespace

Tensor tril(const TensorArg& x, std::int64_t k) { return triangle("tril", x, k, true); }
Tensor triu(const TensorArg& x, std::int64_t k) { return triangle("triu", x, k, false); }

Tensor diagonal(const TensorArg& x, std::int64_t k, int axis1, int axis2) {
  const Tensor input = detail::operand(x, "diagonal");
  const int rank = input.rank();
  const int first = detail::normalize_axis(axis1, input, "diagonal", x.where());
  const int second = detail::normalize_axis(axis2, input, "diagonal", x.where());
  if (first == second) {
    throw detail::refusal(ErrorKind::axis, "diagonal", fmt::format("both axes are axis {}", first), input, x.where());
  }
  SmallVector<int, 8> order;
  for (int axis = 0; axis < rank; ++axis) {
    if (axis != first && axis != second) order.push_back(axis);
  }
  order.push_back(first);
  order.push_back(second);
  const Tensor matrices = permute(TensorArg(input, x.where()), std::span<const int>(order));
  // Row-major, the diagonal is every (columns + 1)st element.
  const Shape& shape = matrices.shape();
  const std::int64_t rows = shape[rank - 2], columns = shape[rank - 1];
  const std::int64_t length =
      std::max<std::int64_t>(0, std::min(k < 0 ? rows + k : rows, k < 0 ? columns : columns - k));
  const std::int64_t start = length == 0 ? 0 : (k < 0 ? -k * columns : k);
  const std::int64_t stop = length == 0 ? 0 : start + (length - 1) * (columns + 1) + 1;
  Shape flat = shape;
  flat.erase(rank - 1);
  flat.set(rank - 2, rows * columns);
  const Tensor elements = reshape(TensorArg(matrices, x.where()), flat);
  return slice(TensorArg(elements, x.where()), rank - 2, start, stop, columns + 1);
}

Tensor diag_embed(const TensorArg& x, std::int64_t k) {
  const Tensor input = detail::operand(x, "diag_embed");
  if (input.rank() < 1)
    throw detail::refusal(ErrorKind::shape, "diag_embed", "expected 1 or more axes", input, x.where());
  const int last = input.rank() - 1;
  const std::int64_t count = input.shape()[last], size = count + std::abs(k);
  Pad around;
  const auto at = static_cast<std::size_t>(last);
  const std::int64_t inner = count == 0 ? 0 : (count - 1) * (size + 1) + 1;
  around.interior[at] = size;
  around.before[at] = count == 0 ? 0 : (k < 0 ? -k * size : k);
  around.after[at] = size * size - around.before[at] - inner;
  Shape shape = input.shape();
  shape.set(last, size);
  shape.push_back(size);
  return reshape(TensorArg(record(around, {input}, x.where()), x.where()), shape);
}

Tensor diag(const TensorArg& x, std::int64_t k) {
  const Tensor input = detail::operand(x, "diag");
  if (input.rank() == 1) return diag_embed(TensorArg(input, x.where()), k);
  if (input.rank() == 2) return diagonal(TensorArg(input, x.where()), k);
  throw detail::refusal(ErrorKind::shape, "diag", "expected a vector or a matrix", input, x.where())
      .hint("diagonal() and diag_embed() accept stacks");
}

Tensor trace(const TensorArg& x) {
  const Tensor input = detail::operand(x, "trace");
  if (input.rank() != 2) throw detail::refusal(ErrorKind::shape, "trace", "expected a matrix", input, x.where());
  return sum(TensorArg(diagonal(TensorArg(input, x.where())), x.where()));
}

}  // namespace gradus
