#include "gradus/engine/unique.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <type_traits>
#include <vector>

#include "gradus/base/dtype.h"
#include "gradus/base/error.h"
#include "gradus/engine/eval.h"
#include "gradus/ops/argument.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/index.h"
#include "gradus/ops/reduce.h"
#include "gradus/ops/view.h"

namespace gradus {
namespace {

/// A number that C++ can compare.
template <class T>
auto comparable(T value) {
  if constexpr (std::is_same_v<T, BFloat16>) {
    return static_cast<float>(value);
  } else {
    return value;
  }
}

/// NaN comes last, as for sort.
template <class T>
bool before(T a, T b) {
  const auto x = comparable(a), y = comparable(b);
  if constexpr (std::is_floating_point_v<decltype(x)>) {
    return x < y || (std::isnan(y) && !std::isnan(x));
  } else {
    return x < y;
  }
}

Tensor integers(const Shape& shape, const std::vector<std::int64_t>& numbers) {
  return leaf<std::int64_t>(shape, std::span<const std::int64_t>(numbers));
}

template <class T>
Unique unique_of(const Tensor& x) {
  const auto* elements = reinterpret_cast<const T*>(x.buffer()->data());
  std::vector<std::int64_t> order(static_cast<std::size_t>(x.numel())), inverse(order.size()), counts;
  std::iota(order.begin(), order.end(), std::int64_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::int64_t a, std::int64_t b) { return before(elements[a], elements[b]); });
  std::vector<std::int64_t> firsts;
  for (const std::int64_t i : order) {
    if (firsts.empty() || !(comparable(elements[firsts.back()]) == comparable(elements[i]))) {
      firsts.push_back(i);
      counts.push_back(0);
    }
    ++counts.back();
    inverse[static_cast<std::size_t>(i)] = static_cast<std::int64_t>(firsts.size()) - 1;
  }
  const Shape different{static_cast<std::int64_t>(firsts.size())};
  const TensorSpec spec{x.dtype(), different};
  Ref<Buffer> buffer = Buffer::allocate(spec.bytes());
  auto* values = reinterpret_cast<T*>(buffer->data());
  for (std::size_t i = 0; i < firsts.size(); ++i) values[i] = elements[firsts[i]];
  return {leaf(spec, std::move(buffer)), integers(x.shape(), inverse), integers(different, counts)};
}

void check_defined(const char* op, const Tensor& x, SourceLocation where) {
  if (!x.defined()) throw Error(ErrorKind::state, op, "the operand is an undefined tensor").at(where);
}

/// Row-major positions of what is true.
std::vector<std::int64_t> positions_of(const Tensor& mask, SourceLocation where) {
  const std::vector<std::int64_t> elements = cast(mask, DType::i64).to_vector<std::int64_t>(where);
  std::vector<std::int64_t> found;
  for (std::size_t i = 0; i < elements.size(); ++i) {
    if (elements[i] != 0) found.push_back(static_cast<std::int64_t>(i));
  }
  return found;
}

}  // namespace

Unique unique(const Tensor& x, SourceLocation where) {
  check_defined("unique", x, where);
  eval(std::span(&x, 1), where);
  return visit_dtype(x.dtype(), [&](auto zero) { return unique_of<decltype(zero)>(x); });
}

Tensor bincount(const Tensor& x, std::int64_t minlength, SourceLocation where) {
  check_defined("bincount", x, where);
  if (!is_integral(x.dtype()) || x.rank() != 1) {
    throw Error(is_integral(x.dtype()) ? ErrorKind::shape : ErrorKind::dtype, "bincount")
        .at(where)
        .operand("input", x.spec(), "expected one axis of integers");
  }
  if (minlength < 0) {
    throw Error(ErrorKind::value, "bincount").at(where).field("minlength", fmt::format("{}, expected >= 0", minlength));
  }
  const std::vector<std::int64_t> numbers = x.to_vector<std::int64_t>(where);
  std::int64_t largest = minlength - 1;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (numbers[i] < 0 || numbers[i] >= (std::int64_t{1} << 40)) {
      throw Error(ErrorKind::value, "bincount")
          .at(where)
          .operand("input", x.spec(), fmt::format("element [{}] is {}, expected 0 to 2^40", i, numbers[i]));
    }
    largest = std::max(largest, numbers[i]);
  }
  std::vector<std::int64_t> counts(static_cast<std::size_t>(largest + 1), 0);
  for (const std::int64_t number : numbers) ++counts[static_cast<std::size_t>(number)];
  return integers(Shape{largest + 1}, counts);
}

Tensor nonzero(const Tensor& x, SourceLocation where) {
  check_defined("nonzero", x, where);
  const std::vector<std::int64_t> found = positions_of(not_equal(TensorArg(x, where), 0), where);
  const auto strides = row_major_strides(x.shape());
  std::vector<std::int64_t> places;
  for (const std::int64_t position : found) {
    for (int axis = 0; axis < x.rank(); ++axis) {
      const std::int64_t size = x.shape()[axis];
      places.push_back(position / strides[static_cast<std::size_t>(axis)] % size);
    }
  }
  return integers(Shape{static_cast<std::int64_t>(found.size()), x.rank()}, places);
}

Tensor masked_select(const TensorArg& x, const Tensor& mask, SourceLocation where) {
  const Tensor input = detail::operand(x, "masked_select");
  check_defined("masked_select", mask, where);
  const auto refuse = [&](ErrorKind kind, const char* expected) {
    return Error(kind, "masked_select").at(where).operand("input", input.spec()).operand("mask", mask.spec(), expected);
  };
  if (mask.dtype() != DType::boolean) throw refuse(ErrorKind::dtype, "expected bool").hint("compare: greater(x, 0)");
  Shape shape;
  if (!broadcast_shapes(input.shape(), mask.shape(), shape)) {
    throw refuse(ErrorKind::shape, "does not broadcast with the input");
  }
  const std::vector<std::int64_t> found = positions_of(broadcast_to(TensorArg(mask, where), shape), where);
  const Tensor all = flatten(TensorArg(broadcast_to(TensorArg(input, where), shape), where));
  return take(TensorArg(all, where), integers(Shape{static_cast<std::int64_t>(found.size())}, found));
}

bool allclose(const TensorArg& a, const TensorArg& b, const CloseOptions& options) {
  const SourceLocation where = a.where();
  const Tensor given_a = detail::operand(a, "allclose"), given_b = detail::operand(b, "allclose");
  Shape shape;
  if (!broadcast_shapes(given_a.shape(), given_b.shape(), shape)) {
    throw Error(ErrorKind::shape, "allclose", "the shapes do not broadcast")
        .at(where)
        .operand("a", given_a.spec())
        .operand("b", given_b.spec());
  }
  const TensorArg x(cast(TensorArg(given_a, where), DType::f64), where);
  const TensorArg y(cast(TensorArg(given_b, where), DType::f64), where);
  const Tensor distance = abs(TensorArg(x - y, where)), size = abs(y);
  Tensor close = less_equal(distance, TensorArg(size, where) * options.rtol + options.atol);
  close = logical_or(logical_and(close, isfinite(y)), equal(x, y));  // infinities are close to themselves alone
  if (options.equal_nan) close = logical_or(close, logical_and(isnan(x), isnan(y)));
  return all(close).item<bool>(where);
}

}  // namespace gradus
