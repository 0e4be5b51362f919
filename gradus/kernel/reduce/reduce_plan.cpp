#include "gradus/kernel/reduce/reduce_plan.h"

namespace gradus::kernel {

std::int64_t Loops::points() const {
  std::int64_t product = 1;
  for (int i = 0; i < count; ++i) product *= sizes[static_cast<std::size_t>(i)];
  return product;
}

std::int64_t ReducePlan::elements_per_group() const {
  return folded.points() * (rows ? last : std::min(last, column_tile));
}

ReducePlan::ReducePlan(const Shape& shape, std::uint32_t axes) {
  // Runs of axes of one kind, as (size, folded), outermost first.
  std::array<std::int64_t, Shape::max_rank> sizes{};
  std::array<bool, Shape::max_rank> folds{};
  std::size_t runs = 0;
  for (int axis = 0; axis < shape.rank(); ++axis) {
    if (shape[axis] == 1) continue;
    const bool fold = (axes >> axis & 1) != 0;
    if (runs == 0 || folds[runs - 1] != fold) {
      sizes[runs] = 1;
      folds[runs++] = fold;
    }
    sizes[runs - 1] *= shape[axis];
  }
  if (runs > 0) {
    rows = folds[runs - 1];
    last = sizes[runs - 1];
  }
  std::int64_t stride = last;
  for (std::size_t i = runs; i-- > 1;) {  // from the inside, so that strides grow
    Loops& loops = folds[i - 1] ? folded : kept;
    const auto at = static_cast<std::size_t>(loops.count++);
    loops.sizes[at] = sizes[i - 1];
    loops.strides[at] = stride;
    stride *= sizes[i - 1];
  }
  for (Loops* loops : {&kept, &folded}) {
    std::reverse(loops->sizes.begin(), loops->sizes.begin() + loops->count);
    std::reverse(loops->strides.begin(), loops->strides.begin() + loops->count);
  }
  groups = rows ? kept.points() : kept.points() * tiles();
  blocks = rows ? folded.points() * row_blocks() : folded.points();
  if (groups < 64) {
    const std::int64_t wanted = elements_per_group() / chunk_elements;
    chunks = std::clamp<std::int64_t>(wanted, 1, std::min<std::int64_t>(64, std::max<std::int64_t>(1, blocks)));
  }
}

}  // namespace gradus::kernel
