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

}  // namespace gradus
