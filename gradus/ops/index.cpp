#include "gradus/ops/index.h"

#include <fmt/format.h>

#include <limits>
#include <vector>

#include "gradus/ops/batch.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/factory.h"
#include "gradus/ops/view.h"

namespace gradus {
namespace {

std::string along(int axis, std::int64_t size, std::int64_t limit) {
  return fmt::format("axis {} is {}, expected at most {}", axis, size, limit);
}

void require_index_type(std::string_view op, const TensorSpec& index) {
  if (index.dtype == DType::i64 || index.dtype == DType::i32) return;
  throw Error(ErrorKind::dtype, std::string(op))
      .operand("index", index, "expected i64 or i32")
      .hint("convert it: cast(index, DType::i64)");
}

/// The rule of gather and scatter_add: as many axes as `x`, and nowhere larger but along `axis`.
void require_inside(std::string_view op, const TensorSpec& x, const TensorSpec& index, int axis) {
  if (index.shape.rank() != x.shape.rank()) {
    throw Error(ErrorKind::shape, std::string(op))
        .operand("input", x)
        .operand("index", index, fmt::format("expected {} axes", x.shape.rank()));
  }
  for (int a = 0; a < x.shape.rank(); ++a) {
    if (a != axis && index.shape[a] > x.shape[a]) {
      throw Error(ErrorKind::shape, std::string(op))
          .operand("input", x)
          .operand("index", index, along(a, index.shape[a], x.shape[a]));
    }
  }
}

void require_same_type(std::string_view op, const TensorSpec& x, const TensorSpec& source, bool moves = false) {
  if (x.dtype == source.dtype && (moves || x.dtype != DType::boolean)) return;
  throw Error(ErrorKind::dtype, std::string(op))
      .operand("input", x)
      .operand("source", source,
               x.dtype == source.dtype ? "expected a number type" : fmt::format("expected {}", name_of(x.dtype)));
}

Shape take_shape(const Shape& x, const Shape& index, int axis) {
  Shape shape;
  for (int a = 0; a < axis; ++a) shape.push_back(x[a]);
  for (const std::int64_t size : index) shape.push_back(size);
  for (int a = axis + 1; a < x.rank(); ++a) shape.push_back(x[a]);
  return shape;
}

/// Indexes of each example, [size, ...], as indexes for gather and scatter_add along `axis` of `x`, [size, ...]: one row of
/// them, repeated over all other axes.
Tensor spread_index(const Tensor& index, const Shape& x, int axis) {
  Shape row{index.shape()[0]}, spread = x;
  for (int a = 1; a < x.rank(); ++a) row.push_back(1);
  row.set(axis, index.shape().numel(1, index.rank()));
  spread.set(axis, row[axis]);
  return broadcast_to(reshape(index, row), spread);
}

template <class T>
void check_elements(std::string_view op, const Tensor& index, std::int64_t limit, SourceLocation where) {
  const std::span<const T> elements = index.data<T>();
  for (std::size_t i = 0; i < elements.size(); ++i) {
    if (elements[i] < 0 || elements[i] >= limit) {
      throw index_error(op, "index", index.spec(), static_cast<std::int64_t>(i), elements[i], limit).at(where);
    }
  }
}

/// Checks at the call what can be checked then.
void check_evaluated(std::string_view op, const Tensor& index, std::int64_t limit, SourceLocation where) {
  if (!index.evaluated()) return;
  if (index.dtype() == DType::i64) check_elements<std::int64_t>(op, index, limit, where);
  if (index.dtype() == DType::i32) check_elements<std::int32_t>(op, index, limit, where);
}

/// The rule of the scatters: index and source of one shape, inside of the base.
Specs infer_scatter(std::string_view op, std::span<const TensorSpec> inputs, int axis, bool moves) {
  require_index_type(op, inputs[1]);
  require_same_type(op, inputs[0], inputs[2], moves);
  require_inside(op, inputs[0], inputs[1], axis);
  if (inputs[2].shape != inputs[1].shape) {
    throw Error(ErrorKind::shape, std::string(op))
        .operand("index", inputs[1])
        .operand("source", inputs[2], "expected the shape of the index");
  }
  return {inputs[0]};
}

/// The operands, all with the batch in front.
Tensors all_batched(const BatchArgs& args) {
  Tensors operands;
  for (int i = 0; i < static_cast<int>(args.inputs.size()); ++i) {
    const Tensor& x = args.inputs[static_cast<std::size_t>(i)];
    Shape shape = x.shape();
    if (!args.is_batched(i)) shape.insert(0, args.size);
    operands.push_back(broadcast_to(x, shape));
  }
  return operands;
}

Tensor zeros_of(const TensorSpec& spec) { return broadcast_to(constant(0, spec.dtype), spec.shape); }

}  // namespace

// ---- Shape rules and gradients --------------------------------------------------------------------------------------

Specs Gather::infer(std::span<const TensorSpec> inputs) const {
  require_index_type(name(), inputs[1]);
  require_inside(name(), inputs[0], inputs[1], axis);
  return {{inputs[0].dtype, inputs[1].shape}};
}

Tensors Gather::vjp(const VjpArgs& args) const {
  if (!args.wants(0)) return {Tensor(), Tensor()};
  const TensorSpec& input = args.inputs[0].spec();
  const Tensor &index = args.inputs[1], &cotangent = args.cotangents[0];
  if (index.shape()[axis] == 1) {  // one element of each line: a comparison that the next region can compute in passing
    Shape line;
    for (int i = 0; i < input.shape.rank(); ++i) line.push_back(i == axis ? input.shape[axis] : 1);
    // f32 counts so far exactly, and its comparisons are vectors.
    const DType numbers = input.shape[axis] <= 1 << 24 ? DType::f32 : index.dtype();
    const Tensor chosen = equal(cast(index, numbers), reshape(cast(arange(input.shape[axis]), numbers), line));
    return {where(chosen, cotangent, zeros_of({input.dtype, {}})), Tensor()};
  }
  return {record(ScatterAdd{axis}, {zeros_of(input), index, cotangent}), Tensor()};
}

Specs ScatterAdd::infer(std::span<const TensorSpec> inputs) const { return infer_scatter(name(), inputs, axis, false); }

Tensors ScatterAdd::vjp(const VjpArgs& args) const {
  const Tensor& cotangent = args.cotangents[0];
  const Tensor source = args.wants(2) ? record(Gather{axis}, {cotangent, args.inputs[1]}) : Tensor();
  return {cotangent, Tensor(), source};
}

Specs Scatter::infer(std::span<const TensorSpec> inputs) const { return infer_scatter(name(), inputs, axis, true); }

Tensors Scatter::vjp(const VjpArgs& args) const {
  const Tensor &cotangent = args.cotangents[0], &index = args.inputs[1];
  Tensors gradients(3);
  if (args.wants(0)) {
    gradients[0] = record(*this, {cotangent, index, zeros_of(args.inputs[2].spec())});
  }
  if (args.wants(2)) {  // each source that won, which its position tells
    const Shape& shape = index.shape();
    const Tensor position = reshape(arange(shape.numel()), shape);
    const Tensor winner = record(*this, {zeros_of({DType::i64, args.inputs[0].shape()}), index, position});
    const Tensor mine = equal(record(Gather{axis}, {winner, index}), position);
    const Tensor flow = record(Gather{axis}, {cotangent, index});
    gradients[2] = where(mine, flow, constant(0, flow.dtype()));
  }
  return gradients;
}

Tensors Scatter::batch(const BatchArgs& args) const { return record_all(Scatter{axis + 1}, all_batched(args), {}); }

Specs ScatterExtreme::infer(std::span<const TensorSpec> inputs) const {
  return infer_scatter(name(), inputs, axis, false);
}

Tensors ScatterExtreme::vjp(const VjpArgs& args) const {
  const Tensor &x = args.inputs[0], &index = args.inputs[1], &source = args.inputs[2];
  const Tensor &y = args.outputs[0], &g = args.cotangents[0];
  const Tensor of_x = cast(equal(x, y), g.dtype());
  const Tensor of_source = cast(equal(source, record(Gather{axis}, {y, index})), g.dtype());
  const Tensor share = g / record(ScatterAdd{axis}, {of_x, index, of_source});
  return {of_x * share, Tensor(), of_source * record(Gather{axis}, {share, index})};
}

Tensors ScatterExtreme::batch(const BatchArgs& args) const {
  return record_all(ScatterExtreme{axis + 1, largest}, all_batched(args), {});
}

Specs ScatterProd::infer(std::span<const TensorSpec> inputs) const {
  return infer_scatter(name(), inputs, axis, false);
}

/// The product of the others: without a factor 0 the quotient, of one factor 0 alone the product of the rest.
Tensors ScatterProd::vjp(const VjpArgs& args) const {
  const Tensor &x = args.inputs[0], &index = args.inputs[1], &source = args.inputs[2], &g = args.cotangents[0];
  const Tensor zero = constant(0, g.dtype()), one = constant(1, g.dtype());
  const auto is_zero = [&](const Tensor& factor) { return equal(factor, zero); };
  const auto filled = [&](const Tensor& factor) { return where(is_zero(factor), one, factor); };
  const Tensor zeros = record(ScatterAdd{axis}, {cast(is_zero(x), g.dtype()), index, cast(is_zero(source), g.dtype())});
  const Tensor rest = g * record(ScatterProd{axis}, {filled(x), index, filled(source)});
  const Tensor without = where(is_zero(zeros), rest, zero), alone = where(equal(zeros, one), rest, zero);
  const auto flow = [&](const Tensor& factor, const Tensor& no_zero, const Tensor& only_zero) {
    return where(is_zero(factor), only_zero, no_zero / filled(factor));
  };
  const auto at = [&](const Tensor& t) { return record(Gather{axis}, {t, index}); };
  return {args.wants(0) ? flow(x, without, alone) : Tensor(), Tensor(),
          args.wants(2) ? flow(source, at(without), at(alone)) : Tensor()};
}

Tensors ScatterProd::batch(const BatchArgs& args) const {
  return record_all(ScatterProd{axis + 1}, all_batched(args), {});
}

Specs Take::infer(std::span<const TensorSpec> inputs) const {
  require_index_type(name(), inputs[1]);
  return {{inputs[0].dtype, take_shape(inputs[0].shape, inputs[1].shape, axis)}};
}

Tensors Take::vjp(const VjpArgs& args) const {
  if (!args.wants(0)) return {Tensor(), Tensor()};
  const Tensor base = zeros_of(args.inputs[0].spec());
  return {record(TakeAdd{axis}, {base, args.inputs[1], args.cotangents[0]}), Tensor()};
}

Specs TakeAdd::infer(std::span<const TensorSpec> inputs) const {
  require_index_type(name(), inputs[1]);
  require_same_type(name(), inputs[0], inputs[2]);
  const Shape expected = take_shape(inputs[0].shape, inputs[1].shape, axis);
  if (inputs[2].shape != expected) {
    throw Error(ErrorKind::shape, std::string(name()))
        .operand("input", inputs[0])
        .operand("index", inputs[1])
        .operand("source", inputs[2], fmt::format("expected {}", expected.str()));
  }
  return {inputs[0]};
}

Tensors TakeAdd::vjp(const VjpArgs& args) const {
  const Tensor& cotangent = args.cotangents[0];
  const Tensor source = args.wants(2) ? record(Take{axis}, {cotangent, args.inputs[1]}) : Tensor();
  return {cotangent, Tensor(), source};
}

Specs OneHot::infer(std::span<const TensorSpec> inputs) const {
  require_index_type(name(), inputs[0]);
  if (classes < 1) throw Error(ErrorKind::value, "one_hot", fmt::format("{} classes, expected 1 or more", classes));
  TensorSpec output{DType::i64, inputs[0].shape};
  output.shape.push_back(classes);
  return {output};
}

Tensors OneHot::vjp(const VjpArgs&) const { return {Tensor()}; }

// ---- Batching rules -------------------------------------------------------------------------------------------------

Tensors Gather::batch(const BatchArgs& args) const {
  return {record_all(Gather{axis + 1}, detail::batched_inputs(args), {})[0]};
}

Tensors ScatterAdd::batch(const BatchArgs& args) const {
  return {record_all(ScatterAdd{axis + 1}, detail::batched_inputs(args), {})[0]};
}

Tensors Take::batch(const BatchArgs& args) const {
  const Tensor &x = args.inputs[0], &index = args.inputs[1];
  if (!args.is_batched(1)) return {record(Take{axis + 1}, {x, index})};
  if (!args.is_batched(0)) {  // the index's axes, the batch among them, stand at `axis`
    return {detail::move_axis(record(*this, {x, index}), axis, 0)};
  }
  const Shape result = take_shape(detail::example_shape(x), detail::example_shape(index), axis);
  const Tensor rows = spread_index(index, x.shape(), axis + 1);
  return {reshape(record(Gather{axis + 1}, {x, rows}), detail::batched_shape(args.size, result))};
}

Tensors TakeAdd::batch(const BatchArgs& args) const {
  const Tensor x = detail::batched_input(args, 0), source = detail::batched_input(args, 2);
  const Tensor& index = args.inputs[1];
  if (!args.is_batched(1)) return {record(TakeAdd{axis + 1}, {x, index, source})};
  const Tensor rows = spread_index(index, x.shape(), axis + 1);
  return {record(ScatterAdd{axis + 1}, {x, rows, reshape(source, rows.shape())})};
}

Tensors OneHot::batch(const BatchArgs& args) const { return {record(*this, {args.inputs[0]})}; }

// ---- User functions -------------------------------------------------------------------------------------------------

Tensor gather(const TensorArg& x, int axis, const TensorArg& index) {
  const Tensor input = detail::operand(x, "gather"), indexes = detail::operand(index, "gather");
  const Gather op{detail::normalize_axis(axis, input, "gather", x.where())};
  const Tensor result = record(op, {input, indexes}, x.where());
  check_evaluated("gather", indexes, input.shape()[op.axis], x.where());
  return result;
}

namespace {

/// What the scatters of the user get: the source cut to the index.
struct ScatterOperands {
  Tensor x, index, source;
  int axis;

  ScatterOperands(const char* op, const TensorArg& x_arg, int axis_arg, const TensorArg& index_arg,
                  const TensorArg& source_arg)
      : x(detail::operand(x_arg, op)),
        index(detail::operand(index_arg, op)),
        source(detail::operand(source_arg, op)),
        axis(detail::normalize_axis(axis_arg, x, op, x_arg.where())) {
    const SourceLocation where = source_arg.where();
    if (source_arg.is_number()) source = broadcast_to(cast(TensorArg(source, where), x.dtype()), index.shape());
    for (int a = 0; source.rank() == index.rank() && a < source.rank(); ++a) {
      const std::int64_t size = index.shape()[a];
      if (source.shape()[a] > size) source = slice(TensorArg(source, where), a, 0, size);
    }
  }
  Tensor record_as(const char* op, const Op& attributes, SourceLocation where) const {
    const Tensor result = record(attributes, {x, index, source}, where);
    check_evaluated(op, index, x.shape()[axis], where);
    return result;
  }
};

}  // namespace

Tensor scatter_add(const TensorArg& x, int axis, const TensorArg& index, const TensorArg& source) {
  const ScatterOperands o("scatter_add", x, axis, index, source);
  return o.record_as("scatter_add", ScatterAdd{o.axis}, x.where());
}

Tensor scatter(const TensorArg& x, int axis, const TensorArg& index, const TensorArg& source) {
  const ScatterOperands o("scatter", x, axis, index, source);
  return o.record_as("scatter", Scatter{o.axis}, x.where());
}

Tensor scatter_reduce(const TensorArg& x, int axis, const TensorArg& index, const TensorArg& source,
                      ScatterReduce reduce, bool include_self) {
  ScatterOperands o("scatter_reduce", x, axis, index, source);
  const SourceLocation where = x.where();
  const DType dtype = o.x.dtype();
  if (!is_floating(dtype)) {
    throw detail::refusal(ErrorKind::dtype, "scatter_reduce", "expected floating elements", o.x, where)
        .hint("scatter_add() sums integers");
  }
  const auto number = [&](double value) { return constant(value, dtype); };
  const double infinity = std::numeric_limits<double>::infinity();
  const double neutral = reduce == ScatterReduce::amax   ? -infinity
                         : reduce == ScatterReduce::amin ? infinity
                         : reduce == ScatterReduce::prod ? 1.0
                                                         : 0.0;
  const Tensor none = broadcast_to(number(0), o.x.shape()), one = broadcast_to(number(1), o.index.shape());
  const Tensor counts = record(ScatterAdd{o.axis}, {none, o.index, one}, where);
  const Tensor untouched = equal(counts, number(0));
  if (!include_self) o.x = gradus::where(untouched, o.x, number(neutral));
  Op op = ScatterAdd{o.axis};
  if (reduce == ScatterReduce::prod) op = ScatterProd{o.axis};
  if (reduce == ScatterReduce::amax || reduce == ScatterReduce::amin) {
    op = ScatterExtreme{o.axis, reduce == ScatterReduce::amax};
  }
  const Tensor folded = o.record_as("scatter_reduce", op, where);
  if (reduce != ScatterReduce::mean) return folded;
  return folded / (include_self ? counts + number(1) : maximum(counts, number(1)));
}

Tensor take(const TensorArg& x, const TensorArg& index, int axis) {
  const Tensor input = detail::operand(x, "take"), indexes = detail::operand(index, "take");
  const Take op{detail::normalize_axis(axis, input, "take", x.where())};
  const Tensor result = record(op, {input, indexes}, x.where());
  check_evaluated("take", indexes, input.shape()[op.axis], x.where());
  return result;
}

Tensor index_select(const TensorArg& x, int axis, const TensorArg& index) {
  const Tensor indexes = detail::operand(index, "index_select");
  if (indexes.rank() != 1) {
    throw Error(ErrorKind::shape, "index_select")
        .at(x.where())
        .operand("index", indexes.spec(), "expected 1 axis")
        .hint("take(x, index, axis) accepts indexes of any shape");
  }
  return take(x, indexes, axis);
}

Tensor one_hot(const TensorArg& index, std::int64_t classes) {
  const Tensor indexes = detail::operand(index, "one_hot");
  const Tensor result = record(OneHot{classes}, {indexes}, index.where());
  check_evaluated("one_hot", indexes, classes, index.where());
  return result;
}

Error index_error(std::string_view op, std::string_view role, const TensorSpec& index, std::int64_t position,
                  std::int64_t value, std::int64_t limit) {
  std::vector<std::int64_t> place;
  const auto strides = row_major_strides(index.shape);
  for (int axis = 0; axis < index.shape.rank(); ++axis) {
    const std::int64_t stride = strides[static_cast<std::size_t>(axis)];
    place.push_back(position / stride);
    position %= stride;
  }
  return Error(ErrorKind::index, std::string(op))
      .operand(std::string(role), index,
               fmt::format("element [{}] is {}, expected 0 to {}", fmt::join(place, ", "), value, limit - 1));
}

}  // namespace gradus
