// SIMD loops for f32, for every target of Highway.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "gradus/kernel/elementwise/simd_f32.cpp"
#include "hwy/foreach_target.h"
//
#include "gradus/kernel/elementwise/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace gradus::kernel::HWY_NAMESPACE {

TileFunction find_f32(ElementwiseCode code) { return find_loop<float>(code); }

}  // namespace gradus::kernel::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gradus::kernel {

HWY_EXPORT(find_f32);

TileFunction find_simd_f32(ElementwiseCode code) { return HWY_DYNAMIC_DISPATCH(find_f32)(code); }

}  // namespace gradus::kernel
#endif
