// Convolutions and their gradients by their definition, accumulated in f64.
#include <type_traits>

#include "gradus/base/parallel.h"
#include "gradus/kernel/registry.h"
#include "gradus/ops/conv.h"

namespace gradus::kernel {
namespace {

/// Sizes of one convolution and where its elements lie.
struct Geometry {
  std::int64_t n, c, h, w, o, kh, kw, oh, ow, group_in, group_out;
  Conv2d conv;

  Geometry(const Conv2d& op, const Shape& x, const Shape& weight, const Shape& y)
      : n(x[0]),
        c(x[1]),
        h(x[2]),
        w(x[3]),
        o(weight[0]),
        kh(weight[2]),
        kw(weight[3]),
        oh(y[2]),
        ow(y[3]),
        group_in(c / op.groups),
        group_out(o / op.groups),
        conv(op) {}

  /// Row of the images that tap `i` of output row `row` reads; may lie outside.
  std::int64_t input_row(std::int64_t row, std::int64_t i) const {
    return row * conv.stride[0] - conv.padding[0] + i * conv.dilation[0];
  }
  std::int64_t input_column(std::int64_t column, std::int64_t j) const {
    return column * conv.stride[1] - conv.padding[1] + j * conv.dilation[1];
  }
  /// The other way: the output row whose tap `i` reads image row `row`, or -1.
  std::int64_t output_row(std::int64_t row, std::int64_t i) const {
    return inverse(row + conv.padding[0] - i * conv.dilation[0], conv.stride[0], oh);
  }
  std::int64_t output_column(std::int64_t column, std::int64_t j) const {
    return inverse(column + conv.padding[1] - j * conv.dilation[1], conv.stride[1], ow);
  }
  std::int64_t x_at(std::int64_t image, std::int64_t channel, std::int64_t row, std::int64_t column) const {
    return ((image * c + channel) * h + row) * w + column;
  }
  std::int64_t y_at(std::int64_t image, std::int64_t channel, std::int64_t row, std::int64_t column) const {
    return ((image * o + channel) * oh + row) * ow + column;
  }
  /// `channel` counts within its group.
  std::int64_t weight_at(std::int64_t out, std::int64_t channel, std::int64_t i, std::int64_t j) const {
    return ((out * group_in + channel) * kh + i) * kw + j;
  }
  bool inside(std::int64_t row, std::int64_t column) const { return row >= 0 && row < h && column >= 0 && column < w; }
  double flops() const { return 2.0 * static_cast<double>(n * o * oh * ow) * static_cast<double>(group_in * kh * kw); }

 private:
  static std::int64_t inverse(std::int64_t distance, std::int64_t stride, std::int64_t size) {
    return distance < 0 || distance % stride != 0 || distance / stride >= size ? -1 : distance / stride;
  }
};

template <class T>
class ReferenceConv final : public Kernel {
 public:
  explicit ReferenceConv(const Geometry& g) : g_(g) {}

  Status run(const Arguments& arguments) const noexcept override {
    const T* x = arguments.input<T>(0);
    const T* weight = arguments.input<T>(1);
    T* y = arguments.output<T>();
    parallel_for(g_.n * g_.o * g_.oh * g_.ow, 256, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t at = begin; at < end; ++at) {
        const std::int64_t column = at % g_.ow, row = at / g_.ow % g_.oh, out = at / (g_.ow * g_.oh) % g_.o;
        y[at] = static_cast<T>(element(x, weight, at / (g_.ow * g_.oh * g_.o), out, row, column));
      }
    });
    return {};
  }
  double flops() const override { return g_.flops(); }

 private:
  double element(const T* x, const T* weight, std::int64_t image, std::int64_t out, std::int64_t row,
                 std::int64_t column) const {
    const std::int64_t first = out / g_.group_out * g_.group_in;
    double sum = 0;
    for (std::int64_t channel = 0; channel < g_.group_in; ++channel) {
      for (std::int64_t i = 0; i < g_.kh; ++i) {
        for (std::int64_t j = 0; j < g_.kw; ++j) {
          const std::int64_t r = g_.input_row(row, i), c = g_.input_column(column, j);
          if (!g_.inside(r, c)) continue;
          sum +=
              static_cast<double>(x[g_.x_at(image, first + channel, r, c)]) * weight[g_.weight_at(out, channel, i, j)];
        }
      }
    }
    return sum;
  }

  Geometry g_;
};

template <class T>
class ReferenceInputGradient final : public Kernel {
 public:
  explicit ReferenceInputGradient(const Geometry& g) : g_(g) {}

  Status run(const Arguments& arguments) const noexcept override {
    const T* cotangent = arguments.input<T>(0);
    const T* weight = arguments.input<T>(1);
    T* dx = arguments.output<T>();
    parallel_for(g_.n * g_.c * g_.h * g_.w, 256, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t at = begin; at < end; ++at) {
        const std::int64_t column = at % g_.w, row = at / g_.w % g_.h, channel = at / (g_.w * g_.h) % g_.c;
        dx[at] = static_cast<T>(element(cotangent, weight, at / (g_.w * g_.h * g_.c), channel, row, column));
      }
    });
    return {};
  }
  double flops() const override { return g_.flops(); }

 private:
  double element(const T* cotangent, const T* weight, std::int64_t image, std::int64_t channel, std::int64_t row,
                 std::int64_t column) const {
    const std::int64_t first = channel / g_.group_in * g_.group_out;
    double sum = 0;
    for (std::int64_t out = first; out < first + g_.group_out; ++out) {
      for (std::int64_t i = 0; i < g_.kh; ++i) {
        for (std::int64_t j = 0; j < g_.kw; ++j) {
          const std::int64_t r = g_.output_row(row, i), c = g_.output_column(column, j);
          if (r < 0 || c < 0) continue;
          sum += static_cast<double>(cotangent[g_.y_at(image, out, r, c)]) *
                 weight[g_.weight_at(out, channel % g_.group_in, i, j)];
        }
      }
    }
    return sum;
  }

  Geometry g_;
};

template <class T>
class ReferenceWeightGradient final : public Kernel {
 public:
  explicit ReferenceWeightGradient(const Geometry& g) : g_(g) {}

  Status run(const Arguments& arguments) const noexcept override {
    const T* x = arguments.input<T>(0);
    const T* cotangent = arguments.input<T>(1);
    T* dw = arguments.output<T>();
    parallel_for(g_.o * g_.group_in * g_.kh * g_.kw, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t at = begin; at < end; ++at) {
        const std::int64_t j = at % g_.kw, i = at / g_.kw % g_.kh, channel = at / (g_.kw * g_.kh) % g_.group_in;
        dw[at] = static_cast<T>(element(x, cotangent, at / (g_.kw * g_.kh * g_.group_in), channel, i, j));
      }
    });
    return {};
  }
  double flops() const override { return g_.flops(); }

 private:
  double element(const T* x, const T* cotangent, std::int64_t out, std::int64_t channel, std::int64_t i,
                 std::int64_t j) const {
    const std::int64_t from = out / g_.group_out * g_.group_in + channel;
    double sum = 0;
    for (std::int64_t image = 0; image < g_.n; ++image) {
      for (std::int64_t row = 0; row < g_.oh; ++row) {
        for (std::int64_t column = 0; column < g_.ow; ++column) {
          const std::int64_t r = g_.input_row(row, i), c = g_.input_column(column, j);
          if (!g_.inside(r, c)) continue;
          sum += static_cast<double>(x[g_.x_at(image, from, r, c)]) * cotangent[g_.y_at(image, out, row, column)];
        }
      }
    }
    return sum;
  }

  Geometry g_;
};

template <template <class> class K>
std::unique_ptr<Kernel> make(DType dtype, const Geometry& geometry, std::string& reason) {
  if (dtype == DType::f32) return std::make_unique<K<float>>(geometry);
  if (dtype == DType::f64) return std::make_unique<K<double>>(geometry);
  reason = "only f32 and f64";
  return nullptr;
}

std::unique_ptr<Kernel> make_conv(const Request& r, std::string& reason) {
  const Geometry geometry(*r.op.as<Conv2d>(), r.inputs[0].shape, r.inputs[1].shape, r.outputs[0].shape);
  return make<ReferenceConv>(r.outputs[0].dtype, geometry, reason);
}
std::unique_ptr<Kernel> make_input_gradient(const Request& r, std::string& reason) {
  const Geometry geometry(r.op.as<Conv2dInputGradient>()->conv, r.outputs[0].shape, r.inputs[1].shape,
                          r.inputs[0].shape);
  return make<ReferenceInputGradient>(r.outputs[0].dtype, geometry, reason);
}
std::unique_ptr<Kernel> make_weight_gradient(const Request& r, std::string& reason) {
  const Geometry geometry(r.op.as<Conv2dWeightGradient>()->conv, r.inputs[0].shape, r.outputs[0].shape,
                          r.inputs[1].shape);
  return make<ReferenceWeightGradient>(r.outputs[0].dtype, geometry, reason);
}

}  // namespace

std::vector<Implementation> reference_conv_kernels() {
  return {{"conv2d", "reference", make_conv},
          {"conv2d_input_gradient", "reference", make_input_gradient},
          {"conv2d_weight_gradient", "reference", make_weight_gradient}};
}

}  // namespace gradus::kernel
