#include "gradus/models/gpt.h"

#include <fmt/format.h>

#include <cmath>
#include <string>
#include <string_view>

#include "gradus/base/error.h"
#include "gradus/nn/init.h"
#include "gradus/ops/activation.h"
#include "gradus/ops/argument.h"
#include "gradus/ops/attach.h"
#include "gradus/ops/attention/attention.h"
#include "gradus/ops/attention/composed.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/factory.h"
#include "gradus/ops/index.h"
#include "gradus/ops/matmul.h"
#include "gradus/ops/view.h"
#include "gradus/ops/views/update_slice.h"

namespace gradus::models {
namespace {

constexpr double initial_stddev = 0.02;

nn::LayerNorm norm(const GptSettings& s) {
  return nn::LayerNorm(s.n_embd, {.eps = s.layer_norm_epsilon, .bias = s.bias});
}

/// A linear layer that starts as N(0, stddev^2) with biases 0.
nn::Linear linear_layer(std::int64_t in, std::int64_t out, const GptSettings& s, double stddev = initial_stddev) {
  nn::Linear layer(in, out, {.bias = s.bias});
  layer.weight = nn::init::normal({out, in}, 0, stddev);
  if (s.bias) layer.bias = nn::init::constant({out}, 0);
  return layer;
}

/// One that ends a branch: the sum over all branches keeps its variance.
nn::Linear branch_end(std::int64_t in, const GptSettings& s) {
  return linear_layer(in, s.n_embd, s, initial_stddev / std::sqrt(2.0 * static_cast<double>(s.n_layer)));
}

nn::Embedding table(std::int64_t rows, const GptSettings& s) {
  nn::Embedding embedding(rows, s.n_embd);
  embedding.weight = nn::init::normal({rows, s.n_embd}, 0, initial_stddev);
  return embedding;
}

const GptSettings& checked(const GptSettings& s, SourceLocation where) {
  const auto refuse = [&](std::string text) {
    throw Error(ErrorKind::value, "models::Gpt", std::move(text)).at(where);
  };
  if (s.vocab_size < 1 || s.block_size < 1 || s.n_layer < 1 || s.n_head < 1 || s.n_embd < 1) {
    refuse(fmt::format("sizes must be positive: vocab_size {}, block_size {}, n_layer {}, n_head {}, n_embd {}",
                       s.vocab_size, s.block_size, s.n_layer, s.n_head, s.n_embd));
  }
  if (s.n_embd % s.n_head != 0) refuse(fmt::format("n_head {} does not divide n_embd {}", s.n_head, s.n_embd));
  return s;
}

void check_tokens(const Tensor& tokens, const GptSettings& settings) {
  if (!tokens.defined()) throw Error(ErrorKind::state, "models::Gpt", "the tokens are an undefined tensor");
  if (tokens.rank() == 2 && tokens.size(1) <= settings.block_size) return;
  throw Error(ErrorKind::shape, "models::Gpt")
      .operand("tokens", tokens.spec(),
               tokens.rank() == 2
                   ? fmt::format("axis 1 is {}, but block_size is {}", tokens.size(1), settings.block_size)
                   : "expected (n, length)");
}

}  // namespace

GptAttention::GptAttention(const GptSettings& s)
    : c_attn(linear_layer(s.n_embd, 3 * s.n_embd, s)),
      c_proj(branch_end(s.n_embd, s)),
      dropout{.p = s.dropout},
      n_head(s.n_head) {}

namespace {

struct Projected {
  Tensor query, key, value;  ///< (n, length, heads, width of a head)
};

Projected projected(const GptAttention& layer, const Tensor& x) {
  const std::int64_t width = layer.c_proj.out_features(), heads = layer.n_head;
  const Tensor all = layer.c_attn(x);
  const auto part = [&](std::int64_t i) {
    return reshape(slice(all, -1, i * width, (i + 1) * width), {x.size(0), x.size(1), heads, width / heads});
  };
  return {part(0), part(1), part(2)};
}

}  // namespace

Tensor GptAttention::operator()(const Tensor& x) const {
  const Projected p = projected(*this, x);
  const Tensor y = detail::attention({p.query, p.key, p.value, {}, dropout.training ? dropout.p : 0.0, true}, {});
  return c_proj(reshape(y, x.shape()));
}

Tensor GptAttention::decode(const Tensor& x, const GptPositions& positions, GptCache::Layer& cache) const {
  const Projected p = projected(*this, x);
  cache.keys = dynamic_update_slice(cache.keys, p.key, positions.start, 1);
  cache.values = dynamic_update_slice(cache.values, p.value, positions.start, 1);
  const Tensor y = detail::attention({p.query, cache.keys, cache.values, positions.mask}, {});
  return c_proj(reshape(y, x.shape()));
}

GptMlp::GptMlp(const GptSettings& s)
    : c_fc(linear_layer(s.n_embd, 4 * s.n_embd, s)), c_proj(branch_end(4 * s.n_embd, s)) {}

Tensor GptMlp::operator()(const Tensor& x) const {
  return c_proj(gelu(c_fc(x), {.approximate = GeluApproximation::tanh}));
}

GptBlock::GptBlock(const GptSettings& s) : ln_1(norm(s)), attn(s), ln_2(norm(s)), mlp(s), dropout{.p = s.dropout} {}

Tensor GptBlock::operator()(const Tensor& x) const {
  const Tensor y = x + dropout(attn(ln_1(x)));
  return y + dropout(mlp(ln_2(y)));
}

Tensor GptBlock::decode(const Tensor& x, const GptPositions& positions, GptCache::Layer& cache) const {
  const Tensor y = x + attn.decode(ln_1(x), positions, cache);
  return y + mlp(ln_2(y));
}

Gpt::Gpt(const GptSettings& s, SourceLocation where)
    : wte(table(checked(s, where).vocab_size, s)),
      wpe(table(s.block_size, s)),
      ln_f(norm(s)),
      dropout{.p = s.dropout},
      settings(s) {
  for (std::int64_t i = 0; i < s.n_layer; ++i) h.emplace_back(s);
}

Tensor Gpt::operator()(const Tensor& tokens) const {
  check_tokens(tokens, settings);
  Tensor x = dropout(wte(tokens) + slice(wpe.weight, 0, 0, tokens.size(1)));
  for (const GptBlock& block : h) x = block(x);
  return linear(ln_f(x), wte.weight);
}

GptCache Gpt::new_cache(std::int64_t n) const {
  const Shape shape{n, settings.block_size, settings.n_head, settings.n_embd / settings.n_head};
  const Tensor zero = nn::init::constant(shape, 0, wte.weight.dtype());
  return {std::vector<GptCache::Layer>(h.size(), {zero, zero}), 0};
}

Tensor Gpt::decode(const Tensor& tokens, GptCache& cache, SourceLocation where) const {
  check_tokens(tokens, settings);
  const std::int64_t length = tokens.size(1), size = settings.block_size;
  if (cache.length + length > size || cache.layers.size() != h.size()) {
    throw Error(ErrorKind::state, "models::Gpt",
                fmt::format("the cache holds {} of {} positions; {} more do not fit", cache.length, size, length))
        .at(where)
        .hint("begin a new one: model.new_cache(n)");
  }
  GptPositions positions;
  positions.start = detail::number_leaf(static_cast<double>(cache.length), DType::i64);
  const Tensor index = arange(length) + positions.start;
  const DType wide = wte.weight.dtype() == DType::f64 ? DType::f64 : DType::f32;
  const Tensor open = less_equal(arange(size), reshape(index, {length, 1}));
  positions.mask = detail::additive_mask(reshape(open, {1, 1, length, size}), wide, where);
  Tensor x = wte(tokens) + take(wpe.weight, index);
  for (std::size_t i = 0; i < h.size(); ++i) x = h[i].decode(x, positions, cache.layers[i]);
  cache.length += length;
  Tensors state;
  for (const GptCache::Layer& layer : cache.layers) {
    state.push_back(layer.keys);
    state.push_back(layer.values);
  }
  return attach(linear(ln_f(x), wte.weight), state);
}

NamedTensors gpt2_state_dict(const NamedTensors& file, SourceLocation where) {
  const auto ends_with = [](std::string_view name, std::initializer_list<std::string_view> ends) {
    for (const std::string_view end : ends) {
      if (name.ends_with(end)) return true;
    }
    return false;
  };
  NamedTensors dict;
  for (const auto& [key, tensor] : file) {
    std::string_view name = key;
    if (constexpr std::string_view prefix = "transformer."; name.starts_with(prefix)) name.remove_prefix(prefix.size());
    if (name == "lm_head.weight" || ends_with(name, {".attn.bias", ".attn.masked_bias"})) continue;
    const bool stored_in_out = ends_with(name, {".c_attn.weight", ".c_proj.weight", ".c_fc.weight"});
    if (stored_in_out && tensor.rank() != 2) {
      throw Error(ErrorKind::shape, "gpt2_state_dict").at(where).operand(key, tensor.spec(), "expected (in, out)");
    }
    dict.emplace_back(std::string(name), stored_in_out ? transpose(TensorArg(tensor, where), 0, 1) : tensor);
  }
  return dict;
}

}  // namespace gradus::models
