// Products with weights of 8 bits: what the int8 pass (transform/lowering/quantize.h) makes of linear layers, for inference.
//
// Weights are symmetric, with one scale for each output (row): w = scale * q, q in [-127, 127]. Activations are quantised while
// the product runs, with one scale for each row. These are the numbers of torch.ao.quantization.quantize_dynamic with per-channel
// weights, except that its activations are asymmetric and have one scale for the whole batch.
#pragma once

#include <cstdint>
#include <string_view>

#include "gradus/graph/op.h"

namespace gradus {

/// Elements of a row, padded for vectors.
constexpr std::int64_t quantized_stride(std::int64_t inner) { return (inner + 63) / 64 * 64; }
/// Bytes of a quantised matrix (rows, inner): the rows, then f32 scales, then i32 sums of the rows.
constexpr std::int64_t quantized_bytes(std::int64_t rows, std::int64_t inner) {
  return rows * (quantized_stride(inner) + 8);
}

/// A matrix f32 (rows, inner) -> u8 (quantized_bytes). A row that is not finite gets the scale NaN.
struct QuantizeRows {
  std::string_view name() const { return "quantize_rows"; }
  OpFamily family() const { return OpFamily::opaque; }
  Specs infer(std::span<const TensorSpec> inputs) const;
  /// Exists only below the gradient: asking for one is a defect.
  Tensors vjp(const VjpArgs& args) const;
  friend bool operator==(const QuantizeRows&, const QuantizeRows&) = default;
};

/// x f32 (.., inner) times the transpose of a quantised matrix (rows, inner) -> f32 (.., rows). The sums are exact.
struct QuantizedMatMul {
  std::int64_t rows = 0;

  std::string_view name() const { return "quantized_matmul"; }
  OpFamily family() const { return OpFamily::opaque; }
  Specs infer(std::span<const TensorSpec> inputs) const;
  /// Exists only below the gradient: asking for one is a defect.
  Tensors vjp(const VjpArgs& args) const;
  friend bool operator==(const QuantizedMatMul&, const QuantizedMatMul&) = default;
};

}  // namespace gradus
