// Oracles of activation functions: extreme values and means over normal numbers that are known in closed form, or to many digits.
#include <cmath>
#include <functional>
#include <numbers>

#include "gradus/engine/eval.h"
#include "gradus/ops/ops.h"
#include "gradus/train/selftest/selftest.h"
#include "gradus/transform/derivatives.h"

namespace gradus::train::detail {
namespace {

using Function = std::function<Tensor(const Tensor&)>;

/// E f(z) for a standard normal z: the sum over a fine grid, whose error is far below rounding for functions this smooth.
double normal_mean(const Function& f) {
  const Tensor z = linspace(-12.0, 12.0, 24001, DType::f64);
  const Tensor density = exp(-0.5 * square(z)) / std::sqrt(2 * std::numbers::pi);
  return sum(f(z) * density).item<double>() * 24.0 / 24000;
}

Tensor slope(const Function& f, const Tensor& x) { return grad(sum(f(x)), {x})[0]; }

/// The smallest value, by Newton's method on the slope from `start`.
double minimum(const Function& f, double start) {
  Tensor x = tensor(start);
  for (int i = 0; i < 30; ++i) {
    const Tensor first = slope(f, x);
    x = x - first / grad(first, {x})[0];
    eval(x);
  }
  return f(x).item<double>();
}

double largest_slope(const Function& f) {
  return max(slope(f, linspace(-10.0, 10.0, 20001, DType::f64))).item<double>();
}

}  // namespace

std::vector<Oracle> activation_oracles() {
  const Function s = [](const Tensor& x) { return sigmoid(x); };
  return {
      {"largest slope", "of the sigmoid", 0.25, 1e-15, [s] { return largest_slope(s); }},
      {"sigmoid's slope", "root mean square over normal numbers", 0.211746, 5e-7,
       [s] { return std::sqrt(normal_mean([s](const Tensor& z) { return square(slope(s, z)); })); }},
      {"tanh's gain", "mean of tanh(z)^2 over normal numbers", 0.394294, 5e-7,
       [] { return normal_mean([](const Tensor& z) { return square(tanh(z)); }); }},
      {"SELU's fixed point", "mean over normal numbers", 0, 1e-7,
       [] { return normal_mean([](const Tensor& z) { return selu(z); }); }},
      {"SELU's fixed point", "mean square over normal numbers", 1, 1e-6,
       [] { return normal_mean([](const Tensor& z) { return square(selu(z)); }); }},
      {"GELU", "its minimum", -0.169971, 5e-7, [] { return minimum([](const Tensor& x) { return gelu(x); }, -0.8); }},
      {"SiLU", "its minimum", -0.278465, 5e-7, [] { return minimum([](const Tensor& x) { return silu(x); }, -1.2); }},
      {"GELU by tanh", "largest distance from GELU", 4.732e-4, 5e-8,
       [] {
         const Tensor x = linspace(-6.0, 6.0, 120001, DType::f64);
         return max(abs(gelu(x, {.approximate = GeluApproximation::tanh}) - gelu(x))).item<double>();
       }},
  };
}

}  // namespace gradus::train::detail
