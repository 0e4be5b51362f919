// SIMD loops for f64, for every target of Highway.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "gradus/kernel/elementwise/simd_f64.cpp"
#include "hwy/foreach_target.h"
//
#include "gradus/kernel/elementwise/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace gradus::kernel::HWY_NAMESPACE {

TileFunction find_f64(ElementwiseCode code) { return find_loop<double>(code); }

}  // namespace gradus::kernel::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gradus::kernel {

HWY_EXPORT(find_f64);

TileFunction find_simd_f64(ElementwiseCode code) { return HWY_DYNAMIC_DISPATCH(find_f64)(code); }

}  // namespace gradus::kernel
#endif
