// Convolutions by oneDNN. Layouts are left to it; what it wants in another one is reordered inside the kernel.
#include "gradus/ops/conv.h"
#include "gradus/kernel/onednn/program.h"
#include "gradus/kernel/registry.h"

namespace gradus::kernel {
namespace onednn {
namespace {

/// Sizes of a convolution in oneDNN's terms: grouped weights have an axis for the group.
struct Problem {
  dnnl::memory::dims x, weight, y;
  Windows windows;
  double flops;

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

  dnnl::convolution_forward::primitive_desc forward(Type operands) const {
    return conv_desc(any(x, operands), any(weight, operands), any(y), windows);
  }
};

template <int N, Type Operands>
std::unique_ptr<Kernel> make_conv(const Request& r, std::string& reason) {
  if (!takes(Operands, r, reason) || has_empty(r, reason)) return nullptr;
  const Problem p(*r.op.as<Conv<N>>(), r.inputs[0].shape, r.inputs[1].shape, r.outputs[0].shape);
  return guarded(reason, f32_flops(Operands, p.flops), [&]() -> std::unique_ptr<Kernel> {
    const auto desc = fastest(Operands, [&](Type type) { return p.forward(type); });
    auto program = std::make_unique<Program>(p.flops);
    const dnnl::memory x = program->input_as(0, plain(p.x, Operands), desc.src_desc());
    const dnnl::memory weight = program->input_as(1, plain(p.weight, Operands), desc.weights_desc());
    const dnnl::memory y = program->output_as(0, plain(p.y), desc.dst_desc());
    program->add(dnnl::convolution_forward(desc), desc,
                 {{DNNL_ARG_SRC, x}, {DNNL_ARG_WEIGHTS, weight}, {DNNL_ARG_DST, y}});
    program->deliver(0, plain(p.y), y);
    return program;
  });
}

template <int N, Type Operands>
std::unique_ptr<Kernel> make_input_gradient(const Request& r, std::string& reason) {
  if (!takes(Operands, r, reason) || has_empty(r, reason)) return nullptr;
  const Conv<N>& conv = r.op.as<ConvInputGradient<N>>()->conv;
  const Problem p(conv, r.outputs[0].shape, r.inputs[1].shape, r.inputs[0].shape);
  return guarded(reason, f32_flops(Operands, p.flops), [&]() -> std::unique_ptr<Kernel> {
    const auto desc = fastest(Operands, [&](Type type) {
      return conv_input_gradient_desc(any(p.x), any(p.weight, type), any(p.y, type), p.windows, p.forward(type));
    });
    auto program = std::make_unique<Program>(p.flops);
    const dnnl::memory dy = program->input_as(0, plain(p.y, Operands), desc.diff_dst_desc());
    const dnnl::memory weight = program->input_as(1, plain(p.weight, Operands), desc.weights_desc());
    const dnnl::memory dx = program->output_as(0, plain(p.x), desc.diff_src_desc());
    program->add(dnnl::convolution_backward_data(desc), desc,
                 {{DNNL_ARG_DIFF_DST, dy}, {DNNL_ARG_WEIGHTS, weight}, {DNNL_ARG_DIFF_SRC, dx}});
    program->deliver(0, plain(p.x), dx);
    return program;
  });
}

template <int N, Type Operands>
std::unique_ptr<Kernel> make_weight_gradient(const Request& r, std::string& reason) {
  if (!takes(Operands, r, reason) || has_empty(r, reason)) return nullptr;
  const Conv<N>& conv = r.op.as<ConvWeightGradient<N>>()->conv;
  const Problem p(conv, r.inputs[0].shape, r.outputs[0].shape, r.inputs[1].shape);
  return guarded(reason, f32_flops(Operands, p.flops), [&]() -> std::unique_ptr<Kernel> {
    const auto desc = fastest(Operands, [&](Type type) {
      return conv_weight_gradient_desc(any(p.x, type), any(p.weight), any(p.y, type), p.windows, p.forward(type));
    });
    auto program = std::make_unique<Program>(p.flops);
    const dnnl::memory x = program->input_as(0, plain(p.x, Operands), desc.src_desc());
    const dnnl::memory dy = program->input_as(1, plain(p.y, Operands), desc.diff_dst_desc());
    const dnnl::memory dw = program->output_as(0, plain(p.weight), desc.diff_weights_desc());
    program->add(dnnl::convolution_backward_weights(desc), desc,
                 {{DNNL_ARG_SRC, x}, {DNNL_ARG_DIFF_DST, dy}, {DNNL_ARG_DIFF_WEIGHTS, dw}});
    program->deliver(0, plain(p.weight), dw);
    return program;
  });
}

template <int N, Type Operands>
void add_kernels(std::vector<Implementation>& list) {
  constexpr std::string_view name = Operands == Type::f32 ? "onednn" : "bf16";
  list.push_back({Conv<N>().name(), name, make_conv<N, Operands>});
  list.push_back({ConvInputGradient<N>().name(), name, make_input_gradient<N, Operands>});
  list.push_back({ConvWeightGradient<N>().name(), name, make_weight_gradient<N, Operands>});
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
  return list;
}

}  // namespace gradus::kernel
