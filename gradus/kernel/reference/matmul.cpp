// Matrix products by their definition.
#include <type_traits>

#include "gradus/base/parallel.h"
#include "gradus/kernel/reference/support.h"
#include "gradus/kernel/registry.h"
#include "gradus/ops/matmul.h"

namespace gradus::kernel {
namespace {

/// What sums are kept in: wider than f32, and without undefined overflow for integers.
template <class T>
using Sum = std::conditional_t<std::is_integral_v<T>, std::uint64_t, double>;

template <class T>
Sum<T> wide(T value) {
  if constexpr (std::is_integral_v<T>)
    return static_cast<Sum<T>>(value);
  else
    return to_double(value);
}

template <class T, class Out = T>
class ReferenceMatMul final : public Kernel {
 public:
  ReferenceMatMul(const MatMul& op, const Shape& a, const Shape& c) {
    const int rank = c.rank();
    batch_ = c.numel(0, rank - 2);
    m_ = c[rank - 2];
    n_ = c[rank - 1];
    k_ = a[rank - (op.transpose_a ? 2 : 1)];
    a_row_ = op.transpose_a ? 1 : k_;
    a_inner_ = op.transpose_a ? m_ : 1;
    b_inner_ = op.transpose_b ? 1 : n_;
    b_column_ = op.transpose_b ? k_ : 1;
  }

  Status run(const Arguments& arguments) const noexcept override {
    const T* a = arguments.input<T>(0);
    const T* b = arguments.input<T>(1);
    Out* c = arguments.output<Out>();
    parallel_for(batch_ * m_ * n_, 1024, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const std::int64_t batch = i / (m_ * n_), row = i / n_ % m_, column = i % n_;
        const T* x = a + batch * m_ * k_ + row * a_row_;
        const T* y = b + batch * k_ * n_ + column * b_column_;
        Sum<T> sum = 0;
        for (std::int64_t k = 0; k < k_; ++k) sum += wide(x[k * a_inner_]) * wide(y[k * b_inner_]);
        if constexpr (std::is_same_v<Out, BFloat16>) {
          c[i] = BFloat16(static_cast<float>(sum));
        } else {
          c[i] = static_cast<Out>(sum);
        }
      }
    });
    return {};
  }
  double flops() const override { return 2.0 * static_cast<double>(batch_ * m_ * n_) * static_cast<double>(k_); }

 private:
  std::int64_t batch_, m_, n_, k_;
  std::int64_t a_row_, a_inner_, b_inner_, b_column_;  // element strides
};

std::unique_ptr<Kernel> make_matmul(const Request& request, std::string& reason) {
  const MatMul& op = *request.op.as<MatMul>();
  const Shape &a = request.inputs[0].shape, &c = request.outputs[0].shape;
  switch (request.inputs[0].dtype) {
    case DType::bf16:
      if (op.narrow) return std::make_unique<ReferenceMatMul<BFloat16>>(op, a, c);
      return std::make_unique<ReferenceMatMul<BFloat16, float>>(op, a, c);
    case DType::f32: return std::make_unique<ReferenceMatMul<float>>(op, a, c);
    case DType::f64: return std::make_unique<ReferenceMatMul<double>>(op, a, c);
    case DType::i32: return std::make_unique<ReferenceMatMul<std::int32_t>>(op, a, c);
    case DType::i64: return std::make_unique<ReferenceMatMul<std::int64_t>>(op, a, c);
    default: reason = "only f32, f64, bf16, i32 and i64"; return nullptr;
  }
}

}  // namespace

std::vector<Implementation> reference_matmul_kernels() { return {{"matmul", "reference", make_matmul}}; }

}  // namespace gradus::kernel
