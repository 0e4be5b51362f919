// Reading of golden files (tools/golden/) and comparison with them. The relative error of a tensor is the largest difference
// over the largest element expected.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "gradus/gradus.h"
#include "tests/support/paths.h"

namespace gradus::testing {

inline constexpr double golden_tolerance = 1e-5;

using GoldenFile = std::map<std::string, Tensor>;

inline GoldenFile golden(const std::string& name) {
  GoldenFile file;
  for (auto& [key, tensor] : io::load(source_path("tests/golden/" + name + ".safetensors"))) file[key] = tensor;
  return file;
}

/// Entries below `prefix`, without it.
inline NamedTensors below(const GoldenFile& file, const std::string& prefix) {
  NamedTensors found;
  for (const auto& [key, tensor] : file) {
    if (key.starts_with(prefix)) found.emplace_back(key.substr(prefix.size()), tensor);
  }
  return found;
}

inline double relative_error(const std::vector<double>& actual, const std::vector<double>& expected) {
  EXPECT_EQ(actual.size(), expected.size());
  double difference = 0, largest = 0;
  for (std::size_t i = 0; i < std::min(actual.size(), expected.size()); ++i) {
    difference = std::max(difference, std::isnan(actual[i]) ? INFINITY : std::abs(actual[i] - expected[i]));
    largest = std::max(largest, std::abs(expected[i]));
  }
  return difference == 0 ? 0 : difference / largest;
}

inline void expect_close(const Tensor& actual, const Tensor& expected, const std::string& what,
                         double bound = golden_tolerance) {
  ASSERT_TRUE(actual.defined()) << what;
  EXPECT_EQ(actual.shape(), expected.shape()) << what;
  EXPECT_LE(relative_error(actual.to_vector<double>(), expected.to_vector<double>()), bound) << what;
}

/// One case of layers or losses: output, and gradients of sum(output * cotangent) for every floating input.
struct Case {
  const char* name;
  std::vector<std::string> inputs;
  std::function<Tensor(const Tensors&)> function;
};

inline void check(const GoldenFile& file, const Case& c) {
  SCOPED_TRACE(c.name);
  const std::string prefix = std::string(c.name) + ".";
  Tensors inputs, wrt;
  for (const std::string& name : c.inputs) {
    const Tensor& input = file.at(prefix + name);
    inputs.push_back(input);
    wrt.push_back(is_floating(input.dtype()) ? input : Tensor());
  }
  const Tensor y = c.function(inputs);
  const Tensors gradients = grad(sum(y * file.at(prefix + "cotangent")), wrt);
  expect_close(y, file.at(prefix + "y"), "output");
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (wrt[i].defined())
      expect_close(gradients[i], file.at(prefix + "grad." + c.inputs[i]), "gradient of " + c.inputs[i]);
  }
}

/// Checks a case in f32 and in f64 (where the name ends with _f64).
inline void both(const GoldenFile& file, const std::string& name, std::size_t operands,
                 const std::function<Tensor(const Tensors&)>& function) {
  for (const DType dtype : {DType::f32, DType::f64}) {
    const bool wide = dtype == DType::f64;
    const std::string prefix = name + (wide ? "_f64." : ".");
    const double bound = wide ? 1e-10 : golden_tolerance;
    SCOPED_TRACE(prefix);
    Tensors inputs;
    for (std::size_t i = 0; i < operands; ++i) inputs.push_back(file.at(prefix + "x" + std::to_string(i)));
    const Tensor y = function(inputs);
    EXPECT_EQ(y.dtype(), dtype);
    const Tensors gradients = grad(sum(y * file.at(prefix + "cotangent")), inputs);
    expect_close(y, file.at(prefix + "y"), "output", bound);
    for (std::size_t i = 0; i < operands; ++i) {
      expect_close(gradients[i], file.at(prefix + "grad.x" + std::to_string(i)), "gradient " + std::to_string(i),
                   bound);
    }
  }
}

}  // namespace gradus::testing
