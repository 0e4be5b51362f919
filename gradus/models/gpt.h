// GPT-2 (Radford et al., "Language models are unsupervised multitask learners", 2019): a decoder of pre-norm blocks with learned
// positions and an output that shares the table of the input.
//
//   models::Gpt model({.vocab_size = 8192, .block_size = 256, .n_layer = 6, .n_head = 6, .n_embd = 384});
//   Tensor loss = cross_entropy(flatten(model(tokens), 0, 1), flatten(next_tokens));
#pragma once

#include <cstdint>
#include <vector>

#include "gradus/graph/tensor.h"
#include "gradus/nn/layers/dropout.h"
#include "gradus/nn/layers/embedding.h"
#include "gradus/nn/layers/norm.h"
#include "gradus/nn/linear.h"

namespace gradus::models {

/// Names as in nanoGPT; the defaults are those of GPT-2 small, 124,439,808 parameters.
struct GptSettings {
  std::int64_t vocab_size = 50257;
  std::int64_t block_size = 1024;  ///< longest sequence
  std::int64_t n_layer = 12;
  std::int64_t n_head = 12;
  std::int64_t n_embd = 768;
  double dropout = 0;  ///< of embeddings, probabilities of attention and branches, in training
  bool bias = true;    ///< of linear layers and norms
  double layer_norm_epsilon = 1e-5;
};

/// Keys and values of all positions so far, for generating token by token: `Gpt::new_cache` makes one, `Gpt::decode` fills it.
/// A copy is a branch of the text. The length is a number outside of the graph: every token runs the same plan.
struct GptCache {
  struct Layer {
    Tensor keys, values;  ///< (n, block_size, n_head, width of a head)
  };
  std::vector<Layer> layers;
  std::int64_t length = 0;  ///< positions that are filled
};

/// What `decode` needs to know of the positions of its tokens.
struct GptPositions {
  Tensor start;  ///< of the first one: i64
  Tensor mask;   ///< added to the scores (1, 1, length of the tokens, block_size)
};

/// Causal self-attention: (n, length, width) -> the same.
struct GptAttention {
  nn::Linear c_attn, c_proj;
  nn::Dropout dropout;
  std::int64_t n_head = 1;
  static constexpr int field_count = 4;

  explicit GptAttention(const GptSettings& settings);
  Tensor operator()(const Tensor& x) const;
  Tensor decode(const Tensor& x, const GptPositions& positions, GptCache::Layer& cache) const;
};

/// Two linear layers of four times the width, with the tanh form of gelu between them.
struct GptMlp {
  nn::Linear c_fc, c_proj;
  static constexpr int field_count = 2;

  explicit GptMlp(const GptSettings& settings);
  Tensor operator()(const Tensor& x) const;
};

struct GptBlock {
  nn::LayerNorm ln_1;
  GptAttention attn;
  nn::LayerNorm ln_2;
  GptMlp mlp;
  nn::Dropout dropout;
  static constexpr int field_count = 5;

  explicit GptBlock(const GptSettings& settings);
  Tensor operator()(const Tensor& x) const;
  Tensor decode(const Tensor& x, const GptPositions& positions, GptCache::Layer& cache) const;
};

/// Tokens (n, length), integers -> logits (n, length, vocab_size) of the token that follows each. Keys are those of GPT-2
/// without the prefix "transformer.": wte.weight, wpe.weight, h.0.ln_1.weight, h.0.attn.c_attn.weight, ..., ln_f.bias. Weights
/// are (out, in); see gpt2_state_dict for files of Hugging Face. They start as N(0, 0.02^2), those that end a branch as
/// N(0, 0.02^2 / (2 n_layer)), biases as 0.
struct Gpt {
  nn::Embedding wte, wpe;
  std::vector<GptBlock> h;
  nn::LayerNorm ln_f;
  nn::Dropout dropout;
  GptSettings settings;
  static constexpr int field_count = 6;

  /// Throws Error(value) unless sizes are positive and n_head divides n_embd.
  explicit Gpt(const GptSettings& settings = {}, SourceLocation where = SourceLocation::current());

  /// Throws Error(shape) unless (n, length) with length <= block_size, Error(dtype) unless integers.
  Tensor operator()(const Tensor& tokens) const;

  /// An empty cache for `n` texts.
  GptCache new_cache(std::int64_t n) const;
  /// The next tokens of each text, (n, length) -> logits (n, length, vocab_size): those that operator() gives at these
  /// positions. Nothing is dropped. Evaluating the logits evaluates the cache. Throws Error(state) when the cache is full.
  ///   GptCache cache = model.new_cache(1);
  ///   Tensor logits = model.decode(prompt, cache);
  ///   while (...) logits = model.decode(argmax(slice(logits, 1, -1), -1), cache);
  Tensor decode(const Tensor& tokens, GptCache& cache, SourceLocation where = SourceLocation::current()) const;
};

/// What Hugging Face's GPT-2 files hold, under the names and in the layouts of Gpt: the prefix "transformer." falls away, the
/// weights of its Conv1D, stored (in, out), are transposed, and what is no parameter (attn.bias, attn.masked_bias: causal
/// masks) or the same again (lm_head.weight) is left out. The transposed ones are recorded: evaluate the model that loads them.
///
///   nn::load_state_dict(model, models::gpt2_state_dict(io::load("gpt2/model.safetensors")));
///   eval(model);
NamedTensors gpt2_state_dict(const NamedTensors& file, SourceLocation where = SourceLocation::current());

}  // namespace gradus::models
