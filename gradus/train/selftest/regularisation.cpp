// Oracles of regularisation: what a technique does to a linear model is another problem, whose solution is known.
#include <cmath>

#include "gradus/engine/eval.h"
#include "gradus/nn/losses.h"
#include "gradus/nn/parameter.h"
#include "gradus/nn/regularise/mixup.h"
#include "gradus/ops/ops.h"
#include "gradus/optim/sgd.h"
#include "gradus/train/selftest/selftest.h"

namespace gradus::train::detail {
namespace {

constexpr NormalOptions f64{.dtype = DType::f64};

struct Vector {
  nn::Parameter x;
};

double norm(const Tensor& x) { return std::sqrt(sum(square(x)).item<double>()); }

/// Six examples of three inputs, and their targets.
Tensor inputs() { return normal({6, 3}, f64, Key{21}); }
Tensor targets() { return normal({6, 1}, f64, Key{22}); }
Tensor gram(const Tensor& x) { return matmul(transpose(x, 0, 1), x); }
/// The solution of (x'x + penalty) w = x'y.
Tensor ridge(const Tensor& x, const Tensor& y, const Tensor& penalty) {
  return linalg::solve(gram(x) + penalty, matmul(transpose(x, 0, 1), y));
}

/// Least squares with an L1 penalty on inputs that are orthonormal, by descent and soft thresholding after each step, against
/// the soft threshold of the solution without.
double soft_threshold() {
  const Tensor x = linalg::qr(inputs()).q;
  const Tensor y = targets();
  const double penalty = 0.4, rate = 0.5;
  Vector model{zeros({3, 1}, DType::f64)};
  optim::SGD optimizer(model, {.lr = rate});
  for (int i = 0; i < 80; ++i) {
    optimizer.minimize(0.5 * sum(square(matmul(x, model.x) - y)));
    const Tensor shrunk = softshrink(model.x, rate * penalty);
    eval(shrunk);
    model.x = shrunk;
  }
  return norm(model.x.tensor() - softshrink(matmul(transpose(x, 0, 1), y), penalty));
}

/// Descent from 0 on a quadratic has, after t steps, the share 1 - (1 - rate c)^t of the solution along each axis of
/// curvature c.
double filter_factors() {
  const Tensor x = inputs(), y = targets();
  const double rate = 0.03;
  const int steps = 37;
  Vector model{zeros({3, 1}, DType::f64)};
  optim::SGD optimizer(model, {.lr = rate});
  for (int i = 0; i < steps; ++i) optimizer.minimize(0.5 * sum(square(matmul(x, model.x) - y)));
  const auto axes = linalg::eigh(gram(x));
  const Tensor kept = unsqueeze(1 - pow(1 - rate * axes.values, static_cast<double>(steps)), 1);
  const Tensor along = matmul(transpose(axes.vectors, 0, 1), ridge(x, y, zeros({3, 3}, DType::f64)));
  return norm(model.x.tensor() - matmul(axes.vectors, kept * along));
}

/// All eight masks of three inputs as rows of 0 and 1.
Tensor masks() {
  return tensor(
      {{0., 0., 0.}, {0., 0., 1.}, {0., 1., 0.}, {0., 1., 1.}, {1., 0., 0.}, {1., 0., 1.}, {1., 1., 0.}, {1., 1., 1.}});
}

/// Every example with every mask of its inputs dropped or kept, in proportion to their probabilities, by descent; against
/// ridge with the penalty p / (1 - p) times the squares of each input.
double dropout_is_ridge() {
  const double p = 0.25;
  const Tensor x = inputs(), y = targets(), mask = masks();
  const Tensor dropped = reshape(unsqueeze(x, 1) * unsqueeze(mask, 0) / (1 - p), {48, 3});
  const Tensor kept = sum(mask, 1);
  const Tensor chance = pow(1 - p, kept) * pow(p, 3 - kept);  // [8]
  const Tensor weight = reshape(unsqueeze(chance, 0) * ones({6, 1}, DType::f64), {48, 1});
  const Tensor answers = reshape(y * ones({1, 8}, DType::f64), {48, 1});
  Vector model{zeros({3, 1}, DType::f64)};
  optim::SGD optimizer(model, {.lr = 0.05});
  for (int i = 0; i < 1500; ++i) optimizer.minimize(0.5 * sum(weight * square(matmul(dropped, model.x) - answers)));
  return norm(model.x.tensor() - ridge(x, y, p / (1 - p) * eye(3, DType::f64) * gram(x)));
}

/// Noise of standard deviation s on every input: every example with all eight combinations of signs; against ridge with
/// n s^2.
double noise_is_ridge() {
  const double s = 0.6;
  const Tensor x = inputs(), y = targets();
  const Tensor noisy = reshape(unsqueeze(x, 1) + s * (2 * unsqueeze(masks(), 0) - 1), {48, 3});
  const Tensor answers = reshape(y * ones({1, 8}, DType::f64), {48, 1});
  Vector model{zeros({3, 1}, DType::f64)};
  optim::SGD optimizer(model, {.lr = 0.05});
  for (int i = 0; i < 1500; ++i) optimizer.minimize(sum(square(matmul(noisy, model.x) - answers)) / 16);
  return norm(model.x.tensor() - ridge(x, y, 6 * s * s * eye(3, DType::f64)));
}

/// Least squares on all mixtures of pairs of centred examples has the solution of least squares on the examples.
double mixup_is_linear() {
  const Tensor x = inputs() - mean(inputs(), {0}, {.keepdim = true});
  const Tensor y = targets() - mean(targets(), {0}, {.keepdim = true});
  Tensors xs, ys;
  for (std::int64_t i = 0; i < 6; ++i) {
    for (std::int64_t j = 0; j < 6; ++j) {
      const Tensor rows = tensor({i, j});
      const Mixed mixed = mixup(index_select(x, 0, rows), index_select(y, 0, rows), 0.7);
      xs.push_back(mixed.inputs);
      ys.push_back(mixed.targets);
    }
  }
  const Tensor none = zeros({3, 3}, DType::f64);
  return norm(ridge(concat(xs, 0), concat(ys, 0), none) - ridge(x, y, none));
}

/// With smoothing e over k classes the loss is least where the right logit leads by log((1 - e + e / k) / (e / k)).
double smoothing_gap() {
  Vector model{zeros({1, 10}, DType::f64)};
  optim::SGD optimizer(model, {.lr = 3});
  for (int i = 0; i < 4000; ++i) optimizer.minimize(cross_entropy(model.x, tensor({4}), {.label_smoothing = 0.1}));
  const std::vector<double> logits = model.x.tensor().to_vector<double>();
  return logits[4] - logits[0];
}

}  // namespace

std::vector<Oracle> regularisation_oracles() {
  return {
      {"L1 = soft threshold", "distance of proximal descent, orthonormal inputs", 0, 1e-12, soft_threshold},
      {"early stopping", "distance of 37 steps from 1 - (1 - rate c)^37", 0, 1e-12, filter_factors},
      {"dropout = ridge", "distance from the penalty p / (1 - p) x'x", 0, 1e-12, dropout_is_ridge},
      {"noise = L2", "distance from ridge with n s^2", 0, 1e-12, noise_is_ridge},
      {"mixup, linear", "distance from least squares without it", 0, 1e-12, mixup_is_linear},
      {"label smoothing", "lead of the right logit, smoothing 0.1, 10 classes", std::log(91.0), 1e-9, smoothing_gap},
  };
}

}  // namespace gradus::train::detail
