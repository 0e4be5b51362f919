#include "gradus/models/bert.h"

#include <fmt/format.h>

#include <string>

#include "gradus/base/error.h"
#include "gradus/nn/init.h"
#include "gradus/ops/attention/attention.h"
#include "gradus/ops/attention/composed.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/view.h"
#include "gradus/ops/views/rearrange.h"

namespace gradus::models {
namespace {

constexpr double initial_stddev = 0.02;

/// A linear layer that starts as N(0, 0.02^2) with biases 0.
nn::Linear linear_layer(std::int64_t in, std::int64_t out) {
  nn::Linear layer(in, out);
  layer.weight = nn::init::normal({out, in}, 0, initial_stddev);
  layer.bias = nn::init::constant({out}, 0);
  return layer;
}

nn::Embedding table(std::int64_t rows, const BertSettings& s) {
  nn::Embedding embedding(rows, s.hidden_size);
  embedding.weight = nn::init::normal({rows, s.hidden_size}, 0, initial_stddev);
  return embedding;
}

nn::LayerNorm norm(const BertSettings& s) { return nn::LayerNorm(s.hidden_size, {.eps = s.layer_norm_eps}); }

const BertSettings& checked(const BertSettings& s, SourceLocation where) {
  const auto refuse = [&](std::string text) {
    throw Error(ErrorKind::value, "models::Bert", std::move(text)).at(where);
  };
  if (s.vocab_size < 1 || s.hidden_size < 1 || s.num_hidden_layers < 1 || s.num_attention_heads < 1 ||
      s.intermediate_size < 1 || s.max_position_embeddings < 1 || s.type_vocab_size < 0 || s.num_labels < 1) {
    refuse("sizes must be positive");
  }
  if (s.hidden_size % s.num_attention_heads != 0) {
    refuse(fmt::format("num_attention_heads {} does not divide hidden_size {}", s.num_attention_heads, s.hidden_size));
  }
  return s;
}

void check_tokens(const char* role, const Tensor& tokens, const Shape& expected) {
  if (!tokens.defined()) throw Error(ErrorKind::state, "models::Bert", "the tokens are an undefined tensor");
  if (tokens.shape() == expected) return;
  throw Error(ErrorKind::shape, "models::Bert").operand(role, tokens.spec(), "expected " + expected.str());
}

/// The mask as scores to add: 0 where a token counts, -infinity elsewhere.
Tensor scores_of(const Tensor& mask, DType dtype) {
  const Tensor counts = mask.dtype() == DType::boolean ? mask : not_equal(mask, 0);
  const DType wide = dtype == DType::f64 ? DType::f64 : DType::f32;
  return detail::additive_mask(reshape(counts, {mask.size(0), 1, 1, mask.size(1)}), wide, {});
}

}  // namespace

BertEmbeddings::BertEmbeddings(const BertSettings& s)
    : word_embeddings(table(s.vocab_size, s)),
      position_embeddings(table(s.max_position_embeddings, s)),
      LayerNorm(norm(s)),
      dropout{.p = s.hidden_dropout_prob} {
  if (s.type_vocab_size > 0) token_type_embeddings = table(s.type_vocab_size, s);
}

Tensor BertEmbeddings::operator()(const Tensor& tokens, const Tensor& token_type_ids) const {
  Tensor x = word_embeddings(tokens) + slice(position_embeddings.weight, 0, 0, tokens.size(1));
  if (token_type_ids.defined()) {
    if (!token_type_embeddings) {
      throw Error(ErrorKind::usage, "models::Bert", "token_type_ids were given, but type_vocab_size is 0");
    }
    x = x + (*token_type_embeddings)(token_type_ids);
  } else if (token_type_embeddings) {
    x = x + select(token_type_embeddings->weight, 0, 0);
  }
  return dropout(LayerNorm(x));
}

BertSelfAttention::BertSelfAttention(const BertSettings& s)
    : query(linear_layer(s.hidden_size, s.hidden_size)),
      key(linear_layer(s.hidden_size, s.hidden_size)),
      value(linear_layer(s.hidden_size, s.hidden_size)),
      dropout{.p = s.attention_probs_dropout_prob},
      heads(s.num_attention_heads) {}

Tensor BertSelfAttention::operator()(const Tensor& x, const Tensor& mask) const {
  const std::int64_t n = x.size(0), length = x.size(1), width = query.out_features();
  const auto in_heads = [&](const Tensor& t) { return reshape(t, {n, length, heads, width / heads}); };
  const Tensor y = detail::attention(
      {in_heads(query(x)), in_heads(key(x)), in_heads(value(x)), mask, dropout.training ? dropout.p : 0.0, false}, {});
  return reshape(y, {n, length, width});
}

BertOutput::BertOutput(std::int64_t in, const BertSettings& s)
    : dense(linear_layer(in, s.hidden_size)), LayerNorm(norm(s)), dropout{.p = s.hidden_dropout_prob} {}

Tensor BertOutput::operator()(const Tensor& x, const Tensor& around) const {
  return LayerNorm(dropout(dense(x)) + around);
}

BertAttention::BertAttention(const BertSettings& s) : self(s), output(s.hidden_size, s) {}

Tensor BertAttention::operator()(const Tensor& x, const Tensor& mask) const { return output(self(x, mask), x); }

BertLayer::BertLayer(const BertSettings& s)
    : attention(s),
      intermediate{linear_layer(s.hidden_size, s.intermediate_size)},
      output(s.intermediate_size, s),
      gelu_form(s.gelu) {}

Tensor BertLayer::operator()(const Tensor& x, const Tensor& mask) const {
  const Tensor attended = attention(x, mask);
  return output(gelu(intermediate.dense(attended), {.approximate = gelu_form}), attended);
}

Bert::Bert(const BertSettings& s, SourceLocation where)
    : embeddings(checked(s, where)), pooler{linear_layer(s.hidden_size, s.hidden_size)}, settings(s) {
  for (std::int64_t i = 0; i < s.num_hidden_layers; ++i) encoder.layer.emplace_back(s);
}

Tensor Bert::operator()(const Tensor& tokens, const BertInputs& inputs) const {
  if (tokens.defined() && (tokens.rank() != 2 || tokens.size(1) > settings.max_position_embeddings)) {
    throw Error(ErrorKind::shape, "models::Bert")
        .operand("tokens", tokens.spec(),
                 tokens.rank() == 2 ? fmt::format("axis 1 is {}, but max_position_embeddings is {}", tokens.size(1),
                                                  settings.max_position_embeddings)
                                    : "expected (n, length)");
  }
  check_tokens("tokens", tokens, tokens.defined() ? tokens.shape() : Shape());
  if (inputs.token_type_ids.defined()) check_tokens("token_type_ids", inputs.token_type_ids, tokens.shape());
  if (inputs.attention_mask.defined()) check_tokens("attention_mask", inputs.attention_mask, tokens.shape());
  Tensor x = embeddings(tokens, inputs.token_type_ids);
  const Tensor mask = inputs.attention_mask.defined() ? scores_of(inputs.attention_mask, x.dtype()) : Tensor();
  for (const BertLayer& layer : encoder.layer) x = layer(x, mask);
  return x;
}

Tensor Bert::pooled(const Tensor& hidden) const { return tanh(pooler.dense(select(hidden, 1, 0))); }

BertForSequenceClassification::BertForSequenceClassification(const BertSettings& s, SourceLocation where)
    : bert(s, where), dropout{.p = s.hidden_dropout_prob}, classifier(linear_layer(s.hidden_size, s.num_labels)) {}

Tensor BertForSequenceClassification::operator()(const Tensor& tokens, const BertInputs& inputs) const {
  return classifier(dropout(bert.pooled(bert(tokens, inputs))));
}

}  // namespace gradus::models
