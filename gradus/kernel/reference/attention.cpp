// Attention by its definition, one query after the other; sums in double.
#include <algorithm>
#include <cmath>
#include <limits>

#include "gradus/base/parallel.h"
#include "gradus/kernel/registry.h"
#include "gradus/kernel/sequence/attention_sizes.h"
#include "gradus/kernel/sequence/kernels.h"
#include "gradus/ops/attention/operation.h"

namespace gradus::kernel {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

template <class T>
double dot(const T* a, const T* b, std::int64_t count) {
  double sum = 0;
  for (std::int64_t i = 0; i < count; ++i) sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return sum;
}

/// The score of one pair, which the mask may have lowered to -infinity.
template <class T>
double score(const AttentionPlaces& at, const T* q, const T* k, const T* mask, std::int64_t head, std::int64_t i,
             std::int64_t j) {
  const double product =
      dot(q + at.query(head, i), k + at.key(head, j), at.sizes.width) * static_cast<double>(at.scale);
  return mask ? product + static_cast<double>(mask[at.mask(head, i, j)]) : product;
}

template <class T>
class ReferenceAttention final : public Kernel {
 public:
  explicit ReferenceAttention(const AttentionPlaces& places) : at_(places) {}

  Status run(const Arguments& arguments) const noexcept override {
    const std::int64_t queries = at_.sizes.queries;
    parallel_for(at_.head_count() * queries, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin; row < end; ++row) run_query(arguments, row / queries, row % queries);
    });
    return {};
  }
  double flops() const override { return at_.flops(); }

 private:
  void run_query(const Arguments& arguments, std::int64_t head, std::int64_t i) const {
    const T *q = arguments.input<T>(0), *k = arguments.input<T>(1), *v = arguments.input<T>(2);
    const T* mask = at_.masked ? arguments.input<T>(3) : nullptr;
    T* y = arguments.output<T>(0) + at_.value_of_query(head, i);
    const std::int64_t visible = at_.visible(i);
    double largest = -infinity, total = 0;
    bool is_nan = false;
    for (std::int64_t j = 0; j < visible; ++j) {
      const double s = score(at_, q, k, mask, head, i, j);
      is_nan = is_nan || std::isnan(s);
      largest = std::max(largest, s);
    }
    const double shift = is_nan ? std::numeric_limits<double>::quiet_NaN() : largest == -infinity ? 0 : largest;
    for (std::int64_t j = 0; j < visible; ++j) total += std::exp(score(at_, q, k, mask, head, i, j) - shift);
    const double logarithm = total == 0 ? infinity : shift + std::log(total);
    for (std::int64_t e = 0; e < at_.sizes.value_width; ++e) {
      double sum = 0;
      for (std::int64_t j = 0; j < visible; ++j) {
        const double p = std::exp(score(at_, q, k, mask, head, i, j) - logarithm);
        sum += p * static_cast<double>(v[at_.value(head, j) + e]);
      }
      y[e] = static_cast<T>(sum);
    }
    arguments.output<T>(1)[head * at_.sizes.queries + i] = static_cast<T>(logarithm);
  }

  AttentionPlaces at_;
};

template <class T>
class ReferenceAttentionGradient final : public Kernel {
 public:
  explicit ReferenceAttentionGradient(const AttentionPlaces& places) : at_(places) {}

  Status run(const Arguments& arguments) const noexcept override {
    auto* scratch = reinterpret_cast<double*>(arguments.scratch);
    parallel_for(at_.head_count(), 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t head = begin; head < end; ++head) run_head(arguments, head, scratch + head * head_size());
    });
    return {};
  }
  std::size_t scratch_bytes() const override {
    return static_cast<std::size_t>(at_.head_count() * head_size()) * sizeof(double);
  }
  double flops() const override { return 2.5 * at_.flops(); }

 private:
  /// Sums of one head: dq of one query, dk and dv of all keys.
  std::int64_t head_size() const {
    return at_.sizes.width + at_.sizes.keys * (at_.sizes.width + at_.sizes.value_width);
  }

  void run_head(const Arguments& arguments, std::int64_t head, double* dq) const {
    const std::int64_t width = at_.sizes.width, value_width = at_.sizes.value_width, keys = at_.sizes.keys;
    double *dk = dq + width, *dv = dk + keys * width;
    std::fill_n(dk, keys * (width + value_width), 0.0);
    for (std::int64_t i = 0; i < at_.sizes.queries; ++i) {
      std::fill_n(dq, width, 0.0);
      add_query(arguments, head, i, dq, dk, dv);
      for (std::int64_t e = 0; e < width; ++e) arguments.output<T>(0)[at_.query(head, i) + e] = static_cast<T>(dq[e]);
    }
    for (std::int64_t j = 0; j < keys; ++j) {
      for (std::int64_t e = 0; e < width; ++e) {
        arguments.output<T>(1)[at_.key(head, j) + e] = static_cast<T>(dk[j * width + e]);
      }
      for (std::int64_t e = 0; e < value_width; ++e) {
        arguments.output<T>(2)[at_.value(head, j) + e] = static_cast<T>(dv[j * value_width + e]);
      }
    }
  }

  void add_query(const Arguments& arguments, std::int64_t head, std::int64_t i, double* dq, double* dk,
                 double* dv) const {
    const T *q = arguments.input<T>(0), *k = arguments.input<T>(1), *v = arguments.input<T>(2);
    const T* mask = at_.masked ? arguments.input<T>(6) : nullptr;
    const T* dy = arguments.input<T>(5) + at_.value_of_query(head, i);
    const double all = dot(dy, arguments.input<T>(3) + at_.value_of_query(head, i), at_.sizes.value_width);
    const auto logarithm = static_cast<double>(arguments.input<T>(4)[head * at_.sizes.queries + i]);
    const double scale = at_.scale;
    for (std::int64_t j = 0; j < at_.visible(i); ++j) {
      const double p = std::exp(score(at_, q, k, mask, head, i, j) - logarithm);
      const double ds = p * (dot(dy, v + at_.value(head, j), at_.sizes.value_width) - all) * scale;
      const T *query = q + at_.query(head, i), *key = k + at_.key(head, j);
      for (std::int64_t e = 0; e < at_.sizes.width; ++e) {
        dq[e] += ds * static_cast<double>(key[e]);
        dk[j * at_.sizes.width + e] += ds * static_cast<double>(query[e]);
      }
      for (std::int64_t e = 0; e < at_.sizes.value_width; ++e) {
        dv[j * at_.sizes.value_width + e] += p * static_cast<double>(dy[e]);
      }
    }
  }

  AttentionPlaces at_;
};

std::unique_ptr<Kernel> make_attention(const Request& request, std::string& reason) {
  const AttentionPlaces places(request, *request.op.as<Attention>(), 3);
  switch (request.inputs[0].dtype) {
    case DType::f32: return std::make_unique<ReferenceAttention<float>>(places);
    case DType::f64: return std::make_unique<ReferenceAttention<double>>(places);
    default: reason = "only f32 and f64"; return nullptr;
  }
}

std::unique_ptr<Kernel> make_attention_gradient(const Request& request, std::string& reason) {
  const AttentionPlaces places(request, *request.op.as<AttentionGradient>(), 6);
  switch (request.inputs[0].dtype) {
    case DType::f32: return std::make_unique<ReferenceAttentionGradient<float>>(places);
    case DType::f64: return std::make_unique<ReferenceAttentionGradient<double>>(places);
    default: reason = "only f32 and f64"; return nullptr;
  }
}

}  // namespace

std::vector<Implementation> attention_kernels() {
  return {{"attention", "tiles", make_tile_attention},
          {"attention", "reference", make_attention},
          {"attention_gradient", "tiles", make_tile_attention_gradient},
          {"attention_gradient", "reference", make_attention_gradient}};
}

}  // namespace gradus::kernel
