// Loops that convert between any two types.
#include <cstring>

#include "gradus/kernel/elementwise/convert.h"
#include "gradus/kernel/elementwise/tile_functions.h"

namespace gradus::kernel {
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
  return visit_dtype(from, [&](auto source) {
    return visit_dtype(to, [&](auto target) -> TileFunction { return &loop<decltype(source), decltype(target)>; });
  });
}

}  // namespace gradus::kernel
