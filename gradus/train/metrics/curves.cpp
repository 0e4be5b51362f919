#include "gradus/train/metrics/curves.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "gradus/base/error.h"
#include "gradus/train/metrics/input.h"

namespace gradus::metrics {
namespace {

struct Threshold {
  double value, positives, negatives;  ///< examples whose score is at least `value`
};

/// One entry for every different score, highest first.
std::vector<Threshold> thresholds_of(std::span<const double> scores, const std::vector<bool>& positive) {
  GRADUS_ASSERT(scores.size() == positive.size());
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
  std::vector<Threshold> all;
  double positives = 0, negatives = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    (positive[order[i]] ? positives : negatives) += 1;
    if (i + 1 < order.size() && scores[order[i + 1]] == scores[order[i]]) continue;
    all.push_back({scores[order[i]], positives, negatives});
  }
  return all;
}

struct Binary {
  std::vector<double> scores;
  std::vector<bool> positive;
};

Binary read(const TensorArg& scores, const TensorArg& labels, const char* op) {
  detail::check_same_shape(scores, "scores", labels, "labels", op);
  Binary data;
  const std::vector<std::int64_t> classes = detail::classes_of(labels, 2, op, "labels");
  data.scores = detail::numbers_of(scores, op, "scores");
  data.positive.assign(classes.begin(), classes.end());
  return data;
}

double trapezoids(const std::vector<double>& x, const std::vector<double>& y) {
  double area = 0;
  for (std::size_t i = 1; i < x.size(); ++i) area += (x[i] - x[i - 1]) * (y[i] + y[i - 1]) / 2;
  return area;
}

RocCurve roc_of(const std::vector<Threshold>& all) {
  RocCurve curve{{0}, {0}, {std::numeric_limits<double>::infinity()}};
  for (const Threshold& t : all) {  // 0 / 0 is NaN
    curve.false_positive_rate.push_back(t.negatives / all.back().negatives);
    curve.true_positive_rate.push_back(t.positives / all.back().positives);
    curve.thresholds.push_back(t.value);
  }
  return curve;
}

PrecisionRecallCurve precision_recall_of(const std::vector<Threshold>& all) {
  PrecisionRecallCurve curve{{1}, {0}, {std::numeric_limits<double>::infinity()}};
  for (const Threshold& t : all) {
    curve.precision.push_back(t.positives / (t.positives + t.negatives));
    curve.recall.push_back(all.back().positives > 0 ? t.positives / all.back().positives : 1);
    curve.thresholds.push_back(t.value);
  }
  return curve;
}

}  // namespace

RocCurve roc_curve(const TensorArg& scores, const TensorArg& labels) {
  const Binary data = read(scores, labels, "roc_curve");
  return roc_of(thresholds_of(data.scores, data.positive));
}

PrecisionRecallCurve precision_recall_curve(const TensorArg& scores, const TensorArg& labels) {
  const Binary data = read(scores, labels, "precision_recall_curve");
  return precision_recall_of(thresholds_of(data.scores, data.positive));
}

double roc_auc(std::span<const double> scores, const std::vector<bool>& positive) {
  const RocCurve curve = roc_of(thresholds_of(scores, positive));
  if (curve.thresholds.size() == 1) return std::numeric_limits<double>::quiet_NaN();
  return trapezoids(curve.false_positive_rate, curve.true_positive_rate);
}

double average_precision(std::span<const double> scores, const std::vector<bool>& positive) {
  const PrecisionRecallCurve curve = precision_recall_of(thresholds_of(scores, positive));
  double sum = 0;
  for (std::size_t i = 1; i < curve.recall.size(); ++i)
    sum += (curve.recall[i] - curve.recall[i - 1]) * curve.precision[i];
  return sum;
}

double roc_auc(const TensorArg& scores, const TensorArg& labels) {
  const Binary data = read(scores, labels, "roc_auc");
  return roc_auc(data.scores, data.positive);
}

double average_precision(const TensorArg& scores, const TensorArg& labels) {
  const Binary data = read(scores, labels, "average_precision");
  return average_precision(data.scores, data.positive);
}

double pr_auc(const TensorArg& scores, const TensorArg& labels) {
  const PrecisionRecallCurve curve = precision_recall_curve(scores, labels);
  return trapezoids(curve.recall, curve.precision);
}

}  // namespace gradus::metrics
