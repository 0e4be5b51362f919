// How a fast reduction of f32 walks its input. Made from shapes alone, so that the order of additions, and with it
// every bit of the result, is the same for any number of threads.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "gradus/base/shape.h"
#include "gradus/ops/reduce.h"

namespace gradus::kernel {

/// Nested loops over some axes of the input, outermost first.
struct Loops {
  int count = 0;
  std::array<std::int64_t, Shape::max_rank> sizes{}, strides{};

  std::int64_t points() const;
  /// Offset of point number `point`.
  std::int64_t offset(std::int64_t point) const {
    std::int64_t total = 0;
    for (int i = count - 1; i > 0; --i) {
      const auto at = static_cast<std::size_t>(i);
      total += point % sizes[at] * strides[at];
      point /= sizes[at];
    }
    return total + point * strides[0];
  }
};

/// After neighbouring axes of one kind are merged, the last axis of the input is either folded (rows: the elements of
/// one output lie side by side) or kept (columns: neighbouring outputs lie side by side). The other axes are the loops.
///
/// Work is cut into tasks (group, chunk): a group is one output, or a tile of neighbouring columns; a chunk is a fixed
/// part of what folds into it. Chunks give partial results, which are combined in order.
struct ReducePlan {
  static constexpr std::int64_t row_block = 4096;   ///< elements that one f32 accumulation runs over
  static constexpr std::int64_t column_tile = 256;  ///< columns that are accumulated together
  static constexpr std::int64_t column_block = 64;  ///< rows that one f32 accumulation runs over
  static constexpr std::int64_t chunk_elements = 1 << 15;

  bool rows = true;
  Loops kept, folded;     ///< without the last axis
  std::int64_t last = 1;  ///< size of the last axis: a row, or the columns
  std::int64_t groups = 1;
  std::int64_t blocks = 1;  ///< of one group: row blocks, or rows of the columns
  std::int64_t chunks = 1;  ///< of one group

  ReducePlan(const Shape& shape, std::uint32_t axes);

  std::int64_t outputs() const { return rows ? groups : kept.points() * last; }
  std::int64_t tiles() const { return (last + column_tile - 1) / column_tile; }
  std::int64_t row_blocks() const { return std::max<std::int64_t>(1, (last + row_block - 1) / row_block); }
  std::int64_t chunk_begin(std::int64_t chunk) const { return blocks * chunk / chunks; }
  /// First output of a group, and how many it has.
  std::int64_t first_output(std::int64_t group) const {
    return rows ? group : group / tiles() * last + group % tiles() * column_tile;
  }
  std::int64_t width(std::int64_t group) const {
    return rows ? 1 : std::min(column_tile, last - group % tiles() * column_tile);
  }
  std::int64_t elements_per_group() const;
};

/// The loops for one kind of reduction (sum, max or min), compiled for the machine's vectors.
struct ReduceFunctions {
  /// Folds one chunk of a group of `x` into plan.width(group) partial results.
  void (*task)(const ReducePlan& plan, const float* x, std::int64_t group, std::int64_t chunk, double* partial);
  /// Folds groups [begin, end) of a plan with one chunk each.
  void (*groups)(const ReducePlan& plan, const float* x, std::int64_t begin, std::int64_t end, float* output);
  /// What tasks are made of. Folds up to ReducePlan::row_block elements.
  float (*row)(const float* x, std::int64_t count);
  /// Folds `rows` rows of `width` elements, which lie side by side, into sums[0, width).
  void (*rows)(const float* x, std::int64_t rows, std::size_t width, float* sums);
  double identity;  ///< what folds start with
  double (*fold)(double total, double value);
};

ReduceFunctions reduce_functions(ReduceKind kind);

}  // namespace gradus::kernel
