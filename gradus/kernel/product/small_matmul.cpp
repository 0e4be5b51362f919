// Small matrix products of f32, and vectors of bf16 times matrices, where a general library spends longer on the call than on the arithmetic.
#include <algorithm>
#include <cstdint>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "gradus/kernel/product/small_matmul.cpp"
#include <hwy/foreach_target.h>  // must come before highway.h

#include <hwy/highway.h>

#include "gradus/base/dtype.h"
#include "gradus/kernel/product/small_matmul.h"

HWY_BEFORE_NAMESPACE();
namespace gradus::kernel::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

using Tag = hn::CappedTag<float, static_cast<std::size_t>(SmallProduct::panel)>;

/// Vectors of `Rows` rows of c, columns [column, column + Lanes): the sums over k in order.
template <int Rows>
HWY_INLINE void block(const SmallProduct& p, const float* HWY_RESTRICT a, const float* HWY_RESTRICT b,
                      std::int64_t b_stride, std::int64_t column, float* HWY_RESTRICT c) {
  const Tag d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  hn::Vec<Tag> sums[Rows];
  for (int r = 0; r < Rows; ++r) sums[r] = hn::Zero(d);
  for (std::int64_t k = 0; k < p.k; ++k) {
    const auto row = hn::LoadU(d, b + k * b_stride + column);
    for (int r = 0; r < Rows; ++r) {
      sums[r] = hn::MulAdd(hn::Set(d, a[r * p.a_row + k * p.a_inner]), row, sums[r]);
    }
  }
  const std::int64_t wanted = p.n - column;
  for (int r = 0; r < Rows; ++r) {
    float* to = c + r * p.n + column;
    if (wanted >= lanes) {
      hn::StoreU(sums[r], d, to);
      continue;
    }
    HWY_ALIGN float ends[hn::MaxLanes(Tag())];
    hn::Store(sums[r], d, ends);
    std::copy_n(ends, wanted, to);
  }
}

/// c = a b, where rows of b lie `b_stride` apart and can be read up to the next multiple of the panel.
void multiply_panels(const SmallProduct& p, const float* a, const float* b, std::int64_t b_stride, float* c) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(Tag()));
  for (std::int64_t column = 0; column < p.n; column += lanes) {
    std::int64_t row = 0;
    for (; row + 4 <= p.m; row += 4) block<4>(p, a + row * p.a_row, b, b_stride, column, c + row * p.n);
    for (; row < p.m; ++row) block<1>(p, a + row * p.a_row, b, b_stride, column, c + row * p.n);
  }
}

/// Products of `x` with `Columns` rows of b, which lie side by side.
template <int Columns>
HWY_INLINE void dots(const float* HWY_RESTRICT x, const float* HWY_RESTRICT b, std::int64_t count,
                     float* HWY_RESTRICT c) {
  const Tag d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  hn::Vec<Tag> sums[Columns];
  for (int j = 0; j < Columns; ++j) sums[j] = hn::Zero(d);
  std::int64_t k = 0;
  for (; k + lanes <= count; k += lanes) {
    const auto part = hn::LoadU(d, x + k);
    for (int j = 0; j < Columns; ++j) sums[j] = hn::MulAdd(part, hn::LoadU(d, b + j * count + k), sums[j]);
  }
  for (int j = 0; j < Columns; ++j) {
    float total = hn::GetLane(hn::SumOfLanes(d, sums[j]));
    for (std::int64_t i = k; i < count; ++i) total += x[i] * b[j * count + i];
    c[j] = total;
  }
}

/// The same with rows of b in bf16.
template <int Columns>
HWY_INLINE void narrow_dots(const float* HWY_RESTRICT x, const hwy::bfloat16_t* HWY_RESTRICT b, std::int64_t count,
                            float* HWY_RESTRICT c) {
  const Tag d;
  const hn::Rebind<hwy::bfloat16_t, Tag> narrow;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  hn::Vec<Tag> sums[Columns];
  for (int j = 0; j < Columns; ++j) sums[j] = hn::Zero(d);
  std::int64_t k = 0;
  for (; k + lanes <= count; k += lanes) {
    const auto part = hn::LoadU(d, x + k);
    for (int j = 0; j < Columns; ++j) {
      sums[j] = hn::MulAdd(part, hn::PromoteTo(d, hn::LoadU(narrow, b + j * count + k)), sums[j]);
    }
  }
  for (int j = 0; j < Columns; ++j) {
    float total = hn::GetLane(hn::SumOfLanes(d, sums[j]));
    for (std::int64_t i = k; i < count; ++i) total += x[i] * hwy::F32FromBF16(b[j * count + i]);
    c[j] = total;
  }
}

}  // namespace

void MultiplySmall(const SmallProduct& p, const float* a, const float* b, float* c, float* panels) {
  if (!p.packs) return multiply_panels(p, a, b, p.n, c);
  const std::int64_t stride = p.padded();
  for (std::int64_t k = 0; k < p.k; ++k) {
    for (std::int64_t j = 0; j < p.n; ++j) panels[k * stride + j] = b[k * p.b_inner + j * p.b_column];
    std::fill(panels + k * stride + p.n, panels + (k + 1) * stride, 0.f);
  }
  multiply_panels(p, a, panels, stride, c);
}

void MultiplyDots(const SmallProduct& p, const float* a, const float* b, float* c, std::int64_t begin,
                  std::int64_t end) {
  while (begin < end) {
    const std::int64_t row = begin / p.n, column = begin % p.n;
    const std::int64_t count = std::min(end - begin, p.n - column);
    const float *x = a + row * p.k, *columns = b + (row / p.m * p.n + column) * p.k;
    std::int64_t j = 0;
    for (; j + 4 <= count; j += 4) dots<4>(x, columns + j * p.k, p.k, c + begin + j);
    for (; j < count; ++j) dots<1>(x, columns + j * p.k, p.k, c + begin + j);
    begin += count;
  }
}

/// Elements [begin, end) of the vector x b, where column j of b lies at b + j * count.
void MultiplyNarrow(const float* x, const BFloat16* b, std::int64_t count, float* c, std::int64_t begin,
                    std::int64_t end) {
  const auto* columns = reinterpret_cast<const hwy::bfloat16_t*>(b);
  for (; begin + 4 <= end; begin += 4) narrow_dots<4>(x, columns + begin * count, count, c + begin);
  for (; begin < end; ++begin) narrow_dots<1>(x, columns + begin * count, count, c + begin);
}

}  // namespace gradus::kernel::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "gradus/base/parallel.h"
#include "gradus/kernel/registry.h"
#include "gradus/ops/matmul.h"

namespace gradus::kernel {
namespace {

HWY_EXPORT(MultiplyDots);
HWY_EXPORT(MultiplyNarrow);
HWY_EXPORT(MultiplySmall);

// Arithmetic operations of a call above which oneDNN is faster, whose calls take some 0.3 us. Measured with AVX-512, one
// thread: 16 x 64 x 16 takes 0.27 us here and 0.45 us there, 64 x 16 x 64 takes 0.9 us in both; with b to be packed it is
// 0.02 against 0.34 us for 4 x 2 x 16, and 0.76 against 0.54 us for 16 x 64 x 16.
constexpr double most_flops = 1 << 17, most_flops_packed = 1 << 13;
/// Elements of b that one more thread is worth.
constexpr std::int64_t elements_per_thread = 1 << 15;

class SmallMatMul final : public Kernel {
 public:
  SmallMatMul(const SmallProduct& product, std::int64_t batch) : p_(product), batch_(batch) {}

  Status run(const Arguments& arguments) const noexcept override {
    const float *a = arguments.input<float>(0), *b = arguments.input<float>(1);
    float* c = arguments.output<float>();
    if (p_.dots) {
      parallel_for(batch_ * p_.m * p_.n, 1 + elements_per_thread / p_.k, [&](std::int64_t begin, std::int64_t end) {
        HWY_DYNAMIC_DISPATCH(MultiplyDots)(p_, a, b, c, begin, end);
      });
      return {};
    }
    auto* panels = reinterpret_cast<float*>(arguments.scratch);
    for (std::int64_t i = 0; i < batch_; ++i) {
      HWY_DYNAMIC_DISPATCH(MultiplySmall)
      (p_, a + i * p_.m * p_.k, b + i * p_.k * p_.n, c + i * p_.m * p_.n, panels);
    }
    return {};
  }
  std::size_t scratch_bytes() const override {
    return p_.packs ? static_cast<std::size_t>(p_.k * p_.padded()) * sizeof(float) : 0;
  }
  double flops() const override { return 2.0 * static_cast<double>(batch_ * p_.m * p_.n) * static_cast<double>(p_.k); }

  /// Whether oneDNN is no faster. A vector times a matrix whose rows are its columns is read once, whatever the size.
  bool pays() const { return (p_.dots && p_.m == 1) || flops() <= (p_.packs ? most_flops_packed : most_flops); }

 private:
  SmallProduct p_;
  std::int64_t batch_;
};

/// A vector of bf16 times a matrix whose columns are dense, as a token is decoded: bound by reading the matrix.
class NarrowVectorProduct final : public Kernel {
 public:
  NarrowVectorProduct(std::int64_t n, std::int64_t k, bool narrow) : n_(n), k_(k), narrow_(narrow) {}

  Status run(const Arguments& arguments) const noexcept override {
    const BFloat16 *a = arguments.input<BFloat16>(0), *b = arguments.input<BFloat16>(1);
    auto* x = reinterpret_cast<float*>(arguments.scratch);
    std::transform(a, a + k_, x, [](BFloat16 element) { return static_cast<float>(element); });
    float* c = narrow_ ? x + k_ : arguments.output<float>();
    parallel_for(n_, 1 + 2 * elements_per_thread / k_, [&](std::int64_t begin, std::int64_t end) {
      HWY_DYNAMIC_DISPATCH(MultiplyNarrow)(x, b, k_, c, begin, end);
    });
    if (narrow_) std::transform(c, c + n_, arguments.output<BFloat16>(), [](float sum) { return BFloat16(sum); });
    return {};
  }
  std::size_t scratch_bytes() const override {
    return static_cast<std::size_t>(k_ + (narrow_ ? n_ : 0)) * sizeof(float);
  }
  double flops() const override { return 2.0 * static_cast<double>(n_) * static_cast<double>(k_); }

 private:
  std::int64_t n_, k_;
  bool narrow_;
};

std::unique_ptr<Kernel> make_narrow_vector_product(const Request& request, std::string& reason) {
  const MatMul& op = *request.op.as<MatMul>();
  const Shape &a = request.inputs[0].shape, &c = request.outputs[0].shape;
  const int rank = c.rank();
  const std::int64_t n = c[rank - 1], k = a[rank - (op.transpose_a ? 2 : 1)];
  if (c.numel() == n && n > 0 && k > 0 && (op.transpose_b || n == 1)) {
    return std::make_unique<NarrowVectorProduct>(n, k, op.narrow);
  }
  reason = "of bf16 only a vector times dense columns";
  return nullptr;
}

std::unique_ptr<Kernel> make_small_matmul(const Request& request, std::string& reason) {
  if (request.inputs[0].dtype == DType::bf16) return make_narrow_vector_product(request, reason);
  if (request.inputs[0].dtype != DType::f32) {
    reason = "only f32 and bf16";
    return nullptr;
  }
  const MatMul& op = *request.op.as<MatMul>();
  const Shape &a = request.inputs[0].shape, &c = request.outputs[0].shape;
  const int rank = c.rank();
  SmallProduct p;
  p.m = c[rank - 2];
  p.n = c[rank - 1];
  p.k = a[rank - (op.transpose_a ? 2 : 1)];
  if (p.k == 0 || c.numel() == 0) {
    reason = "a tensor without elements";
    return nullptr;
  }
  p.a_row = op.transpose_a ? 1 : p.k;
  p.a_inner = op.transpose_a ? p.m : 1;
  p.b_inner = op.transpose_b ? 1 : p.n;
  p.b_column = op.transpose_b ? p.k : 1;
  p.dots = (!op.transpose_a || p.m == 1) && (op.transpose_b || p.n == 1) && (p.m < 4 || p.n < 4);
  p.packs = !p.dots && (op.transpose_b || p.n % SmallProduct::panel != 0);
  auto kernel = std::make_unique<SmallMatMul>(p, c.numel(0, rank - 2));
  if (kernel->pays()) return kernel;
  reason = "too much arithmetic";
  return nullptr;
}

}  // namespace

std::vector<Implementation> small_matmul_kernels() { return {{"matmul", "small", make_small_matmul}}; }

}  // namespace gradus::kernel
#endif  // HWY_ONCE
