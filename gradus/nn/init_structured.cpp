// Initialisers with a structure: truncated, orthogonal, sparse, identities.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include "gradus/nn/init.h"
#include "gradus/nn/init_fill.h"

namespace gradus::nn::init {
namespace {

Error refused(ErrorKind kind, const char* op, std::string summary, const Shape& shape) {
  return Error(kind, op, std::move(summary)).field("weight", shape.str());
}

/// Standard normal distribution function.
double phi(double x) { return 0.5 * std::erfc(-x / std::numbers::sqrt2); }

/// Its inverse: Acklam's rational approximation and one step of Halley's method, good to f64's rounding.
double phi_inverse(double p) {
  constexpr double a[] = {-3.969683028665376e+01, 2.209460984245205e+02,  -2.759285104469687e+02,
                          1.383577518672690e+02,  -3.066479806614716e+01, 2.506628277459239e+00};
  constexpr double b[] = {-5.447609879822406e+01, 1.615858368580409e+02, -1.556989798598866e+02, 6.680131188771972e+01,
                          -1.328068155288572e+01};
  constexpr double c[] = {-7.784894002430293e-03, -3.223964580411365e-01, -2.400758277161838e+00,
                          -2.549732539343734e+00, 4.374664141464968e+00,  2.938163982698783e+00};
  constexpr double d[] = {7.784695709041462e-03, 3.224671290700398e-01, 2.445134137142996e+00, 3.754408661907416e+00};
  if (p <= 0) return -std::numeric_limits<double>::infinity();
  if (p >= 1) return std::numeric_limits<double>::infinity();
  if (p > 0.5) return -phi_inverse(1 - p);
  double x;
  if (p < 0.02425) {
    const double q = std::sqrt(-2 * std::log(p));
    x = (((((c[0] * q + c[1]) * q + c[2]) * q + c[3]) * q + c[4]) * q + c[5]) /
        ((((d[0] * q + d[1]) * q + d[2]) * q + d[3]) * q + 1);
  } else {
    const double q = p - 0.5, r = q * q;
    x = (((((a[0] * r + a[1]) * r + a[2]) * r + a[3]) * r + a[4]) * r + a[5]) * q /
        (((((b[0] * r + b[1]) * r + b[2]) * r + b[3]) * r + b[4]) * r + 1);
  }
  const double e = phi(x) - p, u = e * std::sqrt(2 * std::numbers::pi) * std::exp(x * x / 2);
  return x - u / (1 + x * u / 2);
}

/// Makes the `count` vectors of `size` elements at `data` orthonormal: modified Gram-Schmidt, twice, which is enough for
/// rounding (Kahan's rule). count <= size.
void orthonormalise(std::vector<double>& data, std::size_t count, std::size_t size) {
  const auto row = [&](std::size_t i) { return std::span(data).subspan(i * size, size); };
  const auto dot = [](std::span<const double> x, std::span<const double> y) {
    double total = 0;
    for (std::size_t k = 0; k < x.size(); ++k) total += x[k] * y[k];
    return total;
  };
  for (std::size_t i = 0; i < count; ++i) {
    for (int pass = 0; pass < 2; ++pass) {
      for (std::size_t j = 0; j < i; ++j) {
        const double share = dot(row(i), row(j));
        for (std::size_t k = 0; k < size; ++k) row(i)[k] -= share * row(j)[k];
      }
    }
    const double length = std::sqrt(dot(row(i), row(i)));
    for (double& x : row(i)) x /= length;
  }
}

}  // namespace

Tensor trunc_normal(const Shape& shape, TruncNormalOptions options, Key key, DType dtype) {
  const double mean = options.mean, stddev = options.stddev, low = options.low, high = options.high;
  if (!(low < high) || !(stddev > 0)) {
    throw refused(ErrorKind::value, "init::trunc_normal",
                  fmt::format("needs low < high and stddev > 0, not {}, {} and {}", low, high, stddev), shape);
  }
  std::vector<double> draws(static_cast<std::size_t>(shape.numel()));
  fill_uniform(std::span(draws), key, 0, 1);
  const double from = phi((low - mean) / stddev), to = phi((high - mean) / stddev);
  return filled(shape, dtype, "init::trunc_normal", [&](auto out) {
    for (std::size_t i = 0; i < out.size(); ++i) {
      const double value = mean + stddev * phi_inverse(from + draws[i] * (to - from));
      out[i] = static_cast<typename decltype(out)::value_type>(std::clamp(value, low, high));
    }
  });
}

Tensor orthogonal(const Shape& shape, double gain, Key key, DType dtype) {
  if (shape.rank() < 2) throw refused(ErrorKind::shape, "init::orthogonal", "a weight has at least 2 axes", shape);
  const auto rows = static_cast<std::size_t>(shape[0]);
  const auto columns = static_cast<std::size_t>(shape.numel(1, shape.rank()));
  const std::size_t count = std::min(rows, columns), size = std::max(rows, columns);
  std::vector<double> vectors(count * size);
  fill_normal(std::span(vectors), key, 0, 1);
  orthonormalise(vectors, count, size);
  return filled(shape, dtype, "init::orthogonal", [&](auto out) {
    for (std::size_t r = 0; r < rows; ++r) {
      for (std::size_t c = 0; c < columns; ++c) {
        const double value = rows <= columns ? vectors[r * size + c] : vectors[c * size + r];
        out[r * columns + c] = static_cast<typename decltype(out)::value_type>(gain * value);
      }
    }
  });
}

Tensor sparse(const Shape& shape, double sparsity, double stddev, Key key) {
  if (shape.rank() != 2) throw refused(ErrorKind::shape, "init::sparse", "expected 2 axes: (out, in)", shape);
  if (!(sparsity >= 0 && sparsity <= 1)) {
    throw refused(ErrorKind::value, "init::sparse", fmt::format("sparsity is {}, must be in [0, 1]", sparsity), shape);
  }
  const std::int64_t rows = shape[0], columns = shape[1];
  const auto zeros = static_cast<std::int64_t>(std::ceil(sparsity * static_cast<double>(rows)));
  return filled(shape, DType::f32, "init::sparse", [&](auto out) {
    fill_normal(out, key.fold(0), 0, stddev);
    for (std::int64_t c = 0; c < columns; ++c) {
      const std::vector<std::int64_t> order = random_permutation(rows, key.fold(1 + static_cast<std::uint64_t>(c)));
      for (std::int64_t i = 0; i < zeros; ++i)
        out[static_cast<std::size_t>(order[static_cast<std::size_t>(i)] * columns + c)] = 0;
    }
  });
}

Tensor eye(const Shape& shape, DType dtype) {
  if (shape.rank() != 2) throw refused(ErrorKind::shape, "init::eye", "expected 2 axes", shape);
  return filled(shape, dtype, "init::eye", [&](auto out) {
    std::fill(out.begin(), out.end(), typename decltype(out)::value_type(0));
    for (std::int64_t i = 0; i < std::min(shape[0], shape[1]); ++i) out[static_cast<std::size_t>(i * shape[1] + i)] = 1;
  });
}

Tensor dirac(const Shape& shape, std::int64_t groups, DType dtype) {
  if (shape.rank() < 3 || shape.rank() > 5) {
    throw refused(ErrorKind::shape, "init::dirac", "expected 3 to 5 axes: (out, in, kernel...)", shape);
  }
  if (groups < 1 || shape[0] % groups != 0) {
    throw refused(ErrorKind::value, "init::dirac",
                  fmt::format("{} groups do not divide the output channels {}", groups, shape[0]), shape);
  }
  std::int64_t middle = 0;
  for (int axis = 2; axis < shape.rank(); ++axis) middle = middle * shape[axis] + shape[axis] / 2;
  const std::int64_t kernel = shape.numel(2, shape.rank()), each = shape[0] / groups;
  return filled(shape, dtype, "init::dirac", [&](auto out) {
    std::fill(out.begin(), out.end(), typename decltype(out)::value_type(0));
    for (std::int64_t o = 0; o < shape[0]; ++o) {
      const std::int64_t channel = o % each;
      if (channel < shape[1]) out[static_cast<std::size_t>((o * shape[1] + channel) * kernel + middle)] = 1;
    }
  });
}

}  // namespace gradus::nn::init
