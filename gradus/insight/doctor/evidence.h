// What can be known of a run from its folder and its data: what it recorded, what its data are like, what its network does
// on some of them, and how a few steps go with other learning rates. Rules read nothing but this.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "gradus/train/metrics.h"
#include "gradus/train/recipe.h"
#include "gradus/train/record/instruments.h"
#include "gradus/train/run_folder.h"

namespace gradus::insight::doctor {

inline constexpr double unknown = std::numeric_limits<double>::quiet_NaN();

/// Of the examples, without the network.
struct DataEvidence {
  std::int64_t training = 0, validation = 0, test = 0;  ///< examples
  std::int64_t leaked_test = 0;        ///< test examples that are training or validation examples as well, bit for bit
  std::int64_t leaked_validation = 0;  ///< validation examples that are training examples as well
  std::int64_t repeated = 0;           ///< training examples that equal an earlier one
  std::vector<std::int64_t> classes, test_classes;  ///< examples of each class; empty for numbers
  double split_p = 1;         ///< of a chi-square test that training and test have the same classes
  double split_distance = 0;  ///< total variation between their shares of the classes
  double same_neighbour = 0;  ///< share of examples whose successor in the file has the same class ...
  double same_expected = 0;   ///< ... and in a random order

  /// Of the columns or channels, as the network reads them.
  double largest_rms = 0, smallest_rms = 0, median_rms = 0;  ///< root mean square; constant columns are left out
  double largest_offset = 0;                                 ///< |mean| / standard deviation
  double largest_value = 0;                                  ///< absolute, of all parts
  std::int64_t rms_column = 0, offset_column = 0, value_column = 0;

  /// Of up to 1,000 training examples by their 10 nearest neighbours among them, columns standardised: what can be known of
  /// an example from those beside it. 0: as much as from the commonest class (or the mean), 1: everything.
  double neighbour_skill = unknown;
  /// Share of the examples of which at least 8 of the 10 have one and the same class, and it is another one.
  double contradicted = 0;
};

/// One layer with weights (of at least two axes).
struct LayerEvidence {
  std::string path;  ///< "layers.0"
  double moved = 0;  ///< |last - start| / |start|; start: what the recipe's seed gives
  bool frozen =
      false;  ///< bit for bit as it started, or the same in two checkpoints between which other layers moved, although
              ///< it has a gradient
  bool copies = false;  ///< all of several units have equal weights
  /// Root mean square of the elements. Start: of the first step that the run recorded (train.record), else of the weights that
  /// the recipe's seed gives, on probe examples.
  double start_gradient = 0, last_gradient = 0;
  double start_relative = 0, last_relative = 0;  ///< norm of the gradient over the norm of the weights
};

/// What stands in front of one activation function, over the probe examples.
struct ActivationEvidence {
  std::string path, function;
  double dead = 0;       ///< share of units whose derivative is 0 for all examples
  double saturated = 0;  ///< share of the values with a derivative below 5 % of the largest; of bounded functions
};

/// What bf16 does to the numbers that enter one layer.
struct RoundingEvidence {
  std::string path;
  double lost = 0;  ///< variance of the rounding error over the variance of the numbers, of the worst column
};

/// How the first steps go at other constant rates, from the start that the recipe's seed gives.
struct RateEvidence {
  struct Point {
    double lr = 0;
    double loss = 0;  ///< mean of the last third of the steps; infinite where it exploded
  };
  std::int64_t steps = 0;
  Point same;                        ///< the recipe's rate
  std::vector<Point> lower, higher;  ///< a tenth, a hundredth, a thousandth of it; ten times and so on
  /// The best of them.
  Point best_lower() const;
  Point best_higher() const;
};

/// A step that gave numbers which are not finite.
struct Failure {
  std::int64_t step = 0;  ///< that was done again; of a validation: the last one before it
  bool training = true;   ///< false: of the validation examples
  std::string origin;     ///< "matmul in layers.0 (...) gave inf at ..."
};

/// What the run recorded of its inside while it went on (train.record): the last checkpoint shows where it ended, and this how it
/// came there. What was not asked for is unknown, or has step 0.
struct RecordedEvidence {
  struct Mark {
    std::string path;
    std::int64_t step = 0;
    double value = unknown;
  };
  std::int64_t steps = 0;   ///< that were looked at
  Mark largest_gradient;    ///< norm over the norm of the weights, of all steps and weights ...
  double update = unknown;  ///< ... and the median of the update over the weights: about 1e-3 is usual
  /// Of the activation with the largest share at the last step: the share, and the step from which on it was at least half of that.
  Mark dead, saturated;
  double sharpness =
      unknown;  ///< the last recorded eigenvalue, times the learning rate: plain descent needs less than 2
  double noise_scale = unknown;                         ///< examples beyond which a larger batch is of little use
  double calibration_error = unknown;                   ///< of the last epoch
  std::optional<train::Generalisation> generalisation;  ///< of the last epoch
  Mark
      failed;  ///< the step that was not taken, and the first parameter whose gradient is not finite there; value: their number
};

struct Evidence {
  train::Recipe recipe;
  std::vector<train::EpochMetrics> history;  ///< may be empty: a run that failed in its first epoch
  train::LoopState loop;
  bool finished = false;

  DataEvidence data;
  /// Training loss of the last epoch; infinite for a run that failed.
  double final_loss = unknown;
  double prior_loss = 0;  ///< of always answering with the shares of the classes, or the mean
  /// Of the last weights; scale as neighbour_skill. Training: up to 2,000 examples, in evaluation mode.
  double training_skill = unknown, validation_skill = unknown, test_skill = unknown;
  double training_loss = unknown, validation_loss = unknown;
  std::int64_t training_examined = 0;
  /// With batch norms: the same examples normalised by their own statistics instead of the recorded ones.
  double batch_skill = unknown;
  double rarest_recall = unknown;  ///< of the rarest class, in validation and test together
  std::int64_t rarest_class = 0, rarest_examples = 0;
  std::int64_t batch_norms = 0, untracked_norms = 0;  ///< layers, and those that never recorded a batch

  std::vector<LayerEvidence> layers;
  std::int64_t recorded_step = 0;  ///< whose recorded gradients are the layers' start; 0: none were recorded
  std::vector<ActivationEvidence> activations;
  std::vector<RoundingEvidence> rounding;  ///< with train.precision = "bf16" alone
  RateEvidence rates;
  RecordedEvidence recorded;
  std::optional<Failure> failure;
};

/// Loads the run's data and its last checkpoint, and measures. Equal folders give equal evidence. Error(state) for a run
/// without a checkpoint, and what reading the recipe, the metrics, the data and the checkpoint throws.
Evidence gather(const train::RunFolder& run);

}  // namespace gradus::insight::doctor
