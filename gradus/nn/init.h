// Initial values of parameters. All of them are drawn on the host from an explicit key (by default the next one of
// manual_seed's stream), and depend on the key and the shape alone.
#pragma once

#include "gradus/base/random.h"
#include "gradus/graph/tensor.h"

namespace gradus::nn::init {

/// Number of inputs (`in`) and outputs (`out`) that one unit of a weight (out, in, kernel...) sees: what keeps the variance
/// of activations, or of gradients, from growing with the width.
struct Fans {
  std::int64_t in = 0;
  std::int64_t out = 0;
};
/// Throws Error(shape) for less than two axes.
Fans fans(const Shape& weight, SourceLocation where = SourceLocation::current());

/// U[low, high). Throws Error(dtype) unless f32 or f64, as all of these do.
Tensor uniform(const Shape& shape, double low, double high, Key key = next_key(), DType dtype = DType::f32);
/// N(mean, stddev^2).
Tensor normal(const Shape& shape, double mean = 0, double stddev = 1, Key key = next_key(), DType dtype = DType::f32);
/// All elements `value`.
Tensor constant(const Shape& shape, double value, DType dtype = DType::f32);

/// What follows a weight.
enum class Nonlinearity { linear, sigmoid, tanh, relu, leaky_relu, selu };
/// The gain that PyTorch recommends for it: 1, 1, 5/3, sqrt(2), sqrt(2 / (1 + a^2)), 3/4. `a`: negative slope of the leaky
/// ReLU.
double calculate_gain(Nonlinearity nonlinearity, double a = 0.01);

enum class Fan { in, out };
struct KaimingOptions {
  double a = 0;        ///< negative slope of the leaky ReLU that follows; 0 for ReLU
  Fan mode = Fan::in;  ///< keep the variance of activations (in) or of gradients (out)
  Nonlinearity nonlinearity = Nonlinearity::leaky_relu;
};

/// U(-b, b) with b = gain sqrt(3 / fan): sqrt(6 / ((1 + a^2) fan)) by default. He et al., "Delving deep into rectifiers",
/// 2015.
Tensor kaiming_uniform(const Shape& shape, KaimingOptions options = {}, Key key = next_key());
/// N(0, gain^2 / fan).
Tensor kaiming_normal(const Shape& shape, KaimingOptions options = {}, Key key = next_key());
/// U(-b, b) with b = gain sqrt(6 / (fan_in + fan_out)). Glorot and Bengio, 2010.
Tensor xavier_uniform(const Shape& shape, double gain = 1, Key key = next_key());
/// N(0, gain^2 2 / (fan_in + fan_out)).
Tensor xavier_normal(const Shape& shape, double gain = 1, Key key = next_key());

struct TruncNormalOptions {
  double mean = 0, stddev = 1;
  double low = -2, high = 2;  ///< in the units of the values, not of the deviation
};
/// N(mean, stddev^2) within [low, high], by the inverse of the distribution function. Throws Error(value) unless
/// low < high and stddev > 0.
Tensor trunc_normal(const Shape& shape, TruncNormalOptions options = {}, Key key = next_key(),
                    DType dtype = DType::f32);

/// Rows (or columns, whichever are fewer) of length `gain` at right angles to each other, of the matrix (out, rest), drawn
/// uniformly. Saxe, McClelland and Ganguli, 2014. Throws Error(shape) for less than two axes.
Tensor orthogonal(const Shape& shape, double gain = 1, Key key = next_key(), DType dtype = DType::f32);
/// N(0, stddev^2) with the share `sparsity` of each column, rounded up, set to 0 at random: (out, in). Martens, 2010.
Tensor sparse(const Shape& shape, double sparsity, double stddev = 0.01, Key key = next_key());
/// The identity matrix (n, m): ones where both positions are equal.
Tensor eye(const Shape& shape, DType dtype = DType::f32);
/// A convolution (out, in, kernel...) that passes its input channels on, in each of `groups` groups of outputs: one 1 in the
/// middle of the kernel. 3 to 5 axes.
Tensor dirac(const Shape& shape, std::int64_t groups = 1, DType dtype = DType::f32);

/// What PyTorch gives a bias by default: U(-b, b) with b = 1 / sqrt(fan_in).
Tensor bias_uniform(const Shape& shape, std::int64_t fan_in, Key key = next_key());

}  // namespace gradus::nn::init
