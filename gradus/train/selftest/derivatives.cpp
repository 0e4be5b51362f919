// Oracles of differentiation.
#include <cmath>

#include "gradus/nn/losses.h"
#include "gradus/ops/ops.h"
#include "gradus/train/selftest/selftest.h"
#include "gradus/transform/grad.h"

namespace gradus::train::detail {
namespace {

constexpr NormalOptions f64{.dtype = DType::f64};

double largest(const Tensor& x) { return max(abs(x)).item<double>(); }

/// A small network with all that a classifier has: a convolution, a pooling, a product, a loss.
Tensor network_loss(const Tensor& weight, const Tensor& matrix) {
  const Tensor images = normal({3, 2, 6, 6}, f64, Key{1});
  const Tensor features = avg_pool2d(tanh(conv2d(images, weight)), 2);
  return cross_entropy(matmul(flatten(features, 1), matrix), tensor<std::int64_t>({0, 2, 1}));
}

/// Reverse mode against central differences along a random direction: the relative difference.
double against_differences() {
  const Tensor weight = normal({4, 2, 3, 3}, f64, Key{2}), matrix = normal({16, 3}, f64, Key{3});
  const Tensor along_weight = normal(weight.shape(), f64, Key{4}), along_matrix = normal(matrix.shape(), f64, Key{5});
  const Tensors g = grad(network_loss(weight, matrix), {weight, matrix});
  const double reverse = (sum(g[0] * along_weight) + sum(g[1] * along_matrix)).item<double>();
  const double h = 1e-5;
  const double up = network_loss(weight + h * along_weight, matrix + h * along_matrix).item<double>();
  const double down = network_loss(weight - h * along_weight, matrix - h * along_matrix).item<double>();
  return std::abs((up - down) / (2 * h) - reverse) / std::abs(reverse);
}

double cross_entropy_gradient() {
  const Tensor logits = normal({6, 5}, f64, Key{6});
  const Tensor labels = tensor<std::int64_t>({0, 4, 2, 2, 1, 3});
  const Tensor gradient = grad(cross_entropy(logits, labels, {.reduction = Reduction::sum}), {logits})[0];
  const Tensor classes = tensor<std::int64_t>({{0, 1, 2, 3, 4}});
  const Tensor y = cast(equal(unsqueeze(labels, 1), classes), DType::f64);
  return largest(gradient - (softmax(logits, 1) - y));
}

double gradient_sum() {
  const Tensor logits = normal({6, 5}, f64, Key{7});
  const Tensor labels = tensor<std::int64_t>({0, 4, 2, 2, 1, 3});
  return largest(sum(grad(cross_entropy(logits, labels), {logits})[0], 1));
}

/// d sigmoid^n(x) / dx where every layer stands at its steepest point, per layer.
double sigmoid_chain() {
  constexpr int layers = 10;
  const Tensor x = zeros({}, DType::f64);
  Tensor y = x;
  for (int i = 0; i < layers; ++i) y = sigmoid(y) - 0.5;
  return std::pow(grad(y, {x})[0].item<double>(), 1.0 / layers);
}

double fourth_derivative() {
  const Tensor x = tensor(1.5);
  Tensor y = square(square(x));
  for (int i = 0; i < 4; ++i) y = grad(y, {x})[0];
  return y.item<double>();
}

double hessian_asymmetry() {
  const Tensor x = normal({4}, f64, Key{8});
  const Tensor a = normal({4, 4}, f64, Key{9});
  const Tensor g = grad(sum(sin(matmul(a, x)) * exp(0.3 * x)), {x})[0];
  Tensors rows;
  for (std::int64_t i = 0; i < 4; ++i) rows.push_back(unsqueeze(grad(sum(slice(g, 0, i, i + 1)), {x})[0], 0));
  const Tensor hessian = concat(rows, 0);
  return largest(hessian - transpose(hessian, 0, 1));
}

}  // namespace

std::vector<Oracle> derivative_oracles() {
  return {
      {"gradient check", "relative difference of reverse mode and central differences", 0, 1e-8, against_differences},
      {"softmax + cross entropy", "largest difference of the gradient from p - y", 0, 1e-14, cross_entropy_gradient},
      {"sum over the classes", "largest sum of a row of that gradient", 0, 1e-15, gradient_sum},
      {"sigmoid chain", "factor per layer of the gradient, at its largest", 0.25, 1e-14, sigmoid_chain},
      {"fourth derivative", "of x^4, differentiated four times", 24, 1e-12, fourth_derivative},
      {"Hessian", "largest difference from its transpose", 0, 1e-12, hessian_asymmetry},
  };
}

}  // namespace gradus::train::detail
