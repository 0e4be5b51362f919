// Attention with products of bf16 (narrow.h); scores, sums and what is between the products stay f32. The gradient works
// on transposed scores, keys by queries: its probabilities need no sum over a row any more, and both dk and dv read them as they lie.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>

#include "gradus/kernel/sequence/attention_tiles.h"
#include "gradus/kernel/sequence/kernels.h"
#include "gradus/kernel/sequence/narrow.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "gradus/kernel/sequence/attention_narrow.cpp"
#include <hwy/foreach_target.h>
//
#include "gradus/kernel/sequence/attention_rows-inl.h"

HWY_BEFORE_NAMESPACE();
namespace gradus::kernel {
namespace HWY_NAMESPACE {
namespace {

using narrow::depth_block;
using narrow::round_up;
constexpr std::size_t block = attention_tiles::narrow_query_block;

/// Hands out parts of the scratch memory: operands of bf16 and sums of f32.
struct Memory {
  float* next;
  float* sums(std::size_t count) { return std::exchange(next, next + round_up(count, 16)); }
  std::uint16_t* left(std::size_t rows, std::size_t depth) { return operand(narrow::left_size(rows, depth)); }
  std::uint16_t* right(std::size_t depth, std::size_t columns) { return operand(narrow::right_size(depth, columns)); }

 private:
  std::uint16_t* operand(std::size_t count) { return reinterpret_cast<std::uint16_t*>(sums((count + 1) / 2)); }
};

std::size_t row_tiles(std::size_t rows) { return round_up(rows, narrow::tile_rows) / narrow::tile_rows; }
std::size_t panels(std::size_t columns) { return round_up(columns, narrow::panel_width) / narrow::panel_width; }
std::size_t depth_blocks(std::size_t depth) { return round_up(depth, depth_block) / depth_block; }

/// A packed right side whose panels are `depth` deep, from depth or column `from` on (multiples of 32 each).
narrow::Right right_from(const std::uint16_t* data, std::size_t depth, std::size_t from_depth,
                         std::size_t from_column) {
  const std::size_t stride = round_up(depth, depth_block) * narrow::panel_width;
  return {data + from_column / narrow::panel_width * stride + from_depth * narrow::panel_width, stride};
}

struct ForwardMemory {
  std::uint16_t *keys, *values, *queries, *probabilities;
  float *scores, *y;

  explicit ForwardMemory(const Head& head) {
    Memory memory{head.scratch};
    keys = memory.right(head.width, head.keys);
    values = memory.right(head.keys, head.value_width);
    queries = memory.left(block, head.width);
    probabilities = memory.left(block, key_block);
    scores = memory.sums(block * key_block);
    y = memory.sums(block * padded(head.value_width));
  }
};

void forward_block(const Head& head, std::size_t first, std::size_t rows, const ForwardMemory& m) {
  const std::size_t limit = key_limit(head, first + rows - 1), y_row = padded(head.value_width);
  const std::size_t width = round_up(head.width, depth_block);
  narrow::pack_left(head.q + first * head.q_row, head.q_row, rows, head.width, m.queries);
  RunningRow running[block];
  for (std::size_t j = 0; j < limit; j += key_block) {
    const std::size_t count = std::min(key_block, limit - j);
    narrow::multiply(row_tiles(rows), panels(count), width / depth_block, {m.queries, width},
                     right_from(m.keys, head.width, 0, j), m.scores, key_block, false);
    for (std::size_t r = 0; r < rows; ++r) {
      softmax_row(head, first + r, j, count, m.scores + r * key_block, running[r], m.y + r * y_row, y_row);
    }
    narrow::pack_left(m.scores, key_block, rows, count, m.probabilities);
    narrow::multiply(row_tiles(rows), panels(head.value_width), depth_blocks(count),
                     {m.probabilities, round_up(count, depth_block)}, right_from(m.values, head.keys, j, 0), m.y, y_row,
                     j > 0);
  }
  for (std::size_t r = 0; r < rows; ++r) {
    const bool empty = limit == 0 || running[r].total == 0;
    const float scale = empty ? 0 : 1 / running[r].total;
    float* to = head.y + (first + r) * head.y_row;
    for (std::size_t e = 0; e < head.value_width; ++e) to[e] = empty ? 0 : m.y[r * y_row + e] * scale;
    head.logarithm[first + r] = empty ? infinity : running[r].largest + std::log(running[r].total);
  }
}

void forward(const Head& head) {
  const narrow::Tiles tiles;
  const ForwardMemory m(head);
  narrow::pack_right_transposed(head.k, head.k_row, head.width, head.keys, m.keys);
  narrow::pack_right(head.v, head.v_row, head.keys, head.value_width, m.values);
  for (std::size_t i = 0; i < head.queries; i += block) {
    forward_block(head, i, std::min(block, head.queries - i), m);
  }
}

struct BackwardMemory {
  std::uint16_t *keys, *values, *keys_right;             ///< of the head
  std::uint16_t *queries_t, *queries, *flows_t, *flows;  ///< of one block of queries: q and dy
  std::uint16_t *p, *ds, *ds_t;                          ///< of one block of both
  float *scores, *slopes, *dq, *dk, *dv, *logarithm, *all;

  explicit BackwardMemory(const Head& head) {
    Memory memory{head.scratch};
    keys = memory.left(head.keys, head.width);
    values = memory.left(head.keys, head.value_width);
    keys_right = memory.right(head.keys, head.width);
    queries_t = memory.right(head.width, block);
    queries = memory.right(block, head.width);
    flows_t = memory.right(head.value_width, block);
    flows = memory.right(block, head.value_width);
    p = memory.left(key_block, block);
    ds = memory.left(key_block, block);
    ds_t = memory.left(block, key_block);
    scores = memory.sums(key_block * block);
    slopes = memory.sums(key_block * block);
    dq = memory.sums(block * padded(head.width));
    dk = memory.sums(round_up(head.keys, narrow::tile_rows) * padded(head.width));
    dv = memory.sums(round_up(head.keys, narrow::tile_rows) * padded(head.value_width));
    logarithm = memory.sums(block);
    all = memory.sums(block);
  }
};

/// From the products of key `j` with a block of queries to its probabilities, and from what flows back to these to what flows
/// back to the products.
void gradient_row(const Head& head, std::size_t first, std::size_t rows, std::size_t j, const BackwardMemory& m,
                  float* p, float* ds) {
  const Tag d;
  const Vector scale = hn::Set(d, head.scale);
  const std::size_t hidden = !head.causal || j <= first ? 0 : std::min(rows, j - first);  // queries before this key
  HWY_ALIGN float mask[block] = {};
  if (head.mask) {
    for (std::size_t r = 0; r < rows; ++r) mask[r] = *mask_at(head, first + r, j);
  }
  for (std::size_t r = 0; r < round_up(rows, lanes); r += lanes) {
    const Vector score = hn::MulAdd(hn::LoadU(d, p + r), scale, hn::Load(d, mask + r));
    const Vector probability = exp_or_nan(hn::Sub(score, hn::LoadU(d, m.logarithm + r)));
    const Vector flow = hn::Mul(hn::Sub(hn::LoadU(d, ds + r), hn::LoadU(d, m.all + r)), scale);
    hn::StoreU(probability, d, p + r);
    hn::StoreU(hn::Mul(probability, flow), d, ds + r);
  }
  std::fill_n(p, hidden, 0.f);
  std::fill_n(ds, hidden, 0.f);
}

void pack_queries(const Head& head, std::size_t first, std::size_t rows, const BackwardMemory& m) {
  const float *q = head.q + first * head.q_row, *dy = head.dy + first * head.y_row;
  narrow::pack_right_transposed(q, head.q_row, head.width, rows, m.queries_t);
  narrow::pack_right(q, head.q_row, rows, head.width, m.queries);
  narrow::pack_right_transposed(dy, head.y_row, head.value_width, rows, m.flows_t);
  narrow::pack_right(dy, head.y_row, rows, head.value_width, m.flows);
  std::fill_n(m.logarithm, block, infinity);
  std::fill_n(m.all, block, 0.f);
  std::copy_n(head.logarithm + first, rows, m.logarithm);
  for (std::size_t r = 0; r < rows; ++r) {
    m.all[r] = dot(dy + r * head.y_row, head.y + (first + r) * head.y_row, head.value_width);
  }
}

void backward_block(const Head& head, std::size_t first, std::size_t rows, const BackwardMemory& m) {
  const std::size_t limit = key_limit(head, first + rows - 1);
  const std::size_t width = padded(head.width), value_width = padded(head.value_width);
  const std::size_t width_depth = round_up(head.width, depth_block), row_depth = round_up(rows, depth_block),
                    value_depth = round_up(head.value_width, depth_block);
  pack_queries(head, first, rows, m);
  if (limit == 0) std::fill_n(m.dq, rows * width, 0.f);
  for (std::size_t j = 0; j < limit; j += key_block) {
    const std::size_t count = std::min(key_block, limit - j), keys = row_tiles(count);
    narrow::multiply(keys, panels(rows), width_depth / depth_block, {m.keys + j * width_depth, width_depth},
                     right_from(m.queries_t, head.width, 0, 0), m.scores, block, false);
    narrow::multiply(keys, panels(rows), value_depth / depth_block, {m.values + j * value_depth, value_depth},
                     right_from(m.flows_t, head.value_width, 0, 0), m.slopes, block, false);
    for (std::size_t r = 0; r < count; ++r) {
      gradient_row(head, first, rows, j + r, m, m.scores + r * block, m.slopes + r * block);
    }
    narrow::pack_left(m.scores, block, count, rows, m.p);
    narrow::pack_left(m.slopes, block, count, rows, m.ds);
    narrow::pack_left_transposed(m.slopes, block, rows, count, m.ds_t);
    narrow::multiply(keys, panels(head.value_width), row_depth / depth_block, {m.p, row_depth},
                     right_from(m.flows, rows, 0, 0), m.dv + j * value_width, value_width, true);
    narrow::multiply(keys, panels(head.width), row_depth / depth_block, {m.ds, row_depth},
                     right_from(m.queries, rows, 0, 0), m.dk + j * width, width, true);
    narrow::multiply(row_tiles(rows), panels(head.width), depth_blocks(count), {m.ds_t, round_up(count, depth_block)},
                     right_from(m.keys_right, head.keys, j, 0), m.dq, width, j > 0);
  }
  for (std::size_t r = 0; r < rows; ++r) std::copy_n(m.dq + r * width, head.width, head.dq + (first + r) * head.q_row);
}

void backward(const Head& head) {
  const narrow::Tiles tiles;
  const BackwardMemory m(head);
  const std::size_t width = padded(head.width), value_width = padded(head.value_width);
  narrow::pack_left(head.k, head.k_row, head.keys, head.width, m.keys);
  narrow::pack_left(head.v, head.v_row, head.keys, head.value_width, m.values);
  narrow::pack_right(head.k, head.k_row, head.keys, head.width, m.keys_right);
  std::fill_n(m.dk, round_up(head.keys, narrow::tile_rows) * width, 0.f);
  std::fill_n(m.dv, round_up(head.keys, narrow::tile_rows) * value_width, 0.f);
  for (std::size_t i = 0; i < head.queries; i += block) {
    backward_block(head, i, std::min(block, head.queries - i), m);
  }
  for (std::size_t j = 0; j < head.keys; ++j) {
    std::copy_n(m.dk + j * width, head.width, head.dk + j * head.k_row);
    std::copy_n(m.dv + j * value_width, head.value_width, head.dv + j * head.v_row);
  }
}

}  // namespace

attention_tiles::Functions find_narrow_attention() { return {forward, backward}; }

}  // namespace HWY_NAMESPACE
}  // namespace gradus::kernel
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gradus::kernel {

HWY_EXPORT(find_narrow_attention);

namespace attention_tiles {
namespace {

/// In units of f32, rounded as Memory hands them out.
std::size_t left(std::size_t rows, std::size_t depth) { return narrow::left_size(rows, depth) / 2; }
std::size_t right(std::size_t depth, std::size_t columns) { return narrow::right_size(depth, columns) / 2; }
constexpr std::size_t block = narrow_query_block;

}  // namespace

std::size_t narrow_forward_scratch(std::size_t keys, std::size_t width, std::size_t value_width) {
  return right(width, keys) + right(keys, value_width) + left(block, width) + left(block, key_block) +
         block * (key_block + padded(value_width));
}

std::size_t narrow_backward_scratch(std::size_t keys, std::size_t width, std::size_t value_width) {
  return left(keys, width) + left(keys, value_width) + right(keys, width) + right(width, block) + right(block, width) +
         right(value_width, block) + right(block, value_width) + 2 * left(key_block, block) + left(block, key_block) +
         2 * key_block * block + block * padded(width) +
         narrow::round_up(keys, narrow::tile_rows) * (padded(width) + padded(value_width)) + 2 * block;
}

Functions narrow_functions() { return HWY_DYNAMIC_DISPATCH(find_narrow_attention)(); }

}  // namespace attention_tiles
}  // namespace gradus::kernel
#endif  // HWY_ONCE
