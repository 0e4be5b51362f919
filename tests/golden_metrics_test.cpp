// Metrics against scikit-learn: the cases of tools/golden/metrics.py.
#include <gtest/gtest.h>

#include <cmath>

#include "gradus/train/metrics/classification.h"
#include "gradus/train/metrics/curves.h"
#include "gradus/train/metrics/regression.h"
#include "tests/golden.h"

namespace gradus::metrics {
namespace {

using testing::golden;
using testing::GoldenFile;

void expect_figures(const GoldenFile& file, const std::string& name, const std::vector<double>& actual) {
  const std::vector<double> expected = file.at(name + ".figures").to_vector<double>();
  ASSERT_EQ(actual.size(), expected.size()) << name;
  for (std::size_t i = 0; i < actual.size(); ++i) {
    if (std::isnan(expected[i])) {
      EXPECT_TRUE(std::isnan(actual[i])) << name << ", figure " << i;
    } else {
      EXPECT_NEAR(actual[i], expected[i], 1e-10 * std::max(1.0, std::abs(expected[i]))) << name << ", figure " << i;
    }
  }
}

/// The rows `first` to `last` of `x`.
Tensor rows(const Tensor& x, std::int64_t first, std::int64_t last) { return slice(x, 0, first, last); }

TEST(GoldenMetrics, Confusion) {
  const GoldenFile file = golden("metrics");
  const std::pair<const char*, std::int64_t> cases[] = {
      {"confusion_binary", 2},          {"confusion_many", 5},     {"confusion_missing_class", 4},
      {"confusion_never_predicted", 3}, {"confusion_constant", 3}, {"confusion_perfect", 3}};
  for (const auto& [name, classes] : cases) {
    const Tensor labels = file.at(std::string(name) + ".labels"), predicted = file.at(std::string(name) + ".predicted");
    ConfusionMatrix matrix(classes);
    matrix.update(rows(predicted, 0, 2), rows(labels, 0, 2));  // in two batches, of different types
    matrix.update(rows(predicted, 2, predicted.numel()), cast(rows(labels, 2, labels.numel()), DType::i32));
    std::vector<double> figures = {matrix.accuracy(), matrix.balanced_accuracy(), matrix.mcc()};
    const AverageOptions averages[] = {{.average = Average::micro},
                                       {.average = Average::macro},
                                       {.average = Average::weighted},
                                       {.average = Average::macro, .zero_division = 1}};
    for (const AverageOptions& average : averages) {
      figures.insert(figures.end(), {matrix.precision(average), matrix.recall(average), matrix.f1(average)});
    }
    for (double ClassFigures::*figure : {&ClassFigures::precision, &ClassFigures::recall, &ClassFigures::f1}) {
      for (std::int64_t c = 0; c < classes; ++c) figures.push_back(matrix.of_class(c).*figure);
    }
    expect_figures(file, name, figures);
  }
}

TEST(GoldenMetrics, Classification) {
  const GoldenFile file = golden("metrics");
  for (const std::string name :
       {"probabilities_binary", "probabilities_many", "probabilities_ties", "probabilities_missing_class"}) {
    const Tensor p = file.at(name + ".p"), labels = file.at(name + ".labels");
    Classification all({.classes = p.size(1)}), coarse({.classes = p.size(1), .bins = 4});
    for (std::int64_t first = 0; first < labels.numel(); first += 17) {
      const std::int64_t last = std::min(first + 17, labels.numel());
      all.update(rows(p, first, last), rows(labels, first, last));
    }
    if (p.size(1) == 2) {
      coarse.update(reshape(slice(p, 1, 1, 2), {p.size(0)}), labels);
    } else {
      coarse.update(p, labels);
    }
    expect_figures(
        file, name,
        {all.log_loss(), all.brier(), all.top_k(1), all.top_k(2), p.size(1) > 2 ? all.top_k(3) : 1.0, all.roc_auc(),
         all.roc_auc(Average::weighted), all.average_precision(), all.calibration_error(), coarse.calibration_error()});
    std::int64_t examples = 0;
    for (const CalibrationBin& bin : coarse.calibration()) examples += bin.examples;
    EXPECT_EQ(examples, labels.numel());
  }
}

TEST(GoldenMetrics, Curves) {
  const GoldenFile file = golden("metrics");
  for (const std::string name : {"curve_plain", "curve_ties", "curve_all_equal", "curve_reversed"}) {
    const Tensor scores = file.at(name + ".scores"), labels = file.at(name + ".labels");
    const RocCurve roc = roc_curve(scores, labels);
    EXPECT_LE(testing::relative_error(roc.false_positive_rate, file.at(name + ".fpr").to_vector<double>()), 1e-12);
    EXPECT_LE(testing::relative_error(roc.true_positive_rate, file.at(name + ".tpr").to_vector<double>()), 1e-12);
    const PrecisionRecallCurve curve = precision_recall_curve(scores, labels);
    EXPECT_LE(testing::relative_error(curve.precision, file.at(name + ".precision").to_vector<double>()), 1e-12);
    EXPECT_LE(testing::relative_error(curve.recall, file.at(name + ".recall").to_vector<double>()), 1e-12);
    expect_figures(file, name, {roc_auc(scores, labels), average_precision(scores, labels), pr_auc(scores, labels)});
  }
}

TEST(GoldenMetrics, Regression) {
  const GoldenFile file = golden("metrics");
  for (const std::string name : {"regression_plain", "regression_outputs", "regression_constant", "regression_exact"}) {
    const Tensor predicted = file.at(name + ".predicted"), targets = file.at(name + ".targets");
    Regression figures;
    figures.update(rows(predicted, 0, 1), rows(targets, 0, 1));
    figures.update(rows(predicted, 1, predicted.size(0)), rows(targets, 1, targets.size(0)));
    EXPECT_EQ(figures.examples(), predicted.size(0));
    expect_figures(file, name, {figures.r2(), figures.mae(), figures.mse(), figures.rmse()});
  }
}

// What scikit-learn refuses or only warns about: our documented answers.
TEST(GoldenMetrics, Nothing) {
  EXPECT_TRUE(std::isnan(ConfusionMatrix(3).accuracy()));
  EXPECT_TRUE(std::isnan(ConfusionMatrix(3).balanced_accuracy()));
  EXPECT_TRUE(std::isnan(ConfusionMatrix(3).f1()));
  EXPECT_TRUE(std::isnan(Classification({.classes = 3}).roc_auc()));
  EXPECT_TRUE(std::isnan(Classification({.classes = 3}).calibration_error()));
  EXPECT_TRUE(std::isnan(Regression().mae()));
  const Tensor scores = tensor({0.5, 0.25}), ones_only = tensor<std::int64_t>({1, 1});
  EXPECT_TRUE(std::isnan(roc_auc(scores, ones_only)));
  EXPECT_EQ(average_precision(scores, tensor<std::int64_t>({0, 0})), 0);
  ConfusionMatrix matrix(3);
  matrix.add(0, 0);
  EXPECT_EQ(matrix.precision({.zero_division = std::nan("")}), 1) << "classes without a figure are left out";
}

}  // namespace
}  // namespace gradus::metrics
