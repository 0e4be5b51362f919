// Learners against each other on the same splits: networks and others behind one protocol.
//
//   const insight::Problem problem = insight::problem_of(data::breast_cancer());
//   const insight::Comparison found = insight::compare(problem, insight::usual_contenders(problem, {}));
//   found.standings[0].name                                       // the best
//   found.difference("neural network", "logistic regression")     // with its interval
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gradus/classic/learner.h"
#include "gradus/data/dataset.h"
#include "gradus/data/split/split.h"
#include "gradus/data/table/encoder.h"
#include "gradus/data/table/table.h"
#include "gradus/insight/compare/metric.h"
#include "gradus/insight/statistics.h"

namespace gradus::insight {

/// Rows with something to predict, and how parts of them become examples.
struct Problem {
  std::string name;
  std::int64_t rows = 0;
  std::vector<std::int64_t> labels = {};  ///< of every row; empty: numbers are to be predicted
  std::int64_t classes = 0;
  /// The examples of both parts; whatever is learned from rows (means that fill gaps) is learned from the first.
  std::function<std::pair<data::Dataset, data::Dataset>(const data::Rows& train, const data::Rows& test)> parts;

  /// What is compared unless something else is asked for.
  Metric usual_metric() const { return labels.empty() ? Metric::r2 : Metric::accuracy; }
};
Problem problem_of(const data::Dataset& dataset);
/// A table with a target: classes, or with `numbers` a number. The encoder learns from each training part anew. Throws as
/// data::TableEncoder.
Problem problem_of(const data::Table& table, const data::EncoderOptions& options, bool numbers = false);

/// A learner in variants, between which a validation part decides.
struct Contender {
  std::string name;
  std::vector<classic::Learner> variants;
  bool network = false;
};
/// From a learner's variants, which have its name.
Contender contender(std::vector<classic::Learner> variants);

struct ContenderOptions {
  bool quick = false;          ///< fewer variants and trees
  bool probabilities = false;  ///< only learners that answer with them
  std::int64_t rows = 0;       ///< of a training part; 0: four fifths of the problem's
};
/// What an engineer would try: baseline, linear models, support vector machines, neighbours, naive Bayes, a tree, a forest, boosting, and
/// multilayer perceptrons, as far as they fit the task and this build has their libraries.
std::vector<Contender> usual_contenders(const Problem& problem, const ContenderOptions& options = {});
/// What of it is missing in this build: {"gradient boosting (XGBoost)"}.
std::vector<std::string> missing_contenders();

struct CompareOptions {
  std::optional<Metric> metric = {};  ///< none: accuracy, or R2 of numbers
  std::int64_t folds = 5, repeats = 2;
  double validation = 0.25;     ///< share of each training part that decides between variants
  std::int64_t train_rows = 0;  ///< of each training part; 0: all
  std::uint64_t seed = 0;
};

/// One contender on all splits.
struct Standing {
  std::string name;
  bool network = false;
  std::vector<double> scores;         ///< of the test part of each split
  std::vector<std::string> settings;  ///< the variant that validation chose
  double mean = 0;
  Interval interval;           ///< 95 %, corrected for overlapping training parts; see metric_interval()
  double tune_seconds = 0;     ///< of a split: all variants on the inner part
  double fit_seconds = 0;      ///< of a split: the chosen one on the whole training part
  double predict_seconds = 0;  ///< of 1,000 rows
  std::int64_t bytes = 0;      ///< mean size of what was learned
  /// Means of the metrics that were not asked for, in the order of metrics_of(); NaN where the learner has none.
  std::vector<std::pair<Metric, double>> others = {};

  /// The settings that were chosen most often.
  std::string usual_settings() const;
};

struct Comparison {
  Metric metric = Metric::accuracy;
  std::int64_t train_rows = 0, test_rows = 0;  ///< of a split, rounded
  std::vector<Standing> standings;             ///< best mean first

  const Standing& of(std::string_view name) const;
  /// Scores of one minus those of another, split by split, with Nadeau and Bengio's correction.
  PairedTest difference(std::string_view name, std::string_view other) const;
  /// The same, with the sign that makes it positive when the first is better, also for losses.
  PairedTest gain(std::string_view name, std::string_view other) const;
  std::string_view score_name() const { return name_of(metric); }
  /// The best that is a network, or that is none and no baseline; null when there is none.
  const Standing* best(bool network) const;
};

/// Told before each contender of each split: "split 3 of 10: random forest".
using CompareProgress = std::function<void(const std::string&)>;

/// Repeated stratified K-fold cross-validation (of numbers plain). In every split each contender gets the same rows: variants are
/// tried on an inner part and judged by a validation part, the best one is fitted to the whole training part, and only that
/// touches the test part. Equal seeds give equal scores, bit for bit. Throws Error(value) for a class with fewer rows than folds,
/// options out of range, a metric of the other kind of labels or one that a learner has not, and as the learners.
Comparison compare(const Problem& problem, const std::vector<Contender>& contenders, const CompareOptions& options = {},
                   const CompareProgress& progress = {});

/// The same with training parts of each of these sizes, smallest first; the test parts stay what they are.
struct CurvePoint {
  std::int64_t rows = 0;
  Comparison comparison;
};
std::vector<CurvePoint> learning_curve(const Problem& problem, const std::vector<Contender>& contenders,
                                       const std::vector<std::int64_t>& sizes, const CompareOptions& options = {},
                                       const CompareProgress& progress = {});

}  // namespace gradus::insight
