// Convolutions by oneDNN. Layouts are left to it; what it wants in another one is reordered inside the kernel. Images with
// channels last are computed as they lie.
#include "gradus/ops/conv.h"
#include "gradus/kernel/onednn/columns.h"
#include "gradus/kernel/onednn/program.h"
#include "gradus/kernel/registry.h"
#include "gradus/ops/layout/channels_last.h"

namespace gradus::kernel {
namespace onednn {
namespace {

/// A convolution in oneDNN's terms: grouped weights have an axis for the group.
struct Problem {
  dnnl::memory::dims x, weight, y;
  Windows windows;
  double flops;
  bool channels_last = false;
  Type result = Type::f32;  ///< of an image

  template <int N>
  Problem(const Conv<N>& conv, const Shape& x_shape, const Shape& w, const Shape& y_shape)
      : x(x_shape.begin(), x_shape.end()),
        weight(w.begin(), w.end()),
        y(y_shape.begin(), y_shape.end()),
        windows{{conv.stride.begin(), conv.stride.end()},
                {conv.dilation.begin(), conv.dilation.end()},
                {conv.padding.begin(), conv.padding.end()}},
        flops(2.0 * static_cast<double>(y_shape.numel()) * static_cast<double>(w.numel(1, w.rank()))) {
    for (auto& dilation : windows.dilations) --dilation;
    if (conv.groups == 1) return;
    weight[0] /= conv.groups;
    weight.insert(weight.begin(), conv.groups);
  }

  /// How an image lies in the tensors of the kernel, and how the primitive takes it.
  Desc stored(const dnnl::memory::dims& image, Type type) const {
    return channels_last ? Desc(image, type, dnnl::memory::format_tag::nhwc) : plain(image, type);
  }
  Desc taken(const dnnl::memory::dims& image, Type type) const {
    return channels_last ? stored(image, type) : any(image, type);
  }
  /// Whether some tap of the kernel meets nothing but padding.
  bool has_idle_taps() const {
    for (std::size_t i = 0; i < windows.strides.size(); ++i) {
      const std::int64_t taps = weight[weight.size() - windows.strides.size() + i];
      for (std::int64_t tap = 0; tap < taps; ++tap) {
        bool meets = false;
        for (std::int64_t row = 0; row < y[i + 2] && !meets; ++row) {
          const std::int64_t at = row * windows.strides[i] - windows.padding[i] + tap * (windows.dilations[i] + 1);
          meets = at >= 0 && at < x[i + 2];
        }
        if (!meets) return true;
      }
    }
    return false;
  }
  /// What a primitive for operands of this type writes.
  Type written(Type operands) const { return operands == Type::f32 ? Type::f32 : result; }

  dnnl::convolution_forward::primitive_desc forward(Type operands) const {
    // Measured with 2.6.3: for channels last, f32 is computed row by row of an image, at half the rate in rows of four.
    constexpr std::int64_t short_row = 8;
    if (operands == Type::f32 && y.back() < short_row) {
      return conv_desc(any(x), any(weight), any(y), windows);
    }
    return conv_desc(taken(x, operands), any(weight, operands), taken(y, written(operands)), windows);
  }
};

std::unique_ptr<Kernel> forward_program(const Problem& p, Type operands, std::string& reason) {
  return guarded(reason, f32_flops(operands, p.flops), [&]() -> std::unique_ptr<Kernel> {
    const auto desc = fastest(operands, [&](Type type) { return p.forward(type); });
    auto program = std::make_unique<Program>(p.flops);
    const Desc stored = p.stored(p.y, p.result);
    const dnnl::memory x = program->input_as(0, p.stored(p.x, operands), desc.src_desc());
    const dnnl::memory weight = program->input_as(1, plain(p.weight, operands), desc.weights_desc());
    const dnnl::memory y = program->output_as(0, stored, desc.dst_desc());
    program->add(dnnl::convolution_forward(desc), desc,
                 {{DNNL_ARG_SRC, x}, {DNNL_ARG_WEIGHTS, weight}, {DNNL_ARG_DST, y}});
    program->deliver(0, stored, y);
    return program;
  });
}

std::unique_ptr<Kernel> input_gradient_program(const Problem& p, Type operands, std::string& reason) {
  return guarded(reason, f32_flops(operands, p.flops), [&]() -> std::unique_ptr<Kernel> {
    const auto desc = fastest(operands, [&](Type type) {
      return conv_input_gradient_desc(p.taken(p.x, p.written(type)), any(p.weight, type), p.taken(p.y, type), p.windows,
                                      p.forward(type));
    });
    auto program = std::make_unique<Program>(p.flops);
    const Desc stored = p.stored(p.x, p.result);
    const dnnl::memory dy = program->input_as(0, p.stored(p.y, operands), desc.diff_dst_desc());
    const dnnl::memory weight = program->input_as(1, plain(p.weight, operands), desc.weights_desc());
    const dnnl::memory dx = program->output_as(0, stored, desc.diff_src_desc());
    program->add(dnnl::convolution_backward_data(desc), desc,
                 {{DNNL_ARG_DIFF_DST, dy}, {DNNL_ARG_WEIGHTS, weight}, {DNNL_ARG_DIFF_SRC, dx}});
    program->deliver(0, stored, dx);
    return program;
  });
}

std::unique_ptr<Kernel> weight_gradient_program(const Problem& p, Type operands, std::string& reason) {
  return guarded(reason, f32_flops(operands, p.flops), [&]() -> std::unique_ptr<Kernel> {
    // Seen with 2.6.3: by AVX512_BF16, gradients of such taps are not written when the image is one pixel wide.
    const auto desc = fastest(p.has_idle_taps() ? Type::f32 : operands, [&](Type type) {
      return conv_weight_gradient_desc(p.taken(p.x, type), any(p.weight), p.taken(p.y, type), p.windows,
                                       p.forward(type));
    });
    auto program = std::make_unique<Program>(p.flops);
    const dnnl::memory x = program->input_as(0, p.stored(p.x, operands), desc.src_desc());
    const dnnl::memory dy = program->input_as(1, p.stored(p.y, operands), desc.diff_dst_desc());
    const dnnl::memory dw = program->output_as(0, plain(p.weight), desc.diff_weights_desc());
    program->add(dnnl::convolution_backward_weights(desc), desc,
                 {{DNNL_ARG_SRC, x}, {DNNL_ARG_DIFF_DST, dy}, {DNNL_ARG_DIFF_WEIGHTS, dw}});
    program->deliver(0, plain(p.weight), dw);
    return program;
  });
}

template <int N, Type Operands>
std::unique_ptr<Kernel> make_conv(const Request& r, std::string& reason) {
  if (!takes(Operands, r, reason) || has_empty(r, reason)) return nullptr;
  const Problem p(*r.op.as<Conv<N>>(), r.inputs[0].shape, r.inputs[1].shape, r.outputs[0].shape);
  return forward_program(p, Operands, reason);
}

template <int N, Type Operands>
std::unique_ptr<Kernel> make_input_gradient(const Request& r, std::string& reason) {
  if (!takes(Operands, r, reason) || has_empty(r, reason)) return nullptr;
  const Conv<N>& conv = r.op.as<ConvInputGradient<N>>()->conv;
  const Problem p(conv, r.outputs[0].shape, r.inputs[1].shape, r.inputs[0].shape);
  return input_gradient_program(p, Operands, reason);
}

template <int N, Type Operands>
std::unique_ptr<Kernel> make_weight_gradient(const Request& r, std::string& reason) {
  if (!takes(Operands, r, reason) || has_empty(r, reason)) return nullptr;
  const Conv<N>& conv = r.op.as<ConvWeightGradient<N>>()->conv;
  const Problem p(conv, r.inputs[0].shape, r.outputs[0].shape, r.inputs[1].shape);
  return weight_gradient_program(p, Operands, reason);
}

/// All three, with channels last.
template <Type Operands>
std::unique_ptr<Kernel> make_channels_last(const Request& r, std::string& reason) {
  using Pass = ConvChannelsLast::Pass;
  const ConvChannelsLast& op = *r.op.as<ConvChannelsLast>();
  if (!takes(Operands, r, reason) || has_empty(r, reason)) return nullptr;
  if (op.result != DType::f32 && (Operands == Type::f32 || op.result != DType::bf16)) {
    reason = "only results of f32, or of bf16 from bf16";
    return nullptr;
  }
  const auto first = [](const TensorSpec& image) { return permuted(image.shape, to_channels_first); };
  const auto problem = [&](const Shape& x, const Shape& weight, const Shape& y) {
    Problem p(op.conv, x, weight, y);
    p.channels_last = true;
    p.result = op.result == DType::bf16 ? Type::bf16 : Type::f32;
    return p;
  };
  switch (op.pass) {
    case Pass::forward:
      return forward_program(problem(first(r.inputs[0]), r.inputs[1].shape, first(r.outputs[0])), Operands, reason);
    case Pass::input_gradient:
      return input_gradient_program(problem(op.shape, r.inputs[1].shape, first(r.inputs[0])), Operands, reason);
    case Pass::weight_gradient: break;
  }
  return weight_gradient_program(problem(first(r.inputs[0]), op.shape, first(r.inputs[1])), Operands, reason);
}

template <int N, Type Operands>
void add_kernels(std::vector<Implementation>& list) {
  constexpr std::string_view name = Operands == Type::f32 ? "onednn" : "bf16";
  list.push_back({Conv<N>().name(), name, make_conv<N, Operands>});
  list.push_back({ConvInputGradient<N>().name(), name, make_input_gradient<N, Operands>});
  list.push_back({ConvWeightGradient<N>().name(), name, make_weight_gradient<N, Operands>});
}

template <Type Operands>
void add_channels_last(std::vector<Implementation>& list) {
  using Pass = ConvChannelsLast::Pass;
  constexpr std::string_view name = Operands == Type::f32 ? "onednn" : "bf16";
  for (const Pass pass : {Pass::forward, Pass::input_gradient, Pass::weight_gradient}) {
    list.push_back({ConvChannelsLast{pass}.name(), name, make_channels_last<Operands>});
  }
}

}  // namespace
}  // namespace onednn

std::vector<Implementation> onednn_conv_kernels() {
  std::vector<Implementation> list;
  using onednn::Type;
  onednn::add_kernels<1, Type::f32>(list);
  onednn::add_kernels<2, Type::f32>(list);
  onednn::add_kernels<3, Type::f32>(list);
  onednn::add_kernels<1, Type::bf16>(list);
  onednn::add_kernels<2, Type::bf16>(list);
  onednn::add_kernels<3, Type::bf16>(list);
  for (const Implementation& implementation : columns_kernels()) list.push_back(implementation);
  onednn::add_channels_last<Type::f32>(list);
  onednn::add_channels_last<Type::bf16>(list);
  return list;
}

}  // namespace gradus::kernel
