#include "gradus/kernel/reference/support.h"

namespace gradus::kernel {

Shape collapse(const Shape& box, std::span<Strides* const> operands) {
  std::array<std::int64_t, Shape::max_rank> sizes{};
  std::size_t rank = 0;
  for (int axis = 0; axis < box.rank(); ++axis) {
    const auto from = static_cast<std::size_t>(axis);
    if (box[axis] == 1) continue;
    bool merges = rank > 0;
    for (const Strides* strides : operands) {
      merges = merges && (*strides)[rank - 1] == (*strides)[from] * box[axis];
    }
    if (!merges) sizes[rank++] = 1;
    sizes[rank - 1] *= box[axis];
    for (Strides* strides : operands) (*strides)[rank - 1] = (*strides)[from];
  }
  if (rank == 0) {
    sizes[rank++] = 1;
    for (Strides* strides : operands) (*strides)[0] = 0;
  }
  return Shape(std::span<const std::int64_t>(sizes.data(), rank));
}

}  // namespace gradus::kernel
