// The LSTM by its definition, one sequence after the other; sums in double.
#include <cmath>

#include "gradus/base/parallel.h"
#include "gradus/kernel/registry.h"
#include "gradus/kernel/sequence/kernels.h"
#include "gradus/ops/recurrent/lstm.h"

namespace gradus::kernel {
namespace {

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

/// Sizes, and where things lie.
struct Sizes {
  std::int64_t steps, batch, width;
  bool reverse;

  Sizes(const Request& request, bool backwards)
      : steps(request.inputs[0].shape[0]),
        batch(request.inputs[0].shape[1]),
        width(request.inputs[1].shape[1]),
        reverse(backwards) {}
  /// Position in time of the step that comes as number `step`.
  std::int64_t time(std::int64_t step) const { return reverse ? steps - 1 - step : step; }
  /// Of the state of sequence `b` behind step `step`.
  std::int64_t state(std::int64_t step, std::int64_t b) const { return (time(step) * batch + b) * width; }
  double flops() const { return 8.0 * static_cast<double>(steps * batch * width) * static_cast<double>(width); }
};

template <class T>
class ReferenceLstm final : public Kernel {
 public:
  explicit ReferenceLstm(const Sizes& sizes) : s_(sizes) {}

  Status run(const Arguments& arguments) const noexcept override {
    parallel_for(s_.batch, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t b = begin; b < end; ++b) {
        for (std::int64_t step = 0; step < s_.steps; ++step) run_step(arguments, step, b);
      }
    });
    return {};
  }
  double flops() const override { return s_.flops(); }

 private:
  void run_step(const Arguments& arguments, std::int64_t step, std::int64_t b) const {
    const std::int64_t width = s_.width, at = s_.state(step, b);
    T *h = arguments.output<T>(0) + at, *c = arguments.output<T>(1) + at, *gates = arguments.output<T>(2) + 4 * at;
    const T* x = arguments.input<T>(0) + 4 * at;
    const T* w = arguments.input<T>(1);
    const T* h_before = step == 0 ? arguments.input<T>(2) + b * width : arguments.output<T>(0) + s_.state(step - 1, b);
    const T* c_before = step == 0 ? arguments.input<T>(3) + b * width : arguments.output<T>(1) + s_.state(step - 1, b);
    for (std::int64_t row = 0; row < 4 * width; ++row) {
      double z = static_cast<double>(x[row]);
      for (std::int64_t k = 0; k < width; ++k) {
        z += static_cast<double>(w[row * width + k]) * static_cast<double>(h_before[k]);
      }
      gates[row] = static_cast<T>(row / width == 2 ? std::tanh(z) : sigmoid(z));
    }
    for (std::int64_t k = 0; k < width; ++k) {
      const auto gate = [&](std::int64_t i) { return static_cast<double>(gates[i * width + k]); };
      const double cell = gate(1) * static_cast<double>(c_before[k]) + gate(0) * gate(2);
      c[k] = static_cast<T>(cell);
      h[k] = static_cast<T>(gate(3) * std::tanh(cell));
    }
  }

  Sizes s_;
};

template <class T>
class ReferenceLstmGradient final : public Kernel {
 public:
  ReferenceLstmGradient(const Sizes& sizes, bool has_cells) : s_(sizes), has_cells_(has_cells) {}

  Status run(const Arguments& arguments) const noexcept override {
    auto* carried = reinterpret_cast<double*>(arguments.scratch);
    parallel_for(s_.batch, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t b = begin; b < end; ++b) run_sequence(arguments, b, carried + 2 * b * s_.width);
    });
    return {};
  }
  std::size_t scratch_bytes() const override {
    return static_cast<std::size_t>(2 * s_.batch * s_.width) * sizeof(double);
  }
  double flops() const override { return s_.flops(); }

 private:
  /// `dh`: what flows back to the state behind a step from the steps after it, then the same for the cell.
  void run_sequence(const Arguments& arguments, std::int64_t b, double* dh) const {
    const std::int64_t width = s_.width;
    double* dc = dh + width;
    for (std::int64_t k = 0; k < 2 * width; ++k) dh[k] = 0;
    for (std::int64_t step = s_.steps; step-- > 0;) {
      gate_gradients(arguments, step, b, dh, dc);
      const T* dz = arguments.output<T>(0) + 4 * s_.state(step, b);
      const T* w = arguments.input<T>(1);
      for (std::int64_t k = 0; k < width; ++k) {
        dh[k] = 0;
        for (std::int64_t row = 0; row < 4 * width; ++row) {
          dh[k] += static_cast<double>(dz[row]) * static_cast<double>(w[row * width + k]);
        }
      }
    }
    for (std::int64_t k = 0; k < width; ++k) {
      arguments.output<T>(1)[b * width + k] = static_cast<T>(dh[k]);
      arguments.output<T>(2)[b * width + k] = static_cast<T>(dc[k]);
    }
  }

  void gate_gradients(const Arguments& arguments, std::int64_t step, std::int64_t b, const double* dh_after,
                      double* dc) const {
    const std::int64_t width = s_.width, at = s_.state(step, b);
    const T *c = arguments.input<T>(4) + at, *gates = arguments.input<T>(5) + 4 * at, *dy = arguments.input<T>(6) + at;
    const T* c_before = step == 0 ? arguments.input<T>(3) + b * width : arguments.input<T>(4) + s_.state(step - 1, b);
    T* dz = arguments.output<T>(0) + 4 * at;
    for (std::int64_t k = 0; k < width; ++k) {
      const auto gate = [&](std::int64_t index) { return static_cast<double>(gates[index * width + k]); };
      const double i = gate(0), f = gate(1), g = gate(2), o = gate(3);
      const double dh = dh_after[k] + static_cast<double>(dy[k]), tc = std::tanh(static_cast<double>(c[k]));
      if (has_cells_) dc[k] += static_cast<double>(arguments.input<T>(7)[at + k]);
      dc[k] += dh * o * (1 - tc * tc);
      dz[k] = static_cast<T>(dc[k] * g * i * (1 - i));
      dz[width + k] = static_cast<T>(dc[k] * static_cast<double>(c_before[k]) * f * (1 - f));
      dz[2 * width + k] = static_cast<T>(dc[k] * i * (1 - g * g));
      dz[3 * width + k] = static_cast<T>(dh * tc * o * (1 - o));
      dc[k] *= f;
    }
  }

  Sizes s_;
  bool has_cells_;
};

std::unique_ptr<Kernel> make_lstm(const Request& request, std::string& reason) {
  const Sizes sizes(request, request.op.as<Lstm>()->reverse);
  switch (request.inputs[0].dtype) {
    case DType::f32: return std::make_unique<ReferenceLstm<float>>(sizes);
    case DType::f64: return std::make_unique<ReferenceLstm<double>>(sizes);
    default: reason = "only f32 and f64"; return nullptr;
  }
}

std::unique_ptr<Kernel> make_lstm_gradient(const Request& request, std::string& reason) {
  const Sizes sizes(request, request.op.as<LstmGradient>()->reverse);
  const bool has_cells = request.inputs.size() > 7;
  switch (request.inputs[0].dtype) {
    case DType::f32: return std::make_unique<ReferenceLstmGradient<float>>(sizes, has_cells);
    case DType::f64: return std::make_unique<ReferenceLstmGradient<double>>(sizes, has_cells);
    default: reason = "only f32 and f64"; return nullptr;
  }
}

}  // namespace

std::vector<Implementation> recurrent_kernels() {
  return {{"lstm", "tiles", make_tile_lstm},
          {"lstm", "reference", make_lstm},
          {"lstm_gradient", "tiles", make_tile_lstm_gradient},
          {"lstm_gradient", "reference", make_lstm_gradient}};
}

}  // namespace gradus::kernel
