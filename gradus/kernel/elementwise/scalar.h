// The value type V of ops/elementwise.def for one plain number, and the rows of the table computed with it.
#pragma once

#include <cmath>
#include <cstdint>
#include <type_traits>

#include "gradus/ops/elementwise.h"

namespace gradus::kernel {

/// A number of type T. Integers wrap around. Comparisons give bool.
template <class T>
struct Scalar {
  T value{};

  Scalar() = default;
  /// A constant of a row.
  explicit Scalar(double constant) {
    if constexpr (std::is_integral_v<T>) {
      value = static_cast<T>(static_cast<std::int64_t>(constant));
    } else {
      value = static_cast<T>(constant);
    }
  }
  static Scalar of(T value) {
    Scalar result;
    result.value = value;
    return result;
  }

  friend bool operator==(Scalar a, Scalar b) { return a.value == b.value; }
  friend bool operator!=(Scalar a, Scalar b) { return a.value != b.value; }
  friend bool operator<(Scalar a, Scalar b) { return a.value < b.value; }
  friend bool operator<=(Scalar a, Scalar b) { return a.value <= b.value; }
  friend bool operator>(Scalar a, Scalar b) { return a.value > b.value; }
  friend bool operator>=(Scalar a, Scalar b) { return a.value >= b.value; }

  // Modulo 2^64, then modulo 2^bits: what two's complement gives, without undefined overflow.
  using Wide = std::conditional_t<std::is_integral_v<T>, std::uint64_t, T>;
  Wide wide() const { return static_cast<Wide>(value); }
  friend Scalar operator+(Scalar a, Scalar b) { return of(static_cast<T>(a.wide() + b.wide())); }
  friend Scalar operator-(Scalar a, Scalar b) { return of(static_cast<T>(a.wide() - b.wide())); }
  friend Scalar operator*(Scalar a, Scalar b) { return of(static_cast<T>(a.wide() * b.wide())); }
  friend Scalar operator/(Scalar a, Scalar b) requires std::is_floating_point_v<T> { return of(a.value / b.value); }
  friend Scalar operator-(Scalar x) {
    if constexpr (std::is_integral_v<T>) return of(static_cast<T>(Wide{0} - x.wide()));
    return of(static_cast<T>(-x.value));
  }
};

template <class T>
Scalar<T> select(bool mask, Scalar<T> if_true, Scalar<T> if_false) {
  return mask ? if_true : if_false;
}
template <class T>
Scalar<T> max(Scalar<T> a, Scalar<T> b) {
  if (a != a) return a;
  return a > b ? a : b;  // b when it is NaN
}
template <class T>
Scalar<T> min(Scalar<T> a, Scalar<T> b) {
  if (a != a) return a;
  return a < b ? a : b;
}
template <class T>
Scalar<T> abs(Scalar<T> x) {
  if constexpr (std::is_floating_point_v<T>) return Scalar<T>::of(std::fabs(x.value));
  return x < Scalar<T>{} ? -x : x;
}

/// Integers: modulo 2^bits; a negative power is 1 / power truncated (0 for the base 0).
template <class T>
Scalar<T> pow(Scalar<T> base, Scalar<T> exponent) {
  if constexpr (std::is_floating_point_v<T>) {
    return Scalar<T>::of(std::pow(base.value, exponent.value));
  } else {
    const Scalar<T> one(1);
    if (exponent < Scalar<T>{}) {
      if (base == -one) return exponent.value % 2 == 0 ? one : base;
      return base == one ? one : Scalar<T>{};
    }
    Scalar<T> result = one;
    for (auto bits = static_cast<std::uint64_t>(exponent.value); bits != 0; bits >>= 1) {
      if (bits & 1) result = result * base;
      base = base * base;
    }
    return result;
  }
}

template <class T>
Scalar<T> floor(Scalar<T> x) {
  if constexpr (std::is_floating_point_v<T>) return Scalar<T>::of(std::floor(x.value));
  return x;
}
/// To the nearest integer, halves to the even one.
template <class T>
Scalar<T> round(Scalar<T> x) {
  if constexpr (std::is_floating_point_v<T>) return Scalar<T>::of(std::nearbyint(x.value));
  return x;
}

#define GRADUS_SCALAR_FUNCTION(name) \
  template <class T>                 \
  requires std::is_floating_point_v<T> Scalar<T> name(Scalar<T> x) { return Scalar<T>::of(std::name(x.value)); }
GRADUS_SCALAR_FUNCTION(sqrt)
GRADUS_SCALAR_FUNCTION(exp)
GRADUS_SCALAR_FUNCTION(expm1)
GRADUS_SCALAR_FUNCTION(log)
GRADUS_SCALAR_FUNCTION(log1p)
GRADUS_SCALAR_FUNCTION(sin)
GRADUS_SCALAR_FUNCTION(cos)
GRADUS_SCALAR_FUNCTION(tanh)
#undef GRADUS_SCALAR_FUNCTION

namespace scalar_rows {
#define GRADUS_ROW_INLINE
#include "gradus/kernel/elementwise/rows-inl.h"
#undef GRADUS_ROW_INLINE
}  // namespace scalar_rows

}  // namespace gradus::kernel
