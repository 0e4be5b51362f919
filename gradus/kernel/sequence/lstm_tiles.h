// What the LSTM's tiles work on, whatever the target.
#pragma once

#include <cstddef>
#include <cstdint>

namespace gradus::kernel::lstm_tiles {

/// All arrays as in ops/recurrent/lstm.h.
struct Sequence {
  std::size_t steps, batch, width;
  bool reverse;
  const float *x, *w, *h0, *c0;
  float *h, *c, *gates;
  float* packed;  ///< the weight, packed for products
  bool narrow;    ///< products of bf16 (narrow.h); the weight is packed for them then
  std::uint16_t* packed_narrow;

  /// Position in time of the step that comes as number `step`.
  std::size_t time(std::size_t step) const { return reverse ? steps - 1 - step : step; }
};

struct Gradient {
  const float *dy, *dcells;  ///< the latter may be null
  float *dx, *dh0, *dc0;
};

/// Sequences [begin, end) of the batch, and the scratch memory of their rows.
struct Part {
  std::size_t begin, end;
  float* scratch;
};

struct Functions {
  void (*pack_forward)(const Sequence&, std::size_t first_panel, std::size_t last_panel);
  void (*pack_backward)(const Sequence&, std::size_t, std::size_t);
  void (*forward)(const Sequence&, const Part&);
  void (*backward)(const Sequence&, const Gradient&, const Part&);
};

}  // namespace gradus::kernel::lstm_tiles
