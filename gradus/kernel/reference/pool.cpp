// Pooling and its gradients by their definition. Every kernel works plane by plane.
#include <algorithm>
#include <cmath>
#include <limits>

#include "gradus/base/parallel.h"
#include "gradus/kernel/registry.h"
#include "gradus/ops/pooling/pool.h"

namespace gradus::kernel {
namespace {

/// A plane of the images and the plane that it is pooled to.
struct Planes {
  std::int64_t count, h, w, oh, ow;

  Planes(const Shape& images, const Shape& pooled)
      : count(images[0] * images[1]), h(images[2]), w(images[3]), oh(pooled[2]), ow(pooled[3]) {}
};

/// Rows (or columns) begin, begin + step, ... below `end` of a plane that window number `i` covers. `padded` of them are
/// covered when the padding counts, but nothing beyond it.
struct Range {
  std::int64_t begin, end, step, padded;
};
Range covered(const PoolWindows& windows, std::size_t axis, std::int64_t i, std::int64_t size) {
  const std::int64_t start = i * windows.stride[axis] - windows.padding[axis], step = windows.dilation[axis];
  const std::int64_t beyond = start + (windows.kernel[axis] - 1) * step + 1;
  const std::int64_t first = start >= 0 ? start : start + (-start + step - 1) / step * step;
  return {first, std::min(beyond, size), step, std::min(beyond, size + windows.padding[axis]) - start};
}

template <class T>
class ReferenceMaxPool final : public Kernel {
 public:
  ReferenceMaxPool(const MaxPool2d& op, const Planes& p) : windows_(op.windows), p_(p) {}

  Status run(const Arguments& arguments) const noexcept override {
    parallel_for(p_.count, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t plane = begin; plane < end; ++plane) {
        pool(arguments.input<T>(0) + plane * p_.h * p_.w, arguments.output<T>(0) + plane * p_.oh * p_.ow,
             arguments.output<std::int32_t>(1) + plane * p_.oh * p_.ow);
      }
    });
    return {};
  }

 private:
  void pool(const T* x, T* values, std::int32_t* index) const {
    for (std::int64_t row = 0; row < p_.oh; ++row) {
      for (std::int64_t column = 0; column < p_.ow; ++column) {
        const Range rows = covered(windows_, 0, row, p_.h), columns = covered(windows_, 1, column, p_.w);
        std::int64_t best = rows.begin * p_.w + columns.begin;
        for (std::int64_t r = rows.begin; r < rows.end; r += rows.step) {
          for (std::int64_t c = columns.begin; c < columns.end; c += columns.step) {
            const std::int64_t at = r * p_.w + c;
            if (x[at] > x[best] || (std::isnan(x[at]) && !std::isnan(x[best]))) best = at;
          }
        }
        values[row * p_.ow + column] = x[best];
        index[row * p_.ow + column] = static_cast<std::int32_t>(best);
      }
    }
  }

  PoolWindows windows_;
  Planes p_;
};

template <class T>
class ReferenceMaxPoolGradient final : public Kernel {
 public:
  explicit ReferenceMaxPoolGradient(const Planes& p) : p_(p) {}

  Status run(const Arguments& arguments) const noexcept override {
    const std::int64_t size = p_.h * p_.w, pooled = p_.oh * p_.ow;
    parallel_for(p_.count, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t plane = begin; plane < end; ++plane) {
        T* dx = arguments.output<T>() + plane * size;
        std::fill(dx, dx + size, T(0));
        for (std::int64_t i = plane * pooled; i < (plane + 1) * pooled; ++i) {
          dx[arguments.input<std::int32_t>(1)[i]] += arguments.input<T>(0)[i];
        }
      }
    });
    return {};
  }

 private:
  Planes p_;
};

template <class T>
class ReferenceMaxPoolGather final : public Kernel {
 public:
  explicit ReferenceMaxPoolGather(const Planes& p) : p_(p) {}

  Status run(const Arguments& arguments) const noexcept override {
    const std::int64_t size = p_.h * p_.w, pooled = p_.oh * p_.ow;
    parallel_for(p_.count, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin * pooled; i < end * pooled; ++i) {
        arguments.output<T>()[i] = arguments.input<T>(0)[i / pooled * size + arguments.input<std::int32_t>(1)[i]];
      }
    });
    return {};
  }

 private:
  Planes p_;
};

/// Number of elements that the mean of a window divides by.
double divisor(const AvgPool2d& op, Range rows, Range columns) {
  const std::int64_t elements = (rows.end - rows.begin) * (columns.end - columns.begin);
  return static_cast<double>(op.count_include_pad ? rows.padded * columns.padded : elements);
}

template <class T>
class ReferenceAvgPool final : public Kernel {
 public:
  ReferenceAvgPool(const AvgPool2d& op, const Planes& p) : op_(op), p_(p) {}

  Status run(const Arguments& arguments) const noexcept override {
    parallel_for(p_.count, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t plane = begin; plane < end; ++plane) {
        pool(arguments.input<T>(0) + plane * p_.h * p_.w, arguments.output<T>() + plane * p_.oh * p_.ow);
      }
    });
    return {};
  }

 private:
  void pool(const T* x, T* y) const {
    for (std::int64_t row = 0; row < p_.oh; ++row) {
      for (std::int64_t column = 0; column < p_.ow; ++column) {
        const Range rows = covered(op_.windows, 0, row, p_.h), columns = covered(op_.windows, 1, column, p_.w);
        double sum = 0;
        for (std::int64_t r = rows.begin; r < rows.end; ++r) {
          for (std::int64_t c = columns.begin; c < columns.end; ++c) sum += static_cast<double>(x[r * p_.w + c]);
        }
        y[row * p_.ow + column] = static_cast<T>(sum / divisor(op_, rows, columns));
      }
    }
  }

  AvgPool2d op_;
  Planes p_;
};

template <class T>
class ReferenceAvgPoolGradient final : public Kernel {
 public:
  ReferenceAvgPoolGradient(const AvgPool2d& op, const Planes& p) : op_(op), p_(p) {}

  Status run(const Arguments& arguments) const noexcept override {
    parallel_for(p_.count, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t plane = begin; plane < end; ++plane) {
        spread(arguments.input<T>(0) + plane * p_.oh * p_.ow, arguments.output<T>() + plane * p_.h * p_.w);
      }
    });
    return {};
  }

 private:
  void spread(const T* g, T* dx) const {
    for (std::int64_t r = 0; r < p_.h; ++r) {
      for (std::int64_t c = 0; c < p_.w; ++c) dx[r * p_.w + c] = static_cast<T>(element(g, r, c));
    }
  }
  /// Sum over the windows that cover element (r, c).
  double element(const T* g, std::int64_t r, std::int64_t c) const {
    double sum = 0;
    for (std::int64_t row = first_window(0, r); row < p_.oh && covered(op_.windows, 0, row, p_.h).begin <= r; ++row) {
      for (std::int64_t column = first_window(1, c); column < p_.ow; ++column) {
        const Range rows = covered(op_.windows, 0, row, p_.h), columns = covered(op_.windows, 1, column, p_.w);
        if (columns.begin > c) break;
        sum += static_cast<double>(g[row * p_.ow + column]) / divisor(op_, rows, columns);
      }
    }
    return sum;
  }
  /// The first window whose end lies behind position `i`.
  std::int64_t first_window(std::size_t axis, std::int64_t i) const {
    const std::int64_t beyond = i + op_.windows.padding[axis] - op_.windows.kernel[axis];
    return beyond < 0 ? 0 : beyond / op_.windows.stride[axis] + 1;
  }

  AvgPool2d op_;
  Planes p_;
};

template <template <class> class K, class... Args>
std::unique_ptr<Kernel> make(DType dtype, std::string& reason, const Args&... args) {
  if (dtype == DType::f32) return std::make_unique<K<float>>(args...);
  if (dtype == DType::f64) return std::make_unique<K<double>>(args...);
  reason = "only f32 and f64";
  return nullptr;
}

std::unique_ptr<Kernel> make_max(const Request& r, std::string& reason) {
  return make<ReferenceMaxPool>(r.outputs[0].dtype, reason, *r.op.as<MaxPool2d>(),
                                Planes(r.inputs[0].shape, r.outputs[0].shape));
}
std::unique_ptr<Kernel> make_max_gradient(const Request& r, std::string& reason) {
  return make<ReferenceMaxPoolGradient>(r.outputs[0].dtype, reason, Planes(r.outputs[0].shape, r.inputs[0].shape));
}
std::unique_ptr<Kernel> make_max_gather(const Request& r, std::string& reason) {
  return make<ReferenceMaxPoolGather>(r.outputs[0].dtype, reason, Planes(r.inputs[0].shape, r.outputs[0].shape));
}
std::unique_ptr<Kernel> make_avg(const Request& r, std::string& reason) {
  return make<ReferenceAvgPool>(r.outputs[0].dtype, reason, *r.op.as<AvgPool2d>(),
                                Planes(r.inputs[0].shape, r.outputs[0].shape));
}
std::unique_ptr<Kernel> make_avg_gradient(const Request& r, std::string& reason) {
  return make<ReferenceAvgPoolGradient>(r.outputs[0].dtype, reason, r.op.as<AvgPool2dGradient>()->pool,
                                        Planes(r.outputs[0].shape, r.inputs[0].shape));
}

}  // namespace

std::vector<Implementation> reference_pool_kernels() {
  return {{"max_pool2d", "reference", make_max},
          {"max_pool2d_gradient", "reference", make_max_gradient},
          {"max_pool2d_gather", "reference", make_max_gather},
          {"avg_pool2d", "reference", make_avg},
          {"avg_pool2d_gradient", "reference", make_avg_gradient}};
}

}  // namespace gradus::kernel
