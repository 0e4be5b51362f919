// Oracles of what networks are made of: counts, and functions that are known.
#include <cmath>

#include "gradus/base/random.h"
#include "gradus/nn/fields.h"
#include "gradus/nn/linear.h"
#include "gradus/ops/ops.h"
#include "gradus/train/selftest/selftest.h"
#include "gradus/transform/grad.h"

namespace gradus::train::detail {
namespace {

struct TwoLayers {
  nn::Linear first{5, 7}, second{7, 3};
};

/// Largest difference between two layers without activation, and the one matrix that they are.
double one_matrix() {
  manual_seed(31);
  const TwoLayers model;
  const Tensor x = normal({20, 5}, {}, Key{31});
  const auto wide = [](const Tensor& t) { return cast(t, DType::f64); };
  const Tensor w = matmul(wide(model.second.weight), wide(model.first.weight));
  const Tensor b =
      squeeze(matmul(wide(model.second.weight), unsqueeze(wide(model.first.bias), 1)), 1) + wide(model.second.bias);
  const Tensor y = wide(model.second(model.first(x)));
  return max(abs(y - (matmul(wide(x), transpose(w, 0, 1)) + b))).item<double>();
}

/// Largest change of the outputs when hidden units change places, with all their weights.
double permuted() {
  manual_seed(32);
  TwoLayers model;
  const Tensor x = normal({20, 5}, {}, Key{32});
  const Tensor before = model.second(tanh(model.first(x)));
  const Tensor order = permutation(7, Key{33});
  const double first = sum(before).item<double>();
  TwoLayers moved = model;
  moved.first.weight = index_select(model.first.weight, 0, order);
  moved.first.bias = index_select(model.first.bias, 0, order);
  moved.second.weight = index_select(model.second.weight, 1, order);
  const double difference = max(abs(moved.second(tanh(moved.first(x))) - before)).item<double>();
  return std::isfinite(first) ? difference : first;
}

/// Largest error of exclusive or as relu(a + b) - 2 relu(a + b - 1).
double exclusive_or() {
  const Tensor x = tensor({{0., 0.}, {0., 1.}, {1., 0.}, {1., 1.}});
  const Tensor hidden = relu(matmul(x, tensor({{1., 1.}, {1., 1.}})) + tensor({0., -1.}));
  return max(abs(matmul(hidden, tensor({{1.}, {-2.}})) - tensor({{0.}, {1.}, {1.}, {0.}}))).item<double>();
}

/// The best linear answer to exclusive or, by least squares, is 1/2 everywhere: its error is 1/4.
double linear_exclusive_or() {
  const Tensor x = tensor({{1., 0., 0.}, {1., 0., 1.}, {1., 1., 0.}, {1., 1., 1.}});
  const Tensor y = tensor({{0.}, {1.}, {1.}, {0.}});
  return mean(square(matmul(x, linalg::lstsq(x, y)) - y)).item<double>();
}

/// The tent relu(2 x) - relu(4 x - 2) composed n times with itself: pieces of its graph on [0, 1].
double tent_pieces(int n) {
  const int count = 1 << (n + 3);
  std::vector<double> points;
  for (int i = 0; i <= count; ++i) points.push_back(static_cast<double>(i) / count);
  Tensor y = leaf<double>({count + 1}, std::span<const double>(points));
  for (int i = 0; i < n; ++i) y = relu(2 * y) - relu(4 * y - 2);
  const std::vector<double> values = y.to_vector<double>();
  int pieces = 1;
  for (std::size_t i = 2; i < values.size(); ++i)
    pieces += (values[i] - values[i - 1]) * (values[i - 1] - values[i - 2]) < 0 ? 1 : 0;
  return pieces;
}

/// Side of the square of pixels that one number behind two convolutions of 5 and two poolings of 2 depends on: where its
/// gradient is not 0.
double field_of_view() {
  const Tensor image = ones({1, 1, 40, 40}), kernel = ones({1, 1, 5, 5});
  const auto block = [&](const Tensor& x) { return avg_pool2d(conv2d(x, kernel), 2); };
  const Tensor y = block(block(image));
  const Tensor middle = sum(slice(slice(y, 2, 3, 4), 3, 3, 4));
  const Tensor seen = not_equal(grad(middle, {image})[0], 0.f);
  return std::sqrt(static_cast<double>(sum(seen).item<std::int64_t>()));
}

double parameters_of_perceptron() {
  struct Perceptron {
    nn::Linear first{784, 256}, second{256, 10};
  };
  return static_cast<double>(nn::num_parameters(Perceptron{}));
}

}  // namespace

std::vector<Oracle> structure_oracles() {
  return {
      {"784-256-10", "parameters", 203530, 0, parameters_of_perceptron},
      {"receptive field", "side, after two times convolution 5 and pooling 2", 16, 0, field_of_view},
      {"linear layers", "two of them, difference from one matrix", 0, 1e-5, one_matrix},
      {"hidden units", "change of the outputs when they are permuted", 0, 1e-6, permuted},
      {"exclusive or", "error of two hidden ReLUs", 0, 0, exclusive_or},
      {"exclusive or", "squared error of the best linear model", 0.25, 1e-14, linear_exclusive_or},
      {"tent map", "linear pieces of 8 layers of 2 ReLUs", 256, 0, [] { return tent_pieces(8); }},
  };
}

}  // namespace gradus::train::detail
