#include "gradus/ops/region.h"

#include "gradus/base/error.h"
#include "gradus/ops/region_reduce.h"

namespace gradus {

Tensors Region::vjp(const VjpArgs&) const {
  constexpr bool gradients_are_taken_before_fusion = false;
  GRADUS_ASSERT(gradients_are_taken_before_fusion);
  return {};
}

Specs RegionReduce::infer(std::span<const TensorSpec>) const {
  Specs specs;
  for (std::size_t i = 0; i < region.specs.size(); ++i) {
    const TensorSpec& spec = region.specs[i];
    specs.push_back(i < static_cast<std::size_t>(dense) ? spec : reduce.infer(std::span(&spec, 1)).front());
  }
  return specs;
}

}  // namespace gradus
