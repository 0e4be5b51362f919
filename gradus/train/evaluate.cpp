#include "gradus/train/evaluate.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "gradus/data/loader.h"
#include "gradus/engine/eval.h"
#include "gradus/nn/losses.h"
#include "gradus/ops/reduce.h"
#include "gradus/train/metrics/regression.h"
#include "gradus/train/mode.h"

namespace gradus::train {
namespace {

/// Large enough to keep the cores busy, small enough for the caches.
constexpr std::int64_t batch_size = 500;

Evaluation evaluate_numbers(models::AnyModel& model, const data::Dataset& dataset, const NumberTask& numbers) {
  const EvaluationMode mode(model);
  metrics::Regression figures;
  double loss_sum = 0;
  bool finite = true;
  for (const auto& [inputs, targets] :
       data::loader(dataset, {.batch_size = std::min(batch_size, dataset.size()), .workers = 1})) {
    Tensor loss, guess;
    {
      const Tensor answer = model(inputs);
      loss = numbers.loss_of(answer, targets, Reduction::sum);
      guess = numbers.numbers(answer);
    }
    eval(loss, guess);
    loss_sum += loss.item<double>();
    finite = finite && std::isfinite(loss.item<double>());
    if (finite) figures.update(guess, targets);
  }
  Evaluation result;
  result.examples = dataset.size();
  result.loss = loss_sum / static_cast<double>(result.examples);
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  result.fit = finite ? Fit{figures.r2(), figures.mae(), figures.rmse()} : Fit{nan, nan, nan};
  return result;
}

}  // namespace

std::int64_t count_equal(const Tensor& predicted, const Tensor& labels) {
  const auto a = predicted.data<std::int64_t>(), b = labels.data<std::int64_t>();
  std::int64_t count = 0;
  for (std::size_t i = 0; i < a.size(); ++i) count += a[i] == b[i] ? 1 : 0;
  return count;
}

std::vector<double> predicted_numbers(models::AnyModel& model, const data::Dataset& dataset,
                                      const NumberTask& numbers) {
  const EvaluationMode mode(model);
  std::vector<double> all;
  for (const auto& [inputs, targets] :
       data::loader(dataset, {.batch_size = std::min(batch_size, dataset.size()), .workers = 1})) {
    const std::vector<double> some = numbers.numbers(model(inputs)).to_vector<double>();
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

Evaluation evaluate(models::AnyModel& model, const data::Dataset& dataset, const NumberTask& numbers,
                    const Look& look) {
  if (dataset.is_regression()) return evaluate_numbers(model, dataset, numbers);
  const EvaluationMode mode(model);
  Evaluation result;
  result.class_examples.resize(static_cast<std::size_t>(dataset.num_classes()));
  result.class_correct.resize(result.class_examples.size());
  double loss_sum = 0;
  for (const auto& [inputs, labels] :
       data::loader(dataset, {.batch_size = std::min(batch_size, dataset.size()), .workers = 1})) {
    Tensor loss, predicted, kept;
    {
      const Tensor logits = model(inputs);
      loss = cross_entropy(logits, labels, {.reduction = Reduction::sum});
      predicted = argmax(logits, 1);
      if (look) kept = logits;
    }
    eval(loss, predicted);
    if (look) look(kept, labels);
    loss_sum += loss.item<double>();
    const auto truth = labels.data<std::int64_t>(), guess = predicted.data<std::int64_t>();
    for (std::size_t i = 0; i < truth.size(); ++i) {
      const auto label = static_cast<std::size_t>(truth[i]);
      ++result.class_examples[label];
      if (guess[i] == truth[i]) ++result.class_correct[label];
    }
  }
  result.examples = dataset.size();
  for (std::int64_t correct : result.class_correct) result.correct += correct;
  result.loss = loss_sum / static_cast<double>(result.examples);
  result.accuracy = static_cast<double>(result.correct) / static_cast<double>(result.examples);
  return result;
}

Interval confidence_interval(std::int64_t correct, std::int64_t examples) {
  if (examples == 0) return {};
  const double n = static_cast<double>(examples), p = static_cast<double>(correct) / n, z = 1.959964;
  const double centre = p + z * z / (2 * n), spread = z * std::sqrt(p * (1 - p) / n + z * z / (4 * n * n));
  return {(centre - spread) / (1 + z * z / n), (centre + spread) / (1 + z * z / n)};
}

}  // namespace gradus::train
