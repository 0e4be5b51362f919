// What describes one operation to the tests, and the inputs that are made from it.
#pragma once

#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "gradus/base/random.h"
#include "gradus/ops/ops.h"
#include "gradus/transform/grad.h"

namespace gradus::testing {

struct OpCase {
  std::string name;
  /// Shapes of the floating inputs.
  std::vector<Shape> inputs;
  /// The operation on inputs of any floating type.
  std::function<Tensor(const Tensors&)> apply;
  /// Inputs are drawn from U[low, high).
  double low = -1, high = 1;
  /// False where the derivative is zero or absent by definition (comparisons, argmax, random numbers).
  bool differentiable = true;
  /// True when derivatives beyond the first take it apart into other operations: then their graph may be of any size.
  bool taken_apart = false;
};

inline Tensor random_tensor(const Shape& shape, DType dtype, double low, double high, std::uint64_t seed) {
  std::vector<double> numbers(static_cast<std::size_t>(shape.numel()));
  fill_uniform(std::span<double>(numbers), Key{seed}, low, high);
  if (dtype == DType::f64) return leaf<double>(shape, std::span<const double>(numbers));
  const std::vector<float> narrow(numbers.begin(), numbers.end());
  return leaf<float>(shape, std::span<const float>(narrow));
}

inline Tensors make_inputs(const OpCase& c, DType dtype, std::uint64_t seed) {
  Tensors inputs;
  for (std::size_t i = 0; i < c.inputs.size(); ++i) {
    inputs.push_back(random_tensor(c.inputs[i], dtype, c.low, c.high, seed * 1000 + i));
  }
  return inputs;
}

}  // namespace gradus::testing
