// BERT (Devlin et al., 2018): an encoder of post-norm blocks with learned positions. Names are Hugging Face's, so that its
// weights load unchanged.
//
//   models::BertForSequenceClassification model({.num_labels = 2});
//   nn::load_state_dict(model, io::load("model.safetensors"));
//   Tensor logits = model(tokens, {.attention_mask = not_equal(tokens, 0)});
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "gradus/graph/tensor.h"
#include "gradus/nn/layers/dropout.h"
#include "gradus/nn/layers/embedding.h"
#include "gradus/nn/layers/norm.h"
#include "gradus/nn/linear.h"
#include "gradus/ops/activation.h"

namespace gradus::models {

/// Names as in Hugging Face's BertConfig; the defaults are those of BERT base, 109,482,240 parameters.
struct BertSettings {
  std::int64_t vocab_size = 30522;
  std::int64_t hidden_size = 768;
  std::int64_t num_hidden_layers = 12;
  std::int64_t num_attention_heads = 12;
  std::int64_t intermediate_size = 3072;
  std::int64_t max_position_embeddings = 512;
  std::int64_t type_vocab_size = 2;  ///< kinds of segments; 0: none
  GeluApproximation gelu = GeluApproximation::none;
  double hidden_dropout_prob = 0.1;
  double attention_probs_dropout_prob = 0.1;
  double layer_norm_eps = 1e-12;
  std::int64_t num_labels = 2;  ///< of BertForSequenceClassification
};

/// What comes with the tokens.
struct BertInputs {
  Tensor attention_mask = {};  ///< (n, length): true or not 0 where a token counts; undefined: all do
  Tensor token_type_ids = {};  ///< (n, length): the segment of each token; undefined: segment 0
};

struct BertEmbeddings {
  nn::Embedding word_embeddings, position_embeddings;
  std::optional<nn::Embedding> token_type_embeddings;
  nn::LayerNorm LayerNorm;
  nn::Dropout dropout;
  static constexpr int field_count = 5;

  explicit BertEmbeddings(const BertSettings& settings);
  Tensor operator()(const Tensor& tokens, const Tensor& token_type_ids) const;
};

struct BertSelfAttention {
  nn::Linear query, key, value;
  nn::Dropout dropout;
  std::int64_t heads = 1;
  static constexpr int field_count = 5;

  explicit BertSelfAttention(const BertSettings& settings);
  /// `mask`: undefined, or scores to add (n, 1, 1, length).
  Tensor operator()(const Tensor& x, const Tensor& mask) const;
};

/// A linear layer, dropout, and the norm of its sum with what went around it.
struct BertOutput {
  nn::Linear dense;
  nn::LayerNorm LayerNorm;
  nn::Dropout dropout;
  static constexpr int field_count = 3;

  BertOutput(std::int64_t in, const BertSettings& settings);
  Tensor operator()(const Tensor& x, const Tensor& around) const;
};

struct BertAttention {
  BertSelfAttention self;
  BertOutput output;
  static constexpr int field_count = 2;

  explicit BertAttention(const BertSettings& settings);
  Tensor operator()(const Tensor& x, const Tensor& mask) const;
};

struct BertIntermediate {
  nn::Linear dense;
};

struct BertLayer {
  BertAttention attention;
  BertIntermediate intermediate;
  BertOutput output;
  GeluApproximation gelu_form;
  static constexpr int field_count = 4;

  explicit BertLayer(const BertSettings& settings);
  Tensor operator()(const Tensor& x, const Tensor& mask) const;
};

struct BertEncoder {
  std::vector<BertLayer> layer;
};

struct BertPooler {
  nn::Linear dense;
};

/// Tokens (n, length), integers -> hidden states (n, length, hidden_size). Keys: embeddings.word_embeddings.weight, ...,
/// encoder.layer.0.attention.self.query.weight, ..., pooler.dense.bias. Weights start as N(0, 0.02^2), biases as 0.
struct Bert {
  BertEmbeddings embeddings;
  BertEncoder encoder;
  BertPooler pooler;
  BertSettings settings;
  static constexpr int field_count = 4;

  /// Throws Error(value) unless sizes are positive and num_attention_heads divides hidden_size.
  explicit Bert(const BertSettings& settings = {}, SourceLocation where = SourceLocation::current());

  /// Throws Error(shape) unless (n, length) with length <= max_position_embeddings, Error(dtype) unless integers.
  Tensor operator()(const Tensor& tokens, const BertInputs& inputs = {}) const;
  /// tanh of a linear layer of the first token's hidden state: (n, length, hidden_size) -> (n, hidden_size).
  Tensor pooled(const Tensor& hidden) const;
};

/// Tokens -> logits (n, num_labels). Keys: bert.*, classifier.weight, classifier.bias.
struct BertForSequenceClassification {
  Bert bert;
  nn::Dropout dropout;
  nn::Linear classifier;
  static constexpr int field_count = 3;

  explicit BertForSequenceClassification(const BertSettings& settings = {},
                                         SourceLocation where = SourceLocation::current());
  Tensor operator()(const Tensor& tokens, const BertInputs& inputs = {}) const;
};

}  // namespace gradus::models
