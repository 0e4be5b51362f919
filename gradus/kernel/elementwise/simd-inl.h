// The value type V of ops/elementwise.def for a SIMD vector, and the loops of all rows. Compiled once per target of Highway:
// included by each translation unit that foreach_target.h repeats.
#if defined(GRADUS_KERNEL_ELEMENTWISE_SIMD_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef GRADUS_KERNEL_ELEMENTWISE_SIMD_INL_H
#undef GRADUS_KERNEL_ELEMENTWISE_SIMD_INL_H
#else
#define GRADUS_KERNEL_ELEMENTWISE_SIMD_INL_H
#endif

#include <cmath>
#include <cstring>
#include <limits>

#include "gradus/kernel/elementwise/special.h"
#include "gradus/kernel/elementwise/tile_functions.h"
#include "hwy/highway.h"
//
#include "hwy/contrib/math/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace gradus::kernel::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// The result of a comparison.
template <class D>
struct SimdMask {
  hn::Mask<D> m;

  friend HWY_INLINE SimdMask operator&&(SimdMask a, SimdMask b) { return {hn::And(a.m, b.m)}; }
  friend HWY_INLINE SimdMask operator||(SimdMask a, SimdMask b) { return {hn::Or(a.m, b.m)}; }
  friend HWY_INLINE SimdMask operator!(SimdMask a) { return {hn::Not(a.m)}; }
};

template <class D>
struct Simd {
  using T = hn::TFromD<D>;
  hn::Vec<D> v;

  explicit HWY_INLINE Simd(double constant) : v(hn::Set(D(), static_cast<T>(constant))) {}
  explicit HWY_INLINE Simd(hn::Vec<D> vector) : v(vector) {}

  friend HWY_INLINE Simd operator+(Simd a, Simd b) { return Simd(hn::Add(a.v, b.v)); }
  friend HWY_INLINE Simd operator-(Simd a, Simd b) { return Simd(hn::Sub(a.v, b.v)); }
  friend HWY_INLINE Simd operator*(Simd a, Simd b) { return Simd(hn::Mul(a.v, b.v)); }
  friend HWY_INLINE Simd operator/(Simd a, Simd b) { return Simd(hn::Div(a.v, b.v)); }
  friend HWY_INLINE Simd operator-(Simd x) { return Simd(hn::Neg(x.v)); }
  friend HWY_INLINE SimdMask<D> operator==(Simd a, Simd b) { return {hn::Eq(a.v, b.v)}; }
  friend HWY_INLINE SimdMask<D> operator!=(Simd a, Simd b) { return !(a == b); }  // true for NaN
  friend HWY_INLINE SimdMask<D> operator<(Simd a, Simd b) { return {hn::Lt(a.v, b.v)}; }
  friend HWY_INLINE SimdMask<D> operator<=(Simd a, Simd b) { return {hn::Le(a.v, b.v)}; }
  friend HWY_INLINE SimdMask<D> operator>(Simd a, Simd b) { return {hn::Gt(a.v, b.v)}; }
  friend HWY_INLINE SimdMask<D> operator>=(Simd a, Simd b) { return {hn::Ge(a.v, b.v)}; }
};

template <class D>
HWY_INLINE Simd<D> select(SimdMask<D> mask, Simd<D> if_true, Simd<D> if_false) {
  return Simd<D>(hn::IfThenElse(mask.m, if_true.v, if_false.v));
}
template <class D>
HWY_INLINE Simd<D> max(Simd<D> a, Simd<D> b) {
  return select(a == a && b == b, Simd<D>(hn::Max(a.v, b.v)), a + b);  // the targets disagree about NaN
}
template <class D>
HWY_INLINE Simd<D> min(Simd<D> a, Simd<D> b) {
  return select(a == a && b == b, Simd<D>(hn::Min(a.v, b.v)), a + b);
}
template <class D>
HWY_INLINE Simd<D> abs(Simd<D> x) {
  return Simd<D>(hn::Abs(x.v));
}
template <class D>
HWY_INLINE Simd<D> floor(Simd<D> x) {
  return Simd<D>(hn::Floor(x.v));
}
template <class D>
HWY_INLINE Simd<D> ceil(Simd<D> x) {
  return Simd<D>(hn::Ceil(x.v));
}
template <class D>
HWY_INLINE Simd<D> trunc(Simd<D> x) {
  return Simd<D>(hn::Trunc(x.v));
}
template <class D>
HWY_INLINE Simd<D> copysign(Simd<D> a, Simd<D> b) {
  return Simd<D>(hn::CopySign(a.v, b.v));
}
template <class D>
HWY_INLINE Simd<D> round(Simd<D> x) {
  return Simd<D>(hn::Round(x.v));
}
template <class D>
HWY_INLINE Simd<D> sqrt(Simd<D> x) {
  return Simd<D>(hn::Sqrt(x.v));
}

// Highway's functions are for finite arguments inside a range; the ends and NaN are ours.

template <class D>
HWY_INLINE Simd<D> infinity() {
  return Simd<D>(std::numeric_limits<double>::infinity());
}
template <class D>
HWY_INLINE Simd<D> nan() {
  return Simd<D>(std::numeric_limits<double>::quiet_NaN());
}
/// The largest x whose exp(x) is finite.
template <class D>
HWY_INLINE Simd<D> exp_limit() {
  return Simd<D>(sizeof(hn::TFromD<D>) == 4 ? 88.72283935546875 : 709.782712893384);
}

template <class D>
HWY_INLINE Simd<D> exp(Simd<D> x) {
  const Simd<D> limit = exp_limit<D>();
  const Simd<D> inside = select(x < limit, x, limit);
  const Simd<D> y = select(x > limit, infinity<D>(), Simd<D>(hn::Exp(D(), inside.v)));
  return select(x == x, y, x);
}
template <class D>
HWY_INLINE Simd<D> expm1(Simd<D> x) {
  const Simd<D> limit = exp_limit<D>();
  const Simd<D> inside = select(x < limit, x, limit);
  const Simd<D> y = select(x > limit, infinity<D>(), Simd<D>(hn::Expm1(D(), inside.v)));
  return select(x == x && x != Simd<D>(0), y, x);  // keeps -0
}
template <class D>
HWY_INLINE Simd<D> log(Simd<D> x) {
  const Simd<D> zero(0);
  const Simd<D> y = select(x < infinity<D>(), Simd<D>(hn::Log(D(), x.v)), x);
  return select(x > zero, y, select(x == zero, -infinity<D>(), nan<D>()));
}
template <class D>
HWY_INLINE Simd<D> log1p(Simd<D> x) {
  const Simd<D> pole(-1);
  const Simd<D> y = select(x < infinity<D>(), Simd<D>(hn::Log1p(D(), x.v)), x);
  return select(x > pole, y, select(x == pole, -infinity<D>(), nan<D>()));
}
template <class D>
HWY_INLINE Simd<D> tanh(Simd<D> x) {
  return select(x == x, Simd<D>(hn::Tanh(D(), x.v)), x);
}

/// f of each lane, by the standard library.
template <class D, class F>
HWY_INLINE Simd<D> by_lane(Simd<D> x, Simd<D> y, F f) {
  HWY_ALIGN hn::TFromD<D> xs[hn::MaxLanes(D())], ys[hn::MaxLanes(D())];
  hn::Store(x.v, D(), xs);
  hn::Store(y.v, D(), ys);
  for (std::size_t i = 0; i < hn::Lanes(D()); ++i) xs[i] = f(xs[i], ys[i]);
  return Simd<D>(hn::Load(D(), xs));
}

template <class D>
HWY_INLINE Simd<D> pow(Simd<D> a, Simd<D> b) {
  using T = hn::TFromD<D>;
  return by_lane(
      a, b, +[](T base, T exponent) -> T { return std::pow(base, exponent); });
}
/// Beyond this the range reduction of sin and cos loses bits.
inline constexpr double trigonometry_limit = 39000;

template <class D>
HWY_INLINE Simd<D> sin(Simd<D> x) {
  using T = hn::TFromD<D>;
  const SimdMask<D> inside = abs(x) <= Simd<D>(trigonometry_limit);
  const Simd<D> y(hn::Sin(D(), hn::IfThenElseZero(inside.m, x.v)));
  if (HWY_LIKELY(hn::AllTrue(D(), inside.m))) return y;
  return select(inside, y,
                by_lane(
                    x, x, +[](T a, T) -> T { return std::sin(a); }));
}
template <class D>
HWY_INLINE Simd<D> cos(Simd<D> x) {
  using T = hn::TFromD<D>;
  const SimdMask<D> inside = abs(x) <= Simd<D>(trigonometry_limit);
  const Simd<D> y(hn::Cos(D(), hn::IfThenElseZero(inside.m, x.v)));
  if (HWY_LIKELY(hn::AllTrue(D(), inside.m))) return y;
  return select(inside, y,
                by_lane(
                    x, x, +[](T a, T) -> T { return std::cos(a); }));
}

#define GRADUS_LANES1(name)                                                   \
  template <class D>                                                          \
  HWY_INLINE Simd<D> name(Simd<D> x) {                                        \
    using T = hn::TFromD<D>;                                                  \
    return by_lane(                                                           \
        x, x, +[](T a, T) -> T { return static_cast<T>(special::name(a)); }); \
  }
#define GRADUS_LANES2(name)                                                        \
  template <class D>                                                               \
  HWY_INLINE Simd<D> name(Simd<D> x, Simd<D> y) {                                  \
    using T = hn::TFromD<D>;                                                       \
    return by_lane(                                                                \
        x, y, +[](T a, T b) -> T { return static_cast<T>(special::name(a, b)); }); \
  }
GRADUS_LANES1(exp2)
GRADUS_LANES1(log2)
GRADUS_LANES1(log10)
GRADUS_LANES1(tan)
GRADUS_LANES1(asin)
GRADUS_LANES1(acos)
GRADUS_LANES1(atan)
GRADUS_LANES1(sinh)
GRADUS_LANES1(cosh)
GRADUS_LANES1(asinh)
GRADUS_LANES1(acosh)
GRADUS_LANES1(atanh)
GRADUS_LANES1(erfc)
GRADUS_LANES1(erfinv)
GRADUS_LANES1(lgamma)
GRADUS_LANES1(digamma)
GRADUS_LANES2(atan2)
GRADUS_LANES2(hypot)
GRADUS_LANES2(fmod)
GRADUS_LANES2(remainder)
GRADUS_LANES2(floor_divide)
GRADUS_LANES2(polygamma)
#undef GRADUS_LANES1
#undef GRADUS_LANES2

template <class V>
HWY_INLINE V polynomial(V, double last) {
  return V(last);
}
/// first + x * (second + x * ...), by Horner's scheme.
template <class V, class... Rest>
HWY_INLINE V polynomial(V x, double first, Rest... rest) {
  return V(first) + x * polynomial(x, rest...);
}

/// f64: the standard library's, to the last digit. f32: two polynomials, whose coefficients and error (1.7e-7 relative)
/// tools/erf_coefficients.py prints: erf(x) / x in x^2 inside |x| < 1, log(erfc|x|) in |x| outside.
template <class D>
HWY_INLINE Simd<D> erf(Simd<D> x) {
  using T = hn::TFromD<D>;
  if constexpr (sizeof(T) == 8) {
    return by_lane(
        x, x, +[](T a, T) -> T { return std::erf(a); });
  } else {
    const Simd<D> magnitude = abs(x), one(1);
    const Simd<D> inner = x * polynomial(x * x, 1.128379167e+00, -3.761263848e-01, 1.128378262e-01, -2.686543831e-02,
                                         5.221053412e-03, -8.484396536e-04, 1.126825378e-04, -9.673590458e-06);
    const Simd<D> a = select(magnitude < Simd<D>(4), magnitude, Simd<D>(4));
    const Simd<D> power =
        polynomial(a, 2.111655450e-04, -1.129696788e+00, -6.329593891e-01, -1.087403796e-01, 2.545215693e-02,
                   -4.320642131e-03, 4.751997473e-04, -2.722088796e-05, 3.877706416e-07);
    const Simd<D> outer = copysign(one - Simd<D>(hn::Exp(D(), power.v)), x);
    return select(x == x, select(magnitude < one, inner, outer), x);
  }
}

#define GRADUS_ROW_INLINE HWY_INLINE
#include "gradus/kernel/elementwise/rows-inl.h"
#undef GRADUS_ROW_INLINE

// A bool is one byte, 0 or 1.
template <class D>
HWY_INLINE SimdMask<D> load_mask(D d, const std::uint8_t* from) {
  const hn::Rebind<std::uint32_t, D> d32;
  const auto wide = hn::PromoteTo(d32, hn::LoadU(hn::Rebind<std::uint8_t, D>(), from));
  if constexpr (sizeof(hn::TFromD<D>) == 4) {
    return {hn::RebindMask(d, hn::Ne(wide, hn::Zero(d32)))};
  } else {
    const hn::Rebind<std::uint64_t, D> d64;
    return {hn::RebindMask(d, hn::Ne(hn::PromoteTo(d64, wide), hn::Zero(d64)))};
  }
}
template <class D>
HWY_INLINE void store_mask(D d, SimdMask<D> mask, std::uint8_t* to) {
  const hn::Rebind<std::int32_t, D> d32;
  const hn::Rebind<std::uint8_t, D> d8;
  const auto ones = hn::IfThenElseZero(mask.m, hn::Set(d, 1));
  if constexpr (sizeof(hn::TFromD<D>) == 4) {
    hn::StoreU(hn::DemoteTo(d8, hn::ConvertTo(d32, ones)), d8, to);
  } else {
    hn::StoreU(hn::DemoteTo(d8, hn::DemoteTo(d32, ones)), d8, to);
  }
}

/// The loop of one row.
template <class T, class Row>
struct Loop {
  using D = hn::ScalableTag<T>;
  using V = Simd<D>;
  static constexpr bool takes_mask = Row::types == ElementwiseTypes::selection;
  static constexpr bool gives_mask =
      Row::types == ElementwiseTypes::comparison || Row::types == ElementwiseTypes::predicate;

  static HWY_INLINE V load(const void* from, std::size_t at) {
    return V(hn::LoadU(D(), static_cast<const T*>(from) + at));
  }
  static HWY_INLINE auto load_first(const void* from, std::size_t at) {
    if constexpr (takes_mask) {
      return load_mask(D(), static_cast<const std::uint8_t*>(from) + at);
    } else {
      return load(from, at);
    }
  }
  static HWY_INLINE auto value(const void* a, const void* b, const void* c, std::size_t at) {
    if constexpr (Row::arity == 1) {
      return Row::template apply<V>(load_first(a, at));
    } else if constexpr (Row::arity == 2) {
      return Row::template apply<V>(load_first(a, at), load(b, at));
    } else {
      return Row::template apply<V>(load_first(a, at), load(b, at), load(c, at));
    }
  }
  /// One vector.
  static HWY_INLINE void step(void* out, const void* a, const void* b, const void* c, std::size_t at) {
    if constexpr (gives_mask) {
      store_mask(D(), value(a, b, c, at), static_cast<std::uint8_t*>(out) + at);
    } else {
      hn::StoreU(value(a, b, c, at).v, D(), static_cast<T*>(out) + at);
    }
  }
  /// The last, partial vector goes through buffers, so that each element sees the same instructions wherever it lies.
  static HWY_NOINLINE void tail(void* out, const void* a, const void* b, const void* c, std::size_t at,
                                std::size_t count) {
    HWY_ALIGN std::uint8_t buffers[4][sizeof(T) * hn::MaxLanes(D())] = {};
    const auto take = [&](int i, const void* from, std::size_t size) {
      std::memcpy(buffers[i], static_cast<const std::uint8_t*>(from) + at * size, count * size);
    };
    take(0, a, takes_mask ? 1 : sizeof(T));
    if constexpr (Row::arity > 1) take(1, b, sizeof(T));
    if constexpr (Row::arity > 2) take(2, c, sizeof(T));
    step(buffers[3], buffers[0], buffers[1], buffers[2], 0);
    constexpr std::size_t size = gives_mask ? 1 : sizeof(T);
    std::memcpy(static_cast<std::uint8_t*>(out) + at * size, buffers[3], count * size);
  }
  static void run(void* out, const void* a, const void* b, const void* c, std::size_t count) noexcept {
    const std::size_t lanes = hn::Lanes(D());
    std::size_t at = 0;
    for (; at + lanes <= count; at += lanes) step(out, a, b, c, at);
    if (at < count) tail(out, a, b, c, at, count - at);
  }
};

template <class T, class Row>
TileFunction find_row() {
  if constexpr (Row::types == ElementwiseTypes::logical) {
    return nullptr;
  } else {
    return &Loop<T, Row>::run;
  }
}

template <class T>
TileFunction find_loop(ElementwiseCode code) {
  switch (code) {
#define UNARY(name, ...)      \
  case ElementwiseCode::name: \
    return find_row<T, name##_row>();
#define BINARY UNARY
#define TERNARY UNARY
#include "gradus/ops/elementwise.def"
    default: return nullptr;
  }
}

}  // namespace gradus::kernel::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // include guard of this target
