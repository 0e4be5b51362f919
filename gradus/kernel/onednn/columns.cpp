#include "gradus/kernel/onednn/columns.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "gradus/base/parallel.h"
#include "gradus/kernel/onednn/program.h"
#include "gradus/ops/layout/channels_last.h"

namespace gradus::kernel {
namespace onednn {
namespace {

using Pass = ConvChannelsLast::Pass;

/// Which elements of an image (n, height, width, channels) a window at each of (n, rows, columns) points covers. One row of
/// the result is one window: (taps down, taps across, channels), with zeros outside of the image.
struct Windowing {
  std::int64_t n, height, width, channels;
  std::int64_t rows, columns;                ///< windows of one image
  std::array<std::int64_t, 2> taps, stride;  ///< of windows
  std::array<std::int64_t, 2> start, step;   ///< of the first tap of the first window, and from tap to tap

  std::int64_t points() const { return n * rows * columns; }
  std::int64_t length() const { return taps[0] * taps[1] * channels; }

  /// Windows [begin, end) of bf16 elements.
  void copy(const BFloat16* image, BFloat16* out, std::int64_t begin, std::int64_t end) const {
    const auto bytes = static_cast<std::size_t>(channels) * sizeof(BFloat16);
    for (std::int64_t point = begin; point < end; ++point) {
      const std::int64_t column = point % columns, row = point / columns % rows;
      const BFloat16* plane = image + point / (columns * rows) * height * width * channels;
      for (std::int64_t r = 0; r < taps[0]; ++r) {
        const std::int64_t y = row * stride[0] + start[0] + r * step[0];
        for (std::int64_t s = 0; s < taps[1]; ++s, out += channels) {
          const std::int64_t x = column * stride[1] + start[1] + s * step[1];
          if (y >= 0 && y < height && x >= 0 && x < width) {
            std::memcpy(out, plane + (y * width + x) * channels, bytes);
          } else {
            std::fill_n(out, channels, BFloat16());
          }
        }
      }
    }
  }
};

/// Copies windows of the first operand into scratch memory and multiplies them with the other operand.
class ColumnsConv final : public Kernel {
 public:
  /// `product`: takes the windows in place of input 0.
  ColumnsConv(const Windowing& windows, std::unique_ptr<Program> product)
      : windows_(windows), product_(std::move(product)) {}

  Status run(const Arguments& arguments) const noexcept override {
    auto* windows = reinterpret_cast<BFloat16*>(arguments.scratch);
    constexpr std::int64_t worth = 1 << 15;  // elements that another thread pays for
    parallel_for(windows_.points(), std::max<std::int64_t>(1, worth / windows_.length()),
                 [&](std::int64_t begin, std::int64_t end) {
                   windows_.copy(arguments.input<BFloat16>(0), windows + begin * windows_.length(), begin, end);
                 });
    const std::array<const std::byte*, 2> inputs{arguments.scratch, arguments.inputs[1]};
    return product_->run({inputs, arguments.outputs, arguments.scratch + windows_bytes()});
  }
  std::size_t scratch_bytes() const override { return windows_bytes() + product_->scratch_bytes(); }
  double flops() const override { return product_->flops(); }

 private:
  std::size_t windows_bytes() const {
    const auto bytes = static_cast<std::size_t>(windows_.points() * windows_.length()) * sizeof(BFloat16);
    return (bytes + 63) / 64 * 64;
  }

  Windowing windows_;
  std::unique_ptr<Program> product_;
};

/// A convolution of the image `x` with `weight` (o, c, taps...), whose result has the sizes of `y`; all with channels first.
struct Problem {
  Conv2d conv;
  Shape x, weight, y;

  double flops() const { return 2.0 * static_cast<double>(y.numel()) * static_cast<double>(weight.numel(1, 4)); }
  std::int64_t inputs() const { return weight[1]; }
  std::int64_t outputs() const { return weight[0]; }
  std::int64_t taps() const { return weight[2] * weight[3]; }

  /// Of x, one window for each pixel of y.
  Windowing of_x() const {
    return {x[0],
            x[2],
            x[3],
            x[1],
            y[2],
            y[3],
            {weight[2], weight[3]},
            conv.stride,
            {-conv.padding[0], -conv.padding[1]},
            conv.dilation};
  }
  /// Of y, one window for each pixel of x: where a stride of 1 puts each tap.
  Windowing of_y() const {
    return {y[0],
            y[2],
            y[3],
            y[1],
            x[2],
            x[3],
            {weight[2], weight[3]},
            {1, 1},
            conv.padding,
            {-conv.dilation[0], -conv.dilation[1]}};
  }
};

Desc matrix(std::int64_t rows, std::int64_t columns, Type type, bool transposed = false) {
  return Desc({rows, columns}, type, transposed ? dnnl::memory::dims{1, rows} : dnnl::memory::dims{columns, 1});
}

/// The weights with other strides than row-major ones.
Desc weights(const Problem& p, Type type, const dnnl::memory::dims& strides) {
  return Desc({p.weight.begin(), p.weight.end()}, type, strides);
}

void require_fast(const dnnl::matmul::primitive_desc& desc) {
  if (!is_fast_bf16(desc.impl_info_str())) {
    throw dnnl::error(dnnl_unimplemented, "no fast product of bf16");
  }
}

/// c = a b, where b are weights in another order, seen as a matrix.
std::unique_ptr<Program> product_with_weights(const Problem& p, const Desc& a, const Desc& order, const Desc& b,
                                              const Desc& c) {
  const auto desc = matmul_desc(a, b, c);
  require_fast(desc);
  auto program = std::make_unique<Program>(p.flops());
  const dnnl::memory weight = program->input_as(1, plain({p.weight.begin(), p.weight.end()}, Type::bf16), order);
  program->add(dnnl::matmul(desc), desc,
               {{DNNL_ARG_SRC, program->input(0, a)},
                {DNNL_ARG_WEIGHTS, program->seen_as(weight, b)},
                {DNNL_ARG_DST, program->output(0, c)}});
  return program;
}

/// Windows of x, times weights (o, taps, c).
std::unique_ptr<Program> forward_product(const Problem& p, Type result) {
  const std::int64_t points = p.of_x().points(), length = p.of_x().length();
  return product_with_weights(p, matrix(points, length, Type::bf16),
                              weights(p, Type::bf16, {length, 1, p.weight[3] * p.inputs(), p.inputs()}),
                              matrix(length, p.outputs(), Type::bf16, true), matrix(points, p.outputs(), result));
}

/// Windows of the cotangent, times weights (taps, o, c).
std::unique_ptr<Program> input_gradient_product(const Problem& p, Type result) {
  const std::int64_t points = p.of_y().points(), length = p.of_y().length(), both = p.outputs() * p.inputs();
  return product_with_weights(p, matrix(points, length, Type::bf16),
                              weights(p, Type::bf16, {p.inputs(), 1, p.weight[3] * both, both}),
                              matrix(length, p.inputs(), Type::bf16), matrix(points, p.inputs(), result));
}

/// The transposed cotangent, times windows of x: weights (o, taps, c).
std::unique_ptr<Program> weight_gradient_product(const Problem& p) {
  const std::int64_t points = p.of_x().points(), length = p.of_x().length();
  const Desc a = matrix(p.outputs(), points, Type::bf16, true), b = matrix(points, length, Type::bf16);
  const Desc c = matrix(p.outputs(), length, Type::f32);
  const auto desc = matmul_desc(a, b, c);
  require_fast(desc);
  auto program = std::make_unique<Program>(p.flops());
  const bool ordered = p.taps() == 1;
  const dnnl::memory dw = ordered ? program->output(0, c) : program->scratch(c);
  program->add(dnnl::matmul(desc), desc,
               {{DNNL_ARG_SRC, program->input(1, a)}, {DNNL_ARG_WEIGHTS, program->input(0, b)}, {DNNL_ARG_DST, dw}});
  if (!ordered) {
    const Desc order = weights(p, Type::f32, {length, 1, p.weight[3] * p.inputs(), p.inputs()});
    program->deliver(0, plain({p.weight.begin(), p.weight.end()}), program->seen_as(dw, order));
  }
  return program;
}

/// Measured with 2.6.3 on AMX, one core: a weight gradient of 512 channels over 4 x 4 pixels takes 31 ms, as a product 11
/// (128 to 256 channels with stride 2: 11 and 5.5 ms; kernels of one element with stride 2: 2.4 to 4.3 ms and 0.9 to 1.7);
/// the other two passes over 4 x 4 pixels 11 and 14 ms, as products 9. Over more pixels the windows outgrow the caches.
bool pays(const Problem& p, Pass pass) {
  constexpr std::int64_t least_channels = 16, most_windows = std::int64_t{1} << 23;
  if (p.conv.groups != 1 || std::min(p.inputs(), p.outputs()) < least_channels) return false;
  const Windowing windows = pass == Pass::input_gradient ? p.of_y() : p.of_x();
  if (windows.points() * windows.length() > most_windows) return false;
  const std::int64_t row = p.y[3];
  switch (pass) {
    case Pass::forward: return row <= 4 && p.taps() > 1;
    case Pass::input_gradient: return row <= 4 && p.conv.stride == Conv2d::every(1);
    case Pass::weight_gradient: break;
  }
  return row <= 8 || p.taps() == 1;
}

Problem problem_of(const ConvChannelsLast& op, const Request& r) {
  const auto first = [](const TensorSpec& image) { return permuted(image.shape, to_channels_first); };
  switch (op.pass) {
    case Pass::forward: return {op.conv, first(r.inputs[0]), r.inputs[1].shape, first(r.outputs[0])};
    case Pass::input_gradient: return {op.conv, op.shape, r.inputs[1].shape, first(r.inputs[0])};
    case Pass::weight_gradient: break;
  }
  return {op.conv, first(r.inputs[0]), op.shape, first(r.inputs[1])};
}

std::unique_ptr<Kernel> make_columns(const Request& r, std::string& reason) {
  if (!takes(Type::bf16, r, reason) || has_empty(r, reason)) return nullptr;
  const ConvChannelsLast& op = *r.op.as<ConvChannelsLast>();
  const Problem p = problem_of(op, r);
  if (!pays(p, op.pass)) {
    reason = "long rows of pixels";
    return nullptr;
  }
  const Type result = op.result == DType::bf16 ? Type::bf16 : Type::f32;
  return guarded(reason, f32_flops(Type::bf16, p.flops()), [&]() -> std::unique_ptr<Kernel> {
    switch (op.pass) {
      case Pass::forward: return std::make_unique<ColumnsConv>(p.of_x(), forward_product(p, result));
      case Pass::input_gradient: return std::make_unique<ColumnsConv>(p.of_y(), input_gradient_product(p, result));
      case Pass::weight_gradient: break;
    }
    return std::make_unique<ColumnsConv>(p.of_x(), weight_gradient_product(p));
  });
}

}  // namespace
}  // namespace onednn

std::vector<Implementation> columns_kernels() {
  std::vector<Implementation> list;
  for (const auto pass : {onednn::Pass::forward, onednn::Pass::input_gradient, onednn::Pass::weight_gradient}) {
    list.push_back({ConvChannelsLast{pass}.name(), "columns", onednn::make_columns});
  }
  return list;
}

}  // namespace gradus::kernel
