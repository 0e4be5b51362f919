#include "gradus/nn/functional/embedding.h"

#include <fmt/format.h>

#include <limits>

#include "gradus/nn/functional/argument.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/factory.h"
#include "gradus/ops/index.h"
#include "gradus/ops/matmul.h"
#include "gradus/ops/reduce.h"
#include "gradus/ops/view.h"

namespace gradus {
namespace {

struct At {
  SourceLocation where;
  TensorArg operator()(const Tensor& x) const { return TensorArg(x, where); }
  TensorArg operator()(double x) const { return TensorArg(x, where); }
};

const Tensor& table(const char* op, const TensorArg& weight, SourceLocation where) {
  const Tensor& found = detail::required_floating(op, "weight", TensorArg(weight.tensor(), where));
  if (found.rank() == 2) return found;
  throw Error(ErrorKind::shape, op).at(where).operand("weight", found.spec(), "expected (rows, width)");
}

const Tensor& indices_of(const char* op, const char* role, const TensorArg& arg, SourceLocation where) {
  const Tensor& found = detail::required(op, role, TensorArg(arg.tensor(), where));
  if (is_integral(found.dtype())) return found;
  throw Error(ErrorKind::dtype, op).at(where).operand(role, found.spec(), "expected integers");
}

/// `padding` counted from the front.
std::int64_t padding_row(const char* op, std::int64_t padding, const Tensor& weight, SourceLocation where) {
  const std::int64_t rows = weight.shape()[0];
  if (padding >= -rows && padding < rows) return padding < 0 ? padding + rows : padding;
  throw Error(ErrorKind::value, op, fmt::format("padding_idx is {}, but there are {} rows", padding, rows)).at(where);
}

/// Which bag each position of a vector belongs to: bool (positions, bags).
Tensor membership(std::int64_t positions, const Tensor& offsets, bool include_last, const At& at) {
  const Tensor starts = cast(at(include_last ? slice(at(offsets), 0, 0, -1) : offsets), DType::i64);
  const std::int64_t bags = starts.shape()[0];
  const Tensor position = unsqueeze(at(arange(positions)), 1);
  const Tensor begun = greater_equal(at(position), at(starts));
  if (bags == 1) return begun;
  const Tensor next = slice(at(begun), 1, 1);
  const Tensor never = broadcast_to(at(constant(0, DType::boolean)), Shape{positions, 1});
  const Tensor over = concat({next, never}, 1);
  return logical_and(at(begun), at(logical_not(at(over))));
}

/// Rows (n, bags or size, d) with `counts` (the same without d): the bags' values along `axis`.
Tensor folded(const Tensor& rows, const Tensor& counts, int axis, BagMode mode, const At& at) {
  const Tensor in = unsqueeze(at(counts), -1);
  const Tensor size = sum(at(cast(at(in), rows.dtype())), axis);
  const Tensor nothing = equal(at(size), at(0.0));
  if (mode == BagMode::max) {
    const Tensor least = where(at(in), at(rows), at(-std::numeric_limits<double>::infinity()));
    return where(at(nothing), at(0.0), at(max(at(least), axis)));
  }
  const Tensor total = sum(at(where(at(in), at(rows), at(0.0))), axis);
  if (mode == BagMode::sum) return total;
  return at(total) / at(where(at(nothing), at(1.0), at(size)));
}

}  // namespace

Tensor embedding(const TensorArg& indices_arg, const TensorArg& weight_arg, std::optional<std::int64_t> padding_idx) {
  constexpr const char* op = "embedding";
  const At at{indices_arg.where()};
  const Tensor& weight = table(op, weight_arg, at.where);
  const Tensor& indices = indices_of(op, "indices", indices_arg, at.where);
  const Tensor rows = take(at(weight), at(cast(at(indices), DType::i64)));
  if (!padding_idx) return detail::named(op, rows);
  const auto padding = static_cast<double>(padding_row(op, *padding_idx, weight, at.where));
  const Tensor is_padding =
      unsqueeze(at(equal(at(cast(at(indices), DType::i64)), at(constant(padding, DType::i64)))), -1);
  return detail::named(op, where(at(is_padding), at(stop_gradient(at(rows))), at(rows)));
}

Tensor embedding_bag(const TensorArg& indices_arg, const TensorArg& weight_arg, const TensorArg& offsets_arg,
                     const EmbeddingBagOptions& options, const TensorArg& samples) {
  constexpr const char* op = "embedding_bag";
  const At at{indices_arg.where()};
  const Tensor& weight = table(op, weight_arg, at.where);
  const Tensor indices = cast(at(indices_of(op, "indices", indices_arg, at.where)), DType::i64);
  const bool with_offsets = offsets_arg.tensor().defined();
  if (indices.rank() != (with_offsets ? 1 : 2)) {
    throw Error(ErrorKind::shape, op)
        .at(at.where)
        .operand("indices", indices.spec(),
                 with_offsets ? "expected one axis, as there are offsets" : "expected (bags, size)")
        .hint(with_offsets ? "without offsets every row of the indices is a bag"
                           : "give offsets for bags of several sizes");
  }
  Tensor rows = take(at(weight), at(indices));
  if (samples.tensor().defined()) {
    if (options.mode != BagMode::sum || samples.tensor().shape() != indices.shape()) {
      throw Error(options.mode == BagMode::sum ? ErrorKind::shape : ErrorKind::value, op,
                  options.mode == BagMode::sum ? "" : "per_sample_weights need mode sum")
          .at(at.where)
          .operand("indices", indices.spec())
          .operand("per_sample_weights", samples.tensor().spec());
    }
    rows = at(rows) * at(unsqueeze(at(samples.tensor()), -1));
  }
  Tensor counts = broadcast_to(at(constant(1, DType::boolean)), indices.shape());
  if (options.padding_idx) {
    const auto padding = static_cast<double>(padding_row(op, *options.padding_idx, weight, at.where));
    counts = not_equal(at(indices), at(constant(padding, DType::i64)));
  }
  if (!with_offsets) return detail::named(op, folded(rows, counts, 1, options.mode, at));
  const Tensor& offsets = indices_of(op, "offsets", offsets_arg, at.where);
  if (offsets.rank() != 1 || offsets.shape()[0] < (options.include_last_offset ? 2 : 1)) {
    throw Error(ErrorKind::shape, op).at(at.where).operand("offsets", offsets.spec(), "expected one axis of bags");
  }
  const Tensor belongs = membership(indices.shape()[0], offsets, options.include_last_offset, at);
  const Tensor in_bag = logical_and(at(belongs), at(unsqueeze(at(counts), 1)));
  return detail::named(op, folded(unsqueeze(at(rows), 1), in_bag, 0, options.mode, at));
}

Tensor bilinear(const TensorArg& a, const TensorArg& b, const TensorArg& weight_arg, const TensorArg& bias) {
  constexpr const char* op = "bilinear";
  const At at{a.where()};
  const Tensor& x1 = detail::required_floating(op, "input1", a);
  const Tensor& x2 = detail::required_floating(op, "input2", TensorArg(b.tensor(), at.where));
  const Tensor& weight = detail::required_floating(op, "weight", TensorArg(weight_arg.tensor(), at.where));
  bool fits = weight.rank() == 3 && x1.rank() >= 1 && x1.rank() == x2.rank() &&
              x1.shape()[x1.rank() - 1] == weight.shape()[1] && x2.shape()[x2.rank() - 1] == weight.shape()[2];
  for (int axis = 0; fits && axis + 1 < x1.rank(); ++axis) fits = x1.shape()[axis] == x2.shape()[axis];
  if (!fits) {
    throw Error(ErrorKind::shape, op)
        .at(at.where)
        .operand("input1", x1.spec(), "expected (.., in1)")
        .operand("input2", x2.spec(), "expected (.., in2)")
        .operand("weight", weight.spec(), "(out, in1, in2)");
  }
  const Tensor products = at(unsqueeze(at(x1), -1)) * at(unsqueeze(at(x2), -2));
  const Tensor pairs = flatten(at(products), products.rank() - 2, -1);
  const Tensor flat = flatten(at(weight), 1, 2);
  return detail::named(op, linear(at(pairs), at(flat), at(bias.tensor()), at.where));
}

}  // namespace gradus
