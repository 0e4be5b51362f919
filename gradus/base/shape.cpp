#include "gradus/base/shape.h"

#include <fmt/format.h>

#include <algorithm>

#include "gradus/base/error.h"

namespace gradus {

Shape::Shape(std::span<const std::int64_t> sizes) {
  for (const std::int64_t size : sizes) {
    if (rank_ == max_rank) refuse_rank();
    sizes_[static_cast<std::size_t>(rank_++)] = size;
  }
  check_sizes();
}

void Shape::push_back(std::int64_t size) { insert(rank(), size); }

void Shape::refuse_rank() const {
  throw Error(ErrorKind::shape, "shape", fmt::format("more than {} axes", max_rank)).field("axes", str());
}

void Shape::insert(int axis, std::int64_t size) {
  if (rank_ == max_rank) refuse_rank();
  std::copy_backward(sizes_.begin() + axis, sizes_.begin() + rank_, sizes_.begin() + rank_ + 1);
  sizes_[static_cast<std::size_t>(axis)] = size;
  ++rank_;
  check_sizes();
}

void Shape::set(int axis, std::int64_t size) {
  GRADUS_ASSERT(axis >= 0 && axis < rank_);
  sizes_[static_cast<std::size_t>(axis)] = size;
  check_sizes();
}

void Shape::check_sizes() const {
  std::int64_t product = 1;
  for (int axis = 0; axis < rank(); ++axis) {
    const std::int64_t size = (*this)[axis];
    if (size < 0) {
      throw Error(ErrorKind::shape, "shape", fmt::format("axis {} has the negative size {}", axis, size));
    }
    const bool overflows = __builtin_mul_overflow(product, std::max<std::int64_t>(size, 1), &product);
    if (overflows || product > max_elements) {
      throw Error(ErrorKind::shape, "shape", fmt::format("more than 2^48 elements: {}", str()))
          .hint("is one of the sizes a mistake?");
    }
  }
}

void Shape::erase(int axis) {
  GRADUS_ASSERT(axis >= 0 && axis < rank_);
  std::copy(sizes_.begin() + axis + 1, sizes_.begin() + rank_, sizes_.begin() + axis);
  sizes_[static_cast<std::size_t>(--rank_)] = 0;
}

std::int64_t Shape::numel() const { return numel(0, rank()); }

std::int64_t Shape::numel(int from, int to) const {
  std::int64_t product = 1;
  for (int axis = from; axis < to; ++axis) product *= (*this)[axis];
  return product;
}

std::string Shape::str() const { return fmt::format("[{}]", fmt::join(begin(), end(), ", ")); }

std::array<std::int64_t, Shape::max_rank> row_major_strides(const Shape& shape) {
  std::array<std::int64_t, Shape::max_rank> strides{};
  std::int64_t stride = 1;
  for (int axis = shape.rank() - 1; axis >= 0; --axis) {
    strides[static_cast<std::size_t>(axis)] = stride;
    stride *= shape[axis];
  }
  return strides;
}

bool broadcast_shapes(const Shape& a, const Shape& b, Shape& result, int* axis) {
  const int rank = std::max(a.rank(), b.rank());
  std::array<std::int64_t, Shape::max_rank> sizes{};
  for (int i = 0; i < rank; ++i) {
    const int from_right = rank - 1 - i;
    const std::int64_t size_a = from_right < a.rank() ? a[a.rank() - 1 - from_right] : 1;
    const std::int64_t size_b = from_right < b.rank() ? b[b.rank() - 1 - from_right] : 1;
    if (size_a != size_b && size_a != 1 && size_b != 1) {
      if (axis) *axis = from_right;
      return false;
    }
    sizes[static_cast<std::size_t>(i)] = size_a == 1 ? size_b : size_a;
  }
  result = Shape(std::span<const std::int64_t>(sizes.data(), static_cast<std::size_t>(rank)));
  return true;
}

std::string TensorSpec::str() const { return fmt::format("{} {}", name_of(dtype), shape.str()); }

}  // namespace gradus
