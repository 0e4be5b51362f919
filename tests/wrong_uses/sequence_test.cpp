// Wrong uses of attention, recurrent layers and the models made of them, and what their messages say.
#include "wrong_uses.h"

#include "gradus/gradus.h"
#include "gradus/models/bert.h"
#include "gradus/models/gpt.h"

namespace gradus {
namespace {

using testing::check_wrong_uses;
using testing::WrongUse;

Tensor f32(const Shape& shape) {
  return leaf<float>(shape, std::vector<float>(static_cast<std::size_t>(shape.numel())));
}
Tensor i64(const Shape& shape) {
  return leaf<std::int64_t>(shape, std::vector<std::int64_t>(static_cast<std::size_t>(shape.numel())));
}

TEST(WrongUsesSequence, ScaledDotProductAttention) {
  const std::vector<WrongUse> table = {
      {"width",
       [&] {
         scaled_dot_product_attention(f32({2, 3, 4}), f32({2, 5, 3}), f32({2, 5, 4}));
       },
       "shape error in scaled_dot_product_attention\n"
       "  query  f32 [2, 3, 4]   axis 2 is 4\n"
       "  key    f32 [2, 5, 3]   axis 2 is 3, expected 4\n"
       "  value  f32 [2, 5, 4]"},
      {"length",
       [&] {
         scaled_dot_product_attention(f32({2, 3, 4}), f32({2, 5, 4}), f32({2, 6, 4}));
       },
       "shape error in scaled_dot_product_attention\n"
       "  query  f32 [2, 3, 4]\n"
       "  key    f32 [2, 5, 4]   5 keys on axis 1\n"
       "  value  f32 [2, 6, 4]   axis 1 is 6, expected 5"},
      {"batch",
       [&] {
         scaled_dot_product_attention(f32({2, 3, 4}), f32({3, 5, 4}), f32({3, 5, 4}));
       },
       "shape error in scaled_dot_product_attention\n"
       "  query  f32 [2, 3, 4]   the leading axes do not broadcast\n"
       "  key    f32 [3, 5, 4]\n"
       "  value  f32 [3, 5, 4]\n"
       "  hint: heads that share keys and values: {.enable_gqa = true}"},
      {"rank",
       [&] {
         scaled_dot_product_attention(f32({4}), f32({5, 4}), f32({5, 4}));
       },
       "shape error in scaled_dot_product_attention\n"
       "  query  f32 [4]   expected 2 or more axes\n"
       "  key    f32 [5, 4]\n"
       "  value  f32 [5, 4]"},
      {"integers",
       [&] {
         scaled_dot_product_attention(f32({3, 4}), i64({5, 4}), f32({5, 4}));
       },
       "dtype error in scaled_dot_product_attention\n"
       "  query  f32 [3, 4]\n"
       "  key    i64 [5, 4]   expected a floating type\n"
       "  value  f32 [5, 4]"},
  };
  check_wrong_uses(table);
}

TEST(WrongUsesSequence, OptionsOfAttention) {
  const std::vector<WrongUse> table = {
      {"mask_shape",
       [&] {
         scaled_dot_product_attention(f32({3, 4}), f32({5, 4}), f32({5, 4}), {.attn_mask = f32({3, 4})});
       },
       "shape error in scaled_dot_product_attention\n"
       "  attn_mask  f32 [3, 4]   must broadcast to [3, 5]"},
      {"mask_type",
       [&] {
         scaled_dot_product_attention(f32({3, 4}), f32({5, 4}), f32({5, 4}), {.attn_mask = i64({3, 5})});
       },
       "dtype error in scaled_dot_product_attention\n"
       "  attn_mask  i64 [3, 5]   expected bool or a floating type\n"
       "  hint: compare it: not_equal(mask, 0) lets pass where it is not 0"},
      {"mask_and_causal",
       [&] {
         scaled_dot_product_attention(f32({3, 4}), f32({5, 4}), f32({5, 4}),
                                      {.attn_mask = f32({3, 5}), .is_causal = true});
       },
       "usage error in scaled_dot_product_attention: is_causal and attn_mask exclude each other\n"
       "  hint: put the causal part into the mask: logical_and(mask, tril(...))"},
      {"dropout",
       [&] {
         scaled_dot_product_attention(f32({3, 4}), f32({5, 4}), f32({5, 4}), {.dropout_p = 2});
       },
       "value error in scaled_dot_product_attention: dropout_p is 2, must be in [0, 1]"},
      {"heads",
       [&] {
         scaled_dot_product_attention(f32({1, 3, 2, 4}), f32({1, 2, 5, 4}), f32({1, 2, 5, 4}), {.enable_gqa = true});
       },
       "shape error in scaled_dot_product_attention\n"
       "  query  f32 [1, 3, 2, 4]   3 heads on axis -3\n"
       "  key    f32 [1, 2, 5, 4]   2 heads, expected a divisor\n"
       "  value  f32 [1, 2, 5, 4]   2 heads, expected 2"},
  };
  check_wrong_uses(table);
}

TEST(WrongUsesSequence, MultiheadAttention) {
  const nn::MultiheadAttention layer(6, 2, {.batch_first = true});
  const Tensor x = f32({2, 5, 6});
  const std::vector<WrongUse> table = {
      {"heads", [&] { nn::MultiheadAttention(6, 4); },
       "value error in nn::MultiheadAttention: 4 heads do not divide embed_dim 6"},
      {"sizes", [&] { nn::MultiheadAttention(0, 4); },
       "value error in nn::MultiheadAttention: sizes must be positive\n"
       "  embed_dim  0\n"
       "  num_heads  4"},
      {"width",
       [&] {
         layer(f32({2, 5, 4}), x, x);
       },
       "shape error in nn::MultiheadAttention\n"
       "  query  f32 [2, 5, 4]   axis 2 is 4, expected 6\n"
       "  key    f32 [2, 5, 6]\n"
       "  value  f32 [2, 5, 6]"},
      {"rank",
       [&] {
         layer(x, f32({5, 6}), x);
       },
       "shape error in nn::MultiheadAttention\n"
       "  query  f32 [2, 5, 6]\n"
       "  key    f32 [5, 6]   expected the rank of the query\n"
       "  value  f32 [2, 5, 6]"},
      {"batch",
       [&] {
         layer(x, f32({3, 5, 6}), f32({3, 5, 6}));
       },
       "shape error in nn::MultiheadAttention\n"
       "  query  f32 [2, 5, 6]\n"
       "  key    f32 [3, 5, 6]   axis 0 is 3, expected 2\n"
       "  value  f32 [3, 5, 6]   axis 0 is 3, expected 2"},
      {"padding_shape",
       [&] {
         layer(x, x, x, {.key_padding_mask = f32({2, 4})});
       },
       "shape error in nn::MultiheadAttention\n"
       "  key_padding_mask  f32 [2, 4]   expected [2, 5]\n"
       "  query             f32 [2, 5, 6]\n"
       "  key               f32 [2, 5, 6]"},
      {"mask_shape",
       [&] {
         layer(x, x, x, {.attn_mask = f32({2, 5, 5})});
       },
       "shape error in nn::MultiheadAttention\n"
       "  attn_mask  f32 [2, 5, 5]   expected [5, 5] or [4, 5, 5]\n"
       "  query      f32 [2, 5, 6]\n"
       "  key        f32 [2, 5, 6]"},
      {"mask_type",
       [&] {
         layer(x, x, x, {.attn_mask = i64({5, 5})});
       },
       "dtype error in nn::MultiheadAttention\n"
       "  attn_mask  i64 [5, 5]   expected bool (true: do not look) or a floating type"},
  };
  check_wrong_uses(table);
}

TEST(WrongUsesSequence, Lstm) {
  const nn::LSTM layer(3, 4, {.batch_first = true});
  const std::vector<WrongUse> table = {
      {"sizes", [&] { nn::LSTM(3, 0); },
       "value error in nn::LSTM: sizes must be positive: input_size 3, hidden_size 0, num_layers 1"},
      {"dropout", [&] { nn::LSTM(3, 4, {.dropout = -1}); },
       "value error in nn::LSTM: dropout is -1, must be in [0, 1]"},
      {"width",
       [&] {
         layer(f32({2, 5, 4}));
       },
       "shape error in nn::LSTM\n"
       "  input  f32 [2, 5, 4]   axis 2 is 4, expected 3"},
      {"rank", [&] { layer(f32({3})); },
       "shape error in nn::LSTM\n"
       "  input  f32 [3]   expected (n, length, input_size) or (length, input_size)"},
      {"no_steps",
       [&] {
         layer(f32({2, 0, 3}));
       },
       "shape error in nn::LSTM\n"
       "  input  f32 [2, 0, 3]   axis 1 is 0: no steps"},
      {"integers",
       [&] {
         layer(i64({2, 5, 3}));
       },
       "dtype error in nn::LSTM\n"
       "  input  i64 [2, 5, 3]   expected a floating type\n"
       "  hint: convert it: cast(x, DType::f32)"},
      {"state",
       [&] {
         layer(f32({2, 5, 3}), {f32({1, 3, 4}), f32({1, 2, 4})});
       },
       "shape error in nn::LSTM\n"
       "  h  f32 [1, 3, 4]   expected [1, 2, 4]"},
  };
  check_wrong_uses(table);
}

TEST(WrongUsesSequence, Models) {
  const models::Gpt gpt({.vocab_size = 5, .block_size = 4, .n_layer = 1, .n_head = 1, .n_embd = 2});
  const models::Bert bert({.vocab_size = 5,
                           .hidden_size = 2,
                           .num_hidden_layers = 1,
                           .num_attention_heads = 1,
                           .intermediate_size = 2,
                           .max_position_embeddings = 4,
                           .type_vocab_size = 0});
  const std::vector<WrongUse> table = {
      {"gpt_heads", [&] { models::Gpt({.n_head = 5, .n_embd = 12}); },
       "value error in models::Gpt: n_head 5 does not divide n_embd 12"},
      {"gpt_sizes", [&] { models::Gpt({.n_layer = 0}); },
       "value error in models::Gpt: sizes must be positive: vocab_size 50257, block_size 1024, n_layer 0, n_head 12, "
       "n_embd 768"},
      {"gpt_length",
       [&] {
         gpt(i64({2, 5}));
       },
       "shape error in models::Gpt\n"
       "  tokens  i64 [2, 5]   axis 1 is 5, but block_size is 4"},
      {"gpt_rank", [&] { gpt(i64({4})); },
       "shape error in models::Gpt\n"
       "  tokens  i64 [4]   expected (n, length)"},
      {"gpt_file",
       [&] {
         models::gpt2_state_dict({{"h.0.attn.c_attn.weight", f32({3})}});
       },
       "shape error in gpt2_state_dict\n"
       "  h.0.attn.c_attn.weight  f32 [3]   expected (in, out)"},
      {"bert_heads", [&] { models::Bert({.hidden_size = 12, .num_attention_heads = 5}); },
       "value error in models::Bert: num_attention_heads 5 does not divide hidden_size 12"},
      {"bert_length",
       [&] {
         bert(i64({2, 5}));
       },
       "shape error in models::Bert\n"
       "  tokens  i64 [2, 5]   axis 1 is 5, but max_position_embeddings is 4"},
      {"bert_mask",
       [&] {
         bert(i64({2, 4}), {.attention_mask = f32({2, 3})});
       },
       "shape error in models::Bert\n"
       "  attention_mask  f32 [2, 3]   expected [2, 4]"},
      {"bert_kinds",
       [&] {
         bert(i64({2, 4}), {.token_type_ids = i64({2, 4})});
       },
       "usage error in models::Bert: token_type_ids were given, but type_vocab_size is 0"},
  };
  check_wrong_uses(table);
}

}  // namespace
}  // namespace gradus
