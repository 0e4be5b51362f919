// The small experiments that chapters share: networks on the 8x8 digits, and least squares on the breast cancer table. Both
// data sets are part of the library, so that every number of the book can be measured anywhere.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "gradus/data/dataset.h"
#include "gradus/models/mlp.h"
#include "gradus/nn/parameter.h"

namespace gradus::book {

/// The digits in three parts: 1,238 to train on, 200 to choose settings by, 359 to test.
struct Digits {
  data::Dataset train, validation, test;
};
const Digits& digits();
/// All examples of a data set as one batch.
data::Batch whole(const data::Dataset& dataset);
/// Share of `examples` that the model names rightly.
double accuracy(models::Mlp& model, const data::Batch& examples);

/// How a perceptron is trained on the digits.
struct FitOptions {
  std::string optimizer = "sgd";                ///< as optim::make_optimizer takes it
  std::map<std::string, double> settings = {};  ///< of the optimizer; "lr" is one of them
  bool cosine = false;                          ///< lets the rate fall to 0 along half a cosine
  std::vector<std::int64_t> hidden = {32};
  std::int64_t batch_size = 32;  ///< 0: all examples in every step
  std::int64_t epochs = 10;
  std::uint64_t seed = 0;  ///< of the weights and of the order of the examples
};

struct Fit {
  std::vector<double> loss, accuracy;  ///< after each epoch: mean training loss of it, validation accuracy
  double test_accuracy = 0;
};
/// Equal options give equal fits, bit for bit. A loss that is no longer finite ends the fit: it stays as infinity.
Fit fit(const FitOptions& options);
/// The fit with the rate that has the best validation accuracy at the end (the lower loss where two are equal): what a
/// tuner with so many tries would have found.
Fit best_fit(FitOptions options, const std::vector<double>& rates);

/// Ridge regression of the diagnosis (-1 or 1) on the 30 measurements, standardised, in f64: a quadratic bowl whose curvature
/// is known.
struct LeastSquares {
  Tensor inputs, targets;             ///< [455, 30], [455, 1]
  Tensor optimum;                     ///< [30, 1]
  double steepest = 0, flattest = 0;  ///< largest and smallest curvature: eigenvalues of the Hessian
  double condition() const { return steepest / flattest; }

  Tensor loss(const Tensor& weights) const;
  /// Starting weights, standard normal.
  Tensor start(std::uint64_t seed) const;
};
const LeastSquares& least_squares();

struct Weights {
  nn::Parameter w;
};

/// Distances from the optimum, before the first step and after each of at most `steps`, relative to the first; the descent ends
/// when it is below `goal` or above 1e12.
struct Path {
  std::vector<double> distance;
  std::int64_t steps() const { return static_cast<std::int64_t>(distance.size()) - 1; }
};
Path descend(const LeastSquares& problem, std::uint64_t seed, const std::map<std::string, double>& sgd,
             std::int64_t steps, double goal = 0);

}  // namespace gradus::book
