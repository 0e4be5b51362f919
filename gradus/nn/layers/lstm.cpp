#include "gradus/nn/layers/lstm.h"

#include <fmt/format.h>

#include <cmath>
#include <string>

#include "gradus/base/error.h"
#include "gradus/nn/fields.h"
#include "gradus/nn/functional/argument.h"
#include "gradus/nn/init.h"
#include "gradus/nn/observe.h"
#include "gradus/ops/argument.h"
#include "gradus/ops/concat.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/matmul.h"
#include "gradus/ops/random.h"
#include "gradus/ops/recurrent/lstm.h"
#include "gradus/ops/view.h"
#include "gradus/ops/views/rearrange.h"

namespace gradus::nn {
namespace {

constexpr const char* layer_name = "nn::LSTM";

int directions(const LstmOptions& options) { return options.bidirectional ? 2 : 1; }

void check_settings(std::int64_t input, std::int64_t hidden, const LstmOptions& options, SourceLocation where) {
  const auto refuse = [&](std::string text) { throw Error(ErrorKind::value, layer_name, std::move(text)).at(where); };
  if (input < 1 || hidden < 1 || options.num_layers < 1) {
    refuse(fmt::format("sizes must be positive: input_size {}, hidden_size {}, num_layers {}", input, hidden,
                       options.num_layers));
  }
  if (!(options.dropout >= 0 && options.dropout <= 1)) {
    refuse(fmt::format("dropout is {}, must be in [0, 1]", options.dropout));
  }
}

void check_input(const LSTM& layer, const Tensor& x, SourceLocation where) {
  const bool fits = x.rank() == 2 || x.rank() == 3;
  const int length = x.rank() == 3 && layer.options.batch_first ? 1 : 0;
  if (fits && x.size(-1) == layer.input_size && x.size(length) > 0) return;
  std::string remark = layer.options.batch_first ? "expected (n, length, input_size) or (length, input_size)"
                                                 : "expected (length, n, input_size) or (length, input_size)";
  if (fits) {
    remark = x.size(-1) != layer.input_size
                 ? fmt::format("axis {} is {}, expected {}", x.rank() - 1, x.size(-1), layer.input_size)
                 : fmt::format("axis {} is 0: no steps", length);
  }
  throw Error(ErrorKind::shape, layer_name).at(where).operand("input", x.spec(), std::move(remark));
}

/// The state before the first step as (layers * directions, n, hidden), of type `dtype`.
Tensor initial(const LSTM& layer, const char* role, const Tensor& given, std::int64_t n, bool batched, DType dtype,
               SourceLocation where) {
  const std::int64_t all = layer.options.num_layers * directions(layer.options);
  const Shape shape{all, n, layer.hidden_size};
  if (!given.defined()) return broadcast_to(TensorArg(constant(0, dtype), where), shape);
  const Shape expected = batched ? shape : Shape{all, layer.hidden_size};
  if (given.shape() != expected || !is_floating(given.dtype())) {
    throw Error(given.shape() == expected ? ErrorKind::dtype : ErrorKind::shape, layer_name)
        .at(where)
        .operand(role, given.spec(),
                 given.shape() == expected ? "expected a floating type" : "expected " + expected.str());
  }
  return reshape(TensorArg(cast(TensorArg(given, where), dtype), where), shape);
}

}  // namespace

LSTM::LSTM(std::int64_t input, std::int64_t hidden, LstmOptions lstm_options, SourceLocation where)
    : options(lstm_options), input_size(input), hidden_size(hidden) {
  check_settings(input, hidden, options, where);
  const double bound = 1 / std::sqrt(static_cast<double>(hidden));
  for (std::int64_t layer = 0; layer < options.num_layers; ++layer) {
    for (int direction = 0; direction < directions(options); ++direction) {
      const std::int64_t width = layer == 0 ? input : hidden * directions(options);
      LstmWeights& w = weights.emplace_back();
      w.weight_ih = init::uniform({4 * hidden, width}, -bound, bound);
      w.weight_hh = init::uniform({4 * hidden, hidden}, -bound, bound);
      if (!options.bias) continue;
      w.bias_ih = init::uniform({4 * hidden}, -bound, bound);
      w.bias_hh = init::uniform({4 * hidden}, -bound, bound);
    }
  }
}

LstmOutput LSTM::operator()(const TensorArg& x_arg, const LstmState& state) const {
  const SourceLocation where = x_arg.where();
  const auto at = [&](const Tensor& t) { return TensorArg(t, where); };
  const Tensor input = gradus::detail::required_floating(layer_name, "input", x_arg);
  check_input(*this, input, where);
  const bool batched = input.rank() == 3;
  Tensor x = batched ? (options.batch_first ? transpose(at(input), 0, 1) : input) : unsqueeze(at(input), 1);
  const DType wide = gradus::detail::compute_type(promote(input.dtype(), weights[0].weight_hh.dtype()));
  const Tensor h = initial(*this, "h", state.h, x.size(1), batched, wide, where);
  const Tensor c = initial(*this, "c", state.c, x.size(1), batched, wide, where);

  Tensors last_h, last_c;
  for (std::size_t i = 0; i < weights.size();) {
    if (i > 0) x = dropout(at(x), options.dropout, training && options.dropout > 0);
    Tensors sides;
    for (int direction = 0; direction < directions(options); ++direction, ++i) {
      const LstmWeights& w = weights[i];
      const Tensor bias = w.bias_ih.defined() ? at(w.bias_ih) + at(w.bias_hh) : Tensor();
      const Tensor gates = cast(at(linear(at(x), w.weight_ih, at(bias), where)), wide);
      const auto layer = static_cast<std::int64_t>(i);
      const gradus::detail::LstmStates states = gradus::detail::lstm(
          gates, cast(at(w.weight_hh), wide), select(at(h), 0, layer), select(at(c), 0, layer), direction == 1, where);
      const std::int64_t end = direction == 1 ? 0 : x.size(0) - 1;
      last_h.push_back(select(at(states.h), 0, end));
      last_c.push_back(select(at(states.c), 0, end));
      sides.push_back(states.h);
    }
    x = sides.size() == 1 ? sides[0] : concat(sides, 2, where);
    x = cast(at(x), input.dtype() == DType::bf16 ? DType::bf16 : wide);
  }

  LstmOutput result{options.batch_first ? transpose(at(x), 0, 1) : x,
                    {cast(at(stack(last_h, 0, where)), x.dtype()), cast(at(stack(last_c, 0, where)), x.dtype())}};
  if (!batched) result = {squeeze(at(x), 1), {squeeze(at(result.state.h), 1), squeeze(at(result.state.c), 1)}};
  result.output = observed(*this, x_arg, result.output);
  return result;
}

void LSTM::visit_fields(FieldWalk& walk) {
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const auto sides = static_cast<std::size_t>(directions(options));
    const std::string suffix = fmt::format("l{}{}", i / sides, i % sides == 1 ? "_reverse" : "");
    walk("weight_ih_" + suffix, weights[i].weight_ih);
    walk("weight_hh_" + suffix, weights[i].weight_hh);
    walk("bias_ih_" + suffix, weights[i].bias_ih);
    walk("bias_hh_" + suffix, weights[i].bias_hh);
  }
  walk("training", training);
}

}  // namespace gradus::nn
