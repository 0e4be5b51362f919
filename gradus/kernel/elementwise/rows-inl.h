// The rows of ops/elementwise.def as functors: `relu_row::apply<V>(x)`. Included inside the namespace whose V they are to be
// compiled for, after GRADUS_ROW_INLINE was defined; hence no include guard.

#define UNARY(name_, x, types_, doc_, value_, ...)                      \
  struct name_##_row {                                                  \
    static constexpr ElementwiseTypes types = ElementwiseTypes::types_; \
    static constexpr int arity = 1;                                     \
    template <class V, class X>                                         \
    static GRADUS_ROW_INLINE auto apply(X x) {                          \
      return value_;                                                    \
    }                                                                   \
  };
#define BINARY(name_, a, b, types_, doc_, value_, ...)                  \
  struct name_##_row {                                                  \
    static constexpr ElementwiseTypes types = ElementwiseTypes::types_; \
    static constexpr int arity = 2;                                     \
    template <class V, class A, class B>                                \
    static GRADUS_ROW_INLINE auto apply(A a, B b) {                     \
      return value_;                                                    \
    }                                                                   \
  };
#define TERNARY(name_, a, b, c, types_, doc_, value_, ...)              \
  struct name_##_row {                                                  \
    static constexpr ElementwiseTypes types = ElementwiseTypes::types_; \
    static constexpr int arity = 3;                                     \
    template <class V, class A, class B, class C>                       \
    static GRADUS_ROW_INLINE auto apply(A a, B b, C c) {                \
      return value_;                                                    \
    }                                                                   \
  };
#include "gradus/ops/elementwise.def"
