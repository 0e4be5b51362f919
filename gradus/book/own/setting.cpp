#include "gradus/book/own/setting.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "gradus/base/error.h"
#include "gradus/base/random.h"
#include "gradus/data/loader.h"
#include "gradus/engine/eval.h"
#include "gradus/engine/precision.h"
#include "gradus/io/atomic_file.h"
#include "gradus/models/registry.h"
#include "gradus/models/variation.h"
#include "gradus/nn/gradients.h"
#include "gradus/nn/init.h"
#include "gradus/nn/mode.h"
#include "gradus/ops/concat.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/factory.h"
#include "gradus/ops/random.h"
#include "gradus/ops/reduce.h"
#include "gradus/ops/view.h"
#include "gradus/train/evaluate.h"
#include "gradus/train/objective.h"
#include "gradus/train/setup.h"

namespace gradus::book {
namespace {

/// Examples on which scores are measured, and gradients are taken.
constexpr std::int64_t score_examples = 1000, gradient_examples = 256, difference_examples = 16;
constexpr double diverged = 2;

std::int64_t steps_of(Effort effort) { return effort == Effort::quick ? 60 : effort == Effort::full ? 600 : 200; }

/// Some rows, chosen by `seed`; all of them when there are no more.
data::Dataset some(const data::Dataset& set, std::int64_t count, std::uint64_t seed) {
  if (count <= 0 || count >= set.size()) return set;
  std::vector<std::int64_t> rows = random_permutation(set.size(), Key{seed}.fold(0x6f776e));
  rows.resize(static_cast<std::size_t>(count));
  return set.subset(rows);
}

data::Dataset with_shuffled_labels(const data::Dataset& set, std::uint64_t seed) {
  const std::vector<std::int64_t> order = random_permutation(set.size(), Key{seed}.fold(0x6c6162656c));
  return {set.name(), set.examples(), set.subset(order).labels(), set.options()};
}

/// Images moved to the right, with zeros behind them.
data::Dataset shifted(const data::Dataset& set, std::int64_t pixels) {
  if (pixels == 0) return set;
  const Tensor& x = set.examples();
  const std::int64_t width = x.size(3);
  const Tensor moved =
      concat({zeros({x.size(0), x.size(1), x.size(2), pixels}, x.dtype()), slice(x, 3, 0, width - pixels)}, 3);
  return {set.name(), moved, set.labels(), set.options()};
}

std::string checksum_of(const data::Dataset& set) {
  const auto bytes = [](const Tensor& tensor) { return std::span(tensor.buffer()->data(), tensor.spec().bytes()); };
  return fmt::format("{} {:08x}", set.name(), io::crc32(bytes(set.labels()), io::crc32(bytes(set.examples()))));
}

bool is_weight(const nn::FieldRef& field) {
  return field.parameter && field.parameter->defined() && field.tensor().rank() >= 2;
}

/// One unit of a layer for all of them, and one of those before it for all that it reads.
Tensor alike(const Tensor& weight, bool first, bool last) {
  Tensor result = weight;
  if (!first) result = slice(result, 1, 0, 1) + zeros(weight.shape());
  return last ? result : slice(result, 0, 0, 1) + zeros(weight.shape());
}

std::vector<nn::FieldRef> weights_of(models::AnyModel& model) {
  std::vector<nn::FieldRef> weights = nn::all_fields(model);
  std::erase_if(weights, [](const nn::FieldRef& field) { return !is_weight(field); });
  return weights;
}

void restart(models::AnyModel& model, Start start) {
  if (start == Start::pytorch) return;
  for (const nn::FieldRef& field : nn::all_fields(model)) {
    if (!is_weight(field) && field.parameter && field.parameter->defined() && field.path.ends_with("bias"))
      field.assign(zeros(field.tensor().shape()));
  }
  const std::vector<nn::FieldRef> weights = weights_of(model);
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const Tensor& weight = weights[i].tensor();
    weights[i].assign(start == Start::alike ? alike(weight, i == 0, i + 1 == weights.size())
                                            : start_of(start, weight.shape()));
  }
}

void freeze_all_but_last(models::AnyModel& model) {
  const std::vector<nn::FieldRef> weights = weights_of(model);
  if (weights.empty()) return;
  const std::string& path = weights.back().path;
  const std::string last = path.substr(0, path.rfind('.') + 1);
  for (const nn::FieldRef& field : nn::all_fields(model)) {
    if (field.parameter && field.parameter->defined() && !field.path.starts_with(last))
      field.parameter->set_trainable(false);
  }
}

Tensor doubled(const Tensor& x) { return is_floating(x.dtype()) ? cast(x, DType::f64) : x; }

double log_norm(const Tensor& x) {
  return 0.5 * std::log10(std::max(sum(square(cast(x, DType::f64))).item<double>(), 1e-90));
}

double score_of(const train::Evaluation& evaluation) {
  if (!evaluation.fit) return evaluation.accuracy;
  return std::isfinite(evaluation.fit->r2) ? std::max(evaluation.fit->r2, -1.0) : -1;
}

}  // namespace

Setting::Setting(const train::Recipe& recipe, Effort effort)
    : recipe_(train::resolved(recipe)), parts_(train::load_training_data(recipe_)), steps_(steps_of(effort)) {
  models::AnyModel model = models::make(recipe_.model);
  train::check_fit(model, parts_.train);
  description_ =
      fmt::format("{} on {}, {} steps of {}", recipe_.model.name, recipe_.data.name, steps_, recipe_.data.batch_size);
  checksum_ = checksum_of(parts_.train);
  recipe_.model = as_layers(recipe_.model);
}

train::Recipe Setting::with_model(const models::ModelSettings& model) const {
  train::Recipe result = recipe_;
  result.model = model;
  return result;
}

train::Recipe Setting::with_optimizer(const std::string& name, double lr, const train::Settings& settings) const {
  train::Recipe result = recipe_;
  result.optimizer = {.name = name, .lr = lr, .settings = settings};
  train::fill_in(result.optimizer.settings, *train::find_choice(train::optimizer_choices(), name));
  result.schedule.clear();
  train::fill_in(result.schedule, *train::find_choice(train::schedule_choices(), "constant"));
  return result;
}

std::vector<double> Setting::gradients_at_start(const train::Recipe& recipe, std::uint64_t seed, Start start) const {
  manual_seed(seed);
  models::AnyModel model = models::make(recipe.model);
  restart(model, start);
  nn::train(model);
  const train::Objective objective(recipe.train, parts_.train, train::number_task(recipe));
  const data::Batch batch = whole(some(parts_.train, gradient_examples, seed));
  models::AnyModel gradient = gradients(objective(model(batch.inputs), batch.labels), model);
  std::vector<double> norms;
  const std::vector<nn::FieldRef> weights = nn::all_fields(model), slopes = nn::all_fields(gradient);
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (is_weight(weights[i]) && slopes[i].parameter->defined())
      norms.push_back(log_norm(slopes[i].tensor()) - log_norm(weights[i].tensor()));
  }
  return norms;
}

double Setting::difference_error(std::uint64_t seed, double h) const {
  manual_seed(seed);
  models::AnyModel model = models::make(recipe_.model);
  nn::eval_mode(model);
  const train::Objective objective(recipe_.train, parts_.train, train::number_task(recipe_));
  const data::Batch batch = whole(some(parts_.train, difference_examples, seed));
  const Tensor inputs = doubled(batch.inputs), labels = doubled(batch.labels);
  std::vector<nn::FieldRef> fields = nn::all_fields(model);
  std::erase_if(fields, [](const nn::FieldRef& field) {
    return !field.tensor().defined() || !is_floating(field.tensor().dtype());
  });
  Tensors at, directions;
  for (const nn::FieldRef& field : fields) {
    at.push_back(doubled(field.tensor()));
    directions.push_back(normal(field.tensor().shape(), {.dtype = DType::f64}, Key{seed}.fold(at.size())));
    eval(at.back(), directions.back());
  }
  const auto loss_at = [&](double step) {
    for (std::size_t i = 0; i < fields.size(); ++i) {
      const Tensor moved = fields[i].parameter ? at[i] + step * directions[i] : at[i];
      eval(moved);  // a leaf, whose gradient can be taken
      fields[i].assign(moved);
    }
    return objective(model(inputs), labels);
  };
  models::AnyModel gradient = gradients(loss_at(0), model);
  std::vector<nn::FieldRef> slopes = nn::all_fields(gradient);
  std::erase_if(slopes, [](const nn::FieldRef& field) { return !field.parameter || !field.parameter->defined(); });
  Tensor slope = tensor(0.0);
  for (std::size_t i = 0, next = 0; i < fields.size(); ++i) {
    if (!fields[i].parameter || next == slopes.size() || fields[i].path != slopes[next].path) continue;
    slope = slope + sum(directions[i] * slopes[next++].tensor());
  }
  const double exact = slope.item<double>();
  const double difference = (loss_at(h).item<double>() - loss_at(-h).item<double>()) / (2 * h);
  return std::log10(std::max(std::abs(difference / exact - 1), 1e-17));
}

const Outcome& Setting::fit(const Trial& trial) const {
  std::string key = fmt::format("{} {} {} {} {} {} {}\n", trial.seed, trial.examples, trial.shuffled_labels,
                                trial.longer, trial.shift, static_cast<int>(trial.start), trial.last_layer_only);
  key += train::recipe_text(trial.recipe);
  const auto [place, fresh] = known_.try_emplace(std::move(key));
  if (fresh) place->second = train(trial);
  return place->second;
}

const Outcome& Setting::best_fit(Trial trial, const std::vector<double>& rates) const {
  const Outcome* best = nullptr;
  for (const double rate : rates) {
    trial.recipe.optimizer.lr = rate;
    const Outcome& outcome = fit(trial);
    if (best == nullptr || outcome.loss < best->loss) best = &outcome;
  }
  return *best;
}

double Setting::score(const classic::Learner& learner, std::uint64_t seed, std::int64_t examples) const {
  const double found =
      learner.fit(some(parts_.train, examples, seed), seed).score(some(parts_.validation, score_examples, 0));
  return predicts_numbers() ? std::max(found, -1.0) : found;
}

Outcome Setting::train(const Trial& trial) const {
  train::Recipe recipe = trial.recipe;
  const std::int64_t steps = steps_ * trial.longer;
  recipe.train.epochs = 1;
  recipe.train.swa_start = 0;
  recipe.optimizer.warmup_steps = std::min(recipe.optimizer.warmup_steps, steps / 10);
  manual_seed(trial.seed);
  models::AnyModel model = models::make(recipe.model);
  restart(model, trial.start);
  if (trial.last_layer_only) freeze_all_but_last(model);
  nn::train(model);
  data::Dataset training = some(parts_.train, trial.examples, trial.seed);
  if (trial.shuffled_labels) training = with_shuffled_labels(training, trial.seed);
  const train::NumberTask numbers = train::number_task(recipe);
  const train::Objective objective(recipe.train, training, numbers);
  const std::unique_ptr<optim::Optimizer> optimizer = train::make_optimizer(recipe, model);
  const train::LearningRate rate = train::make_learning_rate(recipe, steps);
  optimizer->train();
  double sum = 0;
  std::int64_t step = 0, counted = 0;
  bool finite = true;
  for (std::int64_t epoch = 0; step < steps && finite; ++epoch) {
    for (const auto& [inputs, labels] :
         data::loader(training, {.batch_size = std::min(recipe.data.batch_size, training.size()),
                                .shuffle = true,
                                .seed = trial.seed,
                                .epoch = epoch,
                                .drop_last = true,
                                .workers = 0})) {
      const precision::Scope scope(train::step_precision(recipe.train));
      optimizer->set_lr(rate(step));
      const Tensor loss = objective.training(model, inputs, labels).loss;
      finite = optimizer->minimize(loss);
      objective.constrain(model);
      if (!finite || ++step >= steps) {
        if (finite) sum += loss.item<double>(), ++counted;
        break;
      }
      if (step > steps - std::max<std::int64_t>(1, steps / 10)) sum += loss.item<double>(), ++counted;
    }
  }
  optimizer->eval_mode();
  Outcome outcome;
  const double mean = counted > 0 ? sum / static_cast<double>(counted) : 0;
  outcome.loss = finite ? std::min(std::log10(std::max(mean, 1e-12)), diverged) : diverged;
  outcome.train_score = score_of(train::evaluate(model, some(training, score_examples, trial.seed), numbers));
  outcome.score =
      score_of(train::evaluate(model, shifted(some(parts_.validation, score_examples, 0), trial.shift), numbers));
  return outcome;
}

}  // namespace gradus::book
