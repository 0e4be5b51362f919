#include "gradus/nn/layers/attention.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <string>

#include "gradus/base/error.h"
#include "gradus/nn/functional/argument.h"
#include "gradus/nn/init.h"
#include "gradus/nn/observe.h"
#include "gradus/ops/attention/attention.h"
#include "gradus/ops/attention/composed.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/matmul.h"
#include "gradus/ops/random.h"
#include "gradus/ops/reduce.h"
#include "gradus/ops/view.h"

namespace gradus::nn {
namespace {

constexpr const char* layer_name = "nn::MultiheadAttention";

/// One call: operands as (n, length, width), whatever the caller's layout.
struct Call {
  const MultiheadAttention& layer;
  SourceLocation where;
  Tensor query, key, value;
  bool batched = true;

  TensorArg at(const Tensor& x) const { return TensorArg(x, where); }
  std::int64_t examples() const { return query.size(0); }
  std::int64_t queries() const { return query.size(1); }
  std::int64_t keys() const { return key.size(1); }
};

void check_operands(const MultiheadAttention& layer, const Tensor& q, const Tensor& k, const Tensor& v,
                    SourceLocation where) {
  const auto refuse = [&](std::string of_query, std::string of_key, std::string of_value) {
    return Error(ErrorKind::shape, layer_name)
        .at(where)
        .operand("query", q.spec(), std::move(of_query))
        .operand("key", k.spec(), std::move(of_key))
        .operand("value", v.spec(), std::move(of_value));
  };
  const auto rank = [&](const Tensor& x) { return x.rank() == q.rank() ? "" : "expected the rank of the query"; };
  if (q.rank() != 2 && q.rank() != 3) throw refuse("expected 2 or 3 axes", "", "");
  if (k.rank() != q.rank() || v.rank() != q.rank()) throw refuse("", rank(k), rank(v));
  const int last = q.rank() - 1;
  const auto width = [&](const Tensor& x, std::int64_t expected) {
    return x.shape()[last] == expected ? std::string()
                                       : fmt::format("axis {} is {}, expected {}", last, x.shape()[last], expected);
  };
  const std::int64_t kdim = layer.options.kdim.value_or(layer.embed_dim);
  const std::int64_t vdim = layer.options.vdim.value_or(layer.embed_dim);
  const std::string widths[] = {width(q, layer.embed_dim), width(k, kdim), width(v, vdim)};
  if (!widths[0].empty() || !widths[1].empty() || !widths[2].empty()) throw refuse(widths[0], widths[1], widths[2]);
  const int batch = layer.options.batch_first ? 0 : 1, length = q.rank() == 2 ? 0 : 1 - batch;
  const auto size = [&](const Tensor& x, int axis, std::int64_t expected) {
    return x.shape()[axis] == expected ? std::string()
                                       : fmt::format("axis {} is {}, expected {}", axis, x.shape()[axis], expected);
  };
  if (k.shape()[length] != v.shape()[length]) throw refuse("", "", size(v, length, k.shape()[length]));
  if (q.rank() == 2) return;
  const std::int64_t n = q.shape()[batch];
  if (k.shape()[batch] != n || v.shape()[batch] != n) throw refuse("", size(k, batch, n), size(v, batch, n));
}

Call prepared(const MultiheadAttention& layer, const TensorArg& query, const TensorArg& key, const TensorArg& value) {
  using gradus::detail::required_floating;
  Call call{layer, query.where(), required_floating(layer_name, "query", query),
            required_floating(layer_name, "key", key), required_floating(layer_name, "value", value)};
  check_operands(layer, call.query, call.key, call.value, call.where);
  call.batched = call.query.rank() == 3;
  const bool same_key = call.key == call.query, same_value = call.value == call.key;
  const auto examples_first = [&](const Tensor& x) {
    if (!call.batched) return unsqueeze(call.at(x), 0);
    return layer.options.batch_first ? x : transpose(call.at(x), 0, 1);
  };
  call.query = examples_first(call.query);
  call.key = same_key ? call.query : examples_first(call.key);
  call.value = same_value ? call.key : examples_first(call.value);
  return call;
}

/// Rows `part` * embed_dim onwards of a stacked projection, or the tensor itself when it is not stacked.
Tensor part_of(const Call& call, const Tensor& stacked, std::int64_t part) {
  if (!stacked.defined()) return {};
  const std::int64_t width = call.layer.embed_dim;
  return slice(call.at(stacked), 0, part * width, (part + 1) * width);
}

/// (n, length, embed_dim) as (n, length, heads, width of a head).
Tensor in_heads(const Call& call, const Tensor& x) {
  const std::int64_t heads = call.layer.num_heads;
  return reshape(call.at(x), {x.size(0), x.size(1), heads, call.layer.embed_dim / heads});
}

/// Queries, keys and values, projected, in heads.
std::array<Tensor, 3> projected(const Call& call) {
  const MultiheadAttention& layer = call.layer;
  const Tensor bias = layer.in_proj_bias.defined() ? layer.in_proj_bias.tensor() : Tensor();
  std::array<Tensor, 3> result;
  if (layer.in_proj_weight.defined() && call.query == call.key && call.key == call.value) {  // one large product
    const Tensor all = linear(call.at(call.query), layer.in_proj_weight, bias, call.where);
    for (std::int64_t i = 0; i < 3; ++i) {
      const Tensor part = slice(call.at(all), -1, i * layer.embed_dim, (i + 1) * layer.embed_dim);
      result[static_cast<std::size_t>(i)] = in_heads(call, part);
    }
    return result;
  }
  const Tensor inputs[] = {call.query, call.key, call.value};
  const Parameter* weights[] = {&layer.q_proj_weight, &layer.k_proj_weight, &layer.v_proj_weight};
  for (std::size_t i = 0; i < 3; ++i) {
    const auto part = static_cast<std::int64_t>(i);
    const Tensor weight =
        layer.in_proj_weight.defined() ? part_of(call, layer.in_proj_weight, part) : weights[i]->tensor();
    result[i] =
        in_heads(call, linear(call.at(inputs[i]), call.at(weight), call.at(part_of(call, bias, part)), call.where));
  }
  return result;
}

/// A mask of bool or of scores as scores to add, reshaped to `shape`.
Tensor scores_of(const Call& call, const char* role, const Tensor& mask, const Shape& shape, DType dtype) {
  if (mask.dtype() != DType::boolean && !is_floating(mask.dtype())) {
    throw Error(ErrorKind::dtype, layer_name)
        .at(call.where)
        .operand(role, mask.spec(), "expected bool (true: do not look) or a floating type");
  }
  const Tensor open = mask.dtype() == DType::boolean ? logical_not(call.at(mask)) : mask;
  return gradus::detail::additive_mask(reshape(call.at(open), shape), dtype, call.where);
}

/// Both masks as one that is added to the scores (n, heads, L, S); undefined without any.
Tensor joined_mask(const Call& call, const AttentionMasks& masks, DType dtype) {
  const auto refuse = [&](const char* role, const Tensor& mask, std::string expected) {
    return Error(ErrorKind::shape, layer_name)
        .at(call.where)
        .operand(role, mask.spec(), std::move(expected))
        .operand("query", call.query.spec())
        .operand("key", call.key.spec());
  };
  const std::int64_t n = call.examples(), heads = call.layer.num_heads, l = call.queries(), s = call.keys();
  Tensor joined;
  if (const Tensor& mask = masks.attn_mask; mask.defined()) {
    const bool flat = mask.shape() == Shape{l, s};
    if (!flat && mask.shape() != Shape{n * heads, l, s}) {
      throw refuse("attn_mask", mask,
                   fmt::format("expected {} or {}", Shape{l, s}.str(), Shape{n * heads, l, s}.str()));
    }
    joined = scores_of(call, "attn_mask", mask, flat ? Shape{1, 1, l, s} : Shape{n, heads, l, s}, dtype);
  }
  if (const Tensor& mask = masks.key_padding_mask; mask.defined()) {
    const Shape expected = call.batched ? Shape{n, s} : Shape{s};
    if (mask.shape() != expected) throw refuse("key_padding_mask", mask, "expected " + expected.str());
    const Tensor padding = scores_of(call, "key_padding_mask", mask, Shape{n, 1, 1, s}, dtype);
    joined = joined.defined() ? call.at(joined) + call.at(padding) : padding;
  }
  return joined;
}

/// From heads (n, L, heads, width) to the caller's layout.
Tensor finished(const Call& call, const Tensor& heads) {
  const Tensor y =
      call.layer.out_proj(call.at(reshape(call.at(heads), {heads.size(0), heads.size(1), call.layer.embed_dim})));
  if (!call.batched) return squeeze(call.at(y), 0);
  return call.layer.options.batch_first ? y : transpose(call.at(y), 0, 1);
}

Parameter projection(std::int64_t rows, std::int64_t columns) { return init::xavier_uniform({rows, columns}); }

std::int64_t checked_width(std::int64_t embed_dim, std::int64_t num_heads, const MultiheadAttentionOptions& options,
                           SourceLocation where) {
  const auto refuse = [&](std::string text) { return Error(ErrorKind::value, layer_name, std::move(text)).at(where); };
  if (embed_dim < 1 || num_heads < 1 || options.kdim.value_or(1) < 1 || options.vdim.value_or(1) < 1) {
    throw refuse("sizes must be positive")
        .field("embed_dim", std::to_string(embed_dim))
        .field("num_heads", std::to_string(num_heads));
  }
  if (embed_dim % num_heads != 0)
    throw refuse(fmt::format("{} heads do not divide embed_dim {}", num_heads, embed_dim));
  if (!(options.dropout >= 0 && options.dropout <= 1)) {
    throw refuse(fmt::format("dropout is {}, must be in [0, 1]", options.dropout));
  }
  return embed_dim;
}

}  // namespace

MultiheadAttention::MultiheadAttention(std::int64_t width, std::int64_t heads,
                                       MultiheadAttentionOptions attention_options, SourceLocation where)
    : out_proj(checked_width(width, heads, attention_options, where), width, {.bias = attention_options.bias}),
      options(attention_options),
      embed_dim(width),
      num_heads(heads) {
  const std::int64_t kdim = options.kdim.value_or(width), vdim = options.vdim.value_or(width);
  if (kdim == width && vdim == width) {
    in_proj_weight = projection(3 * width, width);
  } else {
    q_proj_weight = projection(width, width);
    k_proj_weight = projection(width, kdim);
    v_proj_weight = projection(width, vdim);
  }
  if (!options.bias) return;
  in_proj_bias = init::constant({3 * width}, 0);
  out_proj.bias = init::constant({width}, 0);
}

Tensor MultiheadAttention::operator()(const TensorArg& query, const TensorArg& key, const TensorArg& value,
                                      const AttentionMasks& masks) const {
  const Call call = prepared(*this, query, key, value);
  const auto [q, k, v] = projected(call);
  const Tensor mask = joined_mask(call, masks, DType::f32);
  const Tensor y =
      gradus::detail::attention({q, k, v, mask, training ? options.dropout : 0.0, masks.is_causal}, call.where);
  return observed(*this, query, finished(call, y));
}

AttentionWithWeights MultiheadAttention::with_weights(const TensorArg& query, const TensorArg& key,
                                                      const TensorArg& value, const AttentionMasks& masks,
                                                      bool average_over_heads) const {
  const Call call = prepared(*this, query, key, value);
  const auto [q, k, v] = projected(call);
  const DType wide = q.dtype() == DType::f64 ? DType::f64 : DType::f32;
  const auto heads_first = [&](const Tensor& x) { return transpose(call.at(cast(call.at(x), wide)), 1, 2); };
  const double scale = 1 / std::sqrt(static_cast<double>(embed_dim / num_heads));
  Tensor p = gradus::detail::attention_probabilities(heads_first(q), heads_first(k), joined_mask(call, masks, wide),
                                                     {scale, masks.is_causal}, call.where);
  p = dropout(call.at(p), options.dropout, training);
  const Tensor heads = transpose(call.at(matmul(call.at(p), call.at(heads_first(v)))), 1, 2);
  const Tensor y = observed(*this, query, finished(call, cast(call.at(heads), q.dtype())));
  Tensor weights = average_over_heads ? mean(call.at(p), 1) : p;
  if (!call.batched) weights = squeeze(call.at(weights), 0);
  return {y, weights};
}

}  // namespace gradus::nn
