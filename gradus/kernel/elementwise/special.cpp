#include "gradus/kernel/elementwise/special.h"

#include <cstddef>
#include <iterator>
#include <limits>

namespace gradus::kernel::special {
namespace {

constexpr double pi = 3.141592653589793;
constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();
/// Where the asymptotic series take over: their first omitted terms are below 1e-17 there.
constexpr double far = 12;
/// B(2), B(4), ... of Bernoulli.
constexpr double bernoulli[] = {1.0 / 6,       -1.0 / 30, 1.0 / 42,      -1.0 / 30,     5.0 / 66,
                                -691.0 / 2730, 7.0 / 6,   -3617.0 / 510, 43867.0 / 798, -174611.0 / 330};

/// Sum over k >= 0 of (x + k)^-s for integers s >= 2: terms until `far`, then the Euler-Maclaurin formula.
double hurwitz_zeta(double s, double x) {
  if (x <= 0 && x == std::floor(x)) return infinity;
  double total = 0;
  for (; x < far; x += 1) total += std::pow(x, -s);
  const double power = std::pow(x, -s);
  total += power * x / (s - 1) + power / 2;
  double term = power / x;  // s (s + 1) ... (s + 2j - 2) x^(-s - 2j + 1) / (2j)!
  for (std::size_t j = 1; j <= std::size(bernoulli); ++j) {
    const double k = 2 * static_cast<double>(j);
    term *= j == 1 ? s / 2 : (s + k - 3) * (s + k - 2) / ((k - 1) * k * x * x);
    total += bernoulli[j - 1] * term;
  }
  return total;
}

}  // namespace

double erfinv(double x) {
  if (!(std::fabs(x) < 1)) return std::fabs(x) == 1 ? std::copysign(infinity, x) : nan;
  // Winitzki, "A handy approximation for the error function and its inverse" (2008), good to 2e-3; then Halley's method,
  // which triples the number of digits. Near 1 erfc keeps the digits that erf loses.
  constexpr double a = 0.147;
  const double magnitude = std::fabs(x), rest = 1 - magnitude;
  const double log_term = std::log1p(-magnitude * magnitude), half = 2 / (pi * a) + log_term / 2;
  double y = std::sqrt(std::sqrt(half * half - log_term / a) - half);
  if (y == 0) return x * 0.886226925452758;  // sqrt(pi) / 2
  for (int i = 0; i < 3; ++i) {
    const double error = magnitude < 0.5 ? std::erf(y) - magnitude : rest - std::erfc(y);
    const double step = error / (1.1283791670955126 * std::exp(-y * y));
    y -= step / (1 + y * step);
  }
  return std::copysign(y, x);
}

double lgamma(double x) {
#if defined(__GLIBC__) || defined(__APPLE__)
  int sign = 0;
  return ::lgamma_r(x, &sign);  // std::lgamma writes a global variable
#else
  return std::lgamma(x);
#endif
}

double digamma(double x) {
  if (x == 0) return std::copysign(infinity, -x);
  if (x < 0) {
    if (x == std::floor(x)) return nan;
    return digamma(1 - x) - pi / std::tan(pi * (x - std::round(x)));  // from the nearest pole, which is exact
  }
  if (x == infinity) return x;
  double total = 0;
  for (; x < far; x += 1) total -= 1 / x;
  total += std::log(x) - 0.5 / x;
  double power = 1;
  for (std::size_t j = 1; j <= std::size(bernoulli); ++j) {
    power /= x * x;
    total -= bernoulli[j - 1] * power / (2 * static_cast<double>(j));
  }
  return total;
}

double polygamma(double n, double x) {
  if (!(n >= 0) || n != std::floor(n) || std::isnan(x)) return nan;
  if (n == 0) return digamma(x);
  if (n == 1 && x < 0.5) {  // reflection
    const double sine = std::sin(pi * (x - std::round(x)));
    return pi * pi / (sine * sine) - hurwitz_zeta(2, 1 - x);
  }
  if (x < -1000) return nan;
  if (x == infinity) return 0;
  const double value = std::tgamma(n + 1) * hurwitz_zeta(n + 1, x);
  return std::fmod(n, 2) == 0 ? -value : value;
}

}  // namespace gradus::kernel::special
