// Concatenation and padding.
#include <algorithm>
#include <cstring>

#include "gradus/base/parallel.h"
#include "gradus/kernel/reference/support.h"
#include "gradus/kernel/registry.h"
#include "gradus/ops/concat.h"

namespace gradus::kernel {
namespace {

constexpr std::int64_t grain = 1 << 15;  // elements worth a thread

/// Each input is `outer` runs of bytes, which go side by side into the output's runs.
class ConcatKernel final : public Kernel {
 public:
  explicit ConcatKernel(const Request& request) {
    const int axis = request.op.as<Concat>()->axis;
    const TensorSpec& output = request.outputs[0];
    outer_ = output.shape.numel(0, axis);
    const auto run_bytes = [&](const TensorSpec& spec) {
      return static_cast<std::size_t>(spec.shape.numel(axis, spec.shape.rank())) * size_of(spec.dtype);
    };
    for (const TensorSpec& input : request.inputs) runs_.push_back(run_bytes(input));
    stride_ = run_bytes(output);
  }

  Status run(const Arguments& arguments) const noexcept override {
    const auto row_grain = std::max<std::int64_t>(1, grain * 4 / static_cast<std::int64_t>(stride_ + 1));
    parallel_for(outer_, row_grain, [&](std::int64_t begin, std::int64_t end) {
      for (auto row = static_cast<std::size_t>(begin); row < static_cast<std::size_t>(end); ++row) {
        std::byte* to = arguments.outputs[0] + row * stride_;
        for (std::size_t i = 0; i < runs_.size(); ++i) {
          if (runs_[i] > 0) std::memcpy(to, arguments.inputs[i] + row * runs_[i], runs_[i]);
          to += runs_[i];
        }
      }
    });
    return {};
  }

 private:
  std::int64_t outer_;
  std::size_t stride_;             // bytes of a run of the output
  std::vector<std::size_t> runs_;  // bytes of a run of each input
};

/// Fills the output and puts each row of the input at its place.
template <class T>
class PadKernel final : public Kernel {
 public:
  PadKernel(const Request& request, T value)
      : value_(value), box_(request.inputs[0].shape), total_(request.outputs[0].shape.numel()) {
    const Pad& op = *request.op.as<Pad>();
    strides_ = row_major_strides(request.outputs[0].shape);
    for (std::size_t axis = 0; axis < static_cast<std::size_t>(box_.rank()); ++axis) {
      offset_ += op.before[axis] * strides_[axis];
      strides_[axis] *= op.interior[axis] + 1;
    }
    Strides dense = row_major_strides(box_);
    Strides* operands[] = {&strides_, &dense};
    box_ = collapse(box_, operands);
  }

  Status run(const Arguments& arguments) const noexcept override {
    const T* input = arguments.input<T>(0);
    T* output = arguments.output<T>();
    parallel_for(total_, grain,
                 [&](std::int64_t begin, std::int64_t end) { std::fill(output + begin, output + end, value_); });
    const std::int64_t row = box_[box_.rank() - 1];
    const std::int64_t stride = strides_[static_cast<std::size_t>(box_.rank() - 1)];
    parallel_for(box_.numel(), grain, [&](std::int64_t begin, std::int64_t end) {
      BoxWalk walk(box_, strides_, begin);
      for (std::int64_t i = begin; i < end;) {
        const std::int64_t count = std::min(end - i, row - walk.index(box_.rank() - 1));
        T* to = output + offset_ + walk.offset();
        for (std::int64_t j = 0; j < count; ++j) to[j * stride] = input[i + j];
        walk.advance(count);
        i += count;
      }
    });
    return {};
  }

 private:
  T value_;
  Shape box_;
  Strides strides_{};  // of the output, over the points of the input
  std::int64_t offset_ = 0;
  std::int64_t total_;
};

std::unique_ptr<Kernel> make_concat(const Request& request, std::string&) {
  return std::make_unique<ConcatKernel>(request);
}

std::unique_ptr<Kernel> make_pad(const Request& request, std::string&) {
  return visit_dtype(request.outputs[0].dtype, [&](auto zero) -> std::unique_ptr<Kernel> {
    using T = decltype(zero);
    return std::make_unique<PadKernel<T>>(request, from_double<T>(request.op.as<Pad>()->value));
  });
}

}  // namespace

std::vector<Implementation> concat_kernels() {
  return {{"concat", "reference", make_concat}, {"pad", "reference", make_pad}};
}

}  // namespace gradus::kernel
