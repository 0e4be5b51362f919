// LAPACK's functions under one name for f32 and f64. Matrices are column-major; nothing is allocated inside.
#pragma once

#include <lapacke.h>

namespace gradus::kernel::lapack {

using Int = lapack_int;

#define GRADUS_LAPACK(T, P)                                                                                            \
  inline Int potrf(char uplo, Int n, T* a) { return LAPACKE_##P##potrf_work(LAPACK_COL_MAJOR, uplo, n, a, n); }        \
  inline Int getrf(Int n, T* a, Int* pivots) { return LAPACKE_##P##getrf_work(LAPACK_COL_MAJOR, n, n, a, n, pivots); } \
  inline Int getrs(char trans, Int n, Int k, const T* a, const Int* pivots, T* b) {                                    \
    return LAPACKE_##P##getrs_work(LAPACK_COL_MAJOR, trans, n, k, a, n, pivots, b, n);                                 \
  }                                                                                                                    \
  inline Int geqrf(Int m, Int n, T* a, T* tau, T* work, Int size) {                                                    \
    return LAPACKE_##P##geqrf_work(LAPACK_COL_MAJOR, m, n, a, m, tau, work, size);                                     \
  }                                                                                                                    \
  inline Int orgqr(Int m, Int k, T* a, const T* tau, T* work, Int size) {                                              \
    return LAPACKE_##P##orgqr_work(LAPACK_COL_MAJOR, m, k, k, a, m, tau, work, size);                                  \
  }                                                                                                                    \
  inline Int syevd(Int n, T* a, T* w, T* work, Int size, Int* iwork, Int isize) {                                      \
    return LAPACKE_##P##syevd_work(LAPACK_COL_MAJOR, 'V', 'U', n, a, n, w, work, size, iwork, isize);                  \
  }                                                                                                                    \
  inline Int gesdd(Int m, Int n, T* a, T* s, T* u, T* vt, T* work, Int size, Int* iwork) {                             \
    const Int k = m < n ? m : n;                                                                                       \
    return LAPACKE_##P##gesdd_work(LAPACK_COL_MAJOR, 'S', m, n, a, m, s, u, m, vt, k, work, size, iwork);              \
  }
GRADUS_LAPACK(float, s)
GRADUS_LAPACK(double, d)
#undef GRADUS_LAPACK

}  // namespace gradus::kernel::lapack
