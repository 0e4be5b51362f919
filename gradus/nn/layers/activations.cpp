#include "gradus/nn/layers/activations.h"

#include <fmt/format.h>

#include "gradus/base/error.h"
#include "gradus/nn/init.h"
#include "gradus/nn/observe.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/softmax.h"

namespace gradus::nn {

Tensor LeakyReLU::operator()(const TensorArg& x) const { return observed(*this, x, leaky_relu(x, negative_slope)); }
Tensor ELU::operator()(const TensorArg& x) const { return observed(*this, x, elu(x, alpha)); }
Tensor CELU::operator()(const TensorArg& x) const { return observed(*this, x, celu(x, alpha)); }
Tensor SELU::operator()(const TensorArg& x) const { return observed(*this, x, selu(x)); }
Tensor GELU::operator()(const TensorArg& x) const { return observed(*this, x, gelu(x, {approximate})); }
Tensor SiLU::operator()(const TensorArg& x) const { return observed(*this, x, silu(x)); }
Tensor Mish::operator()(const TensorArg& x) const { return observed(*this, x, mish(x)); }
Tensor Softplus::operator()(const TensorArg& x) const { return observed(*this, x, softplus(x, {beta, threshold})); }
Tensor Softsign::operator()(const TensorArg& x) const { return observed(*this, x, softsign(x)); }
Tensor Hardtanh::operator()(const TensorArg& x) const { return observed(*this, x, hardtanh(x, min_val, max_val)); }
Tensor ReLU6::operator()(const TensorArg& x) const { return observed(*this, x, relu6(x)); }
Tensor Hardsigmoid::operator()(const TensorArg& x) const { return observed(*this, x, hardsigmoid(x)); }
Tensor Hardswish::operator()(const TensorArg& x) const { return observed(*this, x, hardswish(x)); }
Tensor LogSigmoid::operator()(const TensorArg& x) const { return observed(*this, x, log_sigmoid(x)); }
Tensor Tanhshrink::operator()(const TensorArg& x) const { return observed(*this, x, tanhshrink(x)); }
Tensor Softshrink::operator()(const TensorArg& x) const { return observed(*this, x, softshrink(x, lambd)); }
Tensor Hardshrink::operator()(const TensorArg& x) const { return observed(*this, x, hardshrink(x, lambd)); }
Tensor Threshold::operator()(const TensorArg& x) const {
  return observed(*this, x, gradus::threshold(x, threshold, value));
}
Tensor GLU::operator()(const TensorArg& x) const { return observed(*this, x, glu(x, axis)); }
Tensor Softmax::operator()(const TensorArg& x) const { return observed(*this, x, softmax(x, axis)); }
Tensor LogSoftmax::operator()(const TensorArg& x) const { return observed(*this, x, log_softmax(x, axis)); }
Tensor Softmin::operator()(const TensorArg& x) const { return observed(*this, x, softmin(x, axis)); }
Tensor RReLU::operator()(const TensorArg& x) const { return observed(*this, x, rrelu(x, {lower, upper, training})); }

PReLU::PReLU(std::int64_t num_parameters, double init, SourceLocation where) {
  if (num_parameters < 1) {
    throw Error(ErrorKind::value, "nn::PReLU", fmt::format("num_parameters is {}, must be positive", num_parameters))
        .at(where);
  }
  weight = nn::init::constant({num_parameters}, init);
}
Tensor PReLU::operator()(const TensorArg& x) const { return observed(*this, x, prelu(x, weight)); }

}  // namespace gradus::nn
