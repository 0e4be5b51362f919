// Functions of one number that have no vector form: the SIMD kernels call them lane by lane.
#pragma once

#include <cmath>

namespace gradus::kernel::special {

using std::acos;
using std::acosh;
using std::asin;
using std::asinh;
using std::atan;
using std::atan2;
using std::atanh;
using std::cosh;
using std::erf;
using std::erfc;
using std::exp2;
using std::fmod;
using std::hypot;
using std::log10;
using std::log2;
using std::sinh;
using std::tan;

/// y with erf(y) = x: infinite at -1 and 1, NaN beyond.
double erfinv(double x);
/// log|Gamma(x)|; infinite at 0 and the negative integers. Does not touch the global sign of std::lgamma.
double lgamma(double x);
/// The derivative of log Gamma; at 0 infinite with the other sign, NaN at the negative integers.
double digamma(double x);
/// Derivative number n of digamma. NaN unless n is an integer >= 0, and for n >= 2 below x = -1000.
double polygamma(double n, double x);

/// a - b * floor(a / b), exact: it has the sign of b.
template <class T>
T remainder(T a, T b) {
  const T r = std::fmod(a, b);
  return r != 0 && (b < 0) != (r < 0) ? r + b : r;
}

/// floor(a / b) of the exact quotient; a / b for b = 0.
template <class T>
T floor_divide(T a, T b) {
  if (b == 0) return a / b;
  const T r = std::fmod(a, b);
  T quotient = (a - r) / b;  // an integer, up to rounding
  if (r != 0 && (b < 0) != (r < 0)) quotient -= 1;
  if (quotient == 0) return std::copysign(T(0), a / b);
  const T down = std::floor(quotient);
  return quotient - down > T(0.5) ? down + 1 : down;
}

}  // namespace gradus::kernel::special
