#include "gradus/train/metrics/confusion.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "gradus/base/error.h"
#include "gradus/train/metrics/input.h"

namespace gradus::metrics {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

double ratio(std::int64_t part, std::int64_t whole, double otherwise) {
  return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole) : otherwise;
}

/// The mean of one figure over the classes; all three kinds of average share it.
double mean_over(const ConfusionMatrix& matrix, double ClassFigures::*figure, const AverageOptions& options) {
  if (matrix.examples() == 0) return nan;
  double sum = 0, weights = 0;
  for (std::int64_t c = 0; c < matrix.classes(); ++c) {
    const ClassFigures figures = matrix.of_class(c, options.zero_division);
    const double value = figures.*figure;
    if (std::isnan(value)) continue;
    const double weight = options.average == Average::weighted ? static_cast<double>(figures.examples) : 1;
    sum += weight * value;
    weights += weight;
  }
  return weights > 0 ? sum / weights : options.zero_division;
}

}  // namespace

ConfusionMatrix::ConfusionMatrix(std::int64_t classes, SourceLocation where) : classes_(classes) {
  if (classes < 1 || classes > 65536) {
    throw Error(ErrorKind::value, "confusion_matrix", fmt::format("classes is {}, must be in [1, 65536]", classes))
        .at(where);
  }
  counts_.resize(static_cast<std::size_t>(classes * classes));
}

void ConfusionMatrix::add(std::int64_t label, std::int64_t predicted) {
  GRADUS_ASSERT(label >= 0 && label < classes_ && predicted >= 0 && predicted < classes_);
  ++counts_[static_cast<std::size_t>(label * classes_ + predicted)];
  ++examples_;
}

void ConfusionMatrix::update(const TensorArg& predicted, const TensorArg& labels) {
  detail::check_same_shape(predicted, "predicted", labels, "labels", "confusion_matrix");
  const std::vector<std::int64_t> guess = detail::classes_of(predicted, classes_, "confusion_matrix", "predicted");
  const std::vector<std::int64_t> truth = detail::classes_of(labels, classes_, "confusion_matrix", "labels");
  for (std::size_t i = 0; i < truth.size(); ++i) add(truth[i], guess[i]);
}

std::int64_t ConfusionMatrix::correct() const {
  std::int64_t sum = 0;
  for (std::int64_t c = 0; c < classes_; ++c) sum += count(c, c);
  return sum;
}

ClassFigures ConfusionMatrix::of_class(std::int64_t c, double zero_division) const {
  ClassFigures figures;
  for (std::int64_t other = 0; other < classes_; ++other) {
    figures.examples += count(c, other);
    figures.predicted += count(other, c);
  }
  const std::int64_t hits = count(c, c);
  figures.precision = ratio(hits, figures.predicted, zero_division);
  figures.recall = ratio(hits, figures.examples, zero_division);
  figures.f1 = ratio(2 * hits, figures.predicted + figures.examples, zero_division);
  return figures;
}

double ConfusionMatrix::accuracy() const { return ratio(correct(), examples_, nan); }

double ConfusionMatrix::balanced_accuracy() const {
  double sum = 0;
  std::int64_t present = 0;
  for (std::int64_t c = 0; c < classes_; ++c) {
    const ClassFigures figures = of_class(c);
    if (figures.examples == 0) continue;
    sum += figures.recall;
    ++present;
  }
  return present > 0 ? sum / static_cast<double>(present) : nan;
}

double ConfusionMatrix::mcc() const {
  if (examples_ == 0) return nan;
  const double n = static_cast<double>(examples_);
  double covariance = static_cast<double>(correct()) * n, of_labels = n * n, of_predictions = n * n;
  for (std::int64_t c = 0; c < classes_; ++c) {
    const ClassFigures figures = of_class(c);
    const double examples = static_cast<double>(figures.examples), predicted = static_cast<double>(figures.predicted);
    covariance -= examples * predicted;
    of_labels -= examples * examples;
    of_predictions -= predicted * predicted;
  }
  return of_labels > 0 && of_predictions > 0 ? covariance / std::sqrt(of_labels) / std::sqrt(of_predictions) : 0;
}

// Each example is predicted once and labelled once, so the micro averages are all the accuracy.
double ConfusionMatrix::precision(const AverageOptions& options) const {
  return options.average == Average::micro ? accuracy() : mean_over(*this, &ClassFigures::precision, options);
}
double ConfusionMatrix::recall(const AverageOptions& options) const {
  return options.average == Average::micro ? accuracy() : mean_over(*this, &ClassFigures::recall, options);
}
double ConfusionMatrix::f1(const AverageOptions& options) const {
  return options.average == Average::micro ? accuracy() : mean_over(*this, &ClassFigures::f1, options);
}

}  // namespace gradus::metrics
