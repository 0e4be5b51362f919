// Softmax by its definition, in double.
#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "gradus/base/parallel.h"
#include "gradus/kernel/reduce/kernels.h"
#include "gradus/kernel/reference/support.h"
#include "gradus/kernel/registry.h"
#include "gradus/ops/softmax.h"

namespace gradus::kernel {
namespace {

template <class T>
class ReferenceSoftmax final : public Kernel {
 public:
  ReferenceSoftmax(const Shape& shape, int axis, bool logarithm)
      : logarithm_(logarithm),
        count_(shape[axis]),
        inner_(shape.numel(axis + 1, shape.rank())),
        rows_(shape.numel(0, axis) * inner_) {}

  Status run(const Arguments& arguments) const noexcept override {
    const T* input = arguments.input<T>(0);
    T* output = arguments.output<T>();
    if (count_ == 0) return {};
    parallel_for(rows_, 1 + 1024 / (1 + count_), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin; row < end; ++row) {
        const std::int64_t offset = row / inner_ * count_ * inner_ + row % inner_;
        run_row(input + offset, output + offset);
      }
    });
    return {};
  }
  bool can_overwrite(int, int) const override { return true; }
  double flops() const override { return 4.0 * static_cast<double>(rows_ * count_); }

 private:
  void run_row(const T* input, T* output) const {
    double largest = -std::numeric_limits<double>::infinity(), total = 0;
    for (std::int64_t i = 0; i < count_; ++i) largest = std::max(largest, to_double(input[i * inner_]));
    for (std::int64_t i = 0; i < count_; ++i) total += std::exp(to_double(input[i * inner_]) - largest);
    const double log_total = std::log(total);
    for (std::int64_t i = 0; i < count_; ++i) {
      const double shifted = to_double(input[i * inner_]) - largest;
      output[i * inner_] = from_double<T>(logarithm_ ? shifted - log_total : std::exp(shifted) / total);
    }
  }

  bool logarithm_;
  std::int64_t count_, inner_, rows_;
};

/// The threshold that the largest elements exceed by 1 in total, found in the sorted row.
template <class T>
class ReferenceSparsemax final : public Kernel {
 public:
  ReferenceSparsemax(const Shape& shape, int axis)
      : count_(shape[axis]), inner_(shape.numel(axis + 1, shape.rank())), rows_(shape.numel(0, axis) * inner_) {}

  Status run(const Arguments& arguments) const noexcept override {
    const T* input = arguments.input<T>(0);
    T* output = arguments.output<T>();
    auto* sorted = reinterpret_cast<double*>(arguments.scratch);
    if (count_ == 0) return {};
    for (std::int64_t row = 0; row < rows_; ++row) {
      const std::int64_t offset = row / inner_ * count_ * inner_ + row % inner_;
      run_row(input + offset, output + offset, sorted);
    }
    return {};
  }
  std::size_t scratch_bytes() const override { return static_cast<std::size_t>(count_) * sizeof(double); }
  bool can_overwrite(int, int) const override { return true; }
  double flops() const override { return 4.0 * static_cast<double>(rows_ * count_); }

 private:
  void run_row(const T* input, T* output, double* sorted) const {
    bool ordered = true;
    for (std::int64_t i = 0; i < count_; ++i) {
      sorted[i] = to_double(input[i * inner_]);
      ordered = ordered && !std::isnan(sorted[i]);
    }
    double threshold = std::numeric_limits<double>::quiet_NaN();
    if (ordered) {
      std::sort(sorted, sorted + count_, std::greater<>());
      const double largest = sorted[0];  // subtracted from all: the differences near it are exact
      double total = 0;
      for (std::int64_t k = 0; k < count_; ++k) {
        const double value = sorted[k] - largest, size = static_cast<double>(k + 1);
        if (!(1 + size * value > total + value)) break;
        total += value;
        threshold = largest + (total - 1) / size;
      }
    }
    for (std::int64_t i = 0; i < count_; ++i) {
      const double above = to_double(input[i * inner_]) - threshold;
      output[i * inner_] = from_double<T>(above < 0 ? 0 : above);
    }
  }

  std::int64_t count_, inner_, rows_;
};

std::unique_ptr<Kernel> make_sparsemax(const Request& request, std::string& reason) {
  const int axis = request.op.as<Sparsemax>()->axis;
  const Shape& shape = request.inputs[0].shape;
  switch (request.inputs[0].dtype) {
    case DType::f32: return std::make_unique<ReferenceSparsemax<float>>(shape, axis);
    case DType::f64: return std::make_unique<ReferenceSparsemax<double>>(shape, axis);
    default: reason = "only f32 and f64"; return nullptr;
  }
}

std::unique_ptr<Kernel> make_softmax(const Request& request, std::string& reason) {
  const Softmax* op = request.op.as<Softmax>();
  const int axis = op ? op->axis : request.op.as<LogSoftmax>()->axis;
  const Shape& shape = request.inputs[0].shape;
  switch (request.inputs[0].dtype) {
    case DType::f32: return std::make_unique<ReferenceSoftmax<float>>(shape, axis, !op);
    case DType::f64: return std::make_unique<ReferenceSoftmax<double>>(shape, axis, !op);
    case DType::bf16: return std::make_unique<ReferenceSoftmax<BFloat16>>(shape, axis, !op);
    default: reason = "only floating types"; return nullptr;
  }
}

}  // namespace

std::vector<Implementation> softmax_kernels() {
  return {{"softmax", "tiles", make_tile_softmax},
          {"softmax", "reference", make_softmax},
          {"log_softmax", "tiles", make_tile_softmax},
          {"log_softmax", "reference", make_softmax},
          {"sparsemax", "reference", make_sparsemax}};
}

}  // namespace gradus::kernel
