#include "gradus/insight/compare/metric.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "gradus/base/error.h"
#include "gradus/engine/eval.h"
#include "gradus/train/metrics/classification.h"
#include "gradus/train/metrics/curves.h"
#include "gradus/train/metrics/regression.h"

namespace gradus::insight {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr std::array of_classes = {Metric::accuracy, Metric::balanced_accuracy, Metric::auc, Metric::f1,
                                   Metric::log_loss};
constexpr std::array of_numbers = {Metric::r2, Metric::rmse, Metric::mae};
constexpr std::array<std::string_view, 8> names = {
    "accuracy", "balanced-accuracy", "auc", "f1", "log-loss", "R2", "rmse", "mae"};

/// Of class 1 against class 0, or of each class against the rest: margins will do.
double area(const Tensor& scores, std::span<const std::int64_t> labels) {
  const std::vector<double> all = scores.to_vector<double>();
  const std::size_t classes = static_cast<std::size_t>(scores.size(1));
  double sum = 0;
  int counted = 0;
  for (std::size_t c = classes == 2 ? 1 : 0; c < classes; ++c) {
    std::vector<double> column(labels.size());
    std::vector<bool> positive(labels.size());
    for (std::size_t i = 0; i < labels.size(); ++i) {
      column[i] = all[i * classes + c];
      positive[i] = labels[i] == static_cast<std::int64_t>(c);
    }
    const double one = metrics::roc_auc(column, positive);
    if (!std::isnan(one)) sum += one, ++counted;
  }
  return counted == 0 ? nan : sum / counted;
}

std::vector<double> class_figures(const Tensor& scores, const Tensor& label_tensor, std::span<const Metric> wanted,
                                  bool probabilities) {
  const std::vector<double> all = scores.to_vector<double>();
  const std::span<const std::int64_t> labels = label_tensor.data<std::int64_t>();
  const std::int64_t classes = scores.size(1);
  metrics::ConfusionMatrix matrix(classes);
  for (std::size_t i = 0; i < labels.size(); ++i)
    matrix.add(labels[i], classic::detail::best_of(&all[i * static_cast<std::size_t>(classes)], classes));
  std::vector<double> figures;
  for (const Metric metric : wanted) {
    switch (metric) {
      case Metric::accuracy: figures.push_back(matrix.accuracy()); break;
      case Metric::balanced_accuracy: figures.push_back(matrix.balanced_accuracy()); break;
      case Metric::auc: figures.push_back(area(scores, labels)); break;
      case Metric::f1: figures.push_back(matrix.f1({.zero_division = nan})); break;
      default:
        if (!probabilities) {
          figures.push_back(nan);
          break;
        }
        metrics::Classification counted({.classes = classes});
        counted.update(scores, label_tensor);
        figures.push_back(counted.log_loss());
    }
  }
  return figures;
}

std::vector<double> number_figures(const Tensor& answers, const Tensor& targets, std::span<const Metric> wanted) {
  const std::vector<double> truth = targets.to_vector<double>();
  metrics::Regression counted;
  counted.update(answers, leaf<double>({answers.size(0)}, std::span<const double>(truth)));
  std::vector<double> figures;
  for (const Metric metric : wanted)
    figures.push_back(metric == Metric::r2 ? counted.r2() : metric == Metric::rmse ? counted.rmse() : counted.mae());
  return figures;
}

/// Symmetric in the logarithm of a positive quantity.
Interval positive_interval(double mean, double variance, double degrees) {
  if (!(mean > 0) || !(variance > 0)) return {mean, mean};
  const double factor = std::exp(student_t_quantile(0.975, degrees) * std::sqrt(variance) / mean);
  return {mean / factor, mean * factor};
}

}  // namespace

std::string_view name_of(Metric metric) { return names[static_cast<std::size_t>(metric)]; }

Metric metric_of(std::string_view name) {
  for (std::size_t i = 0; i < names.size(); ++i)
    if (name == names[i] || (name == "r2" && names[i] == "R2")) return static_cast<Metric>(i);
  throw Error(ErrorKind::value, "compare", fmt::format("there is no metric \"{}\"", name))
      .hint(fmt::format("of classes: {}; of numbers: r2, rmse, mae",
                        fmt::join(std::span(names).first(of_classes.size()), ", ")));
}

std::span<const Metric> metrics_of(bool classes) {
  return classes ? std::span<const Metric>(of_classes) : std::span<const Metric>(of_numbers);
}

bool is_loss(Metric metric) { return metric == Metric::log_loss || metric == Metric::rmse || metric == Metric::mae; }

bool has_unit(Metric metric) { return is_loss(metric); }

std::vector<double> figures_of(const Tensor& answers, const Tensor& labels, std::span<const Metric> wanted,
                               bool probabilities) {
  const bool classes = labels.dtype() == DType::i64;
  const std::span<const Metric> possible = metrics_of(classes);
  for (const Metric metric : wanted) {
    if (std::find(possible.begin(), possible.end(), metric) != possible.end()) continue;
    throw Error(ErrorKind::value, "compare",
                fmt::format("{} is no metric of {}", name_of(metric), classes ? "classes" : "numbers"));
  }
  eval(answers, labels);
  return classes ? class_figures(answers, labels, wanted, probabilities) : number_figures(answers, labels, wanted);
}

Interval metric_interval(Metric metric, double mean, double variance, double examples, double degrees) {
  if (is_loss(metric)) return positive_interval(mean, variance, degrees);
  if (metric != Metric::r2) return proportion_interval(std::clamp(mean, 0.0, 1.0), variance, examples, degrees);
  const Interval rest = positive_interval(1 - mean, variance, degrees);
  return {1 - rest.high, 1 - rest.low};
}

}  // namespace gradus::insight
