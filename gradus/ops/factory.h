// Tensors from nothing: nested lists, constants, ranges, memory.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <ranges>
#include <span>
#include <type_traits>
#include <vector>

#include "gradus/graph/tensor.h"

namespace gradus {

namespace detail {

/// The type that `tensor` stores a C++ number as: float f32, double f64, bool bool, every other integer i64.
template <class T>
using Stored = std::conditional_t<std::floating_point<T> || std::same_as<T, bool>, T, std::int64_t>;

/// Element type of lists nested to any depth.
template <class T>
struct Innermost {
  using type = T;
};
template <class T>
struct Innermost<std::initializer_list<T>> : Innermost<T> {};

/// Flattens nested lists, checking that they are rectangular.
class NestedList {
 public:
  explicit NestedList(SourceLocation where) : where_(where) {}
  /// Every list of nesting depth `depth` must have the size of the first one. Throws Error(shape).
  void enter(int depth, std::size_t size);
  Shape shape() const { return Shape(sizes_); }

 private:
  std::vector<std::int64_t> sizes_;
  SourceLocation where_;
};

template <class T, class Element>
void append(NestedList& nested, std::vector<Element>& elements, int depth, std::initializer_list<T> list) {
  nested.enter(depth, list.size());
  for (const T& item : list) {
    if constexpr (std::is_arithmetic_v<T>) {
      elements.push_back(static_cast<Element>(item));
    } else {
      append(nested, elements, depth + 1, item);
    }
  }
}

/// std::vector<bool> has no contiguous elements: booleans are collected as bytes.
Tensor boolean_leaf(const Shape& shape, std::span<const std::uint8_t> elements);

template <class List>
Tensor nested_tensor(List list, SourceLocation where) {
  using T = Stored<typename Innermost<List>::type>;
  using Element = std::conditional_t<std::same_as<T, bool>, std::uint8_t, T>;
  NestedList nested(where);
  std::vector<Element> elements;
  append(nested, elements, 0, list);
  if constexpr (std::same_as<T, bool>) {
    return boolean_leaf(nested.shape(), elements);
  } else {
    return leaf<T>(nested.shape(), std::span<const T>(elements));
  }
}

void check_element_count(std::size_t elements, const Shape& shape, SourceLocation where);
Tensor arange_integers(std::int64_t start, std::int64_t stop, std::int64_t step, SourceLocation where);
Tensor arange_reals(double start, double stop, double step, DType dtype, SourceLocation where);

}  // namespace detail

/// A tensor from a number or from lists nested up to four deep: `tensor({{1.f, 2.f}, {3.f, 4.f}})` is f32 [2, 2].
/// float gives f32, double f64, bool bool, other integers i64. Throws Error(shape) for ragged lists.
template <class T>
requires std::is_arithmetic_v<T> Tensor tensor(T number) {
  using Element = detail::Stored<T>;
  const Element element[1] = {static_cast<Element>(number)};
  return leaf<Element>(Shape{}, std::span<const Element>(element));
}
template <class T>
requires std::is_arithmetic_v<T> Tensor tensor(std::initializer_list<T> list,
                                               SourceLocation where = SourceLocation::current()) {
  return detail::nested_tensor(list, where);
}
template <class T>
requires std::is_arithmetic_v<T> Tensor tensor(std::initializer_list<std::initializer_list<T>> list,
                                               SourceLocation where = SourceLocation::current()) {
  return detail::nested_tensor(list, where);
}
template <class T>
requires std::is_arithmetic_v<T> Tensor
tensor(std::initializer_list<std::initializer_list<std::initializer_list<T>>> list,
       SourceLocation where = SourceLocation::current()) {
  return detail::nested_tensor(list, where);
}
template <class T>
requires std::is_arithmetic_v<T> Tensor
tensor(std::initializer_list<std::initializer_list<std::initializer_list<std::initializer_list<T>>>> list,
       SourceLocation where = SourceLocation::current()) {
  return detail::nested_tensor(list, where);
}

/// A copy of contiguous elements: `from_span(values, {2, 3})` for a vector, array or span. Without a shape: one axis.
/// Throws Error(shape) when the numbers of elements differ.
template <std::ranges::contiguous_range Range>
Tensor from_span(const Range& elements, const Shape& shape, SourceLocation where = SourceLocation::current()) {
  using T = std::ranges::range_value_t<Range>;
  detail::check_element_count(std::ranges::size(elements), shape, where);
  return leaf<T>(shape, std::span<const T>(std::ranges::data(elements), std::ranges::size(elements)));
}
template <std::ranges::contiguous_range Range>
Tensor from_span(const Range& elements) {
  return from_span(elements, Shape{static_cast<std::int64_t>(std::ranges::size(elements))});
}

/// All elements 0. Costs no memory until something needs its elements.
Tensor zeros(const Shape& shape, DType dtype = DType::f32, SourceLocation where = SourceLocation::current());
/// All elements 1.
Tensor ones(const Shape& shape, DType dtype = DType::f32, SourceLocation where = SourceLocation::current());
/// All elements `value`, a number or a one-element tensor. Type: `dtype` if given, else that of the value (f32 for a
/// floating number, i64 for an integer, bool for a bool). Throws Error(shape) for a value with more elements.
Tensor full(const Shape& shape, const TensorArg& value, std::optional<DType> dtype = {});
/// The n x n identity matrix.
Tensor eye(std::int64_t n, DType dtype = DType::f32, SourceLocation where = SourceLocation::current());

/// start, start + step, ... below `stop` (above it for a negative step). i64 for integers, else f32 or f64 as C++
/// promotes the arguments. Throws Error(value) for a step of 0 or a bound that is not finite.
template <class Start, class Stop, class Step = int>
requires(std::is_arithmetic_v<Start>&& std::is_arithmetic_v<Stop>&& std::is_arithmetic_v<Step>) Tensor
    arange(Start start, Stop stop, Step step = 1, SourceLocation where = SourceLocation::current()) {
  using T = std::common_type_t<Start, Stop, Step>;
  if constexpr (std::is_integral_v<T>) {
    return detail::arange_integers(static_cast<std::int64_t>(start), static_cast<std::int64_t>(stop),
                                   static_cast<std::int64_t>(step), where);
  } else {
    return detail::arange_reals(static_cast<double>(start), static_cast<double>(stop), static_cast<double>(step),
                                std::same_as<T, float> ? DType::f32 : DType::f64, where);
  }
}
/// arange(0, stop).
template <class Stop>
requires std::is_arithmetic_v<Stop> Tensor arange(Stop stop, SourceLocation where = SourceLocation::current()) {
  return arange(Stop{0}, stop, Stop{1}, where);
}

/// `steps` numbers evenly spaced from `start` to `stop`, both included; f32 or f64. Throws Error(value) for a negative number
/// of steps or an end that is not finite, Error(dtype) for another type.
Tensor linspace(double start, double stop, std::int64_t steps, DType dtype = DType::f32,
                SourceLocation where = SourceLocation::current());
/// base to the powers linspace(start, stop, steps).
Tensor logspace(double start, double stop, std::int64_t steps, double base = 10, DType dtype = DType::f32,
                SourceLocation where = SourceLocation::current());

/// Of the shape of x, and of its type unless another is given.
Tensor zeros_like(const TensorArg& x, std::optional<DType> dtype = {});
Tensor ones_like(const TensorArg& x, std::optional<DType> dtype = {});
Tensor full_like(const TensorArg& x, const TensorArg& value, std::optional<DType> dtype = {});

/// Vectors x, y, ... as tensors of one shape [len x, len y, ...], in which element i, j, ... of the first is x[i], of the second
/// y[j] (indexing "ij"). Throws Error(shape) for what is not a vector.
Tensors meshgrid(std::span<const Tensor> vectors, SourceLocation where = SourceLocation::current());
Tensors meshgrid(std::initializer_list<Tensor> vectors, SourceLocation where = SourceLocation::current());

}  // namespace gradus
