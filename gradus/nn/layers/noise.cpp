#include "gradus/nn/layers/noise.h"

#include <cmath>

#include "gradus/nn/functional/argument.h"
#include "gradus/nn/observe.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/random.h"

namespace gradus::nn {

Tensor GaussianNoise::operator()(const TensorArg& x) const {
  const Tensor input = gradus::detail::required_floating("nn::GaussianNoise", "input", x);
  gradus::detail::require_value(std::isfinite(stddev) && stddev >= 0, "nn::GaussianNoise", "stddev", stddev,
                                "finite and >= 0", x.where());
  if (!training || stddev == 0) return observed(*this, x, input);
  const DType drawn = input.dtype() == DType::f64 ? DType::f64 : DType::f32;
  const Tensor noise = normal(input.shape(), {.dtype = drawn}, {}, x.where());
  const Tensor scaled = cast(TensorArg(noise, x.where()) * stddev, input.dtype());
  return observed(*this, x, gradus::detail::named("gaussian_noise", TensorArg(input, x.where()) + scaled));
}

}  // namespace gradus::nn
