#include "gradus/nn/layers/transformer.h"

#include "gradus/nn/functional/argument.h"
#include "gradus/nn/observe.h"
#include "gradus/ops/elementwise.h"

namespace gradus::nn {

TransformerEncoderLayer::TransformerEncoderLayer(std::int64_t d_model, std::int64_t nhead,
                                                 TransformerEncoderLayerOptions layer_options, SourceLocation where)
    : self_attn(
          d_model, nhead,
          {.dropout = layer_options.dropout, .bias = layer_options.bias, .batch_first = layer_options.batch_first},
          where),
      linear1(d_model, layer_options.dim_feedforward, {.bias = layer_options.bias}, where),
      dropout{.p = layer_options.dropout},
      linear2(layer_options.dim_feedforward, d_model, {.bias = layer_options.bias}, where),
      norm1(d_model, {.eps = layer_options.layer_norm_eps, .bias = layer_options.bias}, where),
      norm2(d_model, {.eps = layer_options.layer_norm_eps, .bias = layer_options.bias}, where),
      dropout1{.p = layer_options.dropout},
      dropout2{.p = layer_options.dropout},
      options(layer_options) {}

Tensor TransformerEncoderLayer::operator()(const TensorArg& x_arg, const AttentionMasks& masks) const {
  const auto at = [&](const Tensor& t) { return TensorArg(t, x_arg.where()); };
  const auto attend = [&](const Tensor& t) { return dropout1(at(self_attn(at(t), at(t), at(t), masks))); };
  const auto feed_forward = [&](const Tensor& t) {
    const Tensor hidden = dropout(at(options.activation(at(linear1(at(t))))));
    return dropout2(at(linear2(at(hidden))));
  };
  Tensor x = gradus::detail::required_floating("nn::TransformerEncoderLayer", "input", x_arg);
  if (options.norm_first) {
    x = at(x) + at(attend(norm1(at(x))));
    x = at(x) + at(feed_forward(norm2(at(x))));
  } else {
    x = norm1(at(at(x) + at(attend(x))));
    x = norm2(at(at(x) + at(feed_forward(x))));
  }
  return observed(*this, x_arg, x);
}

}  // namespace gradus::nn
