// What a step has to do at least: arithmetic of its contractions, and traffic of its parameters.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <vector>

namespace gradus::bench {

/// Multiply-adds of one layer's forward pass. A training step does them three times (forward, gradient of the weights,
/// gradient of the input), the first layer, whose input has no gradient, twice.
struct LayerWork {
  double multiply_adds = 0;
  bool input_gradient = true;
};
using Work = std::vector<LayerWork>;

/// Dense layers of these widths, one after the other, for `rows` examples; with `first` they start the model.
Work dense_work(std::int64_t rows, std::initializer_list<std::int64_t> widths, bool first);

/// A transformer block for `tokens` tokens, each of which sees `keys` others on average.
Work transformer_block_work(std::int64_t tokens, double keys, std::int64_t width);

/// Arithmetic operations of one step, two for each multiply-add. Activations, norms, softmax and the optimizer do not count.
double flops(const Work& work, bool training);

}  // namespace gradus::bench
