// Activation functions, under the names and with the defaults of torch.nn.functional. relu, sigmoid, tanh and log_sigmoid are
// rows of the elementwise table, the softmax family lives in ops/softmax.h; all others are composed of elementwise operations,
// which the engine fuses into one pass.
//
//   Tensor hidden = gelu(linear(x, weight), {.approximate = GeluApproximation::tanh});
//
// All take floating tensors of any shape and keep type and shape; integers are computed as f32. bf16 is computed in f32 and
// rounded once. Numbers among the options are leaves: another slope is not another plan. At kinks the derivative is PyTorch's.
// NaN goes through. Errors: state for an undefined tensor, value for an option without meaning.
#pragma once

#include <cstdint>
#include <optional>

#include "gradus/base/random.h"
#include "gradus/graph/tensor.h"

namespace gradus {

/// x above 0, else negative_slope * x.
Tensor leaky_relu(const TensorArg& x, const TensorArg& negative_slope = 0.01);
/// leaky_relu with a learned slope for each channel: `weight` is [channels] along axis 1 of x, or has one element for all.
/// Throws Error(shape) when the number of channels differs.
Tensor prelu(const TensorArg& x, const TensorArg& weight);

struct RReluOptions {
  double lower = 1.0 / 8, upper = 1.0 / 3;
  bool training = false;
};
/// leaky_relu whose slope is drawn from U[lower, upper) for each element in training, and is their mean otherwise.
Tensor rrelu(const TensorArg& x, RReluOptions options = {}, std::optional<Key> key = {});

/// x above 0, else alpha * (exp(x) - 1).
Tensor elu(const TensorArg& x, const TensorArg& alpha = 1.0);
/// x above 0, else alpha * (exp(x / alpha) - 1). Throws Error(value) for an alpha of 0.
Tensor celu(const TensorArg& x, double alpha = 1);
/// scale * elu(x, alpha) with the constants for which mean 0 and variance 1 are a fixed point (Klambauer et al., 2017).
Tensor selu(const TensorArg& x);
inline constexpr double selu_alpha = 1.6732632423543772, selu_scale = 1.0507009873554805;

enum class GeluApproximation : std::uint8_t { none, tanh };
struct GeluOptions {
  GeluApproximation approximate = GeluApproximation::none;
};
/// x * Phi(x) with the distribution function of the normal distribution (Hendrycks and Gimpel, 2016), or
/// x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3))), which differs by at most 4.8e-4.
Tensor gelu(const TensorArg& x, GeluOptions options = {});
/// x * sigmoid(x), also called swish.
Tensor silu(const TensorArg& x);
/// x * tanh(softplus(x)).
Tensor mish(const TensorArg& x);

struct SoftplusOptions {
  double beta = 1;
  double threshold = 20;  ///< x itself where beta * x is above
};
/// log(1 + exp(beta * x)) / beta. Throws Error(value) for a beta of 0.
Tensor softplus(const TensorArg& x, SoftplusOptions options = {});
/// x / (1 + |x|).
Tensor softsign(const TensorArg& x);

/// x between the bounds, the bound beyond them; the derivative at a bound is 0. Throws Error(value) unless min <= max.
Tensor hardtanh(const TensorArg& x, double min_val = -1, double max_val = 1);
/// hardtanh(x, 0, 6).
Tensor relu6(const TensorArg& x);
/// relu6(x + 3) / 6.
Tensor hardsigmoid(const TensorArg& x);
/// x * relu6(x + 3) / 6.
Tensor hardswish(const TensorArg& x);
/// x - tanh(x).
Tensor tanhshrink(const TensorArg& x);
/// 0 where |x| <= lambd, else lambd nearer to 0. Throws Error(value) for a negative lambd.
Tensor softshrink(const TensorArg& x, double lambd = 0.5);
/// 0 where |x| <= lambd, else x.
Tensor hardshrink(const TensorArg& x, double lambd = 0.5);
/// `value` where x <= threshold, else x.
Tensor threshold(const TensorArg& x, double threshold, double value);
/// x + sin(alpha x)^2 / alpha (Liu Ziyin et al., 2020); alpha is a number or a tensor that broadcasts against x.
Tensor snake(const TensorArg& x, const TensorArg& alpha = 1.0);

/// The first half of x along `axis`, times sigmoid of the second half. Throws Error(shape) for an odd size, Error(axis).
Tensor glu(const TensorArg& x, int axis = -1);
/// The same with gelu, silu and relu in place of the sigmoid (Shazeer, "GLU variants improve transformer", 2020).
Tensor geglu(const TensorArg& x, int axis = -1);
Tensor swiglu(const TensorArg& x, int axis = -1);
Tensor reglu(const TensorArg& x, int axis = -1);
/// The largest of each `pieces` neighbours along `axis`, whose size becomes size / pieces (Goodfellow et al., 2013). Throws
/// Error(shape) when pieces does not divide it.
Tensor maxout(const TensorArg& x, int pieces, int axis = 1);

/// log(x / (1 - x)), the inverse of sigmoid; with an eps, x is clamped to [eps, 1 - eps] first.
Tensor logit(const TensorArg& x, std::optional<double> eps = {});

}  // namespace gradus
