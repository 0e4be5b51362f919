// What the user functions of all operations share: their operands and axes.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

#include "gradus/base/error.h"
#include "gradus/base/small_vector.h"
#include "gradus/graph/node.h"
#include "gradus/graph/tensor.h"

namespace gradus {

/// Axes that an operation folds: one, several, or all of them (the default). Negative ones count from the end.
class Axes {
 public:
  /// All axes.
  Axes() = default;
  Axes(int axis) : list_{axis}, all_(false) {}                         // NOLINT: implicit by design
  Axes(std::initializer_list<int> axes) : list_(axes), all_(false) {}  // NOLINT
  Axes(std::span<const int> axes) : list_(axes), all_(false) {}        // NOLINT

  bool all() const { return all_; }
  std::span<const int> list() const { return list_; }

 private:
  SmallVector<int, 4> list_;
  bool all_ = true;
};

namespace detail {

/// The tensor of an argument; a number becomes a rank-0 leaf of its own type. It lives as long as the argument. Throws
/// Error(state) for an undefined tensor.
const Tensor& operand(const TensorArg& argument, std::string_view op);
Tensor operand(TensorArg&& argument, std::string_view op);
/// A rank-0 leaf: what changes from step to step without another compilation.
Tensor number_leaf(double number, DType dtype);

/// The type that operations on `dtype` compute in: f32 for bf16, which is a storage type, else `dtype` itself.
constexpr DType compute_type(DType dtype) { return dtype == DType::bf16 ? DType::f32 : dtype; }
/// bf16 arithmetic, as PyTorch does it: operands are widened to f32, one operation computes, its result is rounded to bf16
/// again. A user function that computes says so around `record`, and gradients follow, since casts have them:
///
///   const Tensor wide = detail::widen(input, where);
///   return detail::narrow(record(Softmax{axis}, {wide}, where), input.dtype(), where);
///
/// `x` as f32 when it is bf16, else `x` itself.
Tensor widen(Tensor x, SourceLocation where);
/// `y` rounded to bf16 when `dtype`, the common type of the operands, is bf16; else `y` itself.
Tensor narrow(Tensor y, DType dtype, SourceLocation where);

/// `axis` counted from the front, for a tensor of `rank` axes; throws Error(axis) naming the axis and the rank.
int normalize_axis(int axis, int rank, std::string_view op, SourceLocation where);
/// The same for an axis of `input`, which the message shows.
int normalize_axis(int axis, const Tensor& input, std::string_view op, SourceLocation where);

/// Bit i is set when axis i is among `axes`. Throws Error(axis) for axes out of range or given twice.
std::uint32_t axes_mask(const Axes& axes, const Tensor& input, std::string_view op, SourceLocation where);

/// An error about `input`, with its type, its shape and where it comes from.
Error refusal(ErrorKind kind, std::string_view op, std::string summary, const Tensor& input, SourceLocation where);

}  // namespace detail
}  // namespace gradus
