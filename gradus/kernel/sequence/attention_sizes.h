// Where the rows of an attention's operands lie, in either layout.
#pragma once

#include <algorithm>
#include <cstdint>

#include "gradus/kernel/kernel.h"
#include "gradus/ops/attention/operation.h"

namespace gradus::kernel {

/// Offsets of the rows of one head; `head` counts through all examples.
struct AttentionPlaces {
  detail::AttentionSizes sizes;
  double scale;
  bool causal, time_first, masked;
  std::int64_t mask_strides[4] = {};  ///< 0 along axes that are broadcast

  template <class Op>
  AttentionPlaces(const Request& request, const Op& op, std::size_t mask_input)
      : sizes(request.inputs[0].shape, request.inputs[1].shape, request.inputs[2].shape, op.time_first),
        scale(op.scale),
        causal(op.causal),
        time_first(op.time_first),
        masked(request.inputs.size() > mask_input) {
    if (!masked) return;
    const Shape& mask = request.inputs[mask_input].shape;
    for (int axis = 0; axis < 4; ++axis) mask_strides[axis] = mask[axis] == 1 ? 0 : mask.numel(axis + 1, 4);
  }

  std::int64_t head_count() const { return sizes.examples * sizes.heads; }
  /// From one row of a head to the next, for rows of `width` elements.
  std::int64_t row_stride(std::int64_t width) const { return time_first ? sizes.heads * width : width; }
  std::int64_t query(std::int64_t head, std::int64_t i) const { return row(head, i, sizes.queries, sizes.width); }
  std::int64_t key(std::int64_t head, std::int64_t j) const { return row(head, j, sizes.keys, sizes.width); }
  std::int64_t value(std::int64_t head, std::int64_t j) const { return row(head, j, sizes.keys, sizes.value_width); }
  /// Of the result of query `i`.
  std::int64_t value_of_query(std::int64_t head, std::int64_t i) const {
    return row(head, i, sizes.queries, sizes.value_width);
  }
  std::int64_t mask(std::int64_t head, std::int64_t i, std::int64_t j) const {
    return head / sizes.heads * mask_strides[0] + head % sizes.heads * mask_strides[1] + i * mask_strides[2] +
           j * mask_strides[3];
  }
  /// How many keys query `i` may see.
  std::int64_t visible(std::int64_t i) const { return causal ? std::min(sizes.keys, i + 1) : sizes.keys; }
  double flops() const {
    const double pairs = static_cast<double>(sizes.queries) * static_cast<double>(sizes.keys) * (causal ? 0.5 : 1.0);
    return 2.0 * static_cast<double>(head_count() * (sizes.width + sizes.value_width)) * pairs;
  }

 private:
  std::int64_t row(std::int64_t head, std::int64_t i, std::int64_t length, std::int64_t width) const {
    if (!time_first) return (head * length + i) * width;
    return ((head / sizes.heads * length + i) * sizes.heads + head % sizes.heads) * width;
  }
};

}  // namespace gradus::kernel
