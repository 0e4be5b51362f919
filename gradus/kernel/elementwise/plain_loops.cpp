// Loops for integers and bool: the compiler vectorises what is worth it.
#include "gradus/kernel/elementwise/scalar.h"
#include "gradus/kernel/elementwise/tile_functions.h"

namespace gradus::kernel {
namespace {

template <class T>
Scalar<T> wrapped(T x) {
  return Scalar<T>::of(x);
}
bool wrapped(bool x) { return x; }
template <class T>
T unwrapped(Scalar<T> x) {
  return x.value;
}
bool unwrapped(bool x) { return x; }

/// bool as an ordinary number, where it is compared or selected.
template <class T, ElementwiseTypes types>
using Element = std::conditional_t<std::is_same_v<T, bool> && types != ElementwiseTypes::logical, std::uint8_t, T>;

template <class Row, class T>
void loop(void* out_, const void* a_, const void* b_, const void* c_, std::size_t count) noexcept {
  using E = Element<T, Row::types>;
  using First = std::conditional_t<Row::types == ElementwiseTypes::selection, bool, E>;
  using V = Scalar<E>;
  const auto* a = static_cast<const First*>(a_);
  const auto* b = static_cast<const E*>(b_);
  const auto* c = static_cast<const E*>(c_);
  const auto value = [&](std::size_t i) {
    if constexpr (Row::arity == 1) return unwrapped(Row::template apply<V>(wrapped(a[i])));
    if constexpr (Row::arity == 2) return unwrapped(Row::template apply<V>(wrapped(a[i]), wrapped(b[i])));
    if constexpr (Row::arity == 3)
      return unwrapped(Row::template apply<V>(wrapped(a[i]), wrapped(b[i]), wrapped(c[i])));
  };
  auto* out = static_cast<decltype(value(0))*>(out_);
  for (std::size_t i = 0; i < count; ++i) out[i] = value(i);
}

template <class Row, class T>
constexpr TileFunction find_row() {
  using enum ElementwiseTypes;
  constexpr bool is_bool = std::is_same_v<T, bool>;
  if constexpr (Row::types == comparison || Row::types == selection ||
                (is_bool ? Row::types == logical : Row::types == numeric)) {
    return &loop<Row, T>;
  } else {
    return nullptr;
  }
}

template <class T>
TileFunction find(ElementwiseCode code) {
  switch (code) {
#define UNARY(name, ...)      \
  case ElementwiseCode::name: \
    return find_row<scalar_rows::name##_row, T>();
#define BINARY UNARY
#define TERNARY UNARY
#include "gradus/ops/elementwise.def"
    default: return nullptr;
  }
}

}  // namespace

TileFunction find_plain(ElementwiseCode code, DType in) {
  switch (in) {
    case DType::i32: return find<std::int32_t>(code);
    case DType::i64: return find<std::int64_t>(code);
    case DType::u8: return find<std::uint8_t>(code);
    case DType::boolean: return find<bool>(code);
    default: return nullptr;
  }
}

TileFunction find_tile_function(ElementwiseCode code, DType in) {
  if (in == DType::f32) return find_simd_f32(code);
  if (in == DType::f64) return find_simd_f64(code);
  return find_plain(code, in);
}

}  // namespace gradus::kernel
