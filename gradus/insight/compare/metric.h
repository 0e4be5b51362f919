// What a comparison compares: figures of the answers to a test part, with scikit-learn's definitions.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "gradus/classic/learner.h"
#include "gradus/insight/statistics.h"

namespace gradus::insight {

enum class Metric {
  accuracy,
  balanced_accuracy,  ///< mean recall of the classes that the part has
  auc,       ///< area below the ROC curve; of more than two classes the mean over the classes, each against the rest
  f1,        ///< mean over the classes that the part or the answers have ("macro"), also of two
  log_loss,  ///< mean of -log p(label); asks for probabilities
  r2,        ///< of numbers: share of the variance that is explained
  rmse,      ///< root of the mean squared error, in the unit of the target
  mae        ///< mean absolute error
};
/// "accuracy", "balanced-accuracy", "auc", "f1", "log-loss", "R2", "rmse", "mae"
std::string_view name_of(Metric metric);
/// The metric of that name (R2 also as "r2"). Throws Error(value) with the names.
Metric metric_of(std::string_view name);
/// Those that can be asked of classes, or of numbers; the usual one first.
std::span<const Metric> metrics_of(bool classes);
/// The lower the better: losses and errors.
bool is_loss(Metric metric);
/// It is in the unit of the target (or in nats), so that how much of it matters depends on the target.
bool has_unit(Metric metric);

/// Figures of the answers of one model (classic::Model::scores) to examples with these labels (i64 classes, or numbers). NaN for an area
/// when the labels are all the same, and for log-loss unless the answers are probabilities. Throws Error(value) for a metric of the
/// other kind of labels.
std::vector<double> figures_of(const Tensor& answers, const Tensor& labels, std::span<const Metric> metrics,
                               bool probabilities = true);

/// The 95 % interval of a metric's mean, of which `variance` is the variance, from `examples` different test examples, with Student's
/// quantile of `degrees`. It ends where the metric does:
/// - shares (accuracy, balanced accuracy, area, F1): proportion_interval(), within [0, 1];
/// - losses and errors: symmetric in their logarithm, above 0; R2: the same of 1 - R2, below 1.
Interval metric_interval(Metric metric, double mean, double variance, double examples, double degrees);

}  // namespace gradus::insight
