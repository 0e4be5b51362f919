// What a run recorded of its inside, with `[train] record = [...]`: plain numbers, and the file that keeps them.
//
//   const Instruments seen = read_instruments("runs/first/instruments.jsonl");
//   for (const StepRecord& step : seen.steps)
//     for (const GradientRecord& g : step.gradients) plot(g.name, step.step, g.spread.norm);
//
// instruments.jsonl has one JSON object on each line, in the order of the run. Two kinds:
//
//   {"kind": "step", "step": 101, "epoch": 1, "lr": 0.003, "loss": 0.61,
//    "gradients": [{"name": "conv1.weight", <spread>}, ...],
//    "updates": [{"name": "conv1.weight", "ratio": 0.0012, "weight_norm": 1.7, <spread>}, ...],
//    "activations": [{"name": "conv1", "function": "relu", "units": 6, "dead": 0, "saturated": 0.48, <spread>}, ...],
//    "losses": {<spread>},
//    "noise": {"small": 32, "big": 64, "signal": 0.02, "noise": 7.1}}
//
//   {"kind": "epoch", "epoch": 1, "step": 860, "batch_loss": {"batches": 860, "mean": ..., "std": ..., "min": ..., "max": ...},
//    "generalisation": {"examples": 1000, "train_loss": ..., "val_loss": ..., "train_score": ..., "val_score": ...},
//    "calibration": {"error": 0.02, "bins": [{"low": 0, "high": 0.067, "examples": 3, "confidence": 0.05, "accuracy": 0}, ...]},
//    "sharpness": {"eigenvalue": 31.2, "iterations": 9, "converged": true, "examples": 64}}
//
// where <spread> is "elements", "zeros", "nans", "infinities", "norm", "mean", "std", "min", "max" and "bins": {"lowest": -12,
// "negative": [...], "positive": [...]}. A number that does not exist (the minimum of no finite element, the saturation of
// a function that cannot saturate) is null. What was not asked for is absent. A step that failed has "failed": true; it is the
// last line, and a resumed run replaces it. A line has what its step computed anyway, so resuming gives the same bytes.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gradus/train/metrics/classification.h"
#include "gradus/train/record/spread.h"

namespace gradus::train {

/// What `train.record` may list, in this order: "gradients", "activations", "updates", "losses", "noise", "generalisation",
/// "calibration", "sharpness".
const std::vector<std::string_view>& instrument_names();

/// The gradient of one parameter, before any clipping.
struct GradientRecord {
  std::string name;  ///< "conv1.weight"
  Spread spread;
  friend bool operator==(const GradientRecord&, const GradientRecord&) = default;
};

/// What one step added to a parameter.
struct UpdateRecord {
  std::string name;
  Spread spread;
  double weight_norm = 0;  ///< of the parameter before the step
  /// spread.norm / weight_norm; NaN for weights that are all 0. About 1e-3 is usual.
  double ratio() const {
    return weight_norm > 0 ? spread.norm / weight_norm : std::numeric_limits<double>::quiet_NaN();
  }
  friend bool operator==(const UpdateRecord&, const UpdateRecord&) = default;
};

/// The output of one activation function, over a batch; and last the output of the model, whose function is "output".
struct ActivationRecord {
  std::string name;      ///< of the layer before it: "conv1"; "conv1#2" when that comes a second time
  std::string function;  ///< "relu"
  Spread spread;
  std::int64_t units = 0;  ///< channels of a convolution, else elements of the last axis
  /// Share of units that gave one and the same number for all examples and positions of the batch. Of ReLU: always 0.
  double dead = 0;
  /// Share of elements where the function's slope is below a twentieth of its largest: of ReLU those at 0, of tanh those beyond
  /// 0.975. NaN for functions whose output does not tell (gelu, silu, ...), or that do not saturate (leaky_relu).
  double saturated = std::numeric_limits<double>::quiet_NaN();
};

/// Gradient noise by two batch sizes (McCandlish et al., "An empirical model of large-batch training", 2018, appendix A.1):
/// unbiased, and so noisy that either may be negative: average both over several steps before dividing.
struct NoiseRecord {
  std::int64_t small = 0, big = 0;  ///< examples
  double signal = 0;                ///< |G|^2: squared norm of the true gradient
  double noise = 0;                 ///< tr(S): variance of the gradient of one example
  friend bool operator==(const NoiseRecord&, const NoiseRecord&) = default;
};

/// One training step that was looked at.
struct StepRecord {
  std::int64_t step = 0, epoch = 0;  ///< from 1
  double lr = 0, loss = 0;           ///< of its batch
  bool failed = false;               ///< the loss or a gradient was not finite, and the step was not taken
  std::vector<GradientRecord> gradients;
  std::vector<UpdateRecord> updates;
  std::vector<ActivationRecord> activations;
  std::optional<Spread> losses;  ///< of the examples of the batch, each by itself
  std::optional<NoiseRecord> noise;
};

/// The losses of all batches of an epoch.
struct BatchLosses {
  std::int64_t batches = 0;
  double mean = 0, std = 0, min = 0, max = 0;
  friend bool operator==(const BatchLosses&, const BatchLosses&) = default;
};

/// The same weights on training and on validation examples, without dropout. Score: accuracy, or R2 of numbers.
struct Generalisation {
  std::int64_t examples = 0;  ///< training examples that were measured
  double train_loss = 0, val_loss = 0, train_score = 0, val_score = 0;
  double gap() const { return val_loss - train_loss; }
  friend bool operator==(const Generalisation&, const Generalisation&) = default;
};

/// On the validation examples; of classes only.
struct Calibration {
  double error = 0;  ///< expected calibration error, metrics::Classification::calibration_error
  std::vector<metrics::CalibrationBin> bins;
};

/// The largest eigenvalue of the Hessian of the training loss, see sharpness.h.
struct SharpnessRecord {
  double eigenvalue = 0;
  std::int64_t iterations = 0;
  bool converged = false;
  std::int64_t examples = 0;
  friend bool operator==(const SharpnessRecord&, const SharpnessRecord&) = default;
};

/// The end of an epoch.
struct EpochRecord {
  std::int64_t epoch = 0, step = 0;
  BatchLosses batch_loss;
  std::optional<Generalisation> generalisation;
  std::optional<Calibration> calibration;
  std::optional<SharpnessRecord> sharpness;
};

struct Instruments {
  std::vector<StepRecord> steps;
  std::vector<EpochRecord> epochs;
  bool empty() const { return steps.empty() && epochs.empty(); }
};

/// The gradient noise scale tr(S) / |G|^2 from the means of both over the last `last` records that have them (0: all): a
/// batch much smaller than that is mostly noise, a batch much larger wastes examples. NaN without a positive mean of |G|^2.
double noise_scale(const std::vector<StepRecord>& steps, std::size_t last = 0);

/// One line without a newline.
std::string to_json(const StepRecord& record);
std::string to_json(const EpochRecord& record);

/// Where in the run a line belongs, read without the rest of it. Throws Error(format).
struct LinePlace {
  bool is_epoch = false;
  std::int64_t step = 0, epoch = 0;
};
LinePlace place_of(std::string_view line);

/// The records of `path`; none when the file does not exist. A last line without a newline, as a killed run leaves it, is
/// ignored. Throws Error(io) and, with the line's number, Error(format).
Instruments read_instruments(const std::string& path);

}  // namespace gradus::train
