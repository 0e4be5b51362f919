#include "gradus/kernel/elementwise/simd.h"

#include "hwy/highway.h"

namespace gradus::kernel {

std::vector<std::string> simd_targets() {
  std::vector<std::string> names;
  for (const auto target : hwy::SupportedAndGeneratedTargets()) names.emplace_back(hwy::TargetName(target));
  return names;
}

std::string simd_target() { return simd_targets().front(); }

}  // namespace gradus::kernel
