// Random tensors: every thread computes its own elements, whose values depend on key and position alone.
#include <numeric>
#include <utility>

#include "gradus/base/parallel.h"
#include "gradus/base/random.h"
#include "gradus/kernel/registry.h"
#include "gradus/ops/random.h"

namespace gradus::kernel {
namespace {

constexpr std::int64_t grain = 1 << 12;  // elements worth a thread

Key key_of(const Arguments& arguments) { return {static_cast<std::uint64_t>(arguments.input<std::int64_t>(0)[0])}; }

template <class T, bool normal>
class RandomKernel final : public Kernel {
 public:
  explicit RandomKernel(std::int64_t count) : count_(count) {}
  Status run(const Arguments& arguments) const noexcept override {
    const Key key = key_of(arguments);
    T* output = arguments.output<T>();
    parallel_for(count_, grain, [&](std::int64_t begin, std::int64_t end) {
      const std::span<T> part(output + begin, static_cast<std::size_t>(end - begin));
      if constexpr (normal) {
        fill_normal(part, key, 0, 1, begin);
      } else {
        fill_uniform(part, key, 0, 1, begin);
      }
    });
    return {};
  }
  double flops() const override { return static_cast<double>(count_); }

 private:
  std::int64_t count_;
};

/// The shuffle of random_permutation, in place of the output.
class PermutationKernel final : public Kernel {
 public:
  explicit PermutationKernel(std::int64_t count) : count_(count) {}
  Status run(const Arguments& arguments) const noexcept override {
    __extension__ using Wide = unsigned __int128;
    const Key key = key_of(arguments);
    std::int64_t* order = arguments.output<std::int64_t>();
    std::iota(order, order + count_, std::int64_t{0});
    for (std::int64_t i = count_ - 1; i > 0; --i) {
      const auto block = philox(key, static_cast<std::uint64_t>(i));
      const std::uint64_t word = std::uint64_t{block[0]} << 32 | block[1];
      std::swap(order[i], order[static_cast<std::int64_t>((Wide{word} * static_cast<std::uint64_t>(i + 1)) >> 64)]);
    }
    return {};
  }

 private:
  std::int64_t count_;
};

template <bool normal>
std::unique_ptr<Kernel> make_random(const Request& request, std::string& reason) {
  const std::int64_t count = request.outputs[0].shape.numel();
  switch (request.outputs[0].dtype) {
    case DType::f32: return std::make_unique<RandomKernel<float, normal>>(count);
    case DType::f64: return std::make_unique<RandomKernel<double, normal>>(count);
    default: reason = "only f32 and f64"; return nullptr;
  }
}

std::unique_ptr<Kernel> make_permutation(const Request& request, std::string&) {
  return std::make_unique<PermutationKernel>(request.outputs[0].shape.numel());
}

}  // namespace

std::vector<Implementation> random_kernels() {
  return {{"random_uniform", "reference", make_random<false>},
          {"random_normal", "reference", make_random<true>},
          {"random_permutation", "reference", make_permutation}};
}

}  // namespace gradus::kernel
