#include "gradus/insight/compare/protocol.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <memory>
#include <numeric>

#include "gradus/base/error.h"
#include "gradus/base/random.h"
#include "gradus/data/split/sampler.h"

namespace gradus::insight {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

Error refusal(const Problem& problem, std::string summary) {
  return Error(ErrorKind::value, "compare", std::move(summary)).context(problem.name);
}

/// `rows` in an order of the key of which every beginning holds the classes in their shares.
data::Rows mixed(const Problem& problem, const data::Rows& rows, Key key) {
  std::vector<std::int64_t> order;
  if (problem.labels.empty()) {
    order = random_permutation(static_cast<std::int64_t>(rows.size()), key);
  } else {
    std::vector<std::int64_t> labels;
    for (const std::int64_t row : rows) labels.push_back(problem.labels[static_cast<std::size_t>(row)]);
    order = data::stratified_sampler(labels).rows(key);
  }
  for (std::int64_t& place : order) place = rows[static_cast<std::size_t>(place)];
  return order;
}

std::vector<data::Fold> splits_of(const Problem& problem, const CompareOptions& options) {
  if (problem.labels.empty()) return data::repeated_k_fold(problem.rows, options.folds, options.repeats, options.seed);
  std::vector<std::int64_t> counts(static_cast<std::size_t>(problem.classes));
  for (const std::int64_t label : problem.labels) ++counts[static_cast<std::size_t>(label)];
  const std::int64_t present = problem.classes - std::count(counts.begin(), counts.end(), 0);
  if (present < 2) throw refusal(problem, "all rows are of one class: there is nothing to learn");
  for (std::size_t c = 0; c < counts.size(); ++c) {
    if (counts[c] == 0 || counts[c] >= options.folds) continue;
    throw refusal(problem, fmt::format("class {} has {} rows, fewer than the {} folds", c, counts[c], options.folds))
        .hint("leave out rare classes or put them together, or take fewer folds");
  }
  return data::repeated_stratified_k_fold(problem.labels, options.folds, options.repeats, options.seed);
}

void check(const Problem& problem, const std::vector<Contender>& contenders, const CompareOptions& options) {
  const bool share = options.validation > 0 && options.validation < 1;
  if (options.folds < 2 || options.repeats < 1 || !share || options.train_rows < 0) {
    throw refusal(problem,
                  fmt::format("folds {}, repeats {}, validation {} and train_rows {} must be at least 2, 1, in "
                              "(0, 1), and 0 or more",
                              options.folds, options.repeats, options.validation, options.train_rows));
  }
  if (contenders.empty()) throw refusal(problem, "there is nothing to compare");
  const bool probabilities = options.metric == Metric::log_loss;
  for (const Contender& each : contenders) {
    if (each.variants.empty()) throw refusal(problem, fmt::format("{} has no variants", each.name));
    if (probabilities && !each.variants[0].probabilities)
      throw refusal(problem, fmt::format("log-loss asks for probabilities, and {} has none", each.name));
  }
  if (!options.metric) return;
  const std::span<const Metric> possible = metrics_of(!problem.labels.empty());
  if (std::find(possible.begin(), possible.end(), *options.metric) == possible.end()) {
    std::vector<std::string_view> known;
    for (const Metric metric : possible) known.push_back(name_of(metric));
    throw refusal(problem, fmt::format("{} is no metric of {}", name_of(*options.metric),
                                       problem.labels.empty() ? "numbers" : "classes"))
        .hint(fmt::format("these are: {}", fmt::join(known, ", ")));
  }
}

/// The parts of one split.
struct Split {
  std::pair<data::Dataset, data::Dataset> outer, inner;
};

Split prepared(const Problem& problem, const data::Fold& fold, const CompareOptions& options, Key key) {
  data::Rows train = mixed(problem, fold.train, key.fold(1));
  if (options.train_rows > 0) train.resize(std::min(train.size(), static_cast<std::size_t>(options.train_rows)));
  const double share = options.validation * static_cast<double>(train.size());
  const std::size_t held = std::max<std::size_t>(1, static_cast<std::size_t>(std::lround(share)));
  if (held >= train.size()) throw refusal(problem, fmt::format("{} rows are too few to train on", train.size()));
  const data::Rows order = mixed(problem, train, key.fold(2));
  const auto cut = order.end() - static_cast<std::ptrdiff_t>(held);
  return {problem.parts(train, fold.validation),
          problem.parts(data::Rows(order.begin(), cut), data::Rows(cut, order.end()))};
}

data::Batch whole(const data::Dataset& dataset) {
  data::Rows rows(static_cast<std::size_t>(dataset.size()));
  std::iota(rows.begin(), rows.end(), std::int64_t{0});
  return dataset.batch(rows);
}

/// The higher the better.
double goodness(Metric metric, const classic::Model& model, const data::Dataset& examples) {
  const data::Batch all = whole(examples);
  const double figure = figures_of(model.scores(all.inputs), all.labels, std::span(&metric, 1))[0];
  return is_loss(metric) ? -figure : figure;
}

/// The variant with the best validation score, the first of equals.
std::size_t chosen(const Contender& contender, const Split& split, Metric metric, std::uint64_t seed) {
  if (contender.variants.size() == 1) return 0;
  std::size_t best = 0;
  double best_score = -INFINITY;
  for (std::size_t v = 0; v < contender.variants.size(); ++v) {
    const double score = goodness(metric, contender.variants[v].fit(split.inner.first, seed), split.inner.second);
    if (score > best_score) {
      best = v;
      best_score = score;
    }
  }
  return best;
}

void measure(Standing& standing, const Contender& contender, const Split& split, Metric metric, std::uint64_t seed) {
  auto start = Clock::now();
  const classic::Learner& learner = contender.variants[chosen(contender, split, metric, seed)];
  standing.tune_seconds += contender.variants.size() == 1 ? 0 : seconds_since(start);
  start = Clock::now();
  const classic::Model model = learner.fit(split.outer.first, seed);
  standing.fit_seconds += seconds_since(start);
  const data::Batch test = whole(split.outer.second);
  start = Clock::now();
  const Tensor answers = model.scores(test.inputs);
  standing.predict_seconds += seconds_since(start) * 1000 / static_cast<double>(split.outer.second.size());
  const std::span<const Metric> all = metrics_of(!split.outer.second.is_regression());
  const std::vector<double> figures = figures_of(answers, test.labels, all, learner.probabilities);
  for (std::size_t i = 0, other = 0; i < all.size(); ++i) {
    if (all[i] == metric) {
      standing.scores.push_back(figures[i]);
    } else {
      standing.others[other++].second += figures[i];
    }
  }
  standing.bytes += model.bytes();
  standing.settings.push_back(learner.settings);
}

/// Standings without scores.
std::vector<Standing> unmeasured(const Problem& problem, const std::vector<Contender>& contenders, Metric metric) {
  std::vector<Standing> standings;
  for (const Contender& each : contenders) {
    standings.push_back({.name = each.name, .network = each.network, .scores = {}, .settings = {}, .interval = {}});
    for (const Metric other : metrics_of(!problem.labels.empty()))
      if (other != metric) standings.back().others.emplace_back(other, 0.0);
  }
  return standings;
}

/// Means, and intervals that allow for the training rows that splits share.
void conclude(Standing& standing, Metric metric, double test_to_train, double examples) {
  const double count = static_cast<double>(standing.scores.size());
  for (double* sum : {&standing.tune_seconds, &standing.fit_seconds, &standing.predict_seconds}) *sum /= count;
  for (auto& [other, sum] : standing.others) sum /= count;
  standing.bytes /= static_cast<std::int64_t>(standing.scores.size());
  const PairedTest test = corrected_resampled_t_test(standing.scores, test_to_train);
  standing.mean = test.mean;
  const double variance = test.deviation * test.deviation * (1 / count + test_to_train);
  standing.interval = metric_interval(metric, test.mean, variance, examples, count - 1);
}

}  // namespace

Problem problem_of(const data::Dataset& dataset) {
  Problem problem{.name = dataset.name(), .rows = dataset.size(), .classes = dataset.num_classes(), .parts = {}};
  if (!dataset.is_regression()) problem.labels = dataset.labels().to_vector<std::int64_t>();
  problem.parts = [dataset](const data::Rows& train, const data::Rows& test) {
    return std::pair(dataset.subset(train), dataset.subset(test));
  };
  return problem;
}

Problem problem_of(const data::Table& table, const data::EncoderOptions& options, bool numbers) {
  const data::TableEncoder all(table, options);  // refuses what no part could be encoded with
  Problem problem{.name = table.name, .rows = table.rows(), .parts = {}};
  if (numbers) {
    all.targets(table);
  } else {
    problem.labels = all.labels(table).to_vector<std::int64_t>();
    problem.classes = static_cast<std::int64_t>(all.classes().size());
  }
  const auto shared = std::make_shared<const data::Table>(table);
  problem.parts = [shared, options, numbers, classes = all.state().classes](const data::Rows& train,
                                                                            const data::Rows& test) {
    const data::Table part = shared->select(train), rest = shared->select(test);
    data::EncoderState state = data::TableEncoder(part, options).state();
    state.classes = classes;  // those of the whole table: a small part need not have them all
    const data::TableEncoder encoder(std::move(state));
    return numbers ? std::pair(encoder.regression_dataset(part), encoder.regression_dataset(rest))
                   : std::pair(encoder.dataset(part), encoder.dataset(rest));
  };
  return problem;
}

Contender contender(std::vector<classic::Learner> variants) {
  GRADUS_ASSERT(!variants.empty());
  Contender made{.name = variants[0].name, .variants = {}, .network = variants[0].network};
  made.variants = std::move(variants);
  return made;
}

std::string Standing::usual_settings() const {
  std::map<std::string, int> counts;
  for (const std::string& each : settings) ++counts[each];
  const auto most =
      std::max_element(counts.begin(), counts.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  return most == counts.end() ? "" : most->first;
}

const Standing& Comparison::of(std::string_view name) const {
  for (const Standing& each : standings)
    if (each.name == name) return each;
  throw Error(ErrorKind::value, "compare", fmt::format("there is no contender \"{}\"", name));
}

PairedTest Comparison::difference(std::string_view name, std::string_view other) const {
  const std::vector<double>&a = of(name).scores, &b = of(other).scores;
  std::vector<double> differences;
  for (std::size_t i = 0; i < a.size(); ++i) differences.push_back(a[i] - b[i]);
  return corrected_resampled_t_test(differences, static_cast<double>(test_rows) / static_cast<double>(train_rows));
}

PairedTest Comparison::gain(std::string_view name, std::string_view other) const {
  return is_loss(metric) ? difference(other, name) : difference(name, other);
}

const Standing* Comparison::best(bool network) const {
  for (const Standing& each : standings)
    if (each.network == network && each.name != "baseline") return &each;
  return nullptr;
}

Comparison compare(const Problem& problem, const std::vector<Contender>& contenders, const CompareOptions& options,
                   const CompareProgress& progress) {
  check(problem, contenders, options);
  const std::vector<data::Fold> splits = splits_of(problem, options);
  const Metric metric = options.metric.value_or(problem.usual_metric());
  Comparison found{.metric = metric, .standings = unmeasured(problem, contenders, metric)};
  for (std::size_t s = 0; s < splits.size(); ++s) {
    const Key key = Key{options.seed}.fold(s);
    const Split split = prepared(problem, splits[s], options, key);
    found.train_rows = split.outer.first.size();
    found.test_rows = split.outer.second.size();
    for (std::size_t c = 0; c < contenders.size(); ++c) {
      if (progress) progress(fmt::format("split {} of {}: {}", s + 1, splits.size(), contenders[c].name));
      measure(found.standings[c], contenders[c], split, metric, key.fold(3).value);
    }
  }
  const double test_to_train = static_cast<double>(found.test_rows) / static_cast<double>(found.train_rows);
  for (Standing& each : found.standings) conclude(each, metric, test_to_train, static_cast<double>(problem.rows));
  std::stable_sort(found.standings.begin(), found.standings.end(), [&](const Standing& a, const Standing& b) {
    return is_loss(metric) ? a.mean < b.mean : a.mean > b.mean;
  });
  return found;
}

std::vector<CurvePoint> learning_curve(const Problem& problem, const std::vector<Contender>& contenders,
                                       const std::vector<std::int64_t>& sizes, const CompareOptions& options,
                                       const CompareProgress& progress) {
  std::vector<CurvePoint> curve;
  for (const std::int64_t size : sizes) {
    CompareOptions with = options;
    with.train_rows = size;
    const auto say = [&](const std::string& what) {
      if (progress) progress(fmt::format("{} rows, {}", size, what));
    };
    curve.push_back({size, compare(problem, contenders, with, say)});
  }
  return curve;
}

}  // namespace gradus::insight
