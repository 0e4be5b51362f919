// What the plain kernels share.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include "gradus/base/dtype.h"
#include "gradus/base/shape.h"

namespace gradus::kernel {

using Strides = std::array<std::int64_t, Shape::max_rank>;

/// An element as double, whatever its type.
template <class T>
double to_double(T value) {
  if constexpr (std::is_same_v<T, BFloat16>) {
    return static_cast<double>(static_cast<float>(value));
  } else {
    return static_cast<double>(value);
  }
}

template <class T>
T from_double(double value) {
  if constexpr (std::is_same_v<T, BFloat16>) {
    return BFloat16(static_cast<float>(value));
  } else {
    return static_cast<T>(value);
  }
}

/// a + b in the arithmetic of T; integers wrap around.
template <class T>
T added(T a, T b) {
  if constexpr (std::is_integral_v<T>) {
    return static_cast<T>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
  } else if constexpr (std::is_same_v<T, BFloat16>) {
    return BFloat16(static_cast<float>(a) + static_cast<float>(b));
  } else {
    return a + b;
  }
}

/// Calls `f` with an unsigned integer of the size of `dtype`: for kernels that only move elements.
template <class F>
decltype(auto) visit_size(DType dtype, F&& f) {
  switch (size_of(dtype)) {
    case 1: return f(std::uint8_t{});
    case 2: return f(std::uint16_t{});
    case 4: return f(std::uint32_t{});
    default: return f(std::uint64_t{});
  }
}

/// Walks the points of a box in row-major order and keeps an offset along: the sum of index * stride.
class BoxWalk {
 public:
  BoxWalk(const Shape& box, const Strides& strides, std::int64_t first_point) : box_(box), strides_(strides) {
    for (int axis = box.rank() - 1; axis >= 0; --axis) {
      const auto at = static_cast<std::size_t>(axis);
      index_[at] = first_point % box[axis];
      first_point /= box[axis];
      offset_ += index_[at] * strides[at];
    }
  }

  std::int64_t offset() const { return offset_; }
  /// Index along one axis.
  std::int64_t index(int axis) const { return index_[static_cast<std::size_t>(axis)]; }

  void next() { advance(1); }
  /// Steps over `count` points of the last axis, which must not lead beyond its end.
  void advance(std::int64_t count) {
    for (int axis = box_.rank() - 1; axis >= 0; --axis) {
      const auto at = static_cast<std::size_t>(axis);
      index_[at] += count;
      offset_ += count * strides_[at];
      if (index_[at] < box_[axis]) return;
      offset_ -= index_[at] * strides_[at];
      index_[at] = 0;
      count = 1;
    }
  }

 private:
  const Shape& box_;
  const Strides& strides_;
  Strides index_{};
  std::int64_t offset_ = 0;
};

/// Merges neighbouring axes of `box` that every operand crosses in one stride, and drops axes of size 1. All strides
/// are rewritten for the shape that is returned; it has at least one axis.
Shape collapse(const Shape& box, std::span<Strides* const> operands);

}  // namespace gradus::kernel
