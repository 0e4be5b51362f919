// Max pooling of f32: windows of 2 x 2 with stride 2 in one pass, others tap by tap.
#include <algorithm>
#include <array>
#include <cstdint>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "gradus/kernel/pool/max_pool.cpp"
#include <hwy/foreach_target.h>  // must come before highway.h

#include <hwy/highway.h>

#include "gradus/kernel/pool/max_pool.h"

HWY_BEFORE_NAMESPACE();
namespace gradus::kernel::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// Pools two rows of images into `Lanes(d)` columns of one row, from output column `column` on. The first of equal elements
/// wins, NaN wins over everything.
template <class D>
void PoolColumns(D d, const PlanePooling& p, const float* rows, std::int32_t first, std::int64_t column, float* values,
                 std::int32_t* index) {
  const hn::RebindToSigned<D> di;
  const float* top = rows + 2 * column;
  hn::Vec<D> candidates[4];
  hn::LoadInterleaved2(d, top, candidates[0], candidates[1]);
  hn::LoadInterleaved2(d, top + p.w, candidates[2], candidates[3]);
  const std::int32_t offsets[4] = {0, 1, static_cast<std::int32_t>(p.w), static_cast<std::int32_t>(p.w) + 1};

  const auto base =
      hn::Add(hn::Set(di, first + 2 * static_cast<std::int32_t>(column)), hn::ShiftLeft<1>(hn::Iota(di, 0)));
  auto best = candidates[0];
  auto at = base;
  for (int i = 1; i < 4; ++i) {
    const auto larger = hn::Or(hn::Gt(candidates[i], best), hn::AndNot(hn::IsNaN(best), hn::IsNaN(candidates[i])));
    best = hn::IfThenElse(larger, candidates[i], best);
    at = hn::IfThenElse(hn::RebindMask(di, larger), hn::Add(base, hn::Set(di, offsets[i])), at);
  }
  hn::StoreU(best, d, values + column);
  hn::StoreU(at, di, index + column);
}

/// A plane with at least Lanes(d) columns; the last vector of a row overlaps the one before.
template <class D>
void PoolPlane(D d, const PlanePooling& p, const float* x, float* values, std::int32_t* index) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  for (std::int64_t row = 0; row < p.oh; ++row, values += p.ow, index += p.ow) {
    const float* rows = x + 2 * row * p.w;
    const auto first = static_cast<std::int32_t>(2 * row * p.w);
    for (std::int64_t column = 0; column < p.ow; column += lanes) {
      PoolColumns(d, p, rows, first, std::min(column, p.ow - lanes), values, index);
    }
  }
}

void PoolPlane2x2(const PlanePooling& p, const float* x, float* values, std::int32_t* index) {
  const hn::ScalableTag<float> widest;
  const hn::CappedTag<float, 8> eight;
  const hn::CappedTag<float, 4> four;
  const auto fits = [&](auto d) { return p.ow >= static_cast<std::int64_t>(hn::Lanes(d)); };
  if (fits(widest)) return PoolPlane(widest, p, x, values, index);
  if (fits(eight)) return PoolPlane(eight, p, x, values, index);
  if (fits(four)) return PoolPlane(four, p, x, values, index);
  PoolPlane(hn::CappedTag<float, 1>(), p, x, values, index);
}

/// Replaces what is best so far by the element of `row` that one tap of the window reads, for `Lanes(d)` columns.
/// `shift`: column of the tap for output column 0; `first`: index of row[0].
template <class D>
void TapColumns(D d, const float* row, std::int32_t first, std::int64_t shift, std::int64_t stride, std::int64_t column,
                float* values, std::int32_t* index) {
  const hn::RebindToSigned<D> di;
  const auto from = static_cast<std::int32_t>(column * stride + shift);
  const auto offsets =
      hn::Add(hn::Set(di, from), hn::Mul(hn::Iota(di, 0), hn::Set(di, static_cast<std::int32_t>(stride))));
  const auto element = stride == 1 ? hn::LoadU(d, row + from) : hn::GatherIndex(d, row, offsets);
  const auto best = hn::LoadU(d, values + column);
  const auto larger = hn::Or(hn::Gt(element, best), hn::AndNot(hn::IsNaN(best), hn::IsNaN(element)));
  hn::StoreU(hn::IfThenElse(larger, element, best), d, values + column);
  const auto at = hn::Add(offsets, hn::Set(di, first));
  hn::StoreU(hn::IfThenElse(hn::RebindMask(di, larger), at, hn::LoadU(di, index + column)), di, index + column);
}

/// The first of start, start + step, ... that is not negative.
inline std::int64_t FirstInside(std::int64_t start, std::int64_t step) {
  return start >= 0 ? start : start + (-start + step - 1) / step * step;
}

/// Any window: for each row and each tap of the window, all columns.
void PoolPlaneAny(const PlanePooling& p, const PoolWindows& windows, const float* x, float* values,
                  std::int32_t* index) {
  const hn::CappedTag<float, 8> d;
  const hn::CappedTag<float, 1> one;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const std::int64_t stride = windows.stride[1];
  for (std::int64_t row = 0; row < p.oh; ++row, values += p.ow, index += p.ow) {
    const std::int64_t top = row * windows.stride[0] - windows.padding[0];
    const std::int64_t begin = FirstInside(top, windows.dilation[0]);
    const std::int64_t end = std::min(top + (windows.kernel[0] - 1) * windows.dilation[0] + 1, p.h);
    for (std::int64_t column = 0; column < p.ow; ++column) {
      const std::int64_t from = FirstInside(column * stride - windows.padding[1], windows.dilation[1]);
      index[column] = static_cast<std::int32_t>(begin * p.w + from);
      values[column] = x[index[column]];
    }
    for (std::int64_t r = begin; r < end; r += windows.dilation[0]) {
      const auto first = static_cast<std::int32_t>(r * p.w);
      for (std::int64_t tap = 0; tap < windows.kernel[1]; ++tap) {
        const std::int64_t shift = tap * windows.dilation[1] - windows.padding[1];
        std::int64_t column = shift >= 0 ? 0 : (-shift + stride - 1) / stride;  // the first that lies inside
        const std::int64_t to = shift >= p.w ? 0 : std::min(p.ow, (p.w - 1 - shift) / stride + 1);
        for (; column + lanes <= to; column += lanes)
          TapColumns(d, x + first, first, shift, stride, column, values, index);
        for (; column < to; ++column) TapColumns(one, x + first, first, shift, stride, column, values, index);
      }
    }
  }
}

}  // namespace gradus::kernel::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "gradus/base/parallel.h"
#include "gradus/kernel/registry.h"

namespace gradus::kernel {
namespace {

HWY_EXPORT(PoolPlane2x2);
HWY_EXPORT(PoolPlaneAny);

class TileMaxPool final : public Kernel {
 public:
  TileMaxPool(const PoolWindows& windows, const Shape& x, const Shape& y)
      : planes_(x[0] * x[1]), plane_{x[2], x[3], y[2], y[3]}, windows_(windows) {
    constexpr std::array<std::int64_t, 2> two{2, 2};
    halves_ = windows.kernel == two && windows.stride == two && windows.padding == std::array<std::int64_t, 2>{0, 0} &&
              windows.dilation == std::array<std::int64_t, 2>{1, 1} && 2 * y[2] <= x[2] && 2 * y[3] <= x[3];
  }

  Status run(const Arguments& arguments) const noexcept override {
    const std::int64_t size = plane_.h * plane_.w, pooled = plane_.oh * plane_.ow;
    const std::int64_t grain = std::max<std::int64_t>(1, (std::int64_t{1} << 14) / size);
    parallel_for(planes_, grain, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const float* x = arguments.input<float>(0) + i * size;
        float* values = arguments.output<float>(0) + i * pooled;
        std::int32_t* index = arguments.output<std::int32_t>(1) + i * pooled;
        if (halves_) {
          HWY_DYNAMIC_DISPATCH(PoolPlane2x2)(plane_, x, values, index);
        } else {
          HWY_DYNAMIC_DISPATCH(PoolPlaneAny)(plane_, windows_, x, values, index);
        }
      }
    });
    return {};
  }

 private:
  std::int64_t planes_;
  PlanePooling plane_;
  PoolWindows windows_;
  bool halves_;  ///< windows of 2 x 2, stride 2, all inside
};

std::unique_ptr<Kernel> make_max_pool(const Request& request, std::string& reason) {
  if (request.inputs[0].dtype != DType::f32) {
    reason = "only f32";
    return nullptr;
  }
  return std::make_unique<TileMaxPool>(request.op.as<MaxPool2d>()->windows, request.inputs[0].shape,
                                       request.outputs[0].shape);
}

}  // namespace

std::vector<Implementation> tile_pool_kernels() { return {{"max_pool2d", "tiles", make_max_pool}}; }

}  // namespace gradus::kernel
#endif  // HWY_ONCE
