// Shapes and tensor specifications.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>

#include "gradus/base/dtype.h"

namespace gradus {

/// Sizes of a tensor's axes, outermost first (row-major). At most `max_rank` axes; a size may be zero.
class Shape {
 public:
  static constexpr int max_rank = 8;
  /// Elements that a shape may have, counting empty axes as 1: far more than memory, far less than what overflows.
  static constexpr std::int64_t max_elements = std::int64_t{1} << 48;

  constexpr Shape() = default;
  /// Throws Error(shape) for a negative size, more than max_rank axes, or more than max_elements.
  Shape(std::initializer_list<std::int64_t> sizes) : Shape(std::span(sizes.begin(), sizes.size())) {}
  explicit Shape(std::span<const std::int64_t> sizes);

  int rank() const { return static_cast<int>(rank_); }
  std::int64_t operator[](int axis) const { return sizes_[static_cast<std::size_t>(axis)]; }
  /// Changes one size; `axis` must be in [0, rank). Throws as the constructor.
  void set(int axis, std::int64_t size);
  void push_back(std::int64_t size);
  void insert(int axis, std::int64_t size);
  void erase(int axis);

  const std::int64_t* begin() const { return sizes_.data(); }
  const std::int64_t* end() const { return sizes_.data() + rank_; }
  std::span<const std::int64_t> sizes() const { return {begin(), end()}; }

  /// Product of the sizes; 1 for a scalar.
  std::int64_t numel() const;
  /// Product of sizes of the axes in [from, to).
  std::int64_t numel(int from, int to) const;
  /// "[32, 1, 28, 28]"; "[]" for a scalar.
  std::string str() const;

  friend bool operator==(const Shape& a, const Shape& b) {
    if (a.rank_ != b.rank_) return false;
    for (int axis = 0; axis < a.rank(); ++axis) {
      if (a[axis] != b[axis]) return false;
    }
    return true;
  }

 private:
  void check_sizes() const;
  [[noreturn]] void refuse_rank() const;

  std::array<std::int64_t, max_rank> sizes_{};  // unused entries stay 0
  std::int64_t rank_ = 0;
};

/// Element strides of a dense row-major tensor.
std::array<std::int64_t, Shape::max_rank> row_major_strides(const Shape& shape);

/// NumPy's broadcasting of two shapes. Returns false when they do not fit; `axis` then is the offending one,
/// counted from the right (0 = last).
bool broadcast_shapes(const Shape& a, const Shape& b, Shape& result, int* axis = nullptr);

/// Type and shape: all that is known of a tensor before it is evaluated.
struct TensorSpec {
  // In this order, and copied one by one: a load that spans several recent stores waits for the cache.
  Shape shape;
  DType dtype = DType::f32;
  static constexpr int field_count = 2;

  TensorSpec() = default;
  TensorSpec(DType type, const Shape& sizes) : shape(sizes), dtype(type) {}
  TensorSpec(const TensorSpec& other) noexcept : shape(other.shape), dtype(other.dtype) {}
  TensorSpec& operator=(const TensorSpec& other) noexcept {
    shape = other.shape;
    dtype = other.dtype;
    return *this;
  }
  ~TensorSpec() = default;

  std::size_t bytes() const { return static_cast<std::size_t>(shape.numel()) * size_of(dtype); }
  /// "f32 [32, 784]"
  std::string str() const;
  friend bool operator==(const TensorSpec&, const TensorSpec&) = default;
};

}  // namespace gradus
