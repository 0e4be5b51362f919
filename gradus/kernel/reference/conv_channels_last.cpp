// Convolutions with channels last by those with channels first: images are turned around before and behind.
#include <array>

#include "gradus/kernel/reference/support.h"
#include "gradus/kernel/registry.h"
#include "gradus/ops/layout/channels_last.h"

namespace gradus::kernel {
namespace {

constexpr std::size_t aligned(std::size_t bytes) { return (bytes + 63) / 64 * 64; }

/// out (n, h, w, c) = in (n, c, h, w), or the other way with `back`; `shape` has the channels in front.
template <class Out, class In>
void turn(Out* out, const In* in, const Shape& shape, bool back) {
  const std::int64_t channels = shape[1], pixels = shape[2] * shape[3];
  for (std::int64_t n = 0; n < shape[0]; ++n, out += channels * pixels, in += channels * pixels) {
    for (std::int64_t c = 0; c < channels; ++c) {
      for (std::int64_t p = 0; p < pixels; ++p) {
        const std::int64_t first = c * pixels + p, last = p * channels + c;
        out[back ? first : last] = Out(in[back ? last : first]);
      }
    }
  }
}

class ReferenceChannelsLast final : public Kernel {
 public:
  ReferenceChannelsLast(const Request& request, std::string& reason)
      : op_(*request.op.as<ConvChannelsLast>()), result_(request.outputs[0]) {
    operands_ = op_.operands_first(request.inputs);
    const Op first = op_.channels_first();
    const std::span<const TensorSpec> operands(operands_.begin(), operands_.size());
    const Specs results = first.infer(operands);
    plain_result_ = results[0];
    plain_ = implementations(first.name()).back().make({first, operands, results}, reason);
  }
  bool made() const { return plain_ != nullptr; }

  Status run(const Arguments& arguments) const noexcept override {
    std::byte* next = arguments.scratch + aligned(plain_->scratch_bytes());
    const auto take = [&](const TensorSpec& spec) {
      std::byte* memory = next;
      next += aligned(spec.bytes());
      return memory;
    };
    std::array<const std::byte*, 2> inputs{arguments.inputs[0], arguments.inputs[1]};
    for (std::size_t i = 0; i < 2; ++i) {
      if (!is_image(i)) continue;
      std::byte* memory = take(operands_[i]);
      visit_size(operands_[i].dtype, [&](auto word) {
        using Word = decltype(word);
        turn(reinterpret_cast<Word*>(memory), reinterpret_cast<const Word*>(inputs[i]), operands_[i].shape, true);
      });
      inputs[i] = memory;
    }
    if (!gives_image()) return plain_->run({inputs, arguments.outputs, arguments.scratch});
    std::byte* made = take(plain_result_);
    const Status status = plain_->run({inputs, std::span(&made, 1), arguments.scratch});
    if (result_.dtype != plain_result_.dtype) {
      turn(arguments.output<BFloat16>(), reinterpret_cast<const float*>(made), plain_result_.shape, false);
    } else {
      visit_size(result_.dtype, [&](auto word) {
        using Word = decltype(word);
        turn(arguments.output<Word>(), reinterpret_cast<const Word*>(made), plain_result_.shape, false);
      });
    }
    return status;
  }
  std::size_t scratch_bytes() const override {
    std::size_t bytes = aligned(plain_->scratch_bytes()) + aligned(plain_result_.bytes());
    for (const TensorSpec& operand : operands_) bytes += aligned(operand.bytes());
    return bytes;
  }
  double flops() const override { return plain_->flops(); }

 private:
  bool gives_image() const { return op_.pass != ConvChannelsLast::Pass::weight_gradient; }
  bool is_image(std::size_t input) const { return input == 0 || !gives_image(); }

  ConvChannelsLast op_;
  TensorSpec result_, plain_result_;
  SmallVector<TensorSpec, 2> operands_;
  std::unique_ptr<Kernel> plain_;
};

std::unique_ptr<Kernel> make_channels_last(const Request& request, std::string& reason) {
  auto kernel = std::make_unique<ReferenceChannelsLast>(request, reason);
  if (!kernel->made()) return nullptr;
  return kernel;
}

}  // namespace

std::vector<Implementation> reference_channels_last_kernels() {
  std::vector<Implementation> list;
  for (const auto pass : {ConvChannelsLast::Pass::forward, ConvChannelsLast::Pass::input_gradient,
                          ConvChannelsLast::Pass::weight_gradient}) {
    list.push_back({ConvChannelsLast{pass}.name(), "reference", make_channels_last});
  }
  return list;
}

}  // namespace gradus::kernel
