// Attention in f32 by blocks of queries and keys, as FlashAttention (Dao et al., 2022): the softmax of a row is corrected from
// block to block, and the gradient computes the probabilities of a block again. Every head is the work of one thread.
#include "gradus/kernel/sequence/attention_tiles.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "gradus/base/parallel.h"
#include "gradus/kernel/sequence/attention_sizes.h"
#include "gradus/kernel/sequence/kernels.h"
#include "gradus/kernel/sequence/narrow.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "gradus/kernel/sequence/attention_tiles.cpp"
#include <hwy/foreach_target.h>
//
#include "gradus/kernel/sequence/attention_rows-inl.h"

HWY_BEFORE_NAMESPACE();
namespace gradus::kernel {
namespace HWY_NAMESPACE {
namespace {

void forward_block(const Head& head, std::size_t first, std::size_t rows, const Right& keys, const Right& values,
                   float* scores, float* y) {
  const std::size_t limit = key_limit(head, first + rows - 1), y_row = padded(head.value_width);
  RunningRow running[query_block];
  for (std::size_t j = 0; j < limit; j += key_block) {
    const std::size_t count = std::min(key_block, limit - j);
    const Right part{keys.data + j / panel_width * keys.stride, keys.stride};
    multiply(rows, panels_of(count), head.width, {head.q + first * head.q_row, head.q_row, 1}, part, scores, key_block,
             false);
    for (std::size_t r = 0; r < rows; ++r) {
      softmax_row(head, first + r, j, count, scores + r * key_block, running[r], y + r * y_row,
                  panels_of(head.value_width) * panel_width);
    }
    multiply(rows, panels_of(head.value_width), count, {scores, key_block, 1},
             {values.data + j * panel_width, values.stride}, y, y_row, j > 0);
  }
  for (std::size_t r = 0; r < rows; ++r) {
    const bool empty = limit == 0 || running[r].total == 0;
    float* to = head.y + (first + r) * head.y_row;
    for (std::size_t e = 0; e < head.value_width; ++e) to[e] = empty ? 0 : y[r * y_row + e] / running[r].total;
    head.logarithm[first + r] = empty ? infinity : running[r].largest + std::log(running[r].total);
  }
}

/// Keys that query `i` may see, without those at the end that its mask closes: of a cache, what is not filled yet.
std::size_t open_keys(const Head& head, std::size_t i) {
  std::size_t count = key_limit(head, i);
  if (const float* mask = mask_at(head, i, 0)) {
    while (count > 0 && mask[(count - 1) * head.mask_column] == -infinity) --count;
  }
  return count;
}

/// Brings the row that is `ahead` rows further: rows of one head lie apart, where the machine does not look by itself.
HWY_INLINE void expect_row(const float* rows, std::size_t stride, std::size_t j, std::size_t count, std::size_t width) {
  constexpr std::size_t ahead = 8, line = 16;
  if (j + ahead >= count) return;
  for (std::size_t e = 0; e < width; e += line) __builtin_prefetch(rows + (j + ahead) * stride + e);
}

/// One query at a time, without packing: what a token that is decoded needs.
void forward_few(const Head& head) {
  const Tag d;
  for (std::size_t i = 0; i < head.queries; ++i) {
    float* y = head.y + i * head.y_row;
    float* scores = head.scratch;
    const std::size_t count = open_keys(head, i);
    for (std::size_t j = 0; j < count; ++j) {
      expect_row(head.k, head.k_row, j, count, head.width);
      scores[j] = dot(head.q + i * head.q_row, head.k + j * head.k_row, head.width);
    }
    const float largest = finish_scores(head, scores, count, mask_at(head, i, 0));
    const float shift = largest == -infinity ? 0 : largest, total = exponentials(scores, count, count, shift);
    const bool empty = total == 0;
    head.logarithm[i] = empty ? infinity : shift + std::log(total);
    for (std::size_t e = 0; e < head.value_width; e += lanes) {
      Vector sum = hn::Zero(d);
      for (std::size_t j = 0; j < count; ++j) {
        if (e == 0) expect_row(head.v, head.v_row, j, count, head.value_width);
        const Vector value = load_part(head.v + j * head.v_row, e, head.value_width, 0);
        sum = hn::MulAdd(hn::Set(d, scores[j]), value, sum);
      }
      store_part(empty ? hn::Zero(d) : hn::Div(sum, hn::Set(d, total)), y, e, head.value_width);
    }
  }
}

void forward(const Head& head) {
  if (head.queries < few_queries) return forward_few(head);
  Scratch scratch{head.scratch};
  float* keys = scratch.take(padded(head.keys) * head.width);
  float* values = scratch.take(head.keys * padded(head.value_width));
  float* scores = scratch.take(query_block * key_block);
  float* y = scratch.take(query_block * padded(head.value_width));
  pack_transposed(head.k, head.k_row, head.width, head.keys, keys, 0, panels_of(head.keys));
  pack(head.v, head.v_row, head.keys, head.value_width, head.keys, values);
  for (std::size_t i = 0; i < head.queries; i += query_block) {
    forward_block(head, i, std::min(query_block, head.queries - i), {keys, head.width * panel_width},
                  {values, head.keys * panel_width}, scores, y);
  }
}

/// From products to probabilities `p` and, in place of what flows back to them, what flows back to the products.
void gradient_row(const Head& head, std::size_t i, std::size_t first_key, std::size_t count, float* p, float* ds,
                  float all) {
  const Tag d;
  const std::size_t seen = visible(head, i, first_key, count);
  finish_scores(head, p, seen, mask_at(head, i, first_key));
  exponentials(p, seen, count, head.logarithm[i]);
  const Vector mean = hn::Set(d, all), scale = hn::Set(d, head.scale);
  // Rows have room for whole vectors, and what is behind the last key is not read.
  for (std::size_t j = 0; j < count; j += lanes) {
    const Vector flow = hn::Mul(hn::Sub(hn::LoadU(d, ds + j), mean), scale);
    hn::StoreU(hn::Mul(hn::LoadU(d, p + j), flow), d, ds + j);
  }
}

/// Everything that the blocks of a head's gradient share.
struct BackwardMemory {
  float *keys_transposed, *values_transposed, *keys;  ///< packed
  float *dk, *dv;                                     ///< sums, in padded rows
  float *queries, *flows;                             ///< one block of q and of dy, packed
  float *p, *ds, *dq;

  explicit BackwardMemory(const Head& head) {
    Scratch scratch{head.scratch};
    const std::size_t width = padded(head.width), value_width = padded(head.value_width);
    keys_transposed = scratch.take(padded(head.keys) * head.width);
    values_transposed = scratch.take(padded(head.keys) * head.value_width);
    keys = scratch.take(head.keys * width);
    dk = scratch.take(head.keys * width);
    dv = scratch.take(head.keys * value_width);
    queries = scratch.take(query_block * width);
    flows = scratch.take(query_block * value_width);
    p = scratch.take(query_block * key_block);
    ds = scratch.take(query_block * key_block);
    dq = scratch.take(query_block * width);
  }
};

void backward_block(const Head& head, std::size_t first, std::size_t rows, const BackwardMemory& m) {
  const std::size_t limit = key_limit(head, first + rows - 1);
  const std::size_t width = padded(head.width), value_width = padded(head.value_width);
  const Left q{head.q + first * head.q_row, head.q_row, 1}, dy{head.dy + first * head.y_row, head.y_row, 1};
  pack(q.data, head.q_row, rows, head.width, query_block, m.queries);
  pack(dy.data, head.y_row, rows, head.value_width, query_block, m.flows);
  if (limit == 0) std::fill_n(m.dq, rows * width, 0.f);
  for (std::size_t j = 0; j < limit; j += key_block) {
    const std::size_t count = std::min(key_block, limit - j), panel = j / panel_width;
    const std::size_t k_stride = head.width * panel_width, v_stride = head.value_width * panel_width;
    multiply(rows, panels_of(count), head.width, q, {m.keys_transposed + panel * k_stride, k_stride}, m.p, key_block,
             false);
    multiply(rows, panels_of(count), head.value_width, dy, {m.values_transposed + panel * v_stride, v_stride}, m.ds,
             key_block, false);
    for (std::size_t r = 0; r < rows; ++r) {
      const float all = dot(dy.data + r * head.y_row, head.y + (first + r) * head.y_row, head.value_width);
      gradient_row(head, first + r, j, count, m.p + r * key_block, m.ds + r * key_block, all);
    }
    multiply(count, panels_of(head.value_width), rows, {m.p, 1, key_block}, {m.flows, query_block * panel_width},
             m.dv + j * value_width, value_width, true);
    multiply(count, panels_of(head.width), rows, {m.ds, 1, key_block}, {m.queries, query_block * panel_width},
             m.dk + j * width, width, true);
    multiply(rows, panels_of(head.width), count, {m.ds, key_block, 1},
             {m.keys + j * panel_width, head.keys * panel_width}, m.dq, width, j > 0);
  }
  for (std::size_t r = 0; r < rows; ++r) std::copy_n(m.dq + r * width, head.width, head.dq + (first + r) * head.q_row);
}

void backward(const Head& head) {
  const BackwardMemory m(head);
  const std::size_t width = padded(head.width), value_width = padded(head.value_width);
  pack_transposed(head.k, head.k_row, head.width, head.keys, m.keys_transposed, 0, panels_of(head.keys));
  pack_transposed(head.v, head.v_row, head.value_width, head.keys, m.values_transposed, 0, panels_of(head.keys));
  pack(head.k, head.k_row, head.keys, head.width, head.keys, m.keys);
  std::fill_n(m.dk, head.keys * width, 0.f);
  std::fill_n(m.dv, head.keys * value_width, 0.f);
  for (std::size_t i = 0; i < head.queries; i += query_block) {
    backward_block(head, i, std::min(query_block, head.queries - i), m);
  }
  for (std::size_t j = 0; j < head.keys; ++j) {
    std::copy_n(m.dk + j * width, head.width, head.dk + j * head.k_row);
    std::copy_n(m.dv + j * value_width, head.value_width, head.dv + j * head.v_row);
  }
}

}  // namespace

attention_tiles::Functions find_attention() { return {forward, backward}; }

}  // namespace HWY_NAMESPACE
}  // namespace gradus::kernel
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gradus::kernel {
namespace attention_tiles {

std::size_t forward_scratch(std::size_t keys, std::size_t width, std::size_t value_width) {
  return padded(padded(keys) * width) + keys * padded(value_width) + query_block * (key_block + padded(value_width));
}

std::size_t backward_scratch(std::size_t keys, std::size_t width, std::size_t value_width) {
  return padded(padded(keys) * (width + value_width)) + keys * (2 * padded(width) + padded(value_width)) +
         query_block * (2 * key_block + 2 * padded(width) + padded(value_width));
}

}  // namespace attention_tiles

namespace {

using attention_tiles::Head;

HWY_EXPORT(find_attention);

/// Splits the heads among the threads that there were when the plan was made, each with scratch memory of its own.
class TileAttention final : public Kernel {
 public:
  TileAttention(const AttentionPlaces& places, bool gradient, bool narrow)
      : functions_(narrow ? attention_tiles::narrow_functions() : HWY_DYNAMIC_DISPATCH(find_attention)()),
        at_(places),
        gradient_(gradient),
        parts_(std::min<std::int64_t>(places.head_count(), flops() < 4e6 ? 1 : num_threads())) {
    const auto size = [](std::int64_t n) { return static_cast<std::size_t>(n); };
    const detail::AttentionSizes& s = at_.sizes;
    namespace tiles = attention_tiles;
    const auto scratch = narrow ? (gradient ? tiles::narrow_backward_scratch : tiles::narrow_forward_scratch)
                                : (gradient ? tiles::backward_scratch : tiles::forward_scratch);
    scratch_ = scratch(size(s.keys), size(s.width), size(s.value_width));
  }

  Status run(const Arguments& arguments) const noexcept override {
    const std::int64_t heads = at_.head_count();
    parallel_for(parts_, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t part = begin; part < end; ++part) {
        float* scratch = reinterpret_cast<float*>(arguments.scratch) + static_cast<std::size_t>(part) * scratch_;
        for (std::int64_t head = heads * part / parts_; head < heads * (part + 1) / parts_; ++head) {
          if (gradient_) {
            functions_.backward(backward_head(arguments, head, scratch));
          } else {
            functions_.forward(forward_head(arguments, head, scratch));
          }
        }
      }
    });
    return {};
  }
  std::size_t scratch_bytes() const override { return static_cast<std::size_t>(parts_) * scratch_ * sizeof(float); }
  double flops() const override { return (gradient_ ? 2.5 : 1.0) * at_.flops(); }

 private:
  Head shared(const Arguments& arguments, std::int64_t head, float* scratch, std::size_t mask_input) const {
    const auto size = [](std::int64_t n) { return static_cast<std::size_t>(n); };
    const detail::AttentionSizes& s = at_.sizes;
    Head h{};
    h.q = arguments.input<float>(0) + at_.query(head, 0);
    h.k = arguments.input<float>(1) + at_.key(head, 0);
    h.v = arguments.input<float>(2) + at_.value(head, 0);
    h.mask = at_.masked ? arguments.input<float>(mask_input) + at_.mask(head, 0, 0) : nullptr;
    h.q_row = h.k_row = size(at_.row_stride(s.width));
    h.v_row = h.y_row = size(at_.row_stride(s.value_width));
    h.mask_row = size(at_.mask_strides[2]);
    h.mask_column = size(at_.mask_strides[3]);
    h.queries = size(s.queries);
    h.keys = size(s.keys);
    h.width = size(s.width);
    h.value_width = size(s.value_width);
    h.scale = static_cast<float>(at_.scale);
    h.causal = at_.causal;
    h.scratch = scratch;
    return h;
  }
  Head forward_head(const Arguments& arguments, std::int64_t head, float* scratch) const {
    Head h = shared(arguments, head, scratch, 3);
    h.y = arguments.output<float>(0) + at_.value_of_query(head, 0);
    h.logarithm = arguments.output<float>(1) + head * at_.sizes.queries;
    return h;
  }
  Head backward_head(const Arguments& arguments, std::int64_t head, float* scratch) const {
    Head h = shared(arguments, head, scratch, 6);
    // Both are only read, this way round.
    h.y = const_cast<float*>(arguments.input<float>(3)) + at_.value_of_query(head, 0);
    h.logarithm = const_cast<float*>(arguments.input<float>(4)) + head * at_.sizes.queries;
    h.dy = arguments.input<float>(5) + at_.value_of_query(head, 0);
    h.dq = arguments.output<float>(0) + at_.query(head, 0);
    h.dk = arguments.output<float>(1) + at_.key(head, 0);
    h.dv = arguments.output<float>(2) + at_.value(head, 0);
    return h;
  }

  attention_tiles::Functions functions_;
  AttentionPlaces at_;
  bool gradient_;
  std::int64_t parts_;
  std::size_t scratch_ = 0;
};

bool takes(const Request& request, std::string& reason) {
  if (request.inputs[0].dtype != DType::f32) reason = "only f32";
  for (std::size_t i = 0; i < 3; ++i) {
    if (request.inputs[i].shape.numel() == 0) reason = "an input is empty";
  }
  return reason.empty();
}

}  // namespace

std::unique_ptr<Kernel> make_tile_attention(const Request& request, std::string& reason) {
  if (!takes(request, reason)) return nullptr;
  const Attention& op = *request.op.as<Attention>();
  // A few queries are bound by memory: f32 is as fast, and exact.
  const AttentionPlaces places(request, op, 3);
  const bool narrow =
      op.narrow && narrow::available() && places.sizes.queries >= static_cast<std::int64_t>(narrow::tile_rows);
  return std::make_unique<TileAttention>(places, false, narrow);
}

std::unique_ptr<Kernel> make_tile_attention_gradient(const Request& request, std::string& reason) {
  if (!takes(request, reason)) return nullptr;
  const AttentionGradient& op = *request.op.as<AttentionGradient>();
  const AttentionPlaces places(request, op, 6);
  const bool narrow =
      op.narrow && narrow::available() && places.sizes.queries >= static_cast<std::int64_t>(narrow::tile_rows);
  return std::make_unique<TileAttention>(places, true, narrow);
}

}  // namespace gradus::kernel
#endif  // HWY_ONCE
