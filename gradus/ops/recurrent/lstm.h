// Long short-term memory over a whole sequence as one operation (Hochreiter and Schmidhuber, 1997, with the forget gate of Gers,
// Schmidhuber and Cummins, 2000). The layer is nn::LSTM (nn/layers/lstm.h).
#pragma once

#include <span>

#include "gradus/graph/op.h"

namespace gradus {

/// One layer in one direction. With z_t = x_t + w h_{t-1}, whose quarters are the gates i, f, g, o:
///   c_t = sigmoid(f) c_{t-1} + sigmoid(i) tanh(g),   h_t = sigmoid(o) tanh(c_t)
///
/// Inputs: x [T, B, 4H], the input's part of all gates; w [4H, H]; h and c before the first step, [B, H] each. Outputs: h of
/// all steps [T, B, H], c of all steps [T, B, H], and the gates behind their functions [T, B, 4H], which only the gradient
/// reads. f32 or f64, the same for all; T >= 1.
struct Lstm {
  bool reverse = false;  ///< from the last step to the first
  /// Products inside may round their operands to bf16: written by mixed precision (transform/lowering/precision.h), below gradients.
  bool narrow = false;

  std::string_view name() const { return "lstm"; }
  OpFamily family() const { return OpFamily::opaque; }
  Specs infer(std::span<const TensorSpec> inputs) const;
  Tensors vjp(const VjpArgs& args) const;
  Tensors batch(const BatchArgs& args) const;
  bool operator==(const Lstm&) const = default;
};

/// What flows back through Lstm: inputs x, w, h, c (before the first step) and c of all steps, the gates, what flows back to
/// h of all steps, and to c of all steps if anything does; outputs what flows back to x, h and c. The rest, w, is a product
/// outside. Its own gradient unrolls the sequence.
struct LstmGradient {
  bool reverse = false;
  bool narrow = false;  ///< as of Lstm

  std::string_view name() const { return "lstm_gradient"; }
  OpFamily family() const { return OpFamily::opaque; }
  Specs infer(std::span<const TensorSpec> inputs) const;
  Tensors vjp(const VjpArgs& args) const;
  Tensors batch(const BatchArgs& args) const;
  bool operator==(const LstmGradient&) const = default;
};

namespace detail {

/// h and c of all steps, [T, B, H] each.
struct LstmStates {
  Tensor h, c;
};
/// Records Lstm.
LstmStates lstm(const Tensor& x, const Tensor& w, const Tensor& h, const Tensor& c, bool reverse, SourceLocation where);
/// The same, step by step from other operations: for derivatives of higher order.
LstmStates unrolled_lstm(const Tensor& x, const Tensor& w, const Tensor& h, const Tensor& c, bool reverse);

/// Sum over `outputs` of what `cotangents` send back to each of `wrt` through the operations between them; undefined where
/// nothing arrives. No two of `wrt` may be the same tensor.
Tensors pull_back(std::span<const Tensor> outputs, std::span<const Tensor> cotangents, std::span<const Tensor> wrt);

}  // namespace detail
}  // namespace gradus
