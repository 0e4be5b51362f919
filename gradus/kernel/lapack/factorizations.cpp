// Factorisations of matrices by LAPACK, one matrix of the batch after the other on one thread.
//
// A row-major matrix is, to LAPACK, its transpose; where that is as good, nothing is moved.
#include "gradus/ops/linalg/factorizations.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "gradus/kernel/lapack/api.h"
#include "gradus/kernel/registry.h"

namespace gradus::kernel {
namespace lapack {
namespace {

/// The sizes of a batch of matrices.
struct Matrices {
  std::int64_t count, rows, columns;

  explicit Matrices(const Shape& shape)
      : count(shape.numel(0, shape.rank() - 2)), rows(shape[shape.rank() - 2]), columns(shape[shape.rank() - 1]) {}
  std::int64_t size() const { return rows * columns; }
};

/// Parts of the scratch space, each aligned to 64 bytes.
class Scratch {
 public:
  explicit Scratch(std::byte* base) : next_(base) {}
  template <class T>
  T* take(std::int64_t count) {
    T* part = reinterpret_cast<T*>(next_);
    next_ += bytes<T>(count);
    return part;
  }
  template <class T>
  static std::size_t bytes(std::int64_t count) {
    return (static_cast<std::size_t>(std::max<std::int64_t>(count, 1)) * sizeof(T) + 63) / 64 * 64;
  }

 private:
  std::byte* next_;
};

Status fault(const char* what, std::int64_t matrix) { return {.ok = false, .position = matrix, .fault = what}; }

template <class T>
bool all_finite(const T* elements, std::int64_t count) {
  return std::all_of(elements, elements + count, [](T x) { return std::isfinite(x); });
}

template <class T>
void transpose(const T* from, std::int64_t rows, std::int64_t columns, T* to) {
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t j = 0; j < columns; ++j) to[j * rows + i] = from[i * columns + j];
  }
}

/// The size of the work space that LAPACK asked for, as a number of the matrix's type: f32 may have rounded it down.
template <class T>
std::int64_t work_size(T asked) {
  return static_cast<std::int64_t>(std::nextafter(asked, std::numeric_limits<T>::max()));
}

constexpr const char* not_finite = "holds NaN or infinity";

/// What all of them share: sizes and that they can fail.
class Factorization : public Kernel {
 public:
  explicit Factorization(const Request& r) : m_(r.inputs[0].shape) {}
  bool can_fail() const override { return true; }

 protected:
  Matrices m_;
};

template <class T>
class CholeskyKernel final : public Factorization {
 public:
  using Factorization::Factorization;
  Status run(const Arguments& arguments) const noexcept override {
    const std::int64_t n = m_.rows;
    for (std::int64_t i = 0; i < m_.count && n > 0; ++i) {
      const T* a = arguments.input<T>(0) + i * m_.size();
      T* l = arguments.output<T>() + i * m_.size();
      for (std::int64_t row = 0; row < n; ++row) {
        std::copy_n(a + row * n, row + 1, l + row * n);
        std::fill(l + row * n + row + 1, l + (row + 1) * n, T(0));
      }
      if (potrf('U', static_cast<Int>(n), l) != 0) return fault("is not positive definite", i);
    }
    return {};
  }
};

template <class T>
class SolveKernel final : public Factorization {
 public:
  explicit SolveKernel(const Request& r) : Factorization(r), k_(Matrices(r.inputs[1].shape).columns) {}
  std::size_t scratch_bytes() const override {
    return Scratch::bytes<T>(m_.size()) + Scratch::bytes<T>(m_.rows * k_) + Scratch::bytes<Int>(m_.rows);
  }
  Status run(const Arguments& arguments) const noexcept override {
    Scratch scratch(arguments.scratch);
    const std::int64_t n = m_.rows;
    T* lu = scratch.take<T>(m_.size());
    T* x = scratch.take<T>(n * k_);
    Int* pivots = scratch.take<Int>(n);
    for (std::int64_t i = 0; i < m_.count && n > 0; ++i) {
      std::copy_n(arguments.input<T>(0) + i * m_.size(), m_.size(), lu);
      if (getrf(static_cast<Int>(n), lu, pivots) != 0) return fault("is singular", i);
      if (k_ == 0) continue;
      transpose(arguments.input<T>(1) + i * n * k_, n, k_, x);
      getrs('T', static_cast<Int>(n), static_cast<Int>(k_), lu, pivots, x);
      transpose(x, k_, n, arguments.output<T>() + i * n * k_);
    }
    return {};
  }

 private:
  std::int64_t k_;
};

/// By substitution, row by row.
template <class T>
class TriangularKernel final : public Factorization {
 public:
  explicit TriangularKernel(const Request& r)
      : Factorization(r), op_(*r.op.as<linalg::TriangularSolve>()), k_(Matrices(r.inputs[1].shape).columns) {}
  Status run(const Arguments& arguments) const noexcept override {
    const std::int64_t n = m_.rows;
    for (std::int64_t i = 0; i < m_.count; ++i) {
      const T* a = arguments.input<T>(0) + i * m_.size();
      T* x = arguments.output<T>() + i * n * k_;
      if (x != arguments.input<T>(1) + i * n * k_) std::copy_n(arguments.input<T>(1) + i * n * k_, n * k_, x);
      for (std::int64_t d = 0; d < n && !op_.unit; ++d) {
        if (a[d * n + d] == T(0)) return fault("is singular", i);
      }
      substitute(a, x);
    }
    return {};
  }
  bool can_overwrite(int input, int) const override { return input == 1; }

 private:
  void substitute(const T* a, T* x) const {
    const std::int64_t n = m_.rows;
    const bool upwards = op_.upper != op_.transposed;  // the last unknown comes first
    for (std::int64_t step = 0; step < n; ++step) {
      const std::int64_t row = upwards ? n - 1 - step : step;
      T* unknown = x + row * k_;
      for (std::int64_t before = 0; before < step; ++before) {
        const std::int64_t known = upwards ? n - 1 - before : before;
        const T factor = op_.transposed ? a[known * n + row] : a[row * n + known];
        for (std::int64_t j = 0; j < k_; ++j) unknown[j] -= factor * x[known * k_ + j];
      }
      if (op_.unit) continue;
      const T pivot = a[row * n + row];
      for (std::int64_t j = 0; j < k_; ++j) unknown[j] /= pivot;
    }
  }

  linalg::TriangularSolve op_;
  std::int64_t k_;
};

template <class T>
class SlogDetKernel final : public Factorization {
 public:
  using Factorization::Factorization;
  bool can_fail() const override { return false; }
  std::size_t scratch_bytes() const override { return Scratch::bytes<T>(m_.size()) + Scratch::bytes<Int>(m_.rows); }
  Status run(const Arguments& arguments) const noexcept override {
    Scratch scratch(arguments.scratch);
    T* lu = scratch.take<T>(m_.size());
    Int* pivots = scratch.take<Int>(m_.rows);
    for (std::int64_t i = 0; i < m_.count; ++i) {
      std::copy_n(arguments.input<T>(0) + i * m_.size(), m_.size(), lu);
      double sign = 1, log = 0;
      if (m_.rows > 0) getrf(static_cast<Int>(m_.rows), lu, pivots);
      for (std::int64_t d = 0; d < m_.rows; ++d) {
        const auto pivot = static_cast<double>(lu[d * m_.rows + d]);
        if (pivots[d] != d + 1) sign = -sign;
        sign = pivot == 0 ? 0 : pivot < 0 ? -sign : std::isnan(pivot) ? pivot : sign;
        log += std::log(std::abs(pivot));
      }
      arguments.output<T>(0)[i] = static_cast<T>(sign);
      arguments.output<T>(1)[i] = static_cast<T>(log);
    }
    return {};
  }
};

template <class T>
class QrKernel final : public Factorization {
 public:
  explicit QrKernel(const Request& r) : Factorization(r), k_(std::min(m_.rows, m_.columns)) {
    if (k_ == 0) return;
    const auto m = static_cast<Int>(m_.rows), n = static_cast<Int>(m_.columns), k = static_cast<Int>(k_);
    T sizes[2] = {0, 0}, nothing = 0;
    geqrf(m, n, &nothing, &nothing, &sizes[0], -1);
    orgqr(m, k, &nothing, &nothing, &sizes[1], -1);
    work_ = work_size(std::max(sizes[0], sizes[1]));
  }
  bool can_fail() const override { return false; }
  std::size_t scratch_bytes() const override {
    return Scratch::bytes<T>(m_.size()) + Scratch::bytes<T>(k_) + Scratch::bytes<T>(work_);
  }
  Status run(const Arguments& arguments) const noexcept override {
    Scratch scratch(arguments.scratch);
    T* a = scratch.take<T>(m_.size());
    T* tau = scratch.take<T>(k_);
    T* work = scratch.take<T>(work_);
    const auto m = static_cast<Int>(m_.rows), n = static_cast<Int>(m_.columns);
    for (std::int64_t i = 0; i < m_.count && k_ > 0; ++i) {
      transpose(arguments.input<T>(0) + i * m_.size(), m_.rows, m_.columns, a);
      geqrf(m, n, a, tau, work, static_cast<Int>(work_));
      T* r = arguments.output<T>(1) + i * k_ * m_.columns;
      for (std::int64_t row = 0; row < k_; ++row) {
        for (std::int64_t column = 0; column < m_.columns; ++column)
          r[row * m_.columns + column] = column < row ? T(0) : a[column * m_.rows + row];
      }
      orgqr(m, static_cast<Int>(k_), a, tau, work, static_cast<Int>(work_));
      transpose(a, k_, m_.rows, arguments.output<T>(0) + i * m_.rows * k_);
    }
    return {};
  }

 private:
  std::int64_t k_, work_ = 1;
};

template <class T>
class EighKernel final : public Factorization {
 public:
  explicit EighKernel(const Request& r) : Factorization(r) {
    T size = 0, nothing = 0;
    Int isize = 0;
    if (m_.rows == 0) return;
    syevd(static_cast<Int>(m_.rows), &nothing, &nothing, &size, -1, &isize, -1);
    work_ = work_size(size);
    iwork_ = isize;
  }
  std::size_t scratch_bytes() const override {
    return Scratch::bytes<T>(m_.size()) + Scratch::bytes<T>(work_) + Scratch::bytes<Int>(iwork_);
  }
  Status run(const Arguments& arguments) const noexcept override {
    Scratch scratch(arguments.scratch);
    T* a = scratch.take<T>(m_.size());
    T* work = scratch.take<T>(work_);
    Int* iwork = scratch.take<Int>(iwork_);
    const std::int64_t n = m_.rows;
    for (std::int64_t i = 0; i < m_.count && n > 0; ++i) {
      std::copy_n(arguments.input<T>(0) + i * m_.size(), m_.size(), a);
      for (std::int64_t row = 0; row < n; ++row) {
        if (!all_finite(a + row * n, row + 1)) return fault(not_finite, i);
      }
      T* values = arguments.output<T>(0) + i * n;
      const Int failed =
          syevd(static_cast<Int>(n), a, values, work, static_cast<Int>(work_), iwork, static_cast<Int>(iwork_));
      if (failed != 0) return fault("has eigenvalues that were not found", i);
      transpose(a, n, n, arguments.output<T>(1) + i * n * n);
    }
    return {};
  }

 private:
  std::int64_t work_ = 1, iwork_ = 1;
};

/// To LAPACK the matrix is its transpose, V S U^T: it writes V^T and U where they belong.
template <class T>
class SvdKernel final : public Factorization {
 public:
  explicit SvdKernel(const Request& r) : Factorization(r), k_(std::min(m_.rows, m_.columns)) {
    if (k_ == 0) return;
    T size = 0, nothing = 0;
    Int index = 0;
    gesdd(static_cast<Int>(m_.columns), static_cast<Int>(m_.rows), &nothing, &nothing, &nothing, &nothing, &size, -1,
          &index);
    work_ = work_size(size);
  }
  std::size_t scratch_bytes() const override {
    return Scratch::bytes<T>(m_.size()) + Scratch::bytes<T>(work_) + Scratch::bytes<Int>(8 * k_);
  }
  Status run(const Arguments& arguments) const noexcept override {
    Scratch scratch(arguments.scratch);
    T* a = scratch.take<T>(m_.size());
    T* work = scratch.take<T>(work_);
    Int* iwork = scratch.take<Int>(8 * k_);
    for (std::int64_t i = 0; i < m_.count && k_ > 0; ++i) {
      std::copy_n(arguments.input<T>(0) + i * m_.size(), m_.size(), a);
      if (!all_finite(a, m_.size())) return fault(not_finite, i);
      const Int failed = gesdd(static_cast<Int>(m_.columns), static_cast<Int>(m_.rows), a,
                               arguments.output<T>(1) + i * k_, arguments.output<T>(2) + i * k_ * m_.columns,
                               arguments.output<T>(0) + i * m_.rows * k_, work, static_cast<Int>(work_), iwork);
      if (failed != 0) return fault("has singular values that were not found", i);
    }
    return {};
  }

 private:
  std::int64_t k_, work_ = 1;
};

template <template <class> class K>
std::unique_ptr<Kernel> make(const Request& r, std::string& reason) {
  for (const TensorSpec& spec : r.inputs) {
    const Matrices m(spec.shape);
    if (m.rows > std::numeric_limits<Int>::max() || m.columns > std::numeric_limits<Int>::max()) {
      reason = "matrices of 2^31 rows or columns";
      return nullptr;
    }
  }
  if (r.inputs[0].dtype == DType::f32) return std::make_unique<K<float>>(r);
  if (r.inputs[0].dtype == DType::f64) return std::make_unique<K<double>>(r);
  reason = "only f32 and f64";
  return nullptr;
}

}  // namespace
}  // namespace lapack

std::vector<Implementation> lapack_kernels() {
  using namespace lapack;
  return {{"cholesky", "reference", make<CholeskyKernel>},
          {"triangular_solve", "reference", make<TriangularKernel>},
          {"solve", "reference", make<SolveKernel>},
          {"slogdet", "reference", make<SlogDetKernel>},
          {"qr", "reference", make<QrKernel>},
          {"eigh", "reference", make<EighKernel>},
          {"svd", "reference", make<SvdKernel>}};
}

}  // namespace gradus::kernel
