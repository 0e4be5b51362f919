#include "gradus/ops/sorting/sort.h"

#include <fmt/format.h>

#include "gradus/base/error.h"
#include "gradus/ops/argument.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/factory.h"
#include "gradus/ops/index.h"
#include "gradus/ops/operands.h"
#include "gradus/ops/reduce.h"
#include "gradus/ops/view.h"
#include "gradus/ops/views/rearrange.h"

namespace gradus {
namespace {

using detail::operand;
using detail::refusal;

Tensor zeros_of(const TensorSpec& spec) { return broadcast_to(constant(0, spec.dtype), spec.shape); }

/// Sorted along `axis`, which is the last axis of what is returned.
Ranked sort_last(std::string_view op, const TensorArg& x, int axis, bool descending) {
  const Tensor input = operand(x, op);
  const int at = detail::normalize_axis(axis, input, op, x.where());
  const Tensor moved = movedim(TensorArg(detail::widen(input, x.where()), x.where()), at, -1);
  const Tensors outputs = record_all(Sort{descending}, std::span(&moved, 1), x.where());
  return {detail::narrow(outputs[0], input.dtype(), x.where()), outputs[1]};
}

Ranked moved_back(const Ranked& ranked, int axis) {
  return {movedim(ranked.values, -1, axis), movedim(ranked.indices, -1, axis)};
}

/// Element `k` (from 0) of the last axis, which then is axis `axis` with size 1, or gone.
Ranked pick(const Ranked& ranked, std::int64_t k, int axis, bool keepdim) {
  const Ranked picked{narrow(ranked.values, -1, k, 1), narrow(ranked.indices, -1, k, 1)};
  if (keepdim) return moved_back(picked, axis);
  return {squeeze(picked.values, -1), squeeze(picked.indices, -1)};
}

Error search_error(ErrorKind kind, const TensorSpec& sorted, std::string of_sorted, const TensorSpec& values,
                   std::string of_values) {
  return Error(kind, "searchsorted")
      .operand("sorted", sorted, std::move(of_sorted))
      .operand("values", values, std::move(of_values));
}

}  // namespace

Specs Sort::infer(std::span<const TensorSpec> inputs) const {
  if (inputs[0].shape.rank() < 1) throw Error(ErrorKind::shape, "sort").operand("input", inputs[0], "expected an axis");
  if (inputs[0].dtype == DType::bf16) throw Error(ErrorKind::dtype, "sort").operand("input", inputs[0], "expected f32");
  return {inputs[0], {DType::i64, inputs[0].shape}};
}

Tensors Sort::vjp(const VjpArgs& args) const {
  const Tensor& g = args.cotangents[0];
  if (!args.wants(0) || !g.defined()) return {Tensor()};
  return {record(ScatterAdd{g.rank() - 1}, {zeros_of(g.spec()), args.outputs[1], g})};
}

Tensors Sort::batch(const BatchArgs& args) const { return record_all(*this, args.inputs, {}); }

Specs SearchSorted::infer(std::span<const TensorSpec> inputs) const {
  const TensorSpec &sorted = inputs[0], &values = inputs[1];
  if (sorted.dtype != values.dtype || sorted.dtype == DType::bf16 || sorted.dtype == DType::boolean) {
    throw search_error(ErrorKind::dtype, sorted, "expected numbers of one type", values, "");
  }
  const int rank = sorted.shape.rank();
  if (rank < 1) throw search_error(ErrorKind::shape, sorted, "expected 1 or more axes", values, "");
  if (rank == 1) return {{DType::i64, values.shape}};
  if (values.shape.rank() != rank) {
    throw search_error(ErrorKind::shape, sorted, "", values, fmt::format("expected {} axes", rank));
  }
  for (int axis = 0; axis + 1 < rank; ++axis) {
    if (values.shape[axis] == sorted.shape[axis]) continue;
    throw search_error(ErrorKind::shape, sorted, "", values,
                       fmt::format("axis {} is {}, expected {}", axis, values.shape[axis], sorted.shape[axis]));
  }
  return {{DType::i64, values.shape}};
}

Tensors SearchSorted::vjp(const VjpArgs&) const { return {Tensor(), Tensor()}; }

Tensors SearchSorted::batch(const BatchArgs& args) const {
  Tensor sorted = args.inputs[0], values = args.inputs[1];
  if (!args.is_batched(0) && sorted.rank() == 1) return {record(*this, {sorted, values})};
  const auto spread = [&](const Tensor& x) {
    Shape shape = x.shape();
    shape.insert(0, args.size);
    return broadcast_to(x, shape);
  };
  if (!args.is_batched(0)) sorted = spread(sorted);
  if (!args.is_batched(1)) values = spread(values);
  if (sorted.rank() > 2 || values.rank() == 2) return {record(*this, {sorted, values})};
  // One sequence an example, values of any shape.
  const Tensor flat = reshape(values, Shape{args.size, values.shape().numel(1, values.rank())});
  return {reshape(record(*this, {sorted, flat}), values.shape())};
}

Ranked sort(const TensorArg& x, int axis, SortOptions options) {
  return moved_back(sort_last("sort", x, axis, options.descending), axis);
}

Tensor argsort(const TensorArg& x, int axis, SortOptions options) {
  return movedim(sort_last("argsort", x, axis, options.descending).indices, -1, axis);
}

Ranked topk(const TensorArg& x, std::int64_t k, TopkOptions options) {
  const Ranked sorted = sort_last("topk", x, options.axis, options.largest);
  const std::int64_t size = sorted.values.size(-1);
  if (k < 0 || k > size) {
    throw refusal(ErrorKind::value, "topk", fmt::format("k is {}, expected 0 to {}", k, size), operand(x, "topk"),
                  x.where());
  }
  return moved_back({narrow(sorted.values, -1, 0, k), narrow(sorted.indices, -1, 0, k)}, options.axis);
}

Ranked kthvalue(const TensorArg& x, std::int64_t k, int axis, KthOptions options) {
  const Ranked sorted = sort_last("kthvalue", x, axis, false);
  const std::int64_t size = sorted.values.size(-1);
  if (k < 1 || k > size) {
    throw refusal(ErrorKind::value, "kthvalue", fmt::format("k is {}, expected 1 to {}", k, size),
                  operand(x, "kthvalue"), x.where());
  }
  return pick(sorted, k - 1, axis, options.keepdim);
}

Ranked median(const TensorArg& x, int axis, KthOptions options) {
  const Ranked sorted = sort_last("median", x, axis, false);
  const std::int64_t size = sorted.values.size(-1);
  if (size == 0) {
    throw refusal(ErrorKind::shape, "median", fmt::format("axis {} is empty", axis), operand(x, "median"), x.where());
  }
  const Ranked middle = pick(sorted, (size - 1) / 2, axis, options.keepdim);
  if (!is_floating(middle.values.dtype())) return middle;
  const Ranked last = pick(sorted, size - 1, axis, options.keepdim);  // NaN if there is one
  const Tensor is_nan = not_equal(last.values, last.values);
  return {where(is_nan, last.values, middle.values), where(is_nan, last.indices, middle.indices)};
}

Tensor median(const TensorArg& x) {
  const Tensor flat = flatten(TensorArg(operand(x, "median"), x.where()));
  return median(TensorArg(flat, x.where()), 0).values;
}

Tensor quantile(const TensorArg& x, double q, int axis, KthOptions options) {
  const Tensor input = operand(x, "quantile");
  if (!is_floating(input.dtype())) {
    throw refusal(ErrorKind::dtype, "quantile", "expected floating elements", input, x.where());
  }
  if (!(q >= 0 && q <= 1)) {
    throw refusal(ErrorKind::value, "quantile", fmt::format("q is {}, expected 0 to 1", q), input, x.where());
  }
  const Ranked sorted = sort_last("quantile", x, axis, false);
  const std::int64_t size = sorted.values.size(-1);
  if (size == 0) {
    throw refusal(ErrorKind::shape, "quantile", fmt::format("axis {} is empty", axis), input, x.where());
  }
  const double place = q * static_cast<double>(size - 1), whole = std::floor(place);
  const auto at = [&](std::int64_t i) {
    return detail::widen(pick(sorted, std::min(i, size - 1), axis, options.keepdim).values, x.where());
  };
  const auto lower = static_cast<std::int64_t>(whole);
  const Tensor low = at(lower), high = at(lower + 1), last = at(size - 1);
  const Tensor value = low + (high - low) * constant(place - whole, low.dtype());
  return detail::narrow(where(not_equal(last, last), last, value), input.dtype(), x.where());
}

Tensor quantile(const TensorArg& x, double q) {
  const Tensor flat = flatten(TensorArg(operand(x, "quantile"), x.where()));
  return quantile(TensorArg(flat, x.where()), q, 0);
}

Tensor searchsorted(const TensorArg& sorted, const TensorArg& values, SearchOptions options) {
  const SourceLocation where = sorted.where();
  Tensor sequence = detail::tensor_operand("searchsorted", "sorted", sorted, where);
  Tensor wanted = operand(values, "searchsorted");
  if (values.is_number()) wanted = cast(wanted, sequence.dtype());
  detail::promote_operands("searchsorted", "sorted", sequence, "values", wanted, where);
  return record(SearchSorted{options.right}, {detail::widen(sequence, where), detail::widen(wanted, where)}, where);
}

Tensor bucketize(const TensorArg& x, const TensorArg& boundaries, SearchOptions options) {
  const Tensor& sorted = detail::tensor_operand("bucketize", "boundaries", boundaries, x.where());
  if (sorted.rank() != 1) {
    throw Error(ErrorKind::shape, "bucketize")
        .at(x.where())
        .operand("boundaries", sorted.spec(), "expected 1 axis")
        .hint("searchsorted() accepts one sequence per row");
  }
  return searchsorted(TensorArg(sorted, x.where()), x, options);
}

Tensor histc(const TensorArg& x, std::int64_t bins, HistcOptions options) {
  const Tensor input = operand(x, "histc");
  if (!is_floating(input.dtype())) {
    throw refusal(ErrorKind::dtype, "histc", "expected floating elements", input, x.where());
  }
  if (bins < 1 || !(options.min <= options.max)) {
    throw refusal(ErrorKind::value, "histc", fmt::format("{} bins from {} to {}", bins, options.min, options.max),
                  input, x.where());
  }
  const Tensor flat = flatten(TensorArg(stop_gradient(detail::widen(input, x.where())), x.where()));
  const bool whole = options.min == 0 && options.max == 0 && flat.numel() > 0;
  Tensor low = whole ? min(flat) : constant(options.min, flat.dtype());
  Tensor high = whole ? max(flat) : constant(options.max, flat.dtype());
  const Tensor flatness = equal(low, high);  // one value: a range of 1 on both sides
  const Tensor one = constant(1, flat.dtype());
  low = where(flatness, low - one, low);
  high = where(flatness, high + one, high);
  const Tensor count = constant(static_cast<double>(bins), flat.dtype());
  const Tensor position = floor((flat - low) / (high - low) * count);
  const Tensor inside = logical_and(greater_equal(flat, low), less_equal(flat, high));
  const Tensor bin = where(inside, minimum(position, count - one), count);  // those outside go to a bin behind the last
  const Tensor zero = broadcast_to(constant(0, flat.dtype()), Shape{bins + 1});
  const Tensor ones_of = broadcast_to(one, flat.shape());
  const Tensor counts = scatter_add(zero, 0, cast(bin, DType::i64), ones_of);
  return detail::narrow(slice(TensorArg(counts, x.where()), 0, 0, bins), input.dtype(), x.where());
}

}  // namespace gradus
