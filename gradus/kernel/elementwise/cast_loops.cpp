// Loops that convert between any two types: by vectors between f32 and bf16, which mixed precision does to every activation,
// and plain ones.
#include <cstdint>
#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "gradus/kernel/elementwise/cast_loops.cpp"
#include "hwy/foreach_target.h"
//
#include "gradus/kernel/elementwise/convert.h"
#include "gradus/kernel/elementwise/tile_functions.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace gradus::kernel::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// bf16 is the upper half of f32.
void Widen(void* out, const void* a, const void*, const void*, std::size_t count) noexcept {
  const hn::ScalableTag<float> d;
  const hn::RebindToUnsigned<decltype(d)> bits;
  const hn::Rebind<std::uint16_t, decltype(d)> half;
  const auto* from = static_cast<const std::uint16_t*>(a);
  auto* to = static_cast<float*>(out);
  std::size_t i = 0;
  for (const std::size_t lanes = hn::Lanes(d); i + lanes <= count; i += lanes) {
    hn::StoreU(hn::BitCast(d, hn::ShiftLeft<16>(hn::PromoteTo(bits, hn::LoadU(half, from + i)))), d, to + i);
  }
  for (; i < count; ++i) to[i] = static_cast<float>(static_cast<const BFloat16*>(a)[i]);
}

/// To nearest, ties to even; NaN stays NaN: BFloat16(float).
void Narrow(void* out, const void* a, const void*, const void*, std::size_t count) noexcept {
  const hn::ScalableTag<float> d;
  const hn::RebindToUnsigned<decltype(d)> bits;
  const hn::Rebind<std::uint16_t, decltype(d)> half;
  const auto* from = static_cast<const float*>(a);
  auto* to = static_cast<std::uint16_t*>(out);
  const auto one = hn::Set(bits, 1), below_half = hn::Set(bits, 0x7fff), quiet = hn::Set(bits, 0x40);
  std::size_t i = 0;
  for (const std::size_t lanes = hn::Lanes(d); i + lanes <= count; i += lanes) {
    const auto x = hn::LoadU(d, from + i);
    const auto u = hn::BitCast(bits, x), upper = hn::ShiftRight<16>(u);
    const auto rounded = hn::ShiftRight<16>(hn::Add(hn::Add(u, below_half), hn::And(upper, one)));
    const auto nan = hn::RebindMask(bits, hn::IsNaN(x));
    hn::StoreU(hn::TruncateTo(half, hn::IfThenElse(nan, hn::Or(upper, quiet), rounded)), half, to + i);
  }
  for (; i < count; ++i) static_cast<BFloat16*>(out)[i] = BFloat16(from[i]);
}

TileFunction find_cast_bf16(bool widens) { return widens ? &Widen : &Narrow; }

}  // namespace gradus::kernel::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gradus::kernel {

HWY_EXPORT(find_cast_bf16);

namespace {

template <class From, class To>
void loop(void* out, const void* a, const void*, const void*, std::size_t count) noexcept {
  if constexpr (std::is_same_v<From, To>) {
    if (out != a) std::memcpy(out, a, count * sizeof(To));
  } else {
    const auto* from = static_cast<const From*>(a);
    auto* to = static_cast<To*>(out);
    for (std::size_t i = 0; i < count; ++i) to[i] = convert<To>(from[i]);
  }
}

}  // namespace

TileFunction find_cast(DType from, DType to) {
  const bool widens = from == DType::bf16 && to == DType::f32, narrows = from == DType::f32 && to == DType::bf16;
  if (widens || narrows) return HWY_DYNAMIC_DISPATCH(find_cast_bf16)(widens);
  return visit_dtype(from, [&](auto source) {
    return visit_dtype(to, [&](auto target) -> TileFunction { return &loop<decltype(source), decltype(target)>; });
  });
}

}  // namespace gradus::kernel
#endif
