#include "gradus/train/lr_find.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "gradus/base/error.h"
#include "gradus/base/random.h"
#include "gradus/data/loader.h"
#include "gradus/engine/eval.h"
#include "gradus/models/registry.h"
#include "gradus/train/objective.h"
#include "gradus/train/setup.h"

namespace gradus::train {
namespace {

void check(const LrFindOptions& o, SourceLocation where) {
  const bool range = o.lowest > 0 && o.lowest < o.highest && std::isfinite(o.highest);
  if (range && o.steps >= 10) return;
  throw Error(ErrorKind::value, "find_lr",
              range ? fmt::format("steps is {}, must be >= 10", o.steps)
                    : fmt::format("the rates go from {} to {}, must be 0 < lowest < highest", o.lowest, o.highest))
      .at(where);
}

/// The batches of one epoch after the other.
class Batches {
 public:
  Batches(const data::Dataset& dataset, const Recipe& recipe) : dataset_(dataset), recipe_(recipe) {}
  data::Batch next() {
    if (!at_ || *at_ == std::default_sentinel) {
      loader_ = data::loader(dataset_, {.batch_size = recipe_.data.batch_size,
                                        .shuffle = recipe_.data.shuffle,
                                        .seed = static_cast<std::uint64_t>(recipe_.seed),
                                        .epoch = epoch_++,
                                        .workers = static_cast<int>(recipe_.data.workers)});
      at_ = loader_->begin();
    }
    const data::Batch batch = **at_;
    ++*at_;
    return batch;
  }

 private:
  const data::Dataset& dataset_;
  const Recipe& recipe_;
  std::int64_t epoch_ = 0;
  std::optional<data::Loader> loader_;
  std::optional<data::Loader::Iterator> at_;
};

double steepest(const std::vector<LrPoint>& points) {
  double best = 0, lr = 0;
  for (std::size_t i = 1; i + 1 < points.size(); ++i) {
    const double slope =
        (points[i + 1].smoothed - points[i - 1].smoothed) / std::log(points[i + 1].lr / points[i - 1].lr);
    if (slope < best) {
      best = slope;
      lr = points[i].lr;
    }
  }
  return lr;
}

}  // namespace

LrRange find_lr(const Recipe& recipe, const LrFindOptions& options, SourceLocation where) {
  check(options, where);
  const data::TrainValidation data = load_training_data(recipe);
  manual_seed(static_cast<std::uint64_t>(recipe.seed));
  models::AnyModel model = models::make(recipe.model);
  check_fit(model, data.train);
  const auto optimizer = make_optimizer(recipe, model);
  optimizer->train();
  const Objective objective(recipe.train, data.train, number_task(recipe));
  Batches batches(data.train, recipe);
  LrRange range;
  double mean = 0, decay = 1, least = INFINITY;
  const precision::Scope scope(step_precision(recipe.train));
  for (std::int64_t i = 0; i < options.steps && !range.exploded; ++i) {
    const double share = static_cast<double>(i) / static_cast<double>(options.steps - 1);
    const double lr = options.lowest * std::pow(options.highest / options.lowest, share);
    optimizer->set_lr(lr);
    const auto [inputs, labels] = batches.next();
    const Tensor loss = objective.training(model, inputs, labels).loss;
    const bool finite = optimizer->minimize(loss);
    objective.constrain(model);
    const double value = loss.item<double>();
    mean = 0.9 * mean + 0.1 * value;
    decay *= 0.9;
    const double smoothed = mean / (1 - decay);
    range.exploded = !finite || !(smoothed <= 4 * least);
    least = std::min(least, smoothed);
    if (!range.exploded) range.points.push_back({lr, value, smoothed});
  }
  range.suggestion = steepest(range.points);
  return range;
}

}  // namespace gradus::train
