// Convolutions and their gradients by their definition, accumulated in f64. Sequences and images are volumes with leading
// axes of size 1.
#include <array>
#include <type_traits>

#include "gradus/base/parallel.h"
#include "gradus/kernel/reference/support.h"
#include "gradus/kernel/registry.h"
#include "gradus/ops/conv.h"

namespace gradus::kernel {
namespace {

using Triple = std::array<std::int64_t, 3>;

/// A point of a box of these sizes from its position in row-major order.
Triple point_of(std::int64_t position, const Triple& sizes) {
  return {position / (sizes[2] * sizes[1]), position / sizes[2] % sizes[1], position % sizes[2]};
}
std::int64_t position_of(const Triple& point, const Triple& sizes) {
  return (point[0] * sizes[1] + point[1]) * sizes[2] + point[2];
}
std::int64_t count_of(const Triple& sizes) { return sizes[0] * sizes[1] * sizes[2]; }

/// Sizes of one convolution and where its elements lie.
struct Geometry {
  std::int64_t n, c, o, group_in, group_out;
  Triple in{1, 1, 1}, taps{1, 1, 1}, out{1, 1, 1};  // spatial sizes
  Triple stride{1, 1, 1}, padding{0, 0, 0}, dilation{1, 1, 1};

  template <int N>
  Geometry(const Conv<N>& op, const Shape& x, const Shape& weight, const Shape& y)
      : n(x[0]), c(x[1]), o(weight[0]), group_in(c / op.groups), group_out(o / op.groups) {
    for (int i = 0; i < N; ++i) {
      const auto at = static_cast<std::size_t>(i + 3 - N), from = static_cast<std::size_t>(i);
      in[at] = x[i + 2];
      taps[at] = weight[i + 2];
      out[at] = y[i + 2];
      stride[at] = op.stride[from];
      padding[at] = op.padding[from];
      dilation[at] = op.dilation[from];
    }
  }

  /// Position within a plane of x that `tap` reads for output point `y`, or -1 when it lies outside.
  std::int64_t input(const Triple& y, const Triple& tap) const {
    Triple point;
    for (std::size_t i = 0; i < 3; ++i) {
      point[i] = y[i] * stride[i] - padding[i] + tap[i] * dilation[i];
      if (point[i] < 0 || point[i] >= in[i]) return -1;
    }
    return position_of(point, in);
  }
  /// The other way: position of the output point whose `tap` reads point `x`, or -1.
  std::int64_t output(const Triple& x, const Triple& tap) const {
    Triple point;
    for (std::size_t i = 0; i < 3; ++i) {
      const std::int64_t distance = x[i] + padding[i] - tap[i] * dilation[i];
      if (distance < 0 || distance % stride[i] != 0 || distance / stride[i] >= out[i]) return -1;
      point[i] = distance / stride[i];
    }
    return position_of(point, out);
  }
  std::int64_t in_count() const { return count_of(in); }
  std::int64_t tap_count() const { return count_of(taps); }
  std::int64_t out_count() const { return count_of(out); }
  double flops() const {
    return 2.0 * static_cast<double>(n * o * out_count()) * static_cast<double>(group_in * tap_count());
  }
};

template <class T, class Out>
class ReferenceConv final : public Kernel {
 public:
  explicit ReferenceConv(const Geometry& g) : g_(g) {}

  Status run(const Arguments& arguments) const noexcept override {
    const T* x = arguments.input<T>(0);
    const T* weight = arguments.input<T>(1);
    Out* y = arguments.output<Out>();
    const std::int64_t points = g_.out_count();
    parallel_for(g_.n * g_.o * points, 256, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t at = begin; at < end; ++at) {
        y[at] = static_cast<Out>(
            element(x, weight, at / (points * g_.o), at / points % g_.o, point_of(at % points, g_.out)));
      }
    });
    return {};
  }
  double flops() const override { return g_.flops(); }

 private:
  double element(const T* x, const T* weight, std::int64_t example, std::int64_t out, const Triple& point) const {
    const std::int64_t first = out / g_.group_out * g_.group_in, taps = g_.tap_count();
    double sum = 0;
    for (std::int64_t tap = 0; tap < taps; ++tap) {
      const std::int64_t from = g_.input(point, point_of(tap, g_.taps));
      if (from < 0) continue;
      const T* element = x + (example * g_.c + first) * g_.in_count() + from;
      for (std::int64_t channel = 0; channel < g_.group_in; ++channel) {
        sum +=
            to_double(element[channel * g_.in_count()]) * to_double(weight[(out * g_.group_in + channel) * taps + tap]);
      }
    }
    return sum;
  }

  Geometry g_;
};

template <class T, class Out>
class ReferenceInputGradient final : public Kernel {
 public:
  explicit ReferenceInputGradient(const Geometry& g) : g_(g) {}

  Status run(const Arguments& arguments) const noexcept override {
    const T* cotangent = arguments.input<T>(0);
    const T* weight = arguments.input<T>(1);
    Out* dx = arguments.output<Out>();
    const std::int64_t points = g_.in_count();
    parallel_for(g_.n * g_.c * points, 256, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t at = begin; at < end; ++at) {
        dx[at] = static_cast<Out>(
            element(cotangent, weight, at / (points * g_.c), at / points % g_.c, point_of(at % points, g_.in)));
      }
    });
    return {};
  }
  double flops() const override { return g_.flops(); }

 private:
  double element(const T* cotangent, const T* weight, std::int64_t example, std::int64_t channel,
                 const Triple& point) const {
    const std::int64_t first = channel / g_.group_in * g_.group_out, taps = g_.tap_count();
    double sum = 0;
    for (std::int64_t tap = 0; tap < taps; ++tap) {
      const std::int64_t from = g_.output(point, point_of(tap, g_.taps));
      if (from < 0) continue;
      for (std::int64_t out = first; out < first + g_.group_out; ++out) {
        sum += to_double(cotangent[(example * g_.o + out) * g_.out_count() + from]) *
               to_double(weight[(out * g_.group_in + channel % g_.group_in) * taps + tap]);
      }
    }
    return sum;
  }

  Geometry g_;
};

template <class T, class Out>
class ReferenceWeightGradient final : public Kernel {
 public:
  explicit ReferenceWeightGradient(const Geometry& g) : g_(g) {}

  Status run(const Arguments& arguments) const noexcept override {
    const T* x = arguments.input<T>(0);
    const T* cotangent = arguments.input<T>(1);
    Out* dw = arguments.output<Out>();
    const std::int64_t taps = g_.tap_count();
    parallel_for(g_.o * g_.group_in * taps, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t at = begin; at < end; ++at) {
        dw[at] = static_cast<Out>(
            element(x, cotangent, at / (taps * g_.group_in), at / taps % g_.group_in, point_of(at % taps, g_.taps)));
      }
    });
    return {};
  }
  double flops() const override { return g_.flops(); }

 private:
  double element(const T* x, const T* cotangent, std::int64_t out, std::int64_t channel, const Triple& tap) const {
    const std::int64_t from = out / g_.group_out * g_.group_in + channel, points = g_.out_count();
    double sum = 0;
    for (std::int64_t example = 0; example < g_.n; ++example) {
      const T* plane = x + (example * g_.c + from) * g_.in_count();
      const T* g = cotangent + (example * g_.o + out) * points;
      for (std::int64_t point = 0; point < points; ++point) {
        const std::int64_t at = g_.input(point_of(point, g_.out), tap);
        if (at >= 0) sum += to_double(plane[at]) * to_double(g[point]);
      }
    }
    return sum;
  }

  Geometry g_;
};

template <template <class, class> class K>
std::unique_ptr<Kernel> make(DType dtype, const Geometry& geometry, std::string& reason) {
  if (dtype == DType::f32) return std::make_unique<K<float, float>>(geometry);
  if (dtype == DType::f64) return std::make_unique<K<double, double>>(geometry);
  if (dtype == DType::bf16) return std::make_unique<K<BFloat16, float>>(geometry);
  reason = "only f32, f64 and bf16";
  return nullptr;
}

template <int N>
std::unique_ptr<Kernel> make_conv(const Request& r, std::string& reason) {
  const Geometry geometry(*r.op.as<Conv<N>>(), r.inputs[0].shape, r.inputs[1].shape, r.outputs[0].shape);
  return make<ReferenceConv>(r.inputs[0].dtype, geometry, reason);
}
template <int N>
std::unique_ptr<Kernel> make_input_gradient(const Request& r, std::string& reason) {
  const Geometry geometry(r.op.as<ConvInputGradient<N>>()->conv, r.outputs[0].shape, r.inputs[1].shape,
                          r.inputs[0].shape);
  return make<ReferenceInputGradient>(r.inputs[0].dtype, geometry, reason);
}
template <int N>
std::unique_ptr<Kernel> make_weight_gradient(const Request& r, std::string& reason) {
  const Geometry geometry(r.op.as<ConvWeightGradient<N>>()->conv, r.inputs[0].shape, r.outputs[0].shape,
                          r.inputs[1].shape);
  return make<ReferenceWeightGradient>(r.inputs[0].dtype, geometry, reason);
}

template <int N>
void add_kernels(std::vector<Implementation>& list) {
  list.push_back({Conv<N>().name(), "reference", make_conv<N>});
  list.push_back({ConvInputGradient<N>().name(), "reference", make_input_gradient<N>});
  list.push_back({ConvWeightGradient<N>().name(), "reference", make_weight_gradient<N>});
}

}  // namespace

std::vector<Implementation> reference_conv_kernels() {
  std::vector<Implementation> list;
  add_kernels<1>(list);
  add_kernels<2>(list);
  add_kernels<3>(list);
  for (const Implementation& implementation : reference_channels_last_kernels()) list.push_back(implementation);
  return list;
}

}  // namespace gradus::kernel
