// Cost as a function of one quantity.
#pragma once

#include <span>

namespace gradus::bench {

/// t(x) = fixed + factor * x^exponent, neither part negative.
struct Curve {
  double fixed = 0, factor = 0, exponent = 1;
  double exponent_error = 0;  ///< standard error, by leaving out one point after the other (the jackknife)
  double worst = 0;           ///< largest |t(x) / measured - 1|

  double at(double x) const;
};

/// The curve with the least sum of squared relative errors. Throws Error(value) for fewer than four points, and unless all of
/// them are positive.
Curve fit_curve(std::span<const double> x, std::span<const double> t);

}  // namespace gradus::bench
