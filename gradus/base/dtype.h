// Element types of tensors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace gradus {

/// The element type of a tensor. `boolean` is stored as one byte, 0 or 1.
enum class DType : std::uint8_t { f32, f64, bf16, i32, i64, u8, boolean };

inline constexpr int dtype_count = 7;

/// bfloat16: the upper 16 bits of an IEEE binary32. A storage type: arithmetic happens in f32.
struct BFloat16 {
  std::uint16_t bits = 0;

  BFloat16() = default;
  /// Rounds to nearest, ties to even; NaN stays NaN.
  explicit BFloat16(float value) {
    std::uint32_t u;
    std::memcpy(&u, &value, sizeof u);
    if ((u & 0x7fffffffu) > 0x7f800000u) {
      bits = static_cast<std::uint16_t>((u >> 16) | 0x40u);
    } else {
      bits = static_cast<std::uint16_t>((u + 0x7fffu + ((u >> 16) & 1u)) >> 16);
    }
  }
  explicit operator float() const {
    const std::uint32_t u = static_cast<std::uint32_t>(bits) << 16;
    float value;
    std::memcpy(&value, &u, sizeof value);
    return value;
  }
  friend bool operator==(BFloat16, BFloat16) = default;
};

/// Bytes of one element.
constexpr std::size_t size_of(DType dtype) {
  switch (dtype) {
    case DType::f64:
    case DType::i64: return 8;
    case DType::f32:
    case DType::i32: return 4;
    case DType::bf16: return 2;
    case DType::u8:
    case DType::boolean: return 1;
  }
  return 0;
}

/// "f32", "i64", "bool", ...
constexpr std::string_view name_of(DType dtype) {
  constexpr std::string_view names[dtype_count] = {"f32", "f64", "bf16", "i32", "i64", "u8", "bool"};
  return names[static_cast<int>(dtype)];
}

constexpr bool is_floating(DType d) { return d == DType::f32 || d == DType::f64 || d == DType::bf16; }
constexpr bool is_integral(DType d) { return d == DType::i32 || d == DType::i64 || d == DType::u8; }

/// The type in which `a` and `b` meet, equal to PyTorch's:
///
///            f32   f64   bf16  i32   i64   u8    bool
///     f32    f32   f64   f32   f32   f32   f32   f32
///     f64    f64   f64   f64   f64   f64   f64   f64
///     bf16   f32   f64   bf16  bf16  bf16  bf16  bf16
///     i32    f32   f64   bf16  i32   i64   i32   i32
///     i64    f32   f64   bf16  i64   i64   i64   i64
///     u8     f32   f64   bf16  i32   i64   u8    u8
///     bool   f32   f64   bf16  i32   i64   u8    bool
///
/// A number has no type of its own, only a category. It takes the type of the tensors that it meets, unless it is of a
/// higher category: a floating number makes f32 of integers and bool, an integer makes i64 of bool. Tensors of rank 0 count
/// as tensors here (PyTorch treats them as numbers). Operations whose result is floating (division, exp, mean, ...) compute
/// integers and bool as f32. bf16 is computed in f32, and the result of each operation is rounded to bf16.
constexpr DType promote(DType a, DType b) {
  constexpr int order[dtype_count] = {5, 6, 4, 2, 3, 1, 0};  // by DType: f32 f64 bf16 i32 i64 u8 bool
  return order[static_cast<int>(a)] >= order[static_cast<int>(b)] ? a : b;
}

namespace detail {
template <class T>
struct DTypeOf;
template <>
struct DTypeOf<float> {
  static constexpr DType value = DType::f32;
};
template <>
struct DTypeOf<double> {
  static constexpr DType value = DType::f64;
};
template <>
struct DTypeOf<BFloat16> {
  static constexpr DType value = DType::bf16;
};
template <>
struct DTypeOf<std::int32_t> {
  static constexpr DType value = DType::i32;
};
template <>
struct DTypeOf<std::int64_t> {
  static constexpr DType value = DType::i64;
};
template <>
struct DTypeOf<long long> {
  static constexpr DType value = DType::i64;
};
template <>
struct DTypeOf<std::uint8_t> {
  static constexpr DType value = DType::u8;
};
template <>
struct DTypeOf<bool> {
  static constexpr DType value = DType::boolean;
};
}  // namespace detail

/// The DType that stores a C++ type: dtype_of<float> is DType::f32.
template <class T>
inline constexpr DType dtype_of = detail::DTypeOf<T>::value;

/// Calls `f` with a value-initialised object of the C++ type that stores `dtype`:
/// `visit_dtype(d, [&](auto zero) { using T = decltype(zero); ... })`.
template <class F>
decltype(auto) visit_dtype(DType dtype, F&& f) {
  switch (dtype) {
    case DType::f32: return f(float{});
    case DType::f64: return f(double{});
    case DType::bf16: return f(BFloat16{});
    case DType::i32: return f(std::int32_t{});
    case DType::i64: return f(std::int64_t{});
    case DType::u8: return f(std::uint8_t{});
    case DType::boolean: break;
  }
  return f(bool{});
}

}  // namespace gradus
