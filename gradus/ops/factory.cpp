#include "gradus/ops/factory.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "gradus/base/error.h"
#include "gradus/ops/argument.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/view.h"

namespace gradus {
namespace detail {

void NestedList::enter(int depth, std::size_t size) {
  const auto at = static_cast<std::size_t>(depth);
  const auto elements = static_cast<std::int64_t>(size);
  if (at == sizes_.size()) sizes_.push_back(elements);
  if (sizes_[at] != elements) {
    throw Error(ErrorKind::shape, "tensor", "the lists are ragged")
        .at(where_)
        .field("axis", std::to_string(depth))
        .field("sizes", fmt::format("{} and {}", sizes_[at], elements));
  }
}

Tensor boolean_leaf(const Shape& shape, std::span<const std::uint8_t> elements) {
  static_assert(sizeof(bool) == 1);
  return leaf<bool>(shape, std::span(reinterpret_cast<const bool*>(elements.data()), elements.size()));
}

void check_element_count(std::size_t elements, const Shape& shape, SourceLocation where) {
  if (static_cast<std::int64_t>(elements) != shape.numel()) {
    throw Error(ErrorKind::shape, "from_span", "the numbers of elements differ")
        .at(where)
        .field("span", fmt::format("{} elements", elements))
        .field("shape", fmt::format("{}   {} elements", shape.str(), shape.numel()));
  }
}

Tensor arange_integers(std::int64_t start, std::int64_t stop, std::int64_t step, SourceLocation where) {
  if (step == 0) throw Error(ErrorKind::value, "arange", "the step is 0").at(where);
  const auto from = static_cast<std::uint64_t>(start), to = static_cast<std::uint64_t>(stop);
  const auto by = static_cast<std::uint64_t>(step);
  std::uint64_t count = 0;  // in unsigned arithmetic, so that no bounds overflow
  if (step > 0 && start < stop) count = (to - from - 1) / by + 1;
  if (step < 0 && start > stop) count = (from - to - 1) / (0 - by) + 1;
  std::vector<std::int64_t> elements(count);
  for (std::uint64_t i = 0; i < count; ++i) elements[i] = static_cast<std::int64_t>(from + i * by);
  return leaf<std::int64_t>({static_cast<std::int64_t>(count)}, std::span<const std::int64_t>(elements));
}

Tensor arange_reals(double start, double stop, double step, DType dtype, SourceLocation where) {
  if (step == 0) throw Error(ErrorKind::value, "arange", "the step is 0").at(where);
  const double wanted = std::ceil((stop - start) / step);
  if (!(std::abs(wanted) < 1e15) || !std::isfinite(start) || !std::isfinite(step)) {
    throw Error(ErrorKind::value, "arange", fmt::format("{} to {} in steps of {} has no end", start, stop, step))
        .at(where);
  }
  const auto count = static_cast<std::int64_t>(std::max(wanted, 0.0));
  return visit_dtype(dtype, [&](auto zero) -> Tensor {
    using T = decltype(zero);
    if constexpr (std::is_same_v<T, float> || std::is_same_v<T, double>) {
      std::vector<T> elements(static_cast<std::size_t>(count));
      for (std::size_t i = 0; i < elements.size(); ++i) {
        elements[i] = static_cast<T>(start + static_cast<double>(i) * step);
      }
      return leaf<T>({count}, std::span<const T>(elements));
    } else {
      GRADUS_ASSERT(false && "arange_reals is called with f32 or f64");
      return {};
    }
  });
}

}  // namespace detail

Tensor zeros(const Shape& shape, DType dtype, SourceLocation where) {
  return broadcast_to(TensorArg(constant(0, dtype), where), shape);
}

Tensor ones(const Shape& shape, DType dtype, SourceLocation where) {
  return broadcast_to(TensorArg(constant(1, dtype), where), shape);
}

Tensor full(const Shape& shape, const TensorArg& value, std::optional<DType> dtype) {
  if (value.is_number()) {
    const Tensor number = detail::number_leaf(value.number(), dtype.value_or(value.number_dtype()));
    return broadcast_to(TensorArg(number, value.where()), shape);
  }
  const Tensor input = detail::operand(value, "full");
  if (input.numel() != 1) {
    throw detail::refusal(ErrorKind::shape, "full", "the value must have one element", input, value.where());
  }
  const Tensor scalar = reshape(TensorArg(input, value.where()), Shape{});
  return broadcast_to(TensorArg(dtype && *dtype != scalar.dtype() ? cast(scalar, *dtype) : scalar, value.where()),
                      shape);
}

Tensor eye(std::int64_t n, DType dtype, SourceLocation where) {
  if (n < 0) throw Error(ErrorKind::value, "eye", fmt::format("{} rows", n)).at(where);
  const Shape shape{n, n};  // refuses what does not fit
  std::vector<std::uint8_t> elements(static_cast<std::size_t>(n * n));
  for (std::int64_t i = 0; i < n; ++i) elements[static_cast<std::size_t>(i * (n + 1))] = 1;
  const Tensor identity = leaf<std::uint8_t>(shape, std::span<const std::uint8_t>(elements));
  return dtype == DType::u8 ? identity : cast(TensorArg(identity, where), dtype);
}

namespace {

/// Element i of `count` is value(i), in f32 or f64.
template <class Value>
Tensor generated(std::string_view op, std::int64_t count, DType dtype, SourceLocation where, const Value& value) {
  if (count < 0) throw Error(ErrorKind::value, std::string(op), fmt::format("{} steps", count)).at(where);
  std::vector<double> elements;
  for (std::int64_t i = 0; i < count; ++i) elements.push_back(value(i));
  if (dtype == DType::f64) return from_span(elements);
  if (dtype == DType::f32) return from_span(std::vector<float>(elements.begin(), elements.end()));
  throw Error(ErrorKind::dtype, std::string(op), fmt::format("not defined for {}", name_of(dtype)))
      .at(where)
      .hint("make it f32 or f64 and convert with cast()");
}

void require_ends(std::string_view op, double start, double stop, SourceLocation where) {
  if (std::isfinite(start) && std::isfinite(stop)) return;
  throw Error(ErrorKind::value, std::string(op), fmt::format("from {} to {}, which is not finite", start, stop))
      .at(where);
}

/// Point i of n from start to stop; counted from the nearer end, so that both are exact.
double point(double start, double stop, std::int64_t i, std::int64_t n) {
  const double step = n > 1 ? (stop - start) / static_cast<double>(n - 1) : 0;
  return 2 * i < n ? start + step * static_cast<double>(i) : stop - step * static_cast<double>(n - 1 - i);
}

}  // namespace

Tensor linspace(double start, double stop, std::int64_t steps, DType dtype, SourceLocation where) {
  require_ends("linspace", start, stop, where);
  return generated("linspace", steps, dtype, where, [&](std::int64_t i) { return point(start, stop, i, steps); });
}
Tensor logspace(double start, double stop, std::int64_t steps, double base, DType dtype, SourceLocation where) {
  require_ends("logspace", start, stop, where);
  return generated("logspace", steps, dtype, where,
                   [&](std::int64_t i) { return std::pow(base, point(start, stop, i, steps)); });
}

Tensor zeros_like(const TensorArg& x, std::optional<DType> dtype) {
  const Tensor input = detail::operand(x, "zeros_like");
  return zeros(input.shape(), dtype.value_or(input.dtype()), x.where());
}
Tensor ones_like(const TensorArg& x, std::optional<DType> dtype) {
  const Tensor input = detail::operand(x, "ones_like");
  return ones(input.shape(), dtype.value_or(input.dtype()), x.where());
}
Tensor full_like(const TensorArg& x, const TensorArg& value, std::optional<DType> dtype) {
  const Tensor input = detail::operand(x, "full_like");
  return full(input.shape(), value, dtype.value_or(input.dtype()));
}

Tensors meshgrid(std::span<const Tensor> vectors, SourceLocation where) {
  Shape shape;
  for (const Tensor& vector : vectors) {
    const Tensor v = detail::operand(TensorArg(vector, where), "meshgrid");
    if (v.rank() != 1) {
      throw detail::refusal(ErrorKind::shape, "meshgrid", fmt::format("a vector has rank {}", v.rank()), v, where);
    }
    shape.push_back(v.numel());
  }
  Tensors grids;
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    Shape column{vectors[i].numel()};
    while (column.rank() + static_cast<int>(i) < shape.rank()) column.push_back(1);
    grids.push_back(broadcast_to(TensorArg(reshape(TensorArg(vectors[i], where), column), where), shape));
  }
  return grids;
}
Tensors meshgrid(std::initializer_list<Tensor> vectors, SourceLocation where) {
  return meshgrid(std::span(vectors.begin(), vectors.size()), where);
}

}  // namespace gradus
