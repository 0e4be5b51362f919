// The small experiments that chapters share: networks on the 8x8 digits, and least squares on the breast cancer table. Both
// data sets are part of the library, so that every number of the book can be measured anywhere.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "gradus/data/dataset.h"
#include "gradus/models/activations.h"
#include "gradus/nn/layers/dropout.h"
#include "gradus/nn/layers/norm.h"
#include "gradus/nn/linear.h"

namespace gradus::book {

/// The digits in three parts: 1,238 to train on, 200 to choose settings by, 359 to test.
struct Digits {
  data::Dataset train, validation, test;
};
const Digits& digits();
/// The data sets of the book with the checksums of their examples and labels: "digits 1f2e3d4c, breast-cancer 5b6a7988".
std::string data_checksums();
/// All examples of a data set as one batch.
data::Batch whole(const data::Dataset& dataset);
/// How the weights of a network start. Biases of all but PyTorch's start at 0.
enum class Start {
  pytorch,  ///< weights and biases uniform within 1 / sqrt(inputs)
  xavier,   ///< Glorot and Bengio, 2010, normal: variance 2 / (inputs + outputs)
  he,       ///< He et al., 2015, normal: variance 2 / inputs
  lecun,    ///< normal: variance 1 / inputs
  zero,
  alike  ///< PyTorch's for one unit of each layer, and the same for all others and for all that they pass on
};

/// Starting weights of this shape, for all but PyTorch's.
Tensor start_of(Start start, const Shape& shape);

enum class Norm { none, batch, layer };

struct NetOptions {
  std::vector<std::int64_t> hidden = {32};  ///< width of each hidden layer
  std::string activation = "relu";          ///< as models::activation takes it, or "none"
  Start start = Start::pytorch;
  bool residual = false;   ///< adds a hidden layer's input to its output, where the widths are equal
  Norm norm = Norm::none;  ///< in front of each activation
  double dropout = 0;      ///< share of the hidden units that are left out in training
};

/// A perceptron from 64 inputs (or as many as are said) to 10 classes.
struct Net {
  static constexpr int field_count = 6;

  std::vector<nn::Linear> layers;
  std::vector<nn::BatchNorm1d> batch_norms;
  std::vector<nn::LayerNorm> layer_norms;
  models::Activation activation;
  bool residual;
  std::optional<nn::Dropout> dropout;

  /// Draws from the default stream: see manual_seed.
  explicit Net(const NetOptions& options, std::int64_t inputs = 64);
  /// [B, ...] -> [B, 10]
  Tensor operator()(const Tensor& examples);
};

/// Share of `examples` that the model names rightly.
double accuracy(Net& model, const data::Batch& examples);

/// How a network is trained on the digits.
struct FitOptions {
  std::string optimizer = "sgd";                ///< as optim::make_optimizer takes it
  std::map<std::string, double> settings = {};  ///< of the optimizer; "lr" is one of them
  bool cosine = false;                          ///< lets the rate fall to 0 along half a cosine
  NetOptions net = {};
  std::int64_t batch_size = 32;  ///< 0: all examples in every step
  std::int64_t epochs = 10;
  std::uint64_t seed = 0;         ///< of the weights and of the order of the examples
  std::int64_t examples = 0;      ///< trains on the first so many; 0: all 1,238
  double label_noise = 0;         ///< share of the training labels that are replaced by random ones
  double smoothing = 0;           ///< of the labels, in the training loss
  double l1 = 0, l2 = 0;          ///< penalties on the weights, in the training loss
  bool soft = false;              ///< takes the L1 penalty by soft thresholding after each step, which gives zeros
  double max_norm = 0;            ///< of each unit's incoming weights, after each step
  double mixup = 0;               ///< alpha of the Beta from which the shares of mixtures come
  double noise = 0;               ///< standard deviation of normal noise on the inputs while training
  double sam = 0;                 ///< radius of sharpness-aware minimisation
  std::int64_t average_from = 0;  ///< first epoch whose last weights enter the mean that is the result; 0: no mean
  bool watch = false;             ///< measures validation and test loss after each epoch, too
};

struct Fit {
  std::vector<double> loss, accuracy;  ///< after each epoch: mean training loss of it, validation accuracy
  std::vector<double> validation_losses, test_losses;  ///< likewise, when they are watched
  double train_accuracy = 0, test_accuracy = 0;
  double train_loss = 0, test_loss = 0;  ///< cross entropy at the end, without dropout and smoothing
  std::optional<Net> net;                ///< as it was trained, in evaluation mode
};
/// The training examples that the options leave, with their labels.
data::Dataset training_set(const FitOptions& options);
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
