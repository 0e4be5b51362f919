// The rows of scores between the products of attention. Compiled once per target of Highway.
#if defined(GRADUS_KERNEL_SEQUENCE_ATTENTION_ROWS_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef GRADUS_KERNEL_SEQUENCE_ATTENTION_ROWS_INL_H
#undef GRADUS_KERNEL_SEQUENCE_ATTENTION_ROWS_INL_H
#else
#define GRADUS_KERNEL_SEQUENCE_ATTENTION_ROWS_INL_H
#endif

#include <cmath>
#include <cstddef>

#include "gradus/kernel/sequence/attention_tiles.h"
#include "gradus/kernel/sequence/product-inl.h"

HWY_BEFORE_NAMESPACE();
namespace gradus::kernel::HWY_NAMESPACE {

using attention_tiles::Head;
using attention_tiles::key_block;
using attention_tiles::query_block;

constexpr float infinity = std::numeric_limits<float>::infinity();
/// With fewer of them packing costs more than it saves.
constexpr std::size_t few_queries = 4;

/// Hands out parts of the scratch memory.
struct Scratch {
  float* next;
  float* take(std::size_t count) {
    float* part = next;
    next += count;
    return part;
  }
};

/// How many of `count` keys from `first` on query `i` may see.
inline std::size_t visible(const Head& head, std::size_t i, std::size_t first, std::size_t count) {
  if (!head.causal) return count;
  return i + 1 <= first ? 0 : std::min(count, i + 1 - first);
}

/// Keys that any of the queries up to `last` may see.
inline std::size_t key_limit(const Head& head, std::size_t last) {
  return head.causal ? std::min(head.keys, last + 1) : head.keys;
}

/// Scores of one row, in place: products to scale, and a mask to add. Returns the largest; a NaN may be passed over, since the
/// sum of exponentials shows it.
inline float finish_scores(const Head& head, float* row, std::size_t count, const float* mask) {
  const Tag d;
  const Vector scale = hn::Set(d, head.scale);
  Vector largest = hn::Set(d, -infinity);
  const auto scaled = [&](Vector x, std::size_t j) {
    if (!mask) return hn::Mul(x, scale);
    return hn::MulAdd(x, scale, head.mask_column == 0 ? hn::Set(d, *mask) : load_part(mask, j, count, 0));
  };
  std::size_t j = 0;
  for (; j + lanes <= count; j += lanes) {
    const Vector x = scaled(hn::LoadU(d, row + j), j);
    hn::StoreU(x, d, row + j);
    largest = hn::Max(largest, x);
  }
  if (j < count) {
    store_part(scaled(load_part(row, j, count, 0), j), row, j, count);
    largest = hn::Max(largest, load_part(row, j, count, -infinity));
  }
  return hn::GetLane(hn::MaxOfLanes(d, largest));
}

/// exp(x - shift) in place, 0 behind `count` up to `end`. Returns the sum.
inline float exponentials(float* row, std::size_t count, std::size_t end, float shift) {
  const Tag d;
  const Vector by = hn::Set(d, shift);
  Vector total = hn::Zero(d);
  std::size_t j = 0;
  for (; j + lanes <= count; j += lanes) {
    const Vector y = exp_or_nan(hn::Sub(hn::LoadU(d, row + j), by));
    total = hn::Add(total, y);
    hn::StoreU(y, d, row + j);
  }
  if (j < count) {
    const Vector y = exp_or_nan(hn::Sub(load_part(row, j, count, -infinity), by));
    total = hn::Add(total, y);
    store_part(y, row, j, count);
  }
  std::fill(row + count, row + std::max(count, end), 0.f);
  return hn::GetLane(hn::SumOfLanes(d, total));
}

inline void scale_row(float* row, std::size_t count, float by) {
  const Tag d;
  const Vector factor = hn::Set(d, by);
  for (std::size_t j = 0; j < count; j += lanes) hn::StoreU(hn::Mul(hn::LoadU(d, row + j), factor), d, row + j);
}

inline const float* mask_at(const Head& head, std::size_t i, std::size_t j) {
  return head.mask ? head.mask + i * head.mask_row + j * head.mask_column : nullptr;
}

inline float dot(const float* a, const float* b, std::size_t count) {
  const Tag d;
  Vector sum = hn::Zero(d);
  for (std::size_t i = 0; i < count; i += lanes) {
    sum = hn::MulAdd(load_part(a, i, count, 0), load_part(b, i, count, 0), sum);
  }
  return hn::GetLane(hn::SumOfLanes(d, sum));
}

/// What a block of queries carries from one block of keys to the next.
struct RunningRow {
  float largest = -infinity, total = 0;
};

/// Turns the products of one row into probabilities up to a factor, and corrects what was summed before.
inline void softmax_row(const Head& head, std::size_t i, std::size_t first_key, std::size_t count, float* scores,
                        RunningRow& running, float* y, std::size_t y_size) {
  const std::size_t seen = visible(head, i, first_key, count);
  const float here = finish_scores(head, scores, seen, mask_at(head, i, first_key));
  const float largest = here > running.largest || std::isnan(here) ? here : running.largest;
  const float shift = largest == -infinity ? 0 : largest;
  const float sum = exponentials(scores, seen, count, shift);
  const float correction = running.largest == -infinity ? 0 : std::exp(running.largest - shift);
  if (first_key > 0 && correction != 1) scale_row(y, y_size, correction);
  running.total = running.total * correction + sum;
  running.largest = largest;
}

}  // namespace gradus::kernel::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
