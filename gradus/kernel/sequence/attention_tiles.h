// What the attention's tiles work on, whatever the target: one head of one example.
#pragma once

#include <cstddef>

namespace gradus::kernel::attention_tiles {

/// Queries of one block, and keys of one block (a multiple of every panel width).
inline constexpr std::size_t query_block = 48, key_block = 256;

/// Rows are `*_row` elements apart. A mask is added to the scores; it may be null.
struct Head {
  const float *q, *k, *v, *mask;
  std::size_t q_row, k_row, v_row, mask_row, mask_column;
  std::size_t queries, keys, width, value_width;
  float scale;
  bool causal;
  float* y;
  std::size_t y_row;
  float* logarithm;
  float* scratch;
  // Of the gradient only; the gradients lie as what they belong to.
  const float* dy;
  float *dq, *dk, *dv;
};

/// Elements of scratch memory for one head.
std::size_t forward_scratch(std::size_t keys, std::size_t width, std::size_t value_width);
std::size_t backward_scratch(std::size_t keys, std::size_t width, std::size_t value_width);

struct Functions {
  void (*forward)(const Head&);
  void (*backward)(const Head&);
};

/// The same with products of bf16 (narrow.h); queries in blocks of narrow_query_block.
inline constexpr std::size_t narrow_query_block = 64;
std::size_t narrow_forward_scratch(std::size_t keys, std::size_t width, std::size_t value_width);
std::size_t narrow_backward_scratch(std::size_t keys, std::size_t width, std::size_t value_width);
Functions narrow_functions();

}  // namespace gradus::kernel::attention_tiles
