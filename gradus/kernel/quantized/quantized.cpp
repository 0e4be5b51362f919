// Products with weights of 8 bits. All implementations compute the same integers, and scale them by the same operations: their
// results are equal, bit for bit.
#include "gradus/kernel/quantized/quantized.h"

#include <algorithm>
#include <vector>

#include "gradus/base/parallel.h"
#include "gradus/kernel/quantized/rows.h"
#include "gradus/kernel/registry.h"
#include "gradus/ops/quantized/quantized.h"

namespace gradus::kernel {
namespace {

constexpr int zero_point = 128;  // of activations, which the instructions want unsigned
constexpr std::int64_t bytes_per_thread = 1 << 16;

std::size_t size(std::int64_t n) { return static_cast<std::size_t>(n); }

class QuantizeRowsKernel final : public Kernel {
 public:
  explicit QuantizeRowsKernel(const Shape& shape) : rows_(shape[0]), inner_(shape[1]) {}

  Status run(const Arguments& arguments) const noexcept override {
    const auto* x = arguments.input<float>(0);
    auto* to = arguments.output<std::uint8_t>();
    const std::size_t stride = size(quantized_stride(inner_));
    auto* scales = reinterpret_cast<float*>(to + size(rows_) * stride);
    auto* sums = reinterpret_cast<std::int32_t*>(scales + rows_);
    parallel_for(rows_, 1 + bytes_per_thread / (1 + inner_), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t r = begin; r < end; ++r) {
        std::uint8_t* row = to + size(r) * stride;
        scales[r] = quantized::quantize_row(x + r * inner_, size(inner_), stride, 0, row);
        std::int32_t sum = 0;
        for (std::size_t i = 0; i < stride; ++i) sum += static_cast<std::int8_t>(row[i]);
        sums[r] = sum;
      }
    });
    return {};
  }

 private:
  std::int64_t rows_, inner_;
};

class QuantizedMatMulKernel final : public Kernel {
 public:
  QuantizedMatMulKernel(const Shape& x, std::int64_t columns, quantized::Dots dots)
      : dots_(dots),
        inner_(x[x.rank() - 1]),
        rows_(x.numel(0, x.rank() - 1)),
        columns_(columns),
        stride_(quantized_stride(inner_)) {}

  Status run(const Arguments& arguments) const noexcept override {
    const auto* x = arguments.input<float>(0);
    auto* narrow = reinterpret_cast<std::uint8_t*>(arguments.scratch);
    auto* scales = reinterpret_cast<float*>(narrow + size(rows_ * stride_));
    parallel_for(rows_, 1 + bytes_per_thread / (1 + inner_), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t r = begin; r < end; ++r) {
        scales[r] = quantized::quantize_row(x + r * inner_, size(inner_), size(stride_), zero_point,
                                            narrow + size(r * stride_));
      }
    });
    // By columns: every thread reads weights of its own. A block of them stays in the cache for all rows.
    const std::int64_t blocks = (columns_ + block - 1) / block;
    parallel_for(blocks, 1 + bytes_per_thread / (1 + block * stride_ * std::min<std::int64_t>(rows_, 64)),
                 [&](std::int64_t begin, std::int64_t end) {
                   for (std::int64_t b = begin; b < end; ++b) {
                     multiply(arguments, narrow, scales, b * block, std::min(columns_, (b + 1) * block));
                   }
                 });
    return {};
  }
  std::size_t scratch_bytes() const override { return size(rows_ * stride_) + size(rows_) * sizeof(float); }
  double flops() const override { return 2.0 * static_cast<double>(rows_ * columns_) * static_cast<double>(inner_); }

 private:
  static constexpr std::int64_t block = 16, row_block = 64;

  void multiply(const Arguments& arguments, const std::uint8_t* narrow, const float* scales, std::int64_t begin,
                std::int64_t end) const {
    const auto* weights = arguments.input<std::int8_t>(1);
    const auto* weight_scales = reinterpret_cast<const float*>(weights + columns_ * stride_);
    const auto* weight_sums = reinterpret_cast<const std::int32_t*>(weight_scales + columns_);
    float* y = arguments.output<float>();
    std::int32_t dots[row_block * block];
    for (std::int64_t first = 0; first < rows_; first += row_block) {
      const std::int64_t rows = std::min(row_block, rows_ - first);
      dots_(narrow + first * stride_, size(rows), weights + begin * stride_, size(end - begin), size(stride_), dots,
            size(block));
      for (std::int64_t r = 0; r < rows; ++r) {
        for (std::int64_t c = begin; c < end; ++c) {
          const std::int32_t sum = dots[r * block + c - begin] - zero_point * weight_sums[c];
          y[(first + r) * columns_ + c] = scales[first + r] * weight_scales[c] * static_cast<float>(sum);
        }
      }
    }
  }

  quantized::Dots dots_;
  std::int64_t inner_, rows_, columns_, stride_;
};

std::unique_ptr<Kernel> make_quantize_rows(const Request& request, std::string&) {
  return std::make_unique<QuantizeRowsKernel>(request.inputs[0].shape);
}

std::unique_ptr<Kernel> make_quantized(const Request& request, quantized::Dots dots) {
  return std::make_unique<QuantizedMatMulKernel>(request.inputs[0].shape, request.op.as<QuantizedMatMul>()->rows, dots);
}

std::unique_ptr<Kernel> make_vnni(const Request& request, std::string& reason) {
  if (quantized::vector_dots() == nullptr) {
    reason = "this CPU has no AVX-512 VNNI";
    return nullptr;
  }
  return make_quantized(request, quantized::vector_dots());
}

std::unique_ptr<Kernel> make_plain(const Request& request, std::string&) {
  return make_quantized(request, &quantized::plain_dots);
}

}  // namespace

bool int8_pays(std::string& reason) {
  if (quantized::vector_dots() == nullptr) {
    reason = "this CPU has no AVX-512 VNNI";
  } else if (!is_enabled("vnni")) {
    reason = "GRADUS_DISABLE says so";
  } else {
    return true;
  }
  return false;
}

std::vector<Implementation> quantized_kernels() {
  return {{"quantize_rows", "reference", make_quantize_rows},
          {"quantized_matmul", "vnni", make_vnni},
          {"quantized_matmul", "reference", make_plain}};
}

}  // namespace gradus::kernel
