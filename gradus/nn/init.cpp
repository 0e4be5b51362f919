#include "gradus/nn/init.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "gradus/base/error.h"
#include "gradus/nn/init_fill.h"

namespace gradus::nn::init {
namespace {

double kaiming_stddev(const Shape& shape, KaimingOptions options) {
  const Fans f = fans(shape, {});
  const auto fan = static_cast<double>(options.mode == Fan::in ? f.in : f.out);
  return fan > 0 ? calculate_gain(options.nonlinearity, options.a) / std::sqrt(fan) : 0;
}

double xavier_stddev(const Shape& shape, double gain) {
  const Fans f = fans(shape, {});
  const auto fan = static_cast<double>(f.in + f.out);
  return fan > 0 ? gain * std::sqrt(2 / fan) : 0;
}

/// The uniform distribution with this standard deviation.
Tensor symmetric(const Shape& shape, double stddev, Key key) {
  const double bound = std::sqrt(3.0) * stddev;
  return uniform(shape, -bound, bound, key);
}

}  // namespace

Fans fans(const Shape& weight, SourceLocation where) {
  if (weight.rank() < 2) {
    throw Error(ErrorKind::shape, "init::fans", "a weight has at least 2 axes: (out, in, ...)")
        .at(where)
        .field("weight", weight.str())
        .hint("use uniform() or normal() for vectors");
  }
  const std::int64_t field = weight.numel(2, weight.rank());
  return {weight[1] * field, weight[0] * field};
}

double calculate_gain(Nonlinearity nonlinearity, double a) {
  switch (nonlinearity) {
    case Nonlinearity::linear:
    case Nonlinearity::sigmoid: return 1;
    case Nonlinearity::tanh: return 5.0 / 3;
    case Nonlinearity::relu: return std::sqrt(2.0);
    case Nonlinearity::selu: return 0.75;
    case Nonlinearity::leaky_relu: break;
  }
  return std::sqrt(2 / (1 + a * a));
}

Tensor uniform(const Shape& shape, double low, double high, Key key, DType dtype) {
  return filled(shape, dtype, "init::uniform", [&](auto out) { fill_uniform(out, key, low, high); });
}

Tensor normal(const Shape& shape, double mean, double stddev, Key key, DType dtype) {
  return filled(shape, dtype, "init::normal", [&](auto out) { fill_normal(out, key, mean, stddev); });
}

Tensor constant(const Shape& shape, double value, DType dtype) {
  return filled(shape, dtype, "init::constant", [&](auto out) {
    std::fill(out.begin(), out.end(), static_cast<typename decltype(out)::value_type>(value));
  });
}

Tensor kaiming_uniform(const Shape& shape, KaimingOptions options, Key key) {
  return symmetric(shape, kaiming_stddev(shape, options), key);
}
Tensor kaiming_normal(const Shape& shape, KaimingOptions options, Key key) {
  return normal(shape, 0, kaiming_stddev(shape, options), key);
}
Tensor xavier_uniform(const Shape& shape, double gain, Key key) {
  return symmetric(shape, xavier_stddev(shape, gain), key);
}
Tensor xavier_normal(const Shape& shape, double gain, Key key) {
  return normal(shape, 0, xavier_stddev(shape, gain), key);
}

Tensor bias_uniform(const Shape& shape, std::int64_t fan_in, Key key) {
  const double bound = fan_in > 0 ? 1 / std::sqrt(static_cast<double>(fan_in)) : 0;
  return uniform(shape, -bound, bound, key);
}

}  // namespace gradus::nn::init
