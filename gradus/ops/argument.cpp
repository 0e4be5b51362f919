#include "gradus/ops/argument.h"

#include <fmt/format.h>

#include <string>
#include <type_traits>
#include <utility>

#include "gradus/base/error.h"
#include "gradus/ops/elementwise.h"

namespace gradus::detail {
namespace {

std::string axis_range(int axis, int rank) {
  if (rank == 0) return fmt::format("axis {} of a scalar, which has none", axis);
  return fmt::format("axis {} of a tensor with rank {}; it must be in [{}, {}]", axis, rank, -rank, rank - 1);
}

}  // namespace

const Tensor& operand(const TensorArg& argument, std::string_view op) {
  const Tensor& tensor = argument.as_tensor(number_leaf);
  if (!tensor.defined()) {
    throw Error(ErrorKind::state, std::string(op), "an operand is an undefined tensor").at(argument.where());
  }
  return tensor;
}

Tensor operand(TensorArg&& argument, std::string_view op) { return operand(argument, op); }

Tensor number_leaf(double number, DType dtype) {
  return visit_dtype(dtype, [&](auto zero) {
    using T = decltype(zero);
    T element;
    if constexpr (std::is_same_v<T, BFloat16>) {
      element = BFloat16(static_cast<float>(number));
    } else {
      element = static_cast<T>(number);
    }
    return leaf<T>(Shape{}, std::span<const T>(&element, 1));
  });
}

Tensor widen(Tensor x, SourceLocation where) {
  if (x.dtype() == DType::bf16) return record(Cast{DType::f32}, {x}, where);
  return x;
}

Tensor narrow(Tensor y, DType dtype, SourceLocation where) {
  if (dtype == DType::bf16 && y.dtype() == DType::f32) return record(Cast{DType::bf16}, {y}, where);
  return y;
}

int normalize_axis(int axis, int rank, std::string_view op, SourceLocation where) {
  if (axis < -rank || axis >= rank) {
    throw Error(ErrorKind::axis, std::string(op), axis_range(axis, rank)).at(where);
  }
  return axis < 0 ? axis + rank : axis;
}

int normalize_axis(int axis, const Tensor& input, std::string_view op, SourceLocation where) {
  const int rank = input.rank();
  if (axis < -rank || axis >= rank) throw refusal(ErrorKind::axis, op, axis_range(axis, rank), input, where);
  return axis < 0 ? axis + rank : axis;
}

std::uint32_t axes_mask(const Axes& axes, const Tensor& input, std::string_view op, SourceLocation where) {
  if (axes.all()) return (std::uint32_t{1} << input.rank()) - 1;
  std::uint32_t mask = 0;
  for (const int axis : axes.list()) {
    const std::uint32_t bit = std::uint32_t{1} << normalize_axis(axis, input, op, where);
    if ((mask & bit) != 0) {
      throw refusal(ErrorKind::axis, op,
                    fmt::format("axis {} is given twice for a tensor with rank {}", axis, input.rank()), input, where);
    }
    mask |= bit;
  }
  return mask;
}

Error refusal(ErrorKind kind, std::string_view op, std::string summary, const Tensor& input, SourceLocation where) {
  Error error(kind, std::string(op), std::move(summary));
  error.at(where).operand("input", input.spec());
  if (!input.node()->inputs.empty()) error.note("input comes from " + origin(input));
  return error;
}

}  // namespace gradus::detail
