// Long short-term memory, as PyTorch's nn.LSTM.
//
//   nn::LSTM lstm(96, 256, {.num_layers = 2, .batch_first = true});
//   auto [output, state] = lstm(x);              // (n, length, 96) -> (n, length, 256), and where it ended
//   auto [more, end] = lstm(next, state);        // goes on from there
#pragma once

#include <cstdint>
#include <vector>

#include "gradus/nn/parameter.h"

namespace gradus::nn {

class FieldWalk;

struct LstmOptions {
  std::int64_t num_layers = 1;
  bool bias = true;
  bool batch_first = false;  ///< (n, length, width) instead of (length, n, width)
  double dropout = 0;        ///< between layers, in training
  bool bidirectional = false;
};

/// Hidden and cell state of every layer and direction: (layers * directions, n, hidden_size), without n for inputs without it.
struct LstmState {
  Tensor h = {}, c = {};
};

struct LstmOutput {
  Tensor output;  ///< h of the last layer at every step; of both directions side by side
  LstmState state;
};

/// The parameters of one layer in one direction; rows in the order of the gates i, f, g, o.
struct LstmWeights {
  Parameter weight_ih, weight_hh;  ///< (4 hidden, input), (4 hidden, hidden)
  Parameter bias_ih, bias_hh;      ///< (4 hidden) each; undefined without bias
};

/// Layers of LSTM, in one direction or both. Keys: weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0, then those with the
/// suffix _reverse, then those of layer 1. All start as U(-b, b) with b = 1 / sqrt(hidden_size), as PyTorch's do. The part of
/// the input is one product over all steps; the rest of a layer is one operation (ops/recurrent/lstm.h).
struct LSTM {
  std::vector<LstmWeights> weights;  ///< layer by layer; the two directions side by side
  LstmOptions options;
  std::int64_t input_size = 0, hidden_size = 0;
  TrainingFlag training = true;

  /// Throws Error(value) unless sizes are positive and dropout is in [0, 1].
  LSTM(std::int64_t input_size, std::int64_t hidden_size, LstmOptions options = {},
       SourceLocation where = SourceLocation::current());

  /// x (length, n, input_size), (n, length, input_size) with batch_first, or (length, input_size). An undefined state is zero.
  /// Throws Error(shape) for other shapes and for length 0.
  LstmOutput operator()(const TensorArg& x, const LstmState& state = {}) const;

  void visit_fields(FieldWalk& walk);
};

}  // namespace gradus::nn
