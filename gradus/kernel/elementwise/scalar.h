// The value type V of ops/elementwise.def for one plain number, and the rows of the table computed with it.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "gradus/kernel/elementwise/special.h"
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

// Functions of whole numbers: integers are whole, and what is divided by 0 gives 0, as in NumPy.
#define GRADUS_SCALAR_FUNCTION(name)                                                     \
  template <class T>                                                                     \
  Scalar<T> name(Scalar<T> x) {                                                          \
    if constexpr (std::is_floating_point_v<T>) return Scalar<T>::of(std::name(x.value)); \
    return x;                                                                            \
  }
GRADUS_SCALAR_FUNCTION(ceil)
GRADUS_SCALAR_FUNCTION(trunc)
#undef GRADUS_SCALAR_FUNCTION

/// The quotient truncated; 0 for b = 0, and what wraps around for the smallest integer and -1.
template <class T>
requires std::is_integral_v<T> Scalar<T> quotient(Scalar<T> a, Scalar<T> b) {
  if (b.value == 0) return Scalar<T>{};
  if constexpr (std::is_signed_v<T>) {
    if (b.value == -1) return -a;
  }
  return Scalar<T>::of(static_cast<T>(a.value / b.value));
}
template <class T>
Scalar<T> fmod(Scalar<T> a, Scalar<T> b) {
  if constexpr (std::is_floating_point_v<T>)
    return Scalar<T>::of(std::fmod(a.value, b.value));
  else
    return b.value == 0 ? b : a - quotient(a, b) * b;
}
template <class T>
Scalar<T> remainder(Scalar<T> a, Scalar<T> b) {
  if constexpr (std::is_floating_point_v<T>) {
    return Scalar<T>::of(special::remainder(a.value, b.value));
  } else {
    const Scalar<T> r = fmod(a, b), zero{};
    return r != zero && (r < zero) != (b < zero) ? r + b : r;
  }
}
template <class T>
Scalar<T> floor_divide(Scalar<T> a, Scalar<T> b) {
  if constexpr (std::is_floating_point_v<T>) {
    return Scalar<T>::of(special::floor_divide(a.value, b.value));
  } else {
    return remainder(a, b) == fmod(a, b) ? quotient(a, b) : quotient(a, b) - Scalar<T>(1);
  }
}
template <class T>
Scalar<T> copysign(Scalar<T> a, Scalar<T> b) {
  return Scalar<T>::of(std::copysign(a.value, b.value));
}

#define GRADUS_SPECIAL1(name)                                        \
  template <class T>                                                 \
  requires std::is_floating_point_v<T> Scalar<T> name(Scalar<T> x) { \
    return Scalar<T>::of(static_cast<T>(special::name(x.value)));    \
  }
#define GRADUS_SPECIAL2(name)                                                     \
  template <class T>                                                              \
  requires std::is_floating_point_v<T> Scalar<T> name(Scalar<T> a, Scalar<T> b) { \
    return Scalar<T>::of(static_cast<T>(special::name(a.value, b.value)));        \
  }
GRADUS_SPECIAL1(exp2)
GRADUS_SPECIAL1(log2)
GRADUS_SPECIAL1(log10)
GRADUS_SPECIAL1(tan)
GRADUS_SPECIAL1(asin)
GRADUS_SPECIAL1(acos)
GRADUS_SPECIAL1(atan)
GRADUS_SPECIAL1(sinh)
GRADUS_SPECIAL1(cosh)
GRADUS_SPECIAL1(asinh)
GRADUS_SPECIAL1(acosh)
GRADUS_SPECIAL1(atanh)
GRADUS_SPECIAL1(erf)
GRADUS_SPECIAL1(erfc)
GRADUS_SPECIAL1(erfinv)
GRADUS_SPECIAL1(lgamma)
GRADUS_SPECIAL1(digamma)
GRADUS_SPECIAL2(atan2)
GRADUS_SPECIAL2(hypot)
GRADUS_SPECIAL2(polygamma)
#undef GRADUS_SPECIAL1
#undef GRADUS_SPECIAL2

namespace scalar_rows {
#define GRADUS_ROW_INLINE
#include "gradus/kernel/elementwise/rows-inl.h"
#undef GRADUS_ROW_INLINE
}  // namespace scalar_rows

}  // namespace gradus::kernel
