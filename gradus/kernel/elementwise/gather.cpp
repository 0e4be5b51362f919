#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "gradus/kernel/elementwise/gather.cpp"
#include "hwy/foreach_target.h"
//
#include <algorithm>
#include <array>
#include <cstring>

#include "gradus/kernel/elementwise/gather.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace gradus::kernel::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

/// A run as whole vectors; the last one may write elements of the one before again.
template <class T>
HWY_INLINE void copy_run(T* out, const T* from, std::int64_t stride, std::int64_t count) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  if (stride > 1 || stride < 0 || count < lanes) {
    for (std::int64_t i = 0; i < count; ++i) out[i] = from[i * stride];
    return;
  }
  if (stride == 0) {
    const auto value = hn::Set(d, *from);
    for (std::int64_t i = 0; i + lanes <= count; i += lanes) hn::StoreU(value, d, out + i);
    hn::StoreU(value, d, out + count - lanes);
  } else {
    for (std::int64_t i = 0; i + lanes <= count; i += lanes) hn::StoreU(hn::LoadU(d, from + i), d, out + i);
    hn::StoreU(hn::LoadU(d, from + count - lanes), d, out + count - lanes);
  }
}

template <class T>
void gather_runs(T* out, const T* input, const Gather& gather, std::int64_t begin, std::int64_t count) {
  std::array<std::int64_t, Shape::max_rank> position{};
  std::int64_t offset = gather.offset;
  const std::size_t rank = gather.axes.size();
  for (std::size_t axis = rank; axis-- > 0;) {
    position[axis] = begin % gather.axes[axis].size;
    begin /= gather.axes[axis].size;
    offset += position[axis] * gather.axes[axis].stride;
  }
  const GatherAxis inner = rank == 0 ? GatherAxis{} : gather.axes[rank - 1];
  while (count > 0) {
    const std::int64_t start = rank == 0 ? 0 : position[rank - 1];
    const std::int64_t run = std::min(count, inner.size - start);
    copy_run(out, input + offset, inner.stride, run);
    out += run;
    count -= run;
    if (count == 0) return;
    offset -= start * inner.stride;  // back to the start of the run, then one step along the outer axes
    position[rank - 1] = 0;
    for (std::size_t axis = rank - 1; axis-- > 0;) {
      offset += gather.axes[axis].stride;
      if (++position[axis] < gather.axes[axis].size) break;
      offset -= gather.axes[axis].size * gather.axes[axis].stride;
      position[axis] = 0;
    }
  }
}

/// Calls f with an integer of `bytes` bytes.
template <class F>
void with_word(std::size_t bytes, F f) {
  switch (bytes) {
    case 1: return f(std::uint8_t{});
    case 2: return f(std::uint16_t{});
    case 4: return f(std::uint32_t{});
    default: return f(std::uint64_t{});
  }
}

void gather(std::byte* out, const std::byte* input, const Gather& pattern, std::int64_t begin, std::int64_t count) {
  with_word(pattern.element, [&](auto word) {
    using T = decltype(word);
    gather_runs(reinterpret_cast<T*>(out), reinterpret_cast<const T*>(input), pattern, begin, count);
  });
}

void fill(std::byte* out, const std::byte* pattern, std::size_t element, std::int64_t count) {
  with_word(element, [&](auto word) {
    std::memcpy(&word, pattern, sizeof word);
    copy_run(reinterpret_cast<decltype(word)*>(out), &word, 0, count);
  });
}

}  // namespace
}  // namespace gradus::kernel::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gradus::kernel {

HWY_EXPORT(gather);
HWY_EXPORT(fill);

void run_gather(std::byte* out, const std::byte* input, const Gather& gather_pattern, std::int64_t begin,
                std::int64_t count) {
  HWY_DYNAMIC_DISPATCH(gather)(out, input, gather_pattern, begin, count);
}

void run_fill(std::byte* out, const std::byte* pattern, std::size_t element, std::int64_t count) {
  HWY_DYNAMIC_DISPATCH(fill)(out, pattern, element, count);
}

}  // namespace gradus::kernel
#endif
