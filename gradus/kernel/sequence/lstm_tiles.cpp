// The LSTM in f32: every thread takes a part of the batch through all steps, so that threads wait for each other only once. The
// recurrent weight is packed once for all steps.
#include <algorithm>
#include <cstdint>

#include "gradus/base/parallel.h"
#include "gradus/kernel/sequence/kernels.h"
#include "gradus/kernel/sequence/lstm_tiles.h"
#include "gradus/ops/recurrent/lstm.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "gradus/kernel/sequence/lstm_tiles.cpp"
#include <hwy/foreach_target.h>
//
#include "gradus/kernel/sequence/product-inl.h"

HWY_BEFORE_NAMESPACE();
namespace gradus::kernel {
namespace HWY_NAMESPACE {
namespace {

using lstm_tiles::Gradient;
using lstm_tiles::Part;
using lstm_tiles::Sequence;

void pack_forward(const Sequence& s, std::size_t first, std::size_t last) {
  pack_transposed(s.w, s.width, s.width, 4 * s.width, s.packed, std::min(first, panels_of(4 * s.width)),
                  std::min(last, panels_of(4 * s.width)));
}

void pack_backward(const Sequence& s, std::size_t, std::size_t) {
  pack(s.w, s.width, 4 * s.width, s.width, 4 * s.width, s.packed);
}

/// Gates and states of one sequence at one step, from z = w h.
void forward_row(std::size_t width, const float* z, const float* x, const float* c_before, float* gates, float* c,
                 float* h) {
  const Tag d;
  for (std::size_t k = 0; k < width; k += lanes) {
    const auto sum = [&](std::size_t gate) {
      return hn::Add(hn::LoadU(d, z + gate * width + k), load_part(x + gate * width, k, width, 0));
    };
    const Vector i = logistic(sum(0)), f = logistic(sum(1)), g = hyperbolic_tangent(sum(2)), o = logistic(sum(3));
    const Vector cell = hn::MulAdd(f, load_part(c_before, k, width, 0), hn::Mul(i, g));
    store_part(i, gates, k, width);
    store_part(f, gates + width, k, width);
    store_part(g, gates + 2 * width, k, width);
    store_part(o, gates + 3 * width, k, width);
    store_part(cell, c, k, width);
    store_part(hn::Mul(o, hyperbolic_tangent(cell)), h, k, width);
  }
}

void forward_part(const Sequence& s, const Part& part) {
  const Right weight{s.packed, s.width * panel_width};
  const std::size_t z_row = padded(4 * s.width) + sequence_padding;
  for (std::size_t step = 0; step < s.steps; ++step) {
    const std::size_t at = (s.time(step) * s.batch + part.begin) * s.width;
    const std::size_t before = step == 0 ? part.begin * s.width : (s.time(step - 1) * s.batch + part.begin) * s.width;
    const float* h_before = (step == 0 ? s.h0 : s.h) + before;
    const float* c_before = (step == 0 ? s.c0 : s.c) + before;
    const std::size_t rows = part.end - part.begin;
    multiply(rows, panels_of(4 * s.width), s.width, {h_before, s.width, 1}, weight, part.scratch, z_row, false);
    for (std::size_t row = 0; row < rows; ++row) {
      const std::size_t here = at + row * s.width;
      forward_row(s.width, part.scratch + row * z_row, s.x + 4 * here, c_before + row * s.width, s.gates + 4 * here,
                  s.c + here, s.h + here);
    }
  }
}

/// What flows back to the gates of one sequence at one step; `dh` comes from the step after it, `dc` goes on to the one
/// before it.
void backward_row(std::size_t width, const float* dh_after, const float* dy, const float* dcells, const float* gates,
                  const float* c, const float* c_before, float* dc, float* dz) {
  const Tag d;
  const Vector one = hn::Set(d, 1.f);
  for (std::size_t k = 0; k < width; k += lanes) {
    const auto gate = [&](std::size_t index) { return load_part(gates + index * width, k, width, 0); };
    const Vector i = gate(0), f = gate(1), g = gate(2), o = gate(3);
    const Vector tc = hyperbolic_tangent(load_part(c, k, width, 0));
    const Vector dh = hn::Add(load_part(dh_after, k, width, 0), load_part(dy, k, width, 0));
    Vector cell = load_part(dc, k, width, 0);
    if (dcells) cell = hn::Add(cell, load_part(dcells, k, width, 0));
    cell = hn::MulAdd(hn::Mul(dh, o), hn::NegMulAdd(tc, tc, one), cell);
    const auto slope = [&](Vector y) { return hn::NegMulAdd(y, y, y); };  // y (1 - y)
    store_part(hn::Mul(hn::Mul(cell, g), slope(i)), dz, k, width);
    store_part(hn::Mul(hn::Mul(cell, load_part(c_before, k, width, 0)), slope(f)), dz + width, k, width);
    store_part(hn::Mul(hn::Mul(cell, i), hn::NegMulAdd(g, g, one)), dz + 2 * width, k, width);
    store_part(hn::Mul(hn::Mul(dh, tc), slope(o)), dz + 3 * width, k, width);
    store_part(hn::Mul(cell, f), dc, k, width);
  }
}

void backward_part(const Sequence& s, const Gradient& g, const Part& part) {
  const Right weight{s.packed, 4 * s.width * panel_width};
  const std::size_t rows = part.end - part.begin, row_size = padded(s.width);
  float* dh = part.scratch;
  float* dc = g.dc0 + part.begin * s.width;
  std::fill_n(dh, rows * row_size, 0.f);
  std::fill_n(dc, rows * s.width, 0.f);
  for (std::size_t step = s.steps; step-- > 0;) {
    const std::size_t at = (s.time(step) * s.batch + part.begin) * s.width;
    const float* c_before =
        step == 0 ? s.c0 + part.begin * s.width : s.c + (s.time(step - 1) * s.batch + part.begin) * s.width;
    for (std::size_t row = 0; row < rows; ++row) {
      const std::size_t here = at + row * s.width;
      backward_row(s.width, dh + row * row_size, g.dy + here, g.dcells ? g.dcells + here : nullptr, s.gates + 4 * here,
                   s.c + here, c_before + row * s.width, dc + row * s.width, g.dx + 4 * here);
    }
    multiply(rows, panels_of(s.width), 4 * s.width, {g.dx + 4 * at, 4 * s.width, 1}, weight, dh, row_size, false);
  }
  for (std::size_t row = 0; row < rows; ++row) {
    std::copy_n(dh + row * row_size, s.width, g.dh0 + (part.begin + row) * s.width);
  }
}

}  // namespace

lstm_tiles::Functions find_lstm() { return {pack_forward, pack_backward, forward_part, backward_part}; }

}  // namespace HWY_NAMESPACE
}  // namespace gradus::kernel
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gradus::kernel {
namespace {

using lstm_tiles::Functions;
using lstm_tiles::Gradient;
using lstm_tiles::Part;
using lstm_tiles::Sequence;

HWY_EXPORT(find_lstm);

/// What both directions share: the packed weight, and the parts of the batch.
class TileLstm : public Kernel {
 public:
  TileLstm(const Request& request, bool reverse, std::size_t row_size)
      : functions_(HWY_DYNAMIC_DISPATCH(find_lstm)()), row_size_(row_size) {
    const Shape& x = request.inputs[0].shape;
    sizes_.steps = static_cast<std::size_t>(x[0]);
    sizes_.batch = static_cast<std::size_t>(x[1]);
    sizes_.width = static_cast<std::size_t>(request.inputs[1].shape[1]);
    sizes_.reverse = reverse;
    packed_size_ = padded(4 * sizes_.width) * padded(sizes_.width);
  }

  std::size_t scratch_bytes() const override { return (packed_size_ + sizes_.batch * row_size_) * sizeof(float); }
  double flops() const override {
    return 8.0 * static_cast<double>(sizes_.steps * sizes_.batch * sizes_.width) * static_cast<double>(sizes_.width);
  }

 protected:
  template <class Body>
  void over_batch(float* scratch, const Body& body) const {
    parallel_for(static_cast<std::int64_t>(sizes_.batch), 4, [&](std::int64_t begin, std::int64_t end) {
      const auto first = static_cast<std::size_t>(begin);
      body(Part{first, static_cast<std::size_t>(end), scratch + packed_size_ + first * row_size_});
    });
  }

  Functions functions_;
  Sequence sizes_{};
  std::size_t row_size_, packed_size_;
};

class TileLstmForward final : public TileLstm {
 public:
  TileLstmForward(const Request& request, bool reverse)
      : TileLstm(request, reverse,
                 padded(4 * static_cast<std::size_t>(request.inputs[1].shape[1])) + sequence_padding) {}

  Status run(const Arguments& arguments) const noexcept override {
    Sequence s = sizes_;
    s.x = arguments.input<float>(0);
    s.w = arguments.input<float>(1);
    s.h0 = arguments.input<float>(2);
    s.c0 = arguments.input<float>(3);
    s.h = arguments.output<float>(0);
    s.c = arguments.output<float>(1);
    s.gates = arguments.output<float>(2);
    s.packed = reinterpret_cast<float*>(arguments.scratch);
    // Panels are at least 8 columns wide: more than there are of wider ones is nothing to do.
    parallel_for(static_cast<std::int64_t>(padded(4 * s.width) / 8), 16, [&](std::int64_t begin, std::int64_t end) {
      functions_.pack_forward(s, static_cast<std::size_t>(begin), static_cast<std::size_t>(end));
    });
    over_batch(s.packed, [&](const Part& part) { functions_.forward(s, part); });
    return {};
  }
};

class TileLstmGradient final : public TileLstm {
 public:
  TileLstmGradient(const Request& request, bool reverse)
      : TileLstm(request, reverse, padded(static_cast<std::size_t>(request.inputs[1].shape[1]))),
        has_cells_(request.inputs.size() > 7) {}

  Status run(const Arguments& arguments) const noexcept override {
    Sequence s = sizes_;
    s.w = arguments.input<float>(1);
    s.c0 = arguments.input<float>(3);
    // Read only, this way round.
    s.c = const_cast<float*>(arguments.input<float>(4));
    s.gates = const_cast<float*>(arguments.input<float>(5));
    s.packed = reinterpret_cast<float*>(arguments.scratch);
    const Gradient gradient{arguments.input<float>(6), has_cells_ ? arguments.input<float>(7) : nullptr,
                            arguments.output<float>(0), arguments.output<float>(1), arguments.output<float>(2)};
    functions_.pack_backward(s, 0, 0);
    over_batch(s.packed, [&](const Part& part) { functions_.backward(s, gradient, part); });
    return {};
  }

 private:
  bool has_cells_;
};

bool takes(const Request& request, std::string& reason) {
  if (request.inputs[0].dtype != DType::f32) reason = "only f32";
  if (request.inputs[0].shape.numel() == 0) reason = "the input is empty";
  return reason.empty();
}

}  // namespace

std::unique_ptr<Kernel> make_tile_lstm(const Request& request, std::string& reason) {
  if (!takes(request, reason)) return nullptr;
  return std::make_unique<TileLstmForward>(request, request.op.as<Lstm>()->reverse);
}

std::unique_ptr<Kernel> make_tile_lstm_gradient(const Request& request, std::string& reason) {
  if (!takes(request, reason)) return nullptr;
  return std::make_unique<TileLstmGradient>(request, request.op.as<LstmGradient>()->reverse);
}

}  // namespace gradus::kernel
#endif  // HWY_ONCE
