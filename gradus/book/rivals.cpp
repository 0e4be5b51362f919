#include "gradus/book/rivals.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "gradus/base/random.h"
#include "gradus/book/lab.h"
#include "gradus/classic/linear.h"
#include "gradus/classic/perceptron.h"
#include "gradus/classic/svm.h"
#include "gradus/classic/tree.h"
#include "gradus/data/embedded/embedded.h"
#include "gradus/data/split/sampler.h"
#include "gradus/data/split/split.h"
#include "gradus/data/table/encoder.h"
#include "gradus/engine/eval.h"
#include "gradus/ops/linalg/linalg.h"
#include "gradus/ops/ops.h"

namespace gradus::book {
namespace {

/// The same labels with other examples.
data::Dataset with_examples(const data::Dataset& dataset, const Tensor& examples) {
  eval(examples);
  data::DatasetOptions options = dataset.options();
  options.scaling = {};
  return {dataset.name(), examples, dataset.labels(), options};
}

Tensor standard_rows(const data::Dataset& dataset) {
  const Tensor x = flatten(whole(dataset).inputs, 1);
  const Tensor deviation = stddev(x, {0}, {.correction = 0, .keepdim = true});
  return (x - mean(x, {0}, {.keepdim = true})) / where(greater(deviation, 0), deviation, 1);
}

}  // namespace

const data::Dataset& credit() {
  static const data::Dataset encoded = [] {
    const data::Table table = data::german_credit_table();
    return data::TableEncoder(table, {.target = "class"}).dataset(table);
  }();
  return encoded;
}

Parts parts_of(const data::Dataset& all, std::uint64_t seed, std::int64_t examples) {
  std::vector<data::Rows> parts;
  data::Rows train;
  if (all.is_regression()) {
    parts = data::random_split(all.size(), {0.7, 0.3}, seed);
    train = parts[0];
  } else {
    const std::vector<std::int64_t> labels = all.labels().to_vector<std::int64_t>();
    parts = data::stratified_split(labels, {0.7, 0.3}, seed);
    std::vector<std::int64_t> own;
    for (const std::int64_t row : parts[0]) own.push_back(labels[static_cast<std::size_t>(row)]);
    for (const std::int64_t place : data::stratified_sampler(own).rows(Key{seed}.fold(5)))
      train.push_back(parts[0][static_cast<std::size_t>(place)]);
  }
  if (examples > 0) train.resize(std::min(train.size(), static_cast<std::size_t>(examples)));
  return {all.subset(train), all.subset(parts[1])};
}

double test_score(const classic::Learner& learner, const data::Dataset& all, std::uint64_t seed,
                  std::int64_t examples) {
  const Parts parts = parts_of(all, seed, examples);
  return learner.fit(parts.train, seed).score(parts.test);
}

data::Dataset standard(const data::Dataset& dataset) { return with_examples(dataset, standard_rows(dataset)); }

data::Dataset rotated(const data::Dataset& dataset, std::uint64_t seed) {
  const Tensor x = standard_rows(dataset);
  const Tensor turn = linalg::qr(normal({x.size(1), x.size(1)}, {.dtype = DType::f64}, Key{seed}.fold(21))).q;
  return with_examples(dataset, matmul(x, cast(turn, DType::f32)));
}

data::Dataset with_noise(const data::Dataset& dataset, std::int64_t columns, std::uint64_t seed) {
  return with_examples(dataset,
                       concat({standard_rows(dataset), normal({dataset.size(), columns}, {}, Key{seed}.fold(22))}, 1));
}

data::Dataset in_other_units(const data::Dataset& dataset, std::uint64_t seed) {
  const Tensor x = flatten(whole(dataset).inputs, 1);
  std::vector<float> units(static_cast<std::size_t>(x.size(1)));
  fill_uniform(std::span<float>(units), Key{seed}.fold(23), -3, 4);
  for (float& unit : units) unit = std::pow(10.f, std::floor(unit));
  return with_examples(dataset, x * leaf<float>({x.size(1)}, std::span<const float>(units)));
}

bool has_svm() {
  const std::vector<std::string> libraries = classic::svm_libraries();
  return std::any_of(libraries.begin(), libraries.end(), [](const auto& each) { return each.starts_with("LIBSVM"); });
}

classic::Learner logistic() { return classic::standardised(classic::logistic_regression({.C = 0.1})); }

classic::Learner forest() { return classic::random_forest({.trees = 100}); }

classic::Learner svm() { return classic::standardised(classic::rbf_svm({.C = 3})); }

classic::Learner network(std::vector<std::int64_t> hidden, std::int64_t epochs) {
  return classic::standardised(classic::perceptron({.hidden = std::move(hidden), .epochs = epochs}));
}

}  // namespace gradus::book
