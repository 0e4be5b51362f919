// Average pooling by oneDNN.
#include "gradus/ops/pooling/pool.h"
#include "gradus/kernel/onednn/program.h"
#include "gradus/kernel/registry.h"

namespace gradus::kernel {
namespace onednn {
namespace {

struct Problem {
  dnnl::memory::dims x, y, kernel;
  Windows windows;
  dnnl::algorithm algorithm;

  Problem(const AvgPool2d& pool, const Shape& x_shape, const Shape& y_shape)
      : x(x_shape.begin(), x_shape.end()),
        y(y_shape.begin(), y_shape.end()),
        kernel(pool.windows.kernel.begin(), pool.windows.kernel.end()),
        windows{{pool.windows.stride.begin(), pool.windows.stride.end()},
                {0, 0},
                {pool.windows.padding.begin(), pool.windows.padding.end()},
                {behind(pool.windows, 0, x_shape, y_shape), behind(pool.windows, 1, x_shape, y_shape)}},
        algorithm(pool.count_include_pad ? dnnl::algorithm::pooling_avg_include_padding
                                         : dnnl::algorithm::pooling_avg_exclude_padding) {}

  /// Padding behind an axis: what the last window reaches.
  static std::int64_t behind(const PoolWindows& w, std::size_t i, const Shape& x_shape, const Shape& y_shape) {
    const int axis = static_cast<int>(i) + 2;
    return (y_shape[axis] - 1) * w.stride[i] + w.kernel[i] - x_shape[axis] - w.padding[i];
  }
  /// Whether windows reach beyond the padding, where their elements do not count.
  bool overhangs() const {
    return windows.padding_behind[0] > windows.padding[0] || windows.padding_behind[1] > windows.padding[1];
  }

  /// Additions of one pass.
  double work() const {
    double product = static_cast<double>(kernel[0] * kernel[1]);
    for (const auto size : y) product *= static_cast<double>(size);
    return product;
  }

  dnnl::pooling_forward::primitive_desc forward() const {
    return pool_desc(algorithm, plain(x), plain(y), kernel, windows);
  }
};

bool refuses(const Problem& p, std::string& reason) {
  if (!p.overhangs()) return false;
  reason = "windows reach beyond the padding";
  return true;
}

std::unique_ptr<Kernel> make_avg(const Request& r, std::string& reason) {
  if (!all_f32(r, reason) || has_empty(r, reason)) return nullptr;
  const Problem p(*r.op.as<AvgPool2d>(), r.inputs[0].shape, r.outputs[0].shape);
  if (refuses(p, reason)) return nullptr;
  return guarded(reason, p.work(), [&]() -> std::unique_ptr<Kernel> {
    const auto desc = p.forward();
    auto program = std::make_unique<Program>(0);
    program->add(dnnl::pooling_forward(desc), desc,
                 {{DNNL_ARG_SRC, program->input(0, plain(p.x))}, {DNNL_ARG_DST, program->output(0, plain(p.y))}});
    return program;
  });
}

std::unique_ptr<Kernel> make_avg_gradient(const Request& r, std::string& reason) {
  if (!all_f32(r, reason) || has_empty(r, reason)) return nullptr;
  const Problem p(r.op.as<AvgPool2dGradient>()->pool, r.outputs[0].shape, r.inputs[0].shape);
  if (refuses(p, reason)) return nullptr;
  return guarded(reason, p.work(), [&]() -> std::unique_ptr<Kernel> {
    const auto desc = pool_gradient_desc(p.algorithm, plain(p.x), plain(p.y), p.kernel, p.windows, p.forward());
    auto program = std::make_unique<Program>(0);
    program->add(
        dnnl::pooling_backward(desc), desc,
        {{DNNL_ARG_DIFF_DST, program->input(0, plain(p.y))}, {DNNL_ARG_DIFF_SRC, program->output(0, plain(p.x))}});
    return program;
  });
}

}  // namespace
}  // namespace onednn

std::vector<Implementation> onednn_pool_kernels() {
  return {{"avg_pool2d", "onednn", onednn::make_avg}, {"avg_pool2d_gradient", "onednn", onednn::make_avg_gradient}};
}

}  // namespace gradus::kernel
