#include "gradus/ops/elementwise.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <limits>
#include <vector>

#include "gradus/base/error.h"
#include "gradus/graph/node.h"
#include "gradus/ops/argument.h"
#include "gradus/ops/view.h"

namespace gradus {
namespace {

using Types = ElementwiseTypes;

constexpr ElementwiseInfo table[] = {
    {"constant", "A scalar", Types::selection, 0, {}},
    {"cast", "The same numbers in another type", Types::selection, 1, {"x"}},
#define UNARY(name, x, types, doc, ...) {#name, doc, Types::types, 1, {#x}},
#define BINARY(name, a, b, types, doc, ...) {#name, doc, Types::types, 2, {#a, #b}},
#define TERNARY(name, a, b, c, types, doc, ...) {#name, doc, Types::types, 3, {#a, #b, #c}},
#include "gradus/ops/elementwise.def"
};
constexpr std::size_t table_size = std::size(table);

// ---- gradients: one function per row
// ------------------------------------------------------------------------------------

// What the rules of a row can name besides its arguments.
struct Rule {
  explicit Rule(const VjpArgs& args) : g(args.cotangents[0]), y(args.outputs[0]) {}
  const Tensor &g, &y;
  const Tensor none{};
};

#define GRADUS_RULE_NAMES                                                    \
  const Rule rule(args);                                                     \
  [[maybe_unused]] const Tensor &g = rule.g, &y = rule.y, &none = rule.none; \
  [[maybe_unused]] const auto c = [&](double value) { return constant(value, g.dtype()); };
#define UNARY(name, x, types, doc, value, gx)          \
  Tensors name##_vjp(const VjpArgs& args) {            \
    GRADUS_RULE_NAMES                                  \
    [[maybe_unused]] const Tensor& x = args.inputs[0]; \
    Tensors flows(1);                                  \
    if (args.wants(0)) flows[0] = gx;                  \
    return flows;                                      \
  }
#define BINARY(name, a, b, types, doc, value, ga, gb)                       \
  Tensors name##_vjp(const VjpArgs& args) {                                 \
    GRADUS_RULE_NAMES                                                       \
    [[maybe_unused]] const Tensor &a = args.inputs[0], &b = args.inputs[1]; \
    Tensors flows(2);                                                       \
    if (args.wants(0)) flows[0] = ga;                                       \
    if (args.wants(1)) flows[1] = gb;                                       \
    return flows;                                                           \
  }
#define TERNARY(name, a, b, c_, types, doc, value, ga, gb, gc)                                    \
  Tensors name##_vjp(const VjpArgs& args) {                                                       \
    GRADUS_RULE_NAMES                                                                             \
    [[maybe_unused]] const Tensor &a = args.inputs[0], &b = args.inputs[1], &c_ = args.inputs[2]; \
    Tensors flows(3);                                                                             \
    if (args.wants(0)) flows[0] = ga;                                                             \
    if (args.wants(1)) flows[1] = gb;                                                             \
    if (args.wants(2)) flows[2] = gc;                                                             \
    return flows;                                                                                 \
  }
#include "gradus/ops/elementwise.def"
#undef GRADUS_RULE_NAMES

using VjpRule = Tensors (*)(const VjpArgs&);

constexpr VjpRule vjp_rules[] = {
    nullptr, nullptr,  // constant and cast are operations of their own
#define UNARY(name, ...) name##_vjp,
#define BINARY(name, ...) name##_vjp,
#define TERNARY(name, ...) name##_vjp,
#include "gradus/ops/elementwise.def"
};

// ---- types and shapes
// ---------------------------------------------------------------------------------------------------

bool takes(Types types, DType dtype) {
  switch (types) {
    case Types::floating:
    case Types::predicate: return dtype == DType::f32 || dtype == DType::f64;
    case Types::numeric: return dtype != DType::bf16 && dtype != DType::boolean;
    case Types::comparison:
    case Types::selection: return dtype != DType::bf16;
    case Types::logical: return dtype == DType::boolean;
  }
  return false;
}

bool gives_bool(Types types) {
  return types == Types::comparison || types == Types::predicate || types == Types::logical;
}

/// The type that operand `i` must have when the operation computes in `dtype`.
DType operand_type(const ElementwiseInfo& row, int i, DType dtype) {
  return row.types == Types::selection && i == 0 ? DType::boolean : dtype;
}

Error with_operands(Error error, const ElementwiseInfo& row, std::span<const TensorSpec> inputs) {
  for (std::size_t i = 0; i < inputs.size(); ++i) error.operand(std::string(row.arguments[i]), inputs[i]);
  return error;
}

void check_types(const ElementwiseInfo& row, std::span<const TensorSpec> inputs) {
  const DType dtype = inputs.back().dtype;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const DType expected = operand_type(row, static_cast<int>(i), dtype);
    if (inputs[i].dtype == expected) continue;
    throw with_operands(Error(ErrorKind::dtype, std::string(row.name),
                              fmt::format("{} must be {}", row.arguments[i], name_of(expected))),
                        row, inputs);
  }
  if (takes(row.types, dtype)) return;
  Error error = with_operands(
      Error(ErrorKind::dtype, std::string(row.name), fmt::format("not defined for {}", name_of(dtype))), row, inputs);
  if (dtype == DType::bf16) error.hint("bf16 is a storage type: record the operation on f32");
  if (dtype == DType::boolean) error.hint("use logical_and, logical_or or logical_not, or cast(x, DType::i32)");
  throw error;
}

/// Broadcasts all shapes into `result`; when that fails, `axis` is the
/// offending one, counted from the right.
bool broadcast_all(std::span<const TensorSpec> inputs, Shape& result, int& axis) {
  result = inputs[0].shape;
  for (const TensorSpec& input : inputs.subspan(1)) {
    if (!broadcast_shapes(result, input.shape, result, &axis)) return false;
  }
  return true;
}

/// The operand that would fit with one more axis at its end ([32] beside [32,
/// 10]), or -1.
int operand_to_unsqueeze(std::span<const TensorSpec> inputs) {
  int rank = 0;
  for (const TensorSpec& input : inputs) rank = std::max(rank, input.shape.rank());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i].shape.rank() == 0 || inputs[i].shape.rank() == rank) continue;
    std::vector<TensorSpec> changed(inputs.begin(), inputs.end());
    changed[i].shape.push_back(1);
    Shape result;
    int axis = 0;
    if (broadcast_all(changed, result, axis)) return static_cast<int>(i);
  }
  return -1;
}

[[noreturn]] void refuse_shapes(const ElementwiseInfo& row, std::span<const TensorSpec> inputs) {
  Shape result;
  int from_right = 0;
  if (broadcast_all(inputs, result, from_right)) {
    throw with_operands(Error(ErrorKind::shape, std::string(row.name), "the node needs operands of one shape"), row,
                        inputs)
        .hint("call the function of this name: it broadcasts");
  }
  Error error(ErrorKind::shape, std::string(row.name));
  std::int64_t expected = 1;  // the size that the first operand with this axis has
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Shape& shape = inputs[i].shape;
    const int axis = shape.rank() - 1 - from_right;
    std::string remark;
    if (axis >= 0 && shape[axis] != 1) {
      remark = fmt::format("axis {} is {}", axis, shape[axis]);
      if (expected != 1 && shape[axis] != expected) remark += fmt::format(", expected {} or 1", expected);
      if (expected == 1) expected = shape[axis];
    }
    error.operand(std::string(row.arguments[i]), inputs[i], std::move(remark));
  }
  const int mended = operand_to_unsqueeze(inputs);
  error.hint(mended < 0 ? "axes are matched from the last one; sizes must be "
                          "equal, or one of them 1"
                        : fmt::format("axes are matched from the last one; "
                                      "unsqueeze({}, -1) would fit",
                                      row.arguments[static_cast<std::size_t>(mended)]));
  throw error;
}

// ---- from arguments to operands
// -----------------------------------------------------------------------------------------

/// Tensor::spec() of a tensor that is there, without a call.
const TensorSpec& spec_of(const Tensor& tensor) {
  return tensor.node()->specs[static_cast<std::size_t>(tensor.output())];
}

int category(DType dtype) { return is_floating(dtype) ? 2 : is_integral(dtype) ? 1 : 0; }

/// The type in which arguments meet: that of the tensors, unless a number is of
/// a higher category.
DType common_type(std::span<const TensorArg* const> arguments) {
  bool known = false;
  DType type = DType::boolean;
  for (const TensorArg* argument : arguments) {
    if (argument->is_number()) continue;
    const DType own = spec_of(argument->tensor()).dtype;
    type = known ? promote(type, own) : own;
    known = true;
  }
  for (const TensorArg* argument : arguments) {
    if (!argument->is_number()) continue;
    if (!known || category(argument->number_dtype()) > category(type)) type = argument->number_dtype();
    known = true;
  }
  return type;
}

Tensor number_operand(const ElementwiseInfo& row, const TensorArg& argument, DType dtype) {
  const double number = argument.number();
  const bool fits = dtype == DType::i32   ? number >= -2147483648.0 && number <= 2147483647.0
                    : dtype == DType::u8  ? number >= 0 && number <= 255
                    : dtype == DType::i64 ? number >= -9223372036854775808.0 && number < 9223372036854775808.0
                                          : true;
  if (!fits) {
    throw Error(ErrorKind::value, std::string(row.name),
                fmt::format("the number {} does not fit {}", number, name_of(dtype)))
        .at(argument.where())
        .hint("cast the tensor to a wider type");
  }
  return detail::number_leaf(number, dtype);
}

const Op& op_of(ElementwiseCode code) {
  static const std::vector<Op>& ops = *[] {  // leaked: no destructor runs at exit
    auto* all = new std::vector<Op>;
    for (std::size_t i = 0; i < table_size; ++i)
      all->push_back(Op::permanent(Elementwise{static_cast<ElementwiseCode>(i)}));
    return all;
  }();
  return ops[static_cast<std::size_t>(code)];
}

bool of_one_shape(std::span<const Lent> operands) {
  const Shape& first = spec_of(operands[0]).shape;
  for (const Tensor& operand : operands.subspan(1)) {
    if (spec_of(operand).shape != first) return false;
  }
  return true;
}

bool broadcast_all(std::span<const Lent> operands, Shape& result) {
  result = spec_of(operands[0]).shape;
  for (const Tensor& operand : operands.subspan(1)) {
    if (!broadcast_shapes(result, spec_of(operand).shape, result)) return false;
  }
  return true;
}

Tensor apply(ElementwiseCode code, std::initializer_list<const TensorArg*> arguments) {
  const ElementwiseInfo& row = info(code);
  const SourceLocation where = (*arguments.begin())->where();
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const TensorArg& argument = *arguments.begin()[i];
    if (argument.is_number() || argument.tensor().defined()) continue;
    throw Error(ErrorKind::state, std::string(row.name), fmt::format("{} is an undefined tensor", row.arguments[i]))
        .at(where);
  }
  const std::span<const TensorArg* const> all(arguments.begin(), arguments.size());
  DType dtype = common_type(row.types == Types::selection ? all.subspan(1) : all);
  const bool computes_in_floats = row.types == Types::floating || row.types == Types::predicate;
  if (computes_in_floats && !is_floating(dtype)) dtype = DType::f32;
  if (row.types == Types::logical) dtype = DType::boolean;
  const DType stored = dtype;
  dtype = detail::compute_type(dtype);

  Tensor made[3];  // operands that are not the arguments as they came
  SmallVector<Lent, 3> operands;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const DType wanted = operand_type(row, static_cast<int>(i), dtype);
    if (all[i]->is_number()) {
      const bool truth = wanted == DType::boolean;
      made[i] = truth ? detail::number_leaf(all[i]->number() != 0, wanted) : number_operand(row, *all[i], wanted);
    } else if (spec_of(all[i]->tensor()).dtype != wanted) {
      made[i] = record(Cast{wanted}, {all[i]->tensor()}, where);
    }
    operands.push_back(made[i].defined() ? made[i] : all[i]->tensor());
  }
  Shape shape;
  if (!of_one_shape(operands) && broadcast_all(operands, shape)) {
    for (std::size_t i = 0; i < operands.size(); ++i) {
      const Tensor& operand = operands[i];
      if (spec_of(operand).shape == shape) continue;
      made[i] = record(BroadcastTo{shape}, {operand}, where);
      operands[i] = made[i];
    }
  }  // otherwise the shape rule refuses below, with the origin of the operands
  return detail::narrow(record(op_of(code), operands, where), stored, where);
}

}  // namespace

const ElementwiseInfo& info(ElementwiseCode code) {
  GRADUS_ASSERT(static_cast<std::size_t>(code) < table_size);
  return table[static_cast<std::size_t>(code)];
}

std::span<const ElementwiseCode> elementwise_codes() {
  static constexpr ElementwiseCode codes[] = {
#define UNARY(name, ...) ElementwiseCode::name,
#define BINARY(name, ...) ElementwiseCode::name,
#define TERNARY(name, ...) ElementwiseCode::name,
#include "gradus/ops/elementwise.def"
  };
  return codes;
}

#define UNARY(name, x, ...) \
  Tensor name(const TensorArg& x) { return apply(ElementwiseCode::name, {&x}); }
#define BINARY(name, a, b, ...) \
  Tensor name(const TensorArg& a, const TensorArg& b) { return apply(ElementwiseCode::name, {&a, &b}); }
#define TERNARY(name, a, b, c, ...)                                         \
  Tensor name(const TensorArg& a, const TensorArg& b, const TensorArg& c) { \
    return apply(ElementwiseCode::name, {&a, &b, &c});                      \
  }
#include "gradus/ops/elementwise.def"

Tensor operator+(const TensorArg& a, const TensorArg& b) { return add(a, b); }
Tensor operator-(const TensorArg& a, const TensorArg& b) { return sub(a, b); }
Tensor operator*(const TensorArg& a, const TensorArg& b) { return mul(a, b); }
Tensor operator/(const TensorArg& a, const TensorArg& b) { return div(a, b); }
Tensor operator-(const TensorArg& x) { return neg(x); }

Tensor frac(const TensorArg& x) { return sub(x, trunc(x)); }

Tensor lerp(const TensorArg& a, const TensorArg& b, const TensorArg& weight) {
  static constexpr ElementwiseInfo names{"lerp", "", Types::floating, 3, {"a", "b", "weight"}};
  SmallVector<TensorSpec, 3> specs;
  for (const TensorArg* operand : {&a, &b, &weight}) specs.push_back(detail::operand(*operand, "lerp").spec());
  Shape shape;
  int axis = 0;
  if (!broadcast_all(specs, shape, axis)) {
    try {
      refuse_shapes(names, specs);
    } catch (Error& error) {
      throw error.at(a.where());
    }
  }
  const SourceLocation place = a.where();
  const TensorArg difference(sub(b, a), place), near_a = less(abs(weight), 0.5);
  const Tensor from_a = add(a, mul(difference, weight)), from_b = sub(b, mul(difference, sub(1, weight)));
  return where(TensorArg(near_a.tensor(), place), from_a, from_b);
}

Tensor addcmul(const TensorArg& x, const TensorArg& a, const TensorArg& b, const TensorArg& value) {
  return add(x, mul(mul(a, b), value));
}
Tensor addcdiv(const TensorArg& x, const TensorArg& a, const TensorArg& b, const TensorArg& value) {
  return add(x, mul(div(a, b), value));
}

Tensor masked_fill(const TensorArg& x, const TensorArg& mask, const TensorArg& value) {
  const Tensor input = detail::operand(x, "masked_fill"), chosen = detail::operand(mask, "masked_fill");
  const DType number = value.is_number() ? value.number_dtype() : detail::operand(value, "masked_fill").dtype();
  const auto category = [](DType d) { return is_floating(d) ? 2 : is_integral(d) ? 1 : 0; };
  if (chosen.dtype() != DType::boolean || category(number) > category(input.dtype())) {
    throw Error(ErrorKind::dtype, "masked_fill")
        .at(x.where())
        .operand("x", input.spec())
        .operand("mask", chosen.spec(), chosen.dtype() == DType::boolean ? "" : "expected bool")
        .operand("value", {number, Shape{}}, category(number) > category(input.dtype()) ? "does not fit x" : "");
  }
  const TensorArg filling = value.is_number() ? value : TensorArg(cast(value, input.dtype()), value.where());
  return where(TensorArg(chosen, x.where()), filling, input);
}

Tensor nan_to_num(const TensorArg& x, NanToNumOptions options) {
  const Tensor input = detail::operand(x, "nan_to_num");
  if (!is_floating(input.dtype())) return input;
  const double largest = input.dtype() == DType::f64    ? std::numeric_limits<double>::max()
                         : input.dtype() == DType::bf16 ? 0x1.fep127
                                                        : static_cast<double>(std::numeric_limits<float>::max());
  constexpr double infinity = std::numeric_limits<double>::infinity();
  const TensorArg at(input, x.where());
  const Tensor high = where(TensorArg(equal(at, infinity), x.where()), options.posinf.value_or(largest), input);
  const Tensor both = where(TensorArg(equal(at, -infinity), x.where()), options.neginf.value_or(-largest), high);
  return where(TensorArg(isnan(at), x.where()), options.nan, both);
}

Tensor cast(const TensorArg& x, DType dtype) {
  const Tensor& operand = detail::operand(x, "cast");
  return operand.dtype() == dtype ? operand : record(Cast{dtype}, {operand}, x.where());
}

Tensor constant(double value, DType dtype) {
  // Attributes are compared with ==, which NaN fails and -0 passes: these two
  // are leaves instead.
  if (std::isnan(value) || (value == 0 && std::signbit(value))) return detail::number_leaf(value, dtype);
  return record(Constant{dtype, value}, {});
}

Tensor stop_gradient(const TensorArg& x) {
  return record(StopGradient{}, {detail::operand(x, "stop_gradient")}, x.where());
}

Specs Elementwise::infer(std::span<const TensorSpec> inputs) const {
  const ElementwiseInfo& row = info(code);
  GRADUS_ASSERT(row.arity > 0 && code != ElementwiseCode::cast && inputs.size() == static_cast<std::size_t>(row.arity));
  check_types(row, inputs);
  for (const TensorSpec& input : inputs) {
    if (input.shape != inputs[0].shape) refuse_shapes(row, inputs);
  }
  return {TensorSpec{gives_bool(row.types) ? DType::boolean : inputs.back().dtype, inputs[0].shape}};
}

Tensors Elementwise::vjp(const VjpArgs& args) const { return vjp_rules[static_cast<std::size_t>(code)](args); }

Tensors Elementwise::batch(const BatchArgs& args) const {
  Tensors inputs;
  for (std::size_t i = 0; i < args.inputs.size(); ++i) {
    const Tensor& input = args.inputs[i];
    if (args.is_batched(static_cast<int>(i))) {
      inputs.push_back(input);
      continue;
    }
    Shape shape{args.size};
    for (int axis = 0; axis < input.rank(); ++axis) shape.push_back(input.shape()[axis]);
    inputs.push_back(broadcast_to(input, shape));
  }
  return record_all(*this, inputs, {});
}

Specs Constant::infer(std::span<const TensorSpec> inputs) const {
  GRADUS_ASSERT(inputs.empty());
  return {TensorSpec{dtype, Shape{}}};
}
Tensors Constant::vjp(const VjpArgs&) const { return {}; }
Tensors Constant::batch(const BatchArgs& args) const { return {broadcast_to(record(*this, {}), Shape{args.size})}; }

Specs Cast::infer(std::span<const TensorSpec> inputs) const {
  GRADUS_ASSERT(inputs.size() == 1);
  return {TensorSpec{to, inputs[0].shape}};
}
Tensors Cast::vjp(const VjpArgs& args) const {
  const DType from = args.inputs[0].dtype();
  return {is_floating(from) && is_floating(to) ? cast(args.cotangents[0], from) : Tensor()};
}
Tensors Cast::batch(const BatchArgs& args) const { return {record(*this, {args.inputs[0]})}; }

Specs StopGradient::infer(std::span<const TensorSpec> inputs) const {
  GRADUS_ASSERT(inputs.size() == 1);
  return {inputs[0]};
}
Tensors StopGradient::vjp(const VjpArgs&) const { return {Tensor()}; }
Tensors StopGradient::batch(const BatchArgs& args) const { return {record(*this, {args.inputs[0]})}; }

}  // namespace gradus
