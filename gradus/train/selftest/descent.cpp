// Oracles of optimization: problems whose path or end is known.
#include <array>
#include <cmath>

#include "gradus/nn/parameter.h"
#include "gradus/ops/ops.h"
#include "gradus/optim/adamw.h"
#include "gradus/optim/sgd.h"
#include "gradus/train/selftest/selftest.h"

namespace gradus::train::detail {
namespace {

constexpr NormalOptions f64{.dtype = DType::f64};

struct Vector {
  nn::Parameter x;
};

/// x1^2 / 2 + k x2^2 / 2: its condition number is k.
Tensor quadratic(const Vector& model, double k) { return 0.5 * sum(tensor({1.0, k}) * square(model.x)); }

double norm(const Tensor& x) { return std::sqrt(sum(square(x)).item<double>()); }

/// Steps until the distance from the minimum is 1e-6 of that at the start.
template <class Optimizer>
double steps_to_minimum(Vector& model, Optimizer& optimizer, double k) {
  const double start = norm(model.x);
  int steps = 0;
  while (steps < 10000 && norm(model.x) > 1e-6 * start) {
    optimizer.minimize(quadratic(model, k));
    ++steps;
  }
  return steps;
}

/// Gradient descent with its best rate, 2 / (1 + k), contracts by (k - 1) / (k + 1) a step.
double gradient_descent(double k) {
  Vector model{tensor({1.0, 1.0})};
  optim::SGD optimizer(model, {.lr = 2 / (1 + k)});
  return steps_to_minimum(model, optimizer, k);
}

/// Heavy ball with Polyak's rate and momentum contracts by r = (sqrt k - 1) / (sqrt k + 1). It starts with the velocity of
/// its own steady motion, so that the rate is seen from the first step on.
double heavy_ball(double k) {
  const double root = std::sqrt(k), r = (root - 1) / (root + 1), lr = 4 / ((root + 1) * (root + 1)), momentum = r * r;
  Vector model{tensor({1.0, 1.0})};
  optim::SGD optimizer(model, {.lr = lr, .momentum = momentum});
  NamedTensors state = optimizer.state_dict();
  state.emplace_back("state.0.momentum_buffer", tensor({((1 - r) / lr - 1) / momentum, ((1 + r) / lr - k) / momentum}));
  optimizer.load_state_dict(state);
  return steps_to_minimum(model, optimizer, k);
}

/// Growth per step of gradient descent whose rate is `share` of the largest stable one, 2 / L.
double growth(double share) {
  Vector model{tensor({0.0, 1.0})};
  optim::SGD optimizer(model, {.lr = share * 2 / 10});
  for (int i = 0; i < 100; ++i) optimizer.minimize(quadratic(model, 10));
  return std::pow(norm(model.x), 0.01);
}

/// Least squares with an L2 penalty, by descent with weight decay, against the solution of (A'A + l I) w = A'b.
double ridge() {
  const Tensor a = normal({12, 2}, f64, Key{11}), b = normal({12, 1}, f64, Key{12});
  const double penalty = 0.7;
  Vector model{zeros({2, 1}, DType::f64)};
  optim::SGD optimizer(model, {.lr = 0.02, .weight_decay = penalty});
  for (int i = 0; i < 1500; ++i) optimizer.minimize(0.5 * sum(square(matmul(a, model.x) - b)));
  const std::vector<double> m = matmul(transpose(a, 0, 1), a).to_vector<double>();
  const std::vector<double> v = matmul(transpose(a, 0, 1), b).to_vector<double>();
  const double p = m[0] + penalty, q = m[1], s = m[3] + penalty, determinant = p * s - q * q;
  const Tensor exact = tensor({{(s * v[0] - q * v[1]) / determinant}, {(p * v[1] - q * v[0]) / determinant}});
  return norm(model.x.tensor() - exact);
}

/// One equation for three unknowns: descent from 0 ends at the solution of least norm, a b / |a|^2.
double least_norm() {
  const Tensor a = tensor({1.0, 2.0, -2.0});
  Vector model{zeros({3}, DType::f64)};
  optim::SGD optimizer(model, {.lr = 0.05});
  for (int i = 0; i < 200; ++i) optimizer.minimize(0.5 * square(sum(a * model.x) - 3));
  return norm(model.x.tensor() - a / 3);
}

double adam_first_step() {
  Vector model{tensor({1.0, 1.0, 1.0})};
  optim::AdamW optimizer(model, {.lr = 0.1, .eps = 0, .weight_decay = 0});
  optimizer.minimize(sum(tensor({1e-3, -50.0, 2.0}) * model.x));
  return norm(model.x.tensor() - tensor({0.9, 1.1, 0.9}));
}

/// A linear autoencoder of one unit loses what principal components beyond the first explain: the smaller eigenvalue of
/// the covariance of data in the plane.
double autoencoder() {
  const Tensor x = matmul(normal({50, 2}, f64, Key{13}), tensor({{2.0, 0.5}, {0.0, 0.6}}));
  Vector model{tensor({{0.5}, {0.5}})};
  optim::SGD optimizer(model, {.lr = 0.02});
  const auto loss = [&] {
    const Tensor back = matmul(matmul(x, model.x), transpose(model.x, 0, 1));
    return sum(square(x - back)) / 50;
  };
  for (int i = 0; i < 1500; ++i) optimizer.minimize(loss());
  const std::vector<double> c = (matmul(transpose(x, 0, 1), x) / 50).to_vector<double>();
  const double middle = (c[0] + c[3]) / 2, spread = std::hypot((c[0] - c[3]) / 2, c[1]);
  return loss().item<double>() - (middle - spread);
}

}  // namespace

std::vector<Oracle> descent_oracles() {
  return {
      {"gradient descent", "steps to 1e-6, condition number 100", 691, 0, [] { return gradient_descent(100); }},
      {"heavy ball", "steps to 1e-6, condition number 100", 69, 0, [] { return heavy_ball(100); }},
      {"heavy ball", "steps to 1e-6, condition number 1000", 219, 0, [] { return heavy_ball(1000); }},
      {"below 2 / L", "factor per step at 0.95 of the stable rate", 0.9, 1e-12, [] { return growth(0.95); }},
      {"above 2 / L", "factor per step at 1.05 of the stable rate", 1.1, 1e-12, [] { return growth(1.05); }},
      {"ridge = L2", "distance of descent from the closed form", 0, 1e-12, ridge},
      {"least norm", "distance of descent from the pseudo-inverse", 0, 1e-12, least_norm},
      {"Adam's first step", "distance from lr sign(gradient)", 0, 1e-14, adam_first_step},
      {"PCA = autoencoder", "loss above the smaller eigenvalue", 0, 1e-12, autoencoder},
  };
}

}  // namespace gradus::train::detail
