#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "gradus/base/random.h"
#include "gradus/data/loader.h"
#include "gradus/engine/anomaly.h"
#include "gradus/engine/eval.h"
#include "gradus/insight/doctor/measures.h"
#include "gradus/models/registry.h"
#include "gradus/nn/gradients.h"
#include "gradus/nn/mode.h"
#include "gradus/nn/state_dict.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/reduce.h"
#include "gradus/train/objective.h"

namespace gradus::insight::doctor::detail {
namespace {

data::Loader batches_of(const train::Recipe& recipe, const data::Dataset& training, std::int64_t epoch,
                        std::int64_t skip = 0) {
  return data::loader(training, {.batch_size = recipe.data.batch_size,
                                 .shuffle = recipe.data.shuffle,
                                 .seed = static_cast<std::uint64_t>(recipe.seed),
                                 .epoch = epoch,
                                 .skip_batches = skip});
}

/// Mean loss of the last third of so many steps from the start.
double loss_after(const train::Recipe& recipe, const data::Dataset& training, double lr, std::int64_t steps) {
  manual_seed(static_cast<std::uint64_t>(recipe.seed));
  models::AnyModel model = models::make(recipe.model);
  nn::train(model);
  const auto optimizer = train::make_optimizer(recipe, model);
  optimizer->train();
  optimizer->set_lr(lr);
  const train::Objective objective(recipe.train, training, train::number_task(recipe));
  const precision::Scope scope(train::step_precision(recipe.train));
  const std::int64_t counted = std::max<std::int64_t>(steps / 3, 1);
  double sum = 0;
  for (std::int64_t done = 0, epoch = 0; done < steps; ++epoch) {
    for (const auto& [inputs, labels] : batches_of(recipe, training, epoch)) {
      if (done == steps) break;
      const Tensor loss = objective.training(model, inputs, labels).loss;
      if (!optimizer->minimize(loss)) return INFINITY;
      objective.constrain(model);
      if (++done > steps - counted) sum += loss.item<double>();
    }
  }
  const double mean = sum / static_cast<double>(counted);
  return std::isfinite(mean) ? mean : INFINITY;
}

}  // namespace

RateEvidence examine_rates(const train::Recipe& recipe, const data::Dataset& training, std::int64_t steps) {
  const double lr = recipe.optimizer.lr.value_or(train::default_lr(recipe.optimizer.name));
  const auto at = [&](double rate) { return RateEvidence::Point{rate, loss_after(recipe, training, rate, steps)}; };
  RateEvidence rates{.steps = steps, .same = at(lr), .lower = {}, .higher = {}};
  for (const double factor : {10.0, 100.0, 1000.0}) {
    rates.lower.push_back(at(lr / factor));
    rates.higher.push_back(at(lr * factor));
  }
  return rates;
}

std::optional<Failure> examine_validation(const train::Recipe& recipe, const train::Checkpoint& last,
                                          const data::Dataset& training, const data::Dataset& validation) {
  models::AnyModel model = models::make(recipe.model);
  nn::load_state_dict(model, last.weights);
  nn::eval_mode(model);
  const train::Objective objective(recipe.train, training, train::number_task(recipe));
  for (const auto& [inputs, labels] : data::loader(validation, {.batch_size = recipe.data.batch_size})) {
    if (const auto found = engine::find_nonfinite(objective(model(inputs), labels)))
      return Failure{last.loop.step, false, found->str()};
  }
  return std::nullopt;
}

std::optional<Failure> repeat_step(const train::Recipe& recipe, const train::Checkpoint& last,
                                   const data::Dataset& training) {
  models::AnyModel model = models::make(recipe.model);
  nn::load_state_dict(model, last.averaged > 0 ? last.trained : last.weights);
  nn::train(model);
  set_random_state(last.random);
  const train::Objective objective(recipe.train, training, train::number_task(recipe));
  std::int64_t left = recipe.train.accumulate;
  for (const auto& [inputs, labels] : batches_of(recipe, training, last.loop.epoch, last.loop.batch)) {
    const Tensor loss = objective.training(model, inputs, labels).loss;
    const std::int64_t step = last.loop.step + 1;
    if (const auto found = engine::find_nonfinite(loss)) return Failure{step, true, found->str()};
    const models::AnyModel gradient = gradients(loss, model);
    for (const nn::FieldRef& field : nn::all_fields(gradient)) {
      if (!field.tensor().defined()) continue;
      if (const auto found = engine::find_nonfinite(sum(square(field.tensor()))))
        return Failure{step, true, fmt::format("{}, in the gradient of {}", found->str(), field.path)};
    }
    if (--left == 0) break;
  }
  return std::nullopt;
}

}  // namespace gradus::insight::doctor::detail
