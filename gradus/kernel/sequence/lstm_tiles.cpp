// The LSTM in f32, its products in f32 or bf16: every thread takes a part of the batch through all steps, so that threads wait for
// each other only once. The recurrent weight is packed once for all steps.
#include <algorithm>
#include <cstdint>

#include "gradus/base/parallel.h"
#include "gradus/kernel/sequence/kernels.h"
#include "gradus/kernel/sequence/lstm_tiles.h"
#include "gradus/kernel/sequence/narrow.h"
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
  if (s.narrow) {
    if (first == 0) narrow::pack_right_transposed(s.w, s.width, s.width, 4 * s.width, s.packed_narrow);
    return;
  }
  pack_transposed(s.w, s.width, s.width, 4 * s.width, s.packed, std::min(first, panels_of(4 * s.width)),
                  std::min(last, panels_of(4 * s.width)));
}

void pack_backward(const Sequence& s, std::size_t, std::size_t) {
  if (s.narrow) return narrow::pack_right(s.w, s.width, 4 * s.width, s.width, s.packed_narrow);
  pack(s.w, s.width, 4 * s.width, s.width, 4 * s.width, s.packed);
}

/// Products [rows, depth] x [depth, columns] of bf16 with a weight that is packed.
class NarrowProduct {
 public:
  /// `room`: narrow::left_size(rows, depth) elements.
  NarrowProduct(const std::uint16_t* weight, std::size_t rows, std::size_t depth, std::size_t columns, float* room)
      : weight_(weight), rows_(rows), depth_(depth), columns_(columns), left_(reinterpret_cast<std::uint16_t*>(room)) {}

  /// c = x w; `x` is dense, and `c` has room for whole tiles.
  void operator()(const float* x, float* c, std::size_t c_row) const {
    const std::size_t depth = narrow::round_up(depth_, narrow::depth_block);
    narrow::pack_left(x, depth_, rows_, depth_, left_);
    narrow::multiply(narrow::round_up(rows_, narrow::tile_rows) / narrow::tile_rows,
                     narrow::round_up(columns_, narrow::panel_width) / narrow::panel_width, depth / narrow::depth_block,
                     {left_, depth}, {weight_, depth * narrow::panel_width}, c, c_row, false);
  }

 private:
  const std::uint16_t* weight_;
  std::size_t rows_, depth_, columns_;
  std::uint16_t* left_;
  narrow::Tiles tiles_;
};

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

/// `product(h, z)` writes w h of all sequences to rows of `z_row` elements.
template <class Product>
void forward_steps(const Sequence& s, const Part& part, std::size_t z_row, const Product& product) {
  for (std::size_t step = 0; step < s.steps; ++step) {
    const std::size_t at = (s.time(step) * s.batch + part.begin) * s.width;
    const std::size_t before = step == 0 ? part.begin * s.width : (s.time(step - 1) * s.batch + part.begin) * s.width;
    const float* h_before = (step == 0 ? s.h0 : s.h) + before;
    const float* c_before = (step == 0 ? s.c0 : s.c) + before;
    const std::size_t rows = part.end - part.begin;
    product(h_before, part.scratch);
    for (std::size_t row = 0; row < rows; ++row) {
      const std::size_t here = at + row * s.width;
      forward_row(s.width, part.scratch + row * z_row, s.x + 4 * here, c_before + row * s.width, s.gates + 4 * here,
                  s.c + here, s.h + here);
    }
  }
}

void forward_part(const Sequence& s, const Part& part) {
  const std::size_t rows = part.end - part.begin, z_row = padded(4 * s.width) + sequence_padding;
  if (s.narrow) {
    float* room = part.scratch + narrow::round_up(rows, narrow::tile_rows) * z_row;
    const NarrowProduct product(s.packed_narrow, rows, s.width, 4 * s.width, room);
    return forward_steps(s, part, z_row, [&](const float* h, float* z) { product(h, z, z_row); });
  }
  const Right weight{s.packed, s.width * panel_width};
  forward_steps(s, part, z_row, [&](const float* h, float* z) {
    multiply(rows, panels_of(4 * s.width), s.width, {h, s.width, 1}, weight, z, z_row, false);
  });
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

/// `product(dz, dh)` writes dz w of all sequences to rows of padded(width) elements.
template <class Product>
void backward_steps(const Sequence& s, const Gradient& g, const Part& part, const Product& product) {
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
    product(g.dx + 4 * at, dh);
  }
  for (std::size_t row = 0; row < rows; ++row) {
    std::copy_n(dh + row * row_size, s.width, g.dh0 + (part.begin + row) * s.width);
  }
}

void backward_part(const Sequence& s, const Gradient& g, const Part& part) {
  const std::size_t rows = part.end - part.begin, row_size = padded(s.width);
  if (s.narrow) {
    float* room = part.scratch + narrow::round_up(rows, narrow::tile_rows) * row_size;
    const NarrowProduct product(s.packed_narrow, rows, 4 * s.width, s.width, room);
    return backward_steps(s, g, part, [&](const float* dz, float* dh) { product(dz, dh, row_size); });
  }
  const Right weight{s.packed, 4 * s.width * panel_width};
  backward_steps(s, g, part, [&](const float* dz, float* dh) {
    multiply(rows, panels_of(s.width), 4 * s.width, {dz, 4 * s.width, 1}, weight, dh, row_size, false);
  });
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

std::size_t width_of(const Request& request) { return static_cast<std::size_t>(request.inputs[1].shape[1]); }

/// What both directions share: the packed weight, and the parts of the batch.
class TileLstm : public Kernel {
 public:
  /// `depth`: of the product in every step.
  TileLstm(const Request& request, bool reverse, bool narrow, std::size_t row_size, std::size_t depth)
      : functions_(HWY_DYNAMIC_DISPATCH(find_lstm)()), row_size_(row_size) {
    const Shape& x = request.inputs[0].shape;
    sizes_.steps = static_cast<std::size_t>(x[0]);
    sizes_.batch = static_cast<std::size_t>(x[1]);
    sizes_.width = static_cast<std::size_t>(request.inputs[1].shape[1]);
    sizes_.reverse = reverse;
    sizes_.narrow = narrow;
    packed_size_ = padded(4 * sizes_.width) * padded(sizes_.width);
    if (narrow) row_size_ += narrow::round_up(depth, narrow::depth_block) / 2;
  }

  std::size_t scratch_bytes() const override {
    return (packed_size_ + narrow::round_up(sizes_.batch, narrow::tile_rows) * row_size_) * sizeof(float);
  }
  double flops() const override {
    return 8.0 * static_cast<double>(sizes_.steps * sizes_.batch * sizes_.width) * static_cast<double>(sizes_.width);
  }

 protected:
  template <class Body>
  void over_batch(float* scratch, const Body& body) const {
    // In bf16 whole tiles of sequences, so that the padding of one part is no row of another.
    const std::size_t unit = sizes_.narrow ? narrow::tile_rows : 1, units = (sizes_.batch + unit - 1) / unit;
    parallel_for(static_cast<std::int64_t>(units), sizes_.narrow ? 1 : 4, [&](std::int64_t begin, std::int64_t end) {
      const std::size_t first = static_cast<std::size_t>(begin) * unit, last = static_cast<std::size_t>(end) * unit;
      body(Part{first, std::min(last, sizes_.batch), scratch + packed_size_ + first * row_size_});
    });
  }

  Functions functions_;
  Sequence sizes_{};
  std::size_t row_size_, packed_size_;
};

class TileLstmForward final : public TileLstm {
 public:
  TileLstmForward(const Request& request, bool reverse, bool narrow)
      : TileLstm(request, reverse, narrow, padded(4 * width_of(request)) + sequence_padding, width_of(request)) {}

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
    s.packed_narrow = reinterpret_cast<std::uint16_t*>(arguments.scratch);
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
  TileLstmGradient(const Request& request, bool reverse, bool narrow)
      : TileLstm(request, reverse, narrow, padded(width_of(request)), 4 * width_of(request)),
        has_cells_(request.inputs.size() > 7) {}

  Status run(const Arguments& arguments) const noexcept override {
    Sequence s = sizes_;
    s.w = arguments.input<float>(1);
    s.c0 = arguments.input<float>(3);
    // Read only, this way round.
    s.c = const_cast<float*>(arguments.input<float>(4));
    s.gates = const_cast<float*>(arguments.input<float>(5));
    s.packed = reinterpret_cast<float*>(arguments.scratch);
    s.packed_narrow = reinterpret_cast<std::uint16_t*>(arguments.scratch);
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
  const Lstm& op = *request.op.as<Lstm>();
  return std::make_unique<TileLstmForward>(request, op.reverse, op.narrow && narrow::available());
}

std::unique_ptr<Kernel> make_tile_lstm_gradient(const Request& request, std::string& reason) {
  if (!takes(request, reason)) return nullptr;
  const LstmGradient& op = *request.op.as<LstmGradient>();
  return std::make_unique<TileLstmGradient>(request, op.reverse, op.narrow && narrow::available());
}

}  // namespace gradus::kernel
#endif  // HWY_ONCE
