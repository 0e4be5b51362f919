#include "bench/scaling/curve.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "gradus/base/error.h"

namespace gradus::bench {
namespace {

constexpr double least_exponent = 0.05, largest_exponent = 4;

struct Fit {
  Curve curve;
  double error = 0;  ///< sum of squared relative errors
};

/// The best fixed part and factor for an exponent: two linear equations, or one where a part would be negative.
Fit with_exponent(std::span<const double> x, std::span<const double> t, double exponent) {
  double uu = 0, uv = 0, vv = 0, u = 0, v = 0;  // of 1/t and x^k/t, whose combination should be 1
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double one = 1 / t[i], power = std::pow(x[i], exponent) / t[i];
    uu += one * one, uv += one * power, vv += power * power, u += one, v += power;
  }
  const double determinant = uu * vv - uv * uv;
  Curve curve{
      .fixed = (u * vv - v * uv) / determinant, .factor = (v * uu - u * uv) / determinant, .exponent = exponent};
  if (!(curve.fixed >= 0)) curve.fixed = 0, curve.factor = v / vv;
  if (!(curve.factor >= 0)) curve.fixed = u / uu, curve.factor = 0;
  Fit fit{curve};
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double relative = curve.at(x[i]) / t[i] - 1;
    fit.error += relative * relative;
    fit.curve.worst = std::max(fit.curve.worst, std::abs(relative));
  }
  return fit;
}

/// The exponent by a grid, and finer grids around the best point of the one before.
Curve best_curve(std::span<const double> x, std::span<const double> t) {
  double step = 0.05, low = least_exponent, high = largest_exponent;
  Fit best = with_exponent(x, t, 1);
  for (int level = 0; level < 5; ++level, step /= 10) {
    for (double k = low; k <= high; k += step) {
      const Fit fit = with_exponent(x, t, k);
      if (fit.error < best.error) best = fit;
    }
    low = std::max(least_exponent, best.curve.exponent - step);
    high = std::min(largest_exponent, best.curve.exponent + step);
  }
  return best.curve;
}

}  // namespace

double Curve::at(double x) const { return fixed + factor * std::pow(x, exponent); }

Curve fit_curve(std::span<const double> x, std::span<const double> t) {
  const auto positive = [](double value) { return value > 0; };
  if (x.size() != t.size() || x.size() < 4 || !std::all_of(x.begin(), x.end(), positive) ||
      !std::all_of(t.begin(), t.end(), positive)) {
    throw Error(ErrorKind::value, "fit_curve", "a curve needs four points at least, all of them positive");
  }
  Curve curve = best_curve(x, t);
  const auto count = static_cast<double>(x.size());
  double sum = 0, squares = 0;
  for (std::size_t without = 0; without < x.size(); ++without) {
    std::vector<double> some_x(x.begin(), x.end()), some_t(t.begin(), t.end());
    some_x.erase(some_x.begin() + static_cast<std::ptrdiff_t>(without));
    some_t.erase(some_t.begin() + static_cast<std::ptrdiff_t>(without));
    const double exponent = best_curve(some_x, some_t).exponent;
    sum += exponent, squares += exponent * exponent;
  }
  curve.exponent_error = std::sqrt(std::max(0.0, (squares - sum * sum / count) * (count - 1) / count));
  return curve;
}

}  // namespace gradus::bench
