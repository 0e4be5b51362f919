#include "gradus/ops/sorting/embedding.h"

#include <fmt/format.h>

#include <limits>

#include "gradus/base/error.h"
#include "gradus/graph/node.h"
#include "gradus/ops/argument.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/factory.h"
#include "gradus/ops/index.h"
#include "gradus/ops/operands.h"
#include "gradus/ops/reduce.h"
#include "gradus/ops/sorting/sort.h"
#include "gradus/ops/view.h"

namespace gradus {
namespace {

/// The table and the indexes of an embedding.
struct Table {
  Tensor weight, index;
  std::optional<std::int64_t> padding;

  Table(const char* op, const TensorArg& weight_arg, const TensorArg& index_arg,
        std::optional<std::int64_t> padding_idx, SourceLocation where)
      : weight(detail::tensor_operand(op, "weight", weight_arg, where)),
        index(detail::tensor_operand(op, "index", index_arg, where)),
        padding(padding_idx) {
    if (weight.rank() != 2) {
      throw Error(ErrorKind::shape, op)
          .at(where)
          .operand("weight", weight.spec(), "expected 2 axes: (rows, size)")
          .operand("index", index.spec());
    }
    if (!is_integral(index.dtype())) {
      throw Error(ErrorKind::dtype, op).at(where).operand("index", index.spec(), "expected integers");
    }
    if (index.dtype() != DType::i32) index = cast(TensorArg(index, where), DType::i64);
    const std::int64_t rows = weight.shape()[0];
    if (padding && *padding < 0) *padding += rows;
    if (padding && (*padding < 0 || *padding >= rows)) {
      throw Error(ErrorKind::value, op)
          .at(where)
          .operand("weight", weight.spec())
          .field("padding_idx", fmt::format("{}, expected {} to {}", *padding_idx, -rows, rows - 1));
    }
  }

  /// Whether an index counts, or undefined when all do.
  Tensor counts() const {
    return padding ? not_equal(index, constant(static_cast<double>(*padding), index.dtype())) : Tensor();
  }
};

Tensor rows_of(const Table& table, SourceLocation where) {
  const Tensor rows = take(TensorArg(table.weight, where), table.index);
  rows.node()->called = "embedding";
  return rows;
}

/// Rows with a p-norm of at most `limit`; the gradient passes.
Tensor limited(const Tensor& rows, double limit, double p, SourceLocation where) {
  if (!(limit > 0) || !(p > 0)) {
    throw Error(ErrorKind::value, "embedding")
        .at(where)
        .field("max_norm", fmt::format("{}, expected > 0", limit))
        .field("norm_type", fmt::format("{}, expected > 0", p));
  }
  const Tensor fixed = stop_gradient(rows);
  const Tensor length = norm(fixed, p, -1, {.keepdim = true}), most = constant(limit, rows.dtype());
  const Tensor scale = most / (length + constant(1e-7, rows.dtype()));
  const Tensor excess = fixed * (scale - constant(1, rows.dtype()));
  return rows + gradus::where(greater(length, most), excess, constant(0, rows.dtype()));
}

/// How many of each bag count, at least 1, in the type of the weights; `bag` sums [.., length] per bag.
template <class Sum>
Tensor divisor(const Table& table, DType dtype, const Sum& bag) {
  const Tensor counts = table.counts();
  const Tensor ones_of = counts.defined() ? cast(counts, dtype) : ones(table.index.shape(), dtype);
  return unsqueeze(maximum(bag(ones_of), constant(1, dtype)), -1);
}

/// The rows, weighted, with zeros for those that do not count.
Tensor weighted_rows(const Table& table, const EmbeddingBagOptions& options, SourceLocation where) {
  Tensor rows = rows_of(table, where);
  const Tensor& weights = options.per_sample_weights;
  if (weights.defined()) {
    if (options.mode != BagMode::sum || weights.shape() != table.index.shape()) {
      throw Error(ErrorKind::usage, "embedding_bag",
                  "per_sample_weights have the shape of the index, and weigh sums only")
          .at(where)
          .operand("index", table.index.spec())
          .operand("per_sample_weights", weights.spec());
    }
    rows = rows * unsqueeze(weights, -1);
  }
  const Tensor counts = table.counts();
  return counts.defined() ? gradus::where(unsqueeze(counts, -1), rows, constant(0, rows.dtype())) : rows;
}

/// The largest elements of each bag; `bag` (of the shape of the index) says which of `count` bags a row belongs to.
Tensor largest_of_bags(const Table& table, const Tensor& bag, std::int64_t count, SourceLocation where) {
  Tensor rows = rows_of(table, where);
  const DType dtype = rows.dtype();
  const Tensor lowest = constant(-std::numeric_limits<double>::infinity(), dtype), counts = table.counts();
  if (counts.defined()) rows = gradus::where(unsqueeze(counts, -1), rows, lowest);
  const Shape bags{count, table.weight.shape()[1]}, flat{table.index.numel(), bags[1]};
  const Tensor place = broadcast_to(reshape(bag, Shape{flat[0], 1}), flat);
  const Tensor largest =
      scatter_reduce(TensorArg(broadcast_to(lowest, bags), where), 0, place, reshape(rows, flat), ScatterReduce::amax);
  return gradus::where(equal(largest, lowest), constant(0, dtype), largest);  // bags where nothing counts
}

}  // namespace

Tensor embedding(const TensorArg& weight, const TensorArg& index, const EmbeddingOptions& options,
                 SourceLocation where) {
  const Table table("embedding", weight, index, options.padding_idx, where);
  Tensor rows = rows_of(table, where);
  if (options.max_norm) rows = limited(rows, *options.max_norm, options.norm_type, where);
  const Tensor counts = table.counts();
  if (counts.defined()) rows = gradus::where(unsqueeze(counts, -1), rows, stop_gradient(rows));
  if (!rows.evaluated()) rows.node()->called = "embedding";
  return rows;
}

Tensor embedding_bag(const TensorArg& weight, const TensorArg& index, const EmbeddingBagOptions& options,
                     SourceLocation where) {
  const Table table("embedding_bag", weight, index, options.padding_idx, where);
  if (table.index.rank() != 2) {
    throw Error(ErrorKind::shape, "embedding_bag")
        .at(where)
        .operand("weight", table.weight.spec())
        .operand("index", table.index.spec(), "expected 2 axes: (bags, length)")
        .hint("bags of different lengths have offsets: embedding_bag(weight, index, offsets)");
  }
  if (table.index.shape()[1] == 0) {
    return zeros(Shape{table.index.shape()[0], table.weight.shape()[1]}, table.weight.dtype());
  }
  if (options.mode == BagMode::max) {
    const std::int64_t bags = table.index.shape()[0];
    const Tensor bag = broadcast_to(reshape(arange(bags), Shape{bags, 1}), table.index.shape());
    return largest_of_bags(table, bag, bags, where);
  }
  const Tensor sums = sum(weighted_rows(table, options, where), 1);
  if (options.mode == BagMode::sum) return sums;
  return sums / divisor(table, sums.dtype(), [](const Tensor& x) { return sum(x, 1); });
}

Tensor embedding_bag(const TensorArg& weight, const TensorArg& index, const Tensor& offsets,
                     const EmbeddingBagOptions& options, SourceLocation where) {
  const Table table("embedding_bag", weight, index, options.padding_idx, where);
  const Tensor starts = detail::tensor_operand("embedding_bag", "offsets", TensorArg(offsets, where), where);
  if (table.index.rank() != 1 || starts.rank() != 1) {
    throw Error(ErrorKind::shape, "embedding_bag")
        .at(where)
        .operand("index", table.index.spec(), "expected 1 axis")
        .operand("offsets", starts.spec(), "expected 1 axis");
  }
  const Tensor position = cast(arange(table.index.shape()[0]), starts.dtype());
  const Tensor bag = searchsorted(TensorArg(starts, where), position, {.right = true}) - constant(1, DType::i64);
  const auto sum_bags = [&](const Tensor& x) {
    Shape shape = x.shape();
    shape.set(0, starts.shape()[0]);
    return record(TakeAdd{0}, {zeros(shape, x.dtype()), bag, x}, where);
  };
  if (options.mode == BagMode::max) return largest_of_bags(table, bag, starts.shape()[0], where);
  const Tensor sums = sum_bags(weighted_rows(table, options, where));
  return options.mode == BagMode::sum ? sums : sums / divisor(table, sums.dtype(), sum_bags);
}

namespace {

/// What the functions that change slices get: `source` has the shape of `x`, but for one slice for each index.
struct SliceOperands {
  Tensor x, index, source;
  int axis;

  SliceOperands(const char* op, const TensorArg& x_arg, int axis_arg, const TensorArg& index_arg,
                const TensorArg& source_arg)
      : x(detail::operand(x_arg, op)),
        index(detail::tensor_operand(op, "index", index_arg, x_arg.where())),
        axis(detail::normalize_axis(axis_arg, x, op, x_arg.where())) {
    if (index.rank() != 1) {
      throw Error(ErrorKind::shape, op).at(x_arg.where()).operand("index", index.spec(), "expected 1 axis");
    }
    Shape expected = x.shape();
    expected.set(axis, index.shape()[0]);
    source = source_arg.is_number() ? broadcast_to(constant(source_arg.number(), x.dtype()), expected)
                                    : detail::tensor_operand(op, "source", source_arg, x_arg.where());
    if (source.shape() == expected) return;
    throw Error(ErrorKind::shape, op)
        .at(x_arg.where())
        .operand("input", x.spec())
        .operand("index", index.spec())
        .operand("source", source.spec(), fmt::format("expected {}", expected.str()));
  }
  Tensor copied(SourceLocation where) const {
    Shape row;
    for (int a = 0; a < x.rank(); ++a) row.push_back(a == axis ? index.shape()[0] : 1);
    const Tensor places = broadcast_to(reshape(TensorArg(index, where), row), source.shape());
    return scatter(TensorArg(x, where), axis, places, source);
  }
};

}  // namespace

Tensor index_add(const TensorArg& x, int axis, const TensorArg& index, const TensorArg& source, double alpha) {
  SliceOperands o("index_add", x, axis, index, source);
  if (alpha != 1) o.source = o.source * constant(alpha, o.source.dtype());
  const Tensor result = record(TakeAdd{o.axis}, {o.x, o.index, o.source}, x.where());
  result.node()->called = "index_add";
  return result;
}

Tensor index_copy(const TensorArg& x, int axis, const TensorArg& index, const TensorArg& source) {
  return SliceOperands("index_copy", x, axis, index, source).copied(x.where());
}

Tensor index_fill(const TensorArg& x, int axis, const TensorArg& index, double value) {
  return SliceOperands("index_fill", x, axis, index, TensorArg(value, x.where())).copied(x.where());
}

Tensor take_along_dim(const TensorArg& x, const TensorArg& index, int axis) {
  Tensor input = detail::operand(x, "take_along_dim"), indexes = detail::operand(index, "take_along_dim");
  const int at = detail::normalize_axis(axis, input, "take_along_dim", x.where());
  if (indexes.rank() != input.rank()) {
    throw Error(ErrorKind::shape, "take_along_dim")
        .at(x.where())
        .operand("input", input.spec())
        .operand("index", indexes.spec(), fmt::format("expected {} axes", input.rank()));
  }
  Shape to = input.shape(), index_to = indexes.shape();
  for (int a = 0; a < input.rank(); ++a) {
    if (a == at) continue;
    if (to[a] == 1) to.set(a, index_to[a]);
    if (index_to[a] == 1) index_to.set(a, to[a]);
  }
  input = broadcast_to(TensorArg(input, x.where()), to);
  return gather(TensorArg(input, x.where()), at, broadcast_to(TensorArg(indexes, x.where()), index_to));
}

}  // namespace gradus
