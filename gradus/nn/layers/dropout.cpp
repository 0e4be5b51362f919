#include "gradus/nn/layers/dropout.h"

#include <fmt/format.h>

#include "gradus/base/error.h"
#include "gradus/nn/functional/argument.h"
#include "gradus/nn/functional/dropout.h"
#include "gradus/nn/observe.h"
#include "gradus/ops/random.h"

namespace gradus::nn {

Tensor Dropout::operator()(const TensorArg& x) const {
  const bool drops = training && p != 0;
  const Tensor y = dropout(x, p, drops);
  return observed(*this, x, drops ? gradus::detail::named("dropout", y) : y);
}

template <int Dims>
Tensor ChannelDropout<Dims>::operator()(const TensorArg& x) const {
  const std::string layer = fmt::format("nn::Dropout{}d", Dims);
  const Tensor& input = gradus::detail::required(layer, "input", x);
  if (input.rank() != Dims + 2) {
    throw Error(ErrorKind::shape, layer)
        .at(x.where())
        .operand("input", input.spec(), fmt::format("expected {} axes: (n, channels, ...)", Dims + 2));
  }
  return observed(*this, x, channel_dropout(x, p, training));
}
template struct ChannelDropout<1>;
template struct ChannelDropout<2>;
template struct ChannelDropout<3>;

Tensor AlphaDropout::operator()(const TensorArg& x) const { return observed(*this, x, alpha_dropout(x, p, training)); }
Tensor DropPath::operator()(const TensorArg& x) const { return observed(*this, x, drop_path(x, p, training)); }

}  // namespace gradus::nn
