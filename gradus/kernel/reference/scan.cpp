// Running sums: one row after the other, floating types in double.
#include <type_traits>

#include "gradus/base/parallel.h"
#include "gradus/kernel/reference/support.h"
#include "gradus/kernel/registry.h"
#include "gradus/ops/scan.h"

namespace gradus::kernel {
namespace {

template <class T>
class ReferenceCumSum final : public Kernel {
 public:
  using Out = std::conditional_t<std::is_integral_v<T>, std::int64_t, T>;
  using Total = std::conditional_t<std::is_integral_v<T>, std::uint64_t, double>;  // integers wrap around

  ReferenceCumSum(const CumSum& op, const Shape& shape)
      : reverse_(op.reverse),
        count_(shape[op.axis]),
        inner_(shape.numel(op.axis + 1, shape.rank())),
        rows_(shape.numel(0, op.axis) * inner_) {}

  Status run(const Arguments& arguments) const noexcept override {
    const T* input = arguments.input<T>(0);
    Out* output = arguments.output<Out>();
    parallel_for(rows_, 1 + 8192 / (1 + count_), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin; row < end; ++row) {
        const std::int64_t first = row / inner_ * count_ * inner_ + row % inner_;
        Total total{};
        for (std::int64_t i = 0; i < count_; ++i) {
          const std::int64_t at = first + (reverse_ ? count_ - 1 - i : i) * inner_;
          if constexpr (std::is_integral_v<T>) {
            total += static_cast<Total>(input[at]);
            output[at] = static_cast<Out>(total);
          } else {
            total += to_double(input[at]);
            output[at] = from_double<Out>(total);
          }
        }
      }
    });
    return {};
  }
  bool can_overwrite(int, int) const override { return sizeof(T) == sizeof(Out); }
  double flops() const override { return static_cast<double>(rows_ * count_); }

 private:
  bool reverse_;
  std::int64_t count_, inner_, rows_;
};

std::unique_ptr<Kernel> make_cumsum(const Request& request, std::string&) {
  return visit_dtype(request.inputs[0].dtype, [&](auto zero) -> std::unique_ptr<Kernel> {
    return std::make_unique<ReferenceCumSum<decltype(zero)>>(*request.op.as<CumSum>(), request.inputs[0].shape);
  });
}

}  // namespace

std::vector<Implementation> scan_kernels() { return {{"cumsum", "reference", make_cumsum}}; }

}  // namespace gradus::kernel
