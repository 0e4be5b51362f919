#include "gradus/train/metrics/classification.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "gradus/base/error.h"
#include "gradus/train/metrics/curves.h"
#include "gradus/train/metrics/input.h"

namespace gradus::metrics {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

/// [n] probabilities of class 1 as [n, 2].
std::vector<double> both_columns(const std::vector<double>& p) {
  std::vector<double> rows;
  rows.reserve(2 * p.size());
  for (const double x : p) {
    rows.push_back(1 - x);
    rows.push_back(x);
  }
  return rows;
}

void check_rows(std::span<const double> p, std::size_t classes, SourceLocation where) {
  for (std::size_t row = 0; row * classes < p.size(); ++row) {
    double sum = 0;
    for (const double x : p.subspan(row * classes, classes)) {
      if (x < 0 || x > 1 + 1e-3) {
        throw Error(ErrorKind::value, "classification", fmt::format("row {} holds the probability {}", row, x))
            .at(where)
            .hint("softmax(logits, 1) makes probabilities of logits");
      }
      sum += x;
    }
    if (std::abs(sum - 1) <= 1e-3) continue;
    throw Error(ErrorKind::value, "classification", fmt::format("the probabilities of row {} sum to {}", row, sum))
        .at(where)
        .hint("softmax(logits, 1) makes probabilities of logits");
  }
}

}  // namespace

Classification::Classification(const ClassificationOptions& options, SourceLocation where)
    : classes_(options.classes), bins_(options.bins), confusion_(std::max<std::int64_t>(options.classes, 1), where) {
  if (options.classes < 2)
    throw Error(ErrorKind::value, "classification", fmt::format("classes is {}, must be >= 2", classes_)).at(where);
  if (options.bins < 1)
    throw Error(ErrorKind::value, "classification", fmt::format("bins is {}, must be >= 1", bins_)).at(where);
  ranks_.resize(static_cast<std::size_t>(classes_));
  probabilities_.resize(static_cast<std::size_t>(classes_));
  for (std::int64_t i = 0; i < bins_; ++i) {
    const double n = static_cast<double>(bins_);
    calibration_.push_back({.low = static_cast<double>(i) / n, .high = static_cast<double>(i + 1) / n});
  }
}

void Classification::update(const TensorArg& probabilities, const TensorArg& labels) {
  std::vector<double> p = detail::numbers_of(probabilities, "classification", "probabilities");
  const std::vector<std::int64_t> truth = detail::classes_of(labels, classes_, "classification", "labels");
  const Shape& shape = probabilities.tensor().shape();
  if (shape.rank() == 1 && classes_ == 2) {
    p = both_columns(p);
  } else if (shape.rank() != 2 || shape[1] != classes_) {
    throw Error(ErrorKind::shape, "classification")
        .at(probabilities.where())
        .operand("probabilities", probabilities.tensor().spec(), fmt::format("expected [n, {}]", classes_));
  }
  const auto classes = static_cast<std::size_t>(classes_);
  if (p.size() != truth.size() * classes) {
    throw Error(ErrorKind::shape, "classification", "not one label per example")
        .at(probabilities.where())
        .operand("probabilities", probabilities.tensor().spec())
        .operand("labels", labels.tensor().spec());
  }
  check_rows(p, classes, probabilities.where());
  for (std::size_t row = 0; row < truth.size(); ++row) {
    const std::span<const double> x(p.data() + row * classes, classes);
    const auto label = static_cast<std::size_t>(truth[row]);
    const auto best = static_cast<std::size_t>(std::max_element(x.begin(), x.end()) - x.begin());
    confusion_.add(truth[row], static_cast<std::int64_t>(best));
    std::size_t rank = 0;
    for (std::size_t c = 0; c < classes; ++c) {
      rank += x[c] > x[label] || (x[c] == x[label] && c < label) ? 1 : 0;
      probabilities_[c].push_back(x[c]);
      const double difference = x[c] - (c == label ? 1 : 0);
      if (classes > 2 || c == 1) brier_ += difference * difference;
    }
    ++ranks_[rank];
    labels_.push_back(truth[row]);
    log_loss_ -= std::log(std::clamp(x[label], 0x1p-52, 1 - 0x1p-52));
    const double place = std::ceil(x[best] * static_cast<double>(bins_)) - 1;
    CalibrationBin& bin =
        calibration_[static_cast<std::size_t>(std::clamp(place, 0.0, static_cast<double>(bins_ - 1)))];
    ++bin.examples;
    bin.confidence += x[best];
    bin.accuracy += best == label ? 1 : 0;
  }
}

double Classification::top_k(std::int64_t k, SourceLocation where) const {
  if (k < 1 || k > classes_)
    throw Error(ErrorKind::value, "top_k", fmt::format("k is {}, must be in [1, {}]", k, classes_)).at(where);
  std::int64_t hits = 0;
  for (std::int64_t i = 0; i < k; ++i) hits += ranks_[static_cast<std::size_t>(i)];
  return examples() > 0 ? static_cast<double>(hits) / static_cast<double>(examples()) : nan;
}

double Classification::log_loss() const { return examples() > 0 ? log_loss_ / static_cast<double>(examples()) : nan; }
double Classification::brier() const { return examples() > 0 ? brier_ / static_cast<double>(examples()) : nan; }

double Classification::roc_auc_of_class(std::int64_t c) const {
  std::vector<bool> positive;
  for (const std::int64_t label : labels_) positive.push_back(label == c);
  return metrics::roc_auc(probabilities_.at(static_cast<std::size_t>(c)), positive);
}

double Classification::average_precision_of_class(std::int64_t c) const {
  std::vector<bool> positive;
  for (const std::int64_t label : labels_) positive.push_back(label == c);
  if (std::find(positive.begin(), positive.end(), true) == positive.end()) return nan;
  return metrics::average_precision(probabilities_.at(static_cast<std::size_t>(c)), positive);
}

double Classification::mean_over_classes(Average average, double (Classification::*figure)(std::int64_t) const) const {
  if (classes_ == 2) return (this->*figure)(1);
  double sum = 0, weights = 0;
  for (std::int64_t c = 0; c < classes_; ++c) {
    const double value = (this->*figure)(c);
    if (std::isnan(value)) continue;
    const double weight = average == Average::weighted ? static_cast<double>(confusion_.of_class(c).examples) : 1;
    sum += weight * value;
    weights += weight;
  }
  return weights > 0 ? sum / weights : nan;
}

double Classification::roc_auc(Average average) const {
  if (average != Average::micro) return mean_over_classes(average, &Classification::roc_auc_of_class);
  throw Error(ErrorKind::value, "roc_auc", "the average of one class against the rest is macro or weighted");
}

double Classification::average_precision(Average average) const {
  if (average != Average::micro) return mean_over_classes(average, &Classification::average_precision_of_class);
  throw Error(ErrorKind::value, "average_precision", "the average of one class against the rest is macro or weighted");
}

std::vector<CalibrationBin> Classification::calibration() const {
  std::vector<CalibrationBin> bins = calibration_;
  for (CalibrationBin& bin : bins) {
    if (bin.examples == 0) continue;
    bin.confidence /= static_cast<double>(bin.examples);
    bin.accuracy /= static_cast<double>(bin.examples);
  }
  return bins;
}

double Classification::calibration_error() const {
  if (examples() == 0) return nan;
  double sum = 0;
  for (const CalibrationBin& bin : calibration_) sum += std::abs(bin.accuracy - bin.confidence);
  return sum / static_cast<double>(examples());
}

}  // namespace gradus::metrics
