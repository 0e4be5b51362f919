// Small matrix products inside the kernels of sequences: one thread, f32, the right side packed. Compiled once per target of
// Highway: included by each translation unit that foreach_target.h repeats.
#if defined(GRADUS_KERNEL_SEQUENCE_PRODUCT_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef GRADUS_KERNEL_SEQUENCE_PRODUCT_INL_H
#undef GRADUS_KERNEL_SEQUENCE_PRODUCT_INL_H
#else
#define GRADUS_KERNEL_SEQUENCE_PRODUCT_INL_H
#endif

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <limits>

#include "hwy/highway.h"
//
#include "hwy/contrib/math/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace gradus::kernel::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using Tag = hn::CappedTag<float, 16>;
using Vector = hn::Vec<Tag>;

constexpr std::size_t lanes = hn::MaxLanes(Tag());
/// A tile of the product stays in registers: 6 rows of 4 vectors where there are 32 registers, of 2 where there are 16.
constexpr std::size_t tile_rows = 6;
constexpr std::size_t tile_vectors = lanes == 16 || HWY_ARCH_ARM ? 4 : 2;
/// Columns of one panel of the packed right side. Rows of results are padded to `sequence_padding`, a multiple of it.
constexpr std::size_t panel_width = tile_vectors * lanes;
/// Rows of a panel that are worked through at a time: 32 KiB of it at most.
constexpr std::size_t depth_block = 128;

/// A left side: element (row, k) lies at data[row * row_stride + k * step].
struct Left {
  const float* data;
  std::size_t row_stride, step;
};

/// A packed right side: panels of `panel_width` columns, each [depth][panel_width], `stride` elements from one to the next.
struct Right {
  const float* data;
  std::size_t stride;
};

constexpr std::size_t panels_of(std::size_t columns) { return (columns + panel_width - 1) / panel_width; }

template <std::size_t Rows>
HWY_INLINE void multiply_tile(std::size_t depth, const float* HWY_RESTRICT a, std::size_t a_row, std::size_t a_step,
                              const float* HWY_RESTRICT b, float* HWY_RESTRICT c, std::size_t c_row, bool add) {
  const Tag d;
  Vector sums[Rows][tile_vectors];
  for (std::size_t r = 0; r < Rows; ++r) {
    for (std::size_t v = 0; v < tile_vectors; ++v) {
      sums[r][v] = add ? hn::LoadU(d, c + r * c_row + v * lanes) : hn::Zero(d);
    }
  }
  for (std::size_t k = 0; k < depth; ++k) {
    Vector right[tile_vectors];
    for (std::size_t v = 0; v < tile_vectors; ++v) right[v] = hn::LoadU(d, b + k * panel_width + v * lanes);
    for (std::size_t r = 0; r < Rows; ++r) {
      const Vector left = hn::Set(d, a[r * a_row + k * a_step]);
      for (std::size_t v = 0; v < tile_vectors; ++v) sums[r][v] = hn::MulAdd(left, right[v], sums[r][v]);
    }
  }
  for (std::size_t r = 0; r < Rows; ++r) {
    for (std::size_t v = 0; v < tile_vectors; ++v) hn::StoreU(sums[r][v], d, c + r * c_row + v * lanes);
  }
}

/// Up to tile_rows rows of one panel.
inline void multiply_rows(std::size_t rows, std::size_t depth, const Left& a, const float* b, float* c,
                          std::size_t c_row, bool add) {
  switch (rows) {
    case 1: return multiply_tile<1>(depth, a.data, a.row_stride, a.step, b, c, c_row, add);
    case 2: return multiply_tile<2>(depth, a.data, a.row_stride, a.step, b, c, c_row, add);
    case 3: return multiply_tile<3>(depth, a.data, a.row_stride, a.step, b, c, c_row, add);
    case 4: return multiply_tile<4>(depth, a.data, a.row_stride, a.step, b, c, c_row, add);
    case 5: return multiply_tile<5>(depth, a.data, a.row_stride, a.step, b, c, c_row, add);
    default: return multiply_tile<tile_rows>(depth, a.data, a.row_stride, a.step, b, c, c_row, add);
  }
}

/// c = a b, or c += a b with `add`; `c` has rows of `c_row` elements, of which all in `panels` panels are written. A part of a
/// panel stays in the L1 cache while all rows pass over it.
inline void multiply(std::size_t rows, std::size_t panels, std::size_t depth, const Left& a, const Right& b, float* c,
                     std::size_t c_row, bool add) {
  for (std::size_t p = 0; p < panels; ++p) {
    for (std::size_t k = 0; k < std::max(depth, std::size_t{1}); k += depth_block) {
      const float* panel = b.data + p * b.stride + k * panel_width;
      const std::size_t count = std::min(depth_block, depth - k);
      for (std::size_t r = 0; r < rows; r += tile_rows) {
        const Left left{a.data + r * a.row_stride + k * a.step, a.row_stride, a.step};
        multiply_rows(std::min(tile_rows, rows - r), count, left, panel, c + r * c_row + p * panel_width, c_row,
                      add || k > 0);
      }
    }
  }
}

/// Packs x [depth, columns], whose rows are `row_stride` apart, with zeros behind the last column. `depth_stride` rows of
/// room in each panel.
inline void pack(const float* HWY_RESTRICT x, std::size_t row_stride, std::size_t depth, std::size_t columns,
                 std::size_t depth_stride, float* HWY_RESTRICT packed) {
  for (std::size_t p = 0; p < panels_of(columns); ++p) {
    const std::size_t first = p * panel_width, count = std::min(panel_width, columns - first);
    float* to = packed + p * depth_stride * panel_width;
    for (std::size_t k = 0; k < depth; ++k, to += panel_width) {
      std::copy_n(x + k * row_stride + first, count, to);
      std::fill(to + count, to + panel_width, 0.f);
    }
  }
}

/// Packs panels [first, last) of the transpose of x [columns, depth].
inline void pack_transposed(const float* HWY_RESTRICT x, std::size_t row_stride, std::size_t depth, std::size_t columns,
                            float* HWY_RESTRICT packed, std::size_t first, std::size_t last) {
  for (std::size_t p = first; p < last; ++p) {
    float* to = packed + p * depth * panel_width;
    for (std::size_t j = 0; j < panel_width; ++j) {
      const std::size_t column = p * panel_width + j;
      for (std::size_t k = 0; k < depth; ++k) {
        to[k * panel_width + j] = column < columns ? x[column * row_stride + k] : 0.f;
      }
    }
  }
}

/// The vector at x[i], with `beyond` behind the end of the row.
HWY_INLINE Vector load_part(const float* x, std::size_t i, std::size_t count, float beyond) {
  const Tag d;
  if (i + lanes <= count) return hn::LoadU(d, x + i);
  HWY_ALIGN float rest[lanes];
  std::fill_n(rest, lanes, beyond);
  if (i < count) std::copy(x + i, x + count, rest);
  return hn::Load(d, rest);
}

HWY_INLINE void store_part(Vector value, float* x, std::size_t i, std::size_t count) {
  const Tag d;
  if (i + lanes <= count) return hn::StoreU(value, d, x + i);
  HWY_ALIGN float rest[lanes];
  hn::Store(value, d, rest);
  if (i < count) std::copy_n(rest, count - i, x + i);
}

/// exp(x) for x that does not overflow, NaN for NaN (Highway's Exp makes 0 of it).
HWY_INLINE Vector exp_or_nan(Vector x) {
  const Vector result = hn::Exp(Tag(), x);
  return hn::IfThenElse(hn::IsNaN(x), x, result);
}

/// 1 / (1 + exp(-x)).
HWY_INLINE Vector logistic(Vector x) {
  const Tag d;
  const Vector one = hn::Set(d, 1.f), bounded = hn::Max(x, hn::Set(d, -88.f));
  const Vector y = hn::Div(one, hn::Add(one, hn::Exp(d, hn::Neg(bounded))));
  return hn::IfThenElse(hn::IsNaN(x), x, y);
}

/// tanh(x), to an absolute error of some 1e-7.
HWY_INLINE Vector hyperbolic_tangent(Vector x) {
  const Tag d;
  const Vector one = hn::Set(d, 1.f), small = hn::Exp(d, hn::Mul(hn::Set(d, -2.f), hn::Abs(x)));
  const Vector y = hn::CopySign(hn::Div(hn::Sub(one, small), hn::Add(one, small)), x);
  return hn::IfThenElse(hn::IsNaN(x), x, y);
}

}  // namespace gradus::kernel::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
