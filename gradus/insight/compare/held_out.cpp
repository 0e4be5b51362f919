#include "gradus/insight/compare/held_out.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <numeric>

#include "gradus/base/error.h"
#include "gradus/base/random.h"
#include "gradus/classic/convolutional.h"
#include "gradus/classic/linear.h"
#include "gradus/classic/neighbours.h"
#include "gradus/classic/perceptron.h"
#include "gradus/classic/svm.h"
#include "gradus/classic/tree.h"
#include "gradus/data/split/sampler.h"
#include "gradus/engine/eval.h"

namespace gradus::insight {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

void check(const data::Dataset& train, const data::Dataset& test, const std::vector<Contender>& contenders,
           const std::vector<CurveSize>& sizes, const HeldOutOptions& options) {
  const auto refuse = [&](bool wrong, const std::string& summary) {
    if (wrong) throw Error(ErrorKind::value, "compare", summary).context(train.name());
  };
  refuse(train.is_regression() || test.is_regression(), "the curve of a test part is one of classes, not of numbers");
  refuse(contenders.empty() || sizes.empty(), "there is nothing to compare");
  refuse(options.test_rows < 0 || options.test_rows == 1 || options.test_rows > test.size(),
         fmt::format("{} test rows are asked for, and there are {}", options.test_rows, test.size()));
  for (const CurveSize& size : sizes) {
    refuse(size.rows < 2 || size.rows > train.size(),
           fmt::format("a size is {}, must be 2 to the {} training rows", size.rows, train.size()));
    refuse(size.draws < 1, fmt::format("{} draws of {} rows, must be 1 at least", size.draws, size.rows));
  }
  for (const Contender& each : contenders)
    refuse(each.variants.size() != 1, fmt::format("{} has {} variants, must be 1", each.name, each.variants.size()));
}

/// Rows in the order of a key, of which every beginning holds the classes in their shares.
data::Rows ordered(const data::Dataset& set, Key key) {
  return data::stratified_sampler(set.labels().to_vector<std::int64_t>()).rows(key);
}

data::Batch whole(const data::Dataset& set) {
  data::Rows rows(static_cast<std::size_t>(set.size()));
  std::iota(rows.begin(), rows.end(), std::int64_t{0});
  return set.batch(rows);
}

/// One draw of one contender: its sums so far grow.
void measure(HeldOutStanding& standing, const classic::Learner& learner, const data::Dataset& train,
             const data::Batch& test, std::uint64_t seed) {
  auto start = Clock::now();
  const classic::Model model = learner.fit(train, seed);
  standing.fit_seconds += seconds_since(start);
  start = Clock::now();
  const Tensor predicted = model.predict(test.inputs);
  standing.predict_seconds += seconds_since(start) * 1000 / static_cast<double>(standing.right.size());
  standing.bytes += model.bytes();
  standing.parameters += model.parameters();
  const std::span<const std::int64_t> named = predicted.data<std::int64_t>(), truth = test.labels.data<std::int64_t>();
  double right = 0;
  for (std::size_t i = 0; i < named.size(); ++i) {
    standing.right[i] += named[i] == truth[i];
    right += named[i] == truth[i];
  }
  standing.scores.push_back(right / static_cast<double>(named.size()));
}

void conclude(HeldOutStanding& standing) {
  const double draws = static_cast<double>(standing.scores.size());
  for (double& share : standing.right) share /= draws;
  standing.fit_seconds /= draws;
  standing.predict_seconds /= draws;
  standing.bytes /= static_cast<std::int64_t>(standing.scores.size());
  standing.parameters /= static_cast<std::int64_t>(standing.scores.size());
  const CrossedTest found = crossed_test(standing.scores, standing.right);
  standing.mean = mean_of(standing.scores);
  standing.interval =
      proportion_interval(standing.mean, found.variance, static_cast<double>(standing.right.size()), found.degrees);
}

std::string listed(const std::vector<std::string>& names) { return fmt::format("{}", fmt::join(names, ", ")); }

}  // namespace

std::vector<Contender> image_contenders(const data::Dataset& train) {
  std::vector<Contender> all = {contender({classic::logistic_regression()}),
                                contender({classic::nearest_neighbours({.k = 5})}),
                                contender({classic::random_forest({.trees = 100})})};
  const std::vector<std::string> missing = missing_contenders();
  if (std::find(missing.begin(), missing.end(), "RBF SVM (LIBSVM)") == missing.end())
    all.push_back(contender({classic::rbf_svm({.C = 10})}));
  const Shape shape = train.example_shape();
  if (shape.rank() == 3 && shape[1] >= 8 && shape[2] >= 8) {
    all.push_back(contender({classic::convolutional({.channels = shape[0], .height = shape[1], .width = shape[2]})}));
  } else {
    all.push_back(contender({classic::standardised(classic::perceptron())}));
  }
  return all;
}

const HeldOutStanding& HeldOutPoint::of(std::string_view name) const {
  for (const HeldOutStanding& each : standings)
    if (each.name == name) return each;
  throw Error(ErrorKind::value, "compare", fmt::format("there is no contender \"{}\"", name));
}

PairedTest HeldOutPoint::difference(std::string_view name, std::string_view other) const {
  const HeldOutStanding &a = of(name), &b = of(other);
  std::vector<double> draws, examples;
  for (std::size_t i = 0; i < a.scores.size(); ++i) draws.push_back(a.scores[i] - b.scores[i]);
  for (std::size_t i = 0; i < a.right.size(); ++i) examples.push_back(a.right[i] - b.right[i]);
  return crossed_test(draws, examples).test;
}

std::vector<HeldOutPoint> held_out_curve(const data::Dataset& train, const data::Dataset& test,
                                         const std::vector<Contender>& contenders, const std::vector<CurveSize>& sizes,
                                         const HeldOutOptions& options, const CompareProgress& progress) {
  check(train, test, contenders, sizes, options);
  data::Rows asked = ordered(test, Key{options.seed}.fold(0));
  if (options.test_rows > 0) asked.resize(static_cast<std::size_t>(options.test_rows));
  std::sort(asked.begin(), asked.end());
  const data::Batch test_batch = whole(test.subset(asked));
  eval(test_batch.inputs, test_batch.labels);
  std::vector<HeldOutPoint> curve;
  for (const CurveSize& size : sizes) {
    HeldOutPoint point{.rows = size.rows, .test_rows = static_cast<std::int64_t>(asked.size()), .standings = {}};
    for (const Contender& each : contenders)
      point.standings.push_back({.name = each.name,
                                 .settings = each.variants[0].settings,
                                 .network = each.network,
                                 .scores = {},
                                 .right = std::vector<double>(asked.size()),
                                 .interval = {}});
    for (std::int64_t draw = 0; draw < size.draws; ++draw) {
      const Key key = Key{options.seed}.fold(static_cast<std::uint64_t>(draw) + 1);
      data::Rows rows = ordered(train, key);
      rows.resize(static_cast<std::size_t>(size.rows));
      const data::Dataset drawn = train.subset(rows);
      for (std::size_t c = 0; c < contenders.size(); ++c) {
        if (progress)
          progress(fmt::format("{} rows, draw {} of {}: {}", size.rows, draw + 1, size.draws, contenders[c].name));
        measure(point.standings[c], contenders[c].variants[0], drawn, test_batch, key.fold(1).value);
      }
    }
    for (HeldOutStanding& each : point.standings) conclude(each);
    std::stable_sort(point.standings.begin(), point.standings.end(),
                     [](const auto& a, const auto& b) { return a.mean > b.mean; });
    curve.push_back(std::move(point));
  }
  return curve;
}

HeldOutVerdict verdict_of(const HeldOutPoint& point) {
  const HeldOutStanding& first = point.standings.front();
  HeldOutVerdict verdict{.leader = first.name, .behind = {}, .together = {}, .sentence = {}};
  std::vector<double> p;
  for (std::size_t i = 1; i < point.standings.size(); ++i)
    p.push_back(point.difference(first.name, point.standings[i].name).p);
  const std::vector<double> corrected = holm(p);
  for (std::size_t i = 1; i < point.standings.size(); ++i)
    (corrected[i - 1] < 0.05 ? verdict.behind : verdict.together).push_back(point.standings[i].name);
  verdict.sentence = fmt::format("{} leads with {:.4f}", first.name, first.mean);
  if (!verdict.behind.empty())
    verdict.sentence += fmt::format(", ahead of {} by more than noise", listed(verdict.behind));
  if (!verdict.together.empty()) verdict.sentence += "; not told from " + listed(verdict.together);
  verdict.sentence += ".";
  return verdict;
}

}  // namespace gradus::insight
