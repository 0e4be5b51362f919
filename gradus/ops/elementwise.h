// Elementwise operations: one output element from the same element of each operand. All of them are rows of one table,
// ops/elementwise.def, which also holds their meaning and gradients.
//
//   Tensor loss = square(relu(x * weight + 1.f) - target);
//
// Operands of different shapes are broadcast as NumPy does; operands of different types meet in the type of
// promote(a, b), as in PyTorch. A number takes the type of the tensors it meets, unless it is of a higher category
// (floating > integral > bool): a float number makes f32 of integers.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "gradus/graph/op.h"

namespace gradus {

/// Names the operations of the table; `constant` and `cast` are the two that carry an attribute.
enum class ElementwiseCode : std::uint16_t {
  constant,
  cast,
#define UNARY(name, ...) name,
#define BINARY(name, ...) name,
#define TERNARY(name, ...) name,
#include "gradus/ops/elementwise.def"
};

/// Which types an operation takes and gives: see the head of elementwise.def.
enum class ElementwiseTypes : std::uint8_t { floating, numeric, comparison, predicate, logical, selection };

/// What the table says about one operation.
struct ElementwiseInfo {
  std::string_view name;
  std::string_view doc;
  ElementwiseTypes types{};
  int arity = 0;
  std::array<std::string_view, 3> arguments;
};

const ElementwiseInfo& info(ElementwiseCode code);
/// Codes of all rows in the order of the table, without `constant` and `cast`.
std::span<const ElementwiseCode> elementwise_codes();

/// A rank-0 tensor that is the same in every run: what gradient rules use. No inputs.
struct Constant {
  DType dtype = DType::f32;
  double value = 0;

  std::string_view name() const { return "constant"; }
  OpFamily family() const { return OpFamily::elementwise; }
  Specs infer(std::span<const TensorSpec> inputs) const;
  Tensors vjp(const VjpArgs& args) const;
  Tensors batch(const BatchArgs& args) const;
  bool operator==(const Constant&) const = default;
};

/// The same numbers in another type. Floating to integral truncates, saturates, and makes 0 of NaN; integral to integral
/// wraps around; to bool is x != 0.
struct Cast {
  DType to = DType::f32;

  std::string_view name() const { return "cast"; }
  OpFamily family() const { return OpFamily::elementwise; }
  Specs infer(std::span<const TensorSpec> inputs) const;
  Tensors vjp(const VjpArgs& args) const;
  Tensors batch(const BatchArgs& args) const;
  bool operator==(const Cast&) const = default;
};

/// One row of the table. Its inputs have one shape and one type (but for the condition of `where`): the functions below
/// cast and broadcast.
struct Elementwise {
  ElementwiseCode code{};

  std::string_view name() const { return info(code).name; }
  OpFamily family() const { return OpFamily::elementwise; }
  Specs infer(std::span<const TensorSpec> inputs) const;
  Tensors vjp(const VjpArgs& args) const;
  Tensors batch(const BatchArgs& args) const;
  /// Nothing: the name says it all.
  std::string str() const { return "{}"; }
  bool operator==(const Elementwise&) const = default;
};

/// The identity, through which no gradient flows.
struct StopGradient {
  std::string_view name() const { return "stop_gradient"; }
  OpFamily family() const { return OpFamily::view; }
  Specs infer(std::span<const TensorSpec> inputs) const;
  Tensors vjp(const VjpArgs& args) const;
  Tensors batch(const BatchArgs& args) const;
  bool operator==(const StopGradient&) const = default;
};

// The user functions: one of each row. Errors: shape when operands do not broadcast, dtype when a type does not fit.
#define UNARY(name, x, ...) Tensor name(const TensorArg& x);
#define BINARY(name, a, b, ...) Tensor name(const TensorArg& a, const TensorArg& b);
#define TERNARY(name, a, b, c, ...) Tensor name(const TensorArg& a, const TensorArg& b, const TensorArg& c);
#include "gradus/ops/elementwise.def"

Tensor operator+(const TensorArg& a, const TensorArg& b);
Tensor operator-(const TensorArg& a, const TensorArg& b);
Tensor operator*(const TensorArg& a, const TensorArg& b);
/// True division: of integers it gives f32.
Tensor operator/(const TensorArg& a, const TensorArg& b);
Tensor operator-(const TensorArg& x);

/// The part of `x` behind the point, with its sign: x - trunc(x).
Tensor frac(const TensorArg& x);
/// a + weight * (b - a), from the nearer end; `weight` is a number or a tensor.
Tensor lerp(const TensorArg& a, const TensorArg& b, const TensorArg& weight);
/// x + value * a * b.
Tensor addcmul(const TensorArg& x, const TensorArg& a, const TensorArg& b, const TensorArg& value = 1);
/// x + value * a / b.
Tensor addcdiv(const TensorArg& x, const TensorArg& a, const TensorArg& b, const TensorArg& value = 1);
/// `value` where `mask` (bool) holds, else `x`; keeps the type of x. Throws Error(dtype) for a mask of another type or a
/// value of a higher category.
Tensor masked_fill(const TensorArg& x, const TensorArg& mask, const TensorArg& value);

struct NanToNumOptions {
  double nan = 0;
  std::optional<double> posinf;  ///< default: the largest number of the type
  std::optional<double> neginf;  ///< default: the smallest
};
/// Numbers in place of NaN and infinities; no gradient flows through those.
Tensor nan_to_num(const TensorArg& x, NanToNumOptions options = {});

/// `x` as `dtype`; `x` itself when it is that already. See Cast.
Tensor cast(const TensorArg& x, DType dtype);
/// A scalar of `dtype` that is part of the graph's structure: another value is another plan. For numbers that change from
/// step to step use a number operand or a leaf.
Tensor constant(double value, DType dtype);
/// `x` as a constant for gradients.
Tensor stop_gradient(const TensorArg& x);

}  // namespace gradus
