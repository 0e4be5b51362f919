#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "gradus/base/random.h"
#include "gradus/data/statistics.h"
#include "gradus/engine/eval.h"
#include "gradus/insight/doctor/measures.h"
#include "gradus/insight/instruments.h"
#include "gradus/models/activations.h"
#include "gradus/models/registry.h"
#include "gradus/nn/gradients.h"
#include "gradus/nn/hooks.h"
#include "gradus/nn/mode.h"
#include "gradus/nn/state_dict.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/factory.h"
#include "gradus/ops/reduce.h"
#include "gradus/train/evaluate.h"
#include "gradus/train/mode.h"
#include "gradus/train/objective.h"

namespace gradus::insight::doctor::detail {
namespace {

using models::AnyModel;

constexpr std::int64_t probe_rows = 256, evaluated_rows = 2000;

std::vector<std::int64_t> some_rows(std::int64_t size, std::int64_t most) {
  std::vector<std::int64_t> rows = random_permutation(size, Key{0x70726f6265});
  rows.resize(static_cast<std::size_t>(std::min(most, size)));
  std::sort(rows.begin(), rows.end());
  return rows;
}

AnyModel model_with(const models::ModelSettings& settings, const NamedTensors& weights) {
  AnyModel model = models::make(settings);
  nn::load_state_dict(model, weights);
  return model;
}

double norm_of(std::span<const float> values) {
  double sum = 0;
  for (const float x : values) sum += static_cast<double>(x) * static_cast<double>(x);
  return std::sqrt(sum);
}

/// "layers.0" for "layers.0.weight"; "" where no layer is named.
std::string parent(const std::string& path) {
  return path.substr(0, path.rfind('.') == path.npos ? 0 : path.rfind('.'));
}

/// The weights of layers: parameters of two axes and more. By path, evaluated.
std::vector<nn::FieldRef> weights_of(AnyModel& model) {
  std::vector<nn::FieldRef> found;
  for (const nn::FieldRef& field : nn::all_fields(model)) {
    if (field.parameter != nullptr && field.tensor().defined() && field.tensor().rank() >= 2) found.push_back(field);
  }
  return found;
}

/// Norms of the gradients of weights_of(), in their order.
std::vector<double> gradient_norms(AnyModel model, const train::Objective& objective, const data::Batch& batch) {
  nn::train(model);
  const Tensor loss = objective(model(batch.inputs), batch.labels);
  AnyModel gradient = gradients(loss, model);
  std::vector<double> norms;
  std::map<std::string, double> by_path;
  for (const nn::FieldRef& field : nn::all_fields(gradient)) {
    if (field.parameter != nullptr && field.tensor().defined())
      by_path[field.path] = norm_of(field.tensor().to_vector<float>());
  }
  for (const nn::FieldRef& field : weights_of(model)) norms.push_back(by_path[field.path]);
  return norms;
}

bool units_are_copies(const Tensor& weight) {
  const std::vector<float> values = weight.to_vector<float>();
  const auto units = static_cast<std::size_t>(weight.size(0)), size = values.size() / units;
  if (units < 2) return false;
  for (std::size_t i = size; i < values.size(); ++i)
    if (values[i] != values[i - size]) return false;
  return true;
}

/// Paths of the weights that are equal in the checkpoints "best" and "last", although these are of different steps.
std::set<std::string> unmoved_since_best(const train::RunFolder& run, const train::Checkpoint& last,
                                         const Evidence& evidence) {
  std::set<std::string> same;
  if (!train::has_checkpoint(run.checkpoint_stem("best"))) return same;
  const train::Checkpoint best = run.checkpoint("best");
  const double lr = evidence.recipe.optimizer.lr.value_or(0);
  const bool moving = !evidence.history.empty() && evidence.history.back().lr > 0.01 * lr;
  if (best.loop.step == last.loop.step || !moving) return same;
  for (const auto& [name, value] : best.weights) {
    for (const auto& [other, now] : last.weights)
      if (other == name && is_floating(now.dtype()) && now.to_vector<float>() == value.to_vector<float>())
        same.insert(name);
  }
  return same;
}

/// Puts the first gradients that the run recorded in the place of those that were computed for its start: they are what
/// happened, wherever its first weights came from.
void take_recorded(const train::RunFolder& run, const std::vector<nn::FieldRef>& weights, Evidence& evidence) {
  const std::vector<train::StepRecord> steps = read_instruments(run.path()).steps;
  const auto first = std::find_if(steps.begin(), steps.end(), [](const train::StepRecord& step) {
    return !step.failed && !step.gradients.empty();
  });
  if (first == steps.end()) return;
  evidence.recorded_step = first->step;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    for (const train::GradientRecord& gradient : first->gradients) {
      if (gradient.name != weights[i].path) continue;
      const double norm = gradient.spread.norm, before = evidence.layers[i].start_gradient;
      evidence.layers[i].start_gradient = norm / std::sqrt(static_cast<double>(weights[i].tensor().numel()));
      if (before > 0) evidence.layers[i].start_relative *= evidence.layers[i].start_gradient / before;
    }
    for (const train::UpdateRecord& update : first->updates) {
      if (update.name == weights[i].path && update.weight_norm > 0) {
        const double root = std::sqrt(static_cast<double>(weights[i].tensor().numel()));
        evidence.layers[i].start_relative = evidence.layers[i].start_gradient * root / update.weight_norm;
      }
    }
  }
}

void examine_layers(const train::RunFolder& run, const train::Checkpoint& last, AnyModel& start, AnyModel& model,
                    const train::Objective& objective, const data::Batch& batch, Evidence& evidence) {
  const std::set<std::string> unmoved = unmoved_since_best(run, last, evidence);
  const std::vector<double> at_start = gradient_norms(start, objective, batch),
                            at_last = gradient_norms(model, objective, batch);
  const std::vector<nn::FieldRef> before = weights_of(start), after = weights_of(model);
  std::vector<bool> still;
  for (std::size_t i = 0; i < after.size(); ++i) {
    const std::vector<float> first = before[i].tensor().to_vector<float>(), now = after[i].tensor().to_vector<float>();
    std::vector<float> difference(now.size());
    std::transform(now.begin(), now.end(), first.begin(), difference.begin(), std::minus<>());
    const double norm = norm_of(now), root = std::sqrt(static_cast<double>(now.size()));
    LayerEvidence layer{.path = parent(after[i].path)};
    layer.moved = norm_of(difference) / std::max(norm_of(first), 1e-30);
    layer.copies = units_are_copies(after[i].tensor());
    layer.start_gradient = at_start[i] / root;
    layer.last_gradient = at_last[i] / root;
    layer.start_relative = at_start[i] / std::max(norm_of(first), 1e-30);
    layer.last_relative = at_last[i] / std::max(norm, 1e-30);
    still.push_back(last.loop.step > 0 && at_last[i] > 0 && (now == first || unmoved.contains(after[i].path)));
    evidence.layers.push_back(layer);
  }
  take_recorded(run, after, evidence);
  // Where nothing moved at all, the learning rate is to blame.
  if (std::find(still.begin(), still.end(), false) == still.end()) return;
  for (std::size_t i = 0; i < still.size(); ++i) evidence.layers[i].frozen = still[i];
}

/// Where the argument of an activation function can be seen: as input or output of the layer at `path`.
struct Site {
  std::string path, function;
  bool is_input = false;
};

std::vector<Site> sites_of(const models::ModelSettings& model) {
  std::vector<Site> sites;
  if (model.name == "mlp") {
    for (std::size_t i = 0; i < model.hidden.size(); ++i)
      sites.push_back({"layers." + std::to_string(i), model.activation});
  } else if (model.name == "lenet5") {
    for (const char* path : {"conv1", "conv2", "fc1", "fc2"}) sites.push_back({path, "relu"});
  }
  const auto& functions = models::activation_names();
  for (std::size_t i = 0; i < model.layers.size(); ++i) {
    if (std::find(functions.begin(), functions.end(), model.layers[i].type) != functions.end())
      sites.push_back({std::to_string(i), model.layers[i].type, true});
  }
  return sites;
}

/// The largest derivative of functions that are flat on both sides; 0 for others.
double steepest(const std::string& function) {
  if (function == "sigmoid") return 0.25;
  if (function == "hardsigmoid") return 1.0 / 6;
  return function == "tanh" || function == "softsign" || function == "hardtanh" ? 1 : 0;
}

ActivationEvidence examine_activation(const Site& site, const Tensor& argument) {
  const std::vector<float> values = argument.to_vector<float>();
  const Tensor x = leaf<float>(argument.shape(), std::span<const float>(values));
  const std::vector<float> slopes = grad(sum(models::activation(site.function)(x)), {x})[0].to_vector<float>();
  const auto rows = static_cast<std::size_t>(x.size(0)), units = static_cast<std::size_t>(x.size(1));
  const std::size_t plane = slopes.size() / (rows * units);
  const double limit = 0.05 * steepest(site.function);
  std::vector<bool> alive(units);
  double saturated = 0;
  for (std::size_t i = 0; i < slopes.size(); ++i) {
    const double slope = std::abs(static_cast<double>(slopes[i]));
    if (slope > 1e-7) alive[i / plane % units] = true;
    saturated += slope < limit ? 1 : 0;
  }
  const auto dead = std::count(alive.begin(), alive.end(), false);
  return {site.path, site.function, static_cast<double>(dead) / static_cast<double>(units),
          saturated / static_cast<double>(slopes.size())};
}

/// Share of the variance of a column that rounding to bf16 costs, of the worst column; x is [n, columns, ...].
double lost_to_rounding(const Tensor& x) {
  const std::vector<float> exact = x.to_vector<float>(),
                           rounded = cast(cast(x, DType::bf16), DType::f32).to_vector<float>();
  const auto rows = static_cast<std::size_t>(x.size(0)), width = exact.size() / rows;
  double worst = 0;
  for (std::size_t c = 0; c < width; ++c) {
    double sum = 0, error = 0, variance = 0;
    for (std::size_t r = 0; r < rows; ++r) sum += static_cast<double>(exact[r * width + c]);
    for (std::size_t r = 0; r < rows; ++r) {
      const double value = static_cast<double>(exact[r * width + c]);
      error += std::pow(value - static_cast<double>(rounded[r * width + c]), 2);
      variance += std::pow(value - sum / static_cast<double>(rows), 2);
    }
    if (variance > 0) worst = std::max(worst, error / variance);
  }
  return worst;
}

void examine_activations(AnyModel& model, const Tensor& inputs, Evidence& evidence) {
  const train::EvaluationMode mode(model);
  std::map<std::string, std::pair<Tensor, Tensor>> seen;  // inputs and outputs of layers
  {
    const nn::Hook hook(model, "*", [&](const nn::LayerCall& call) {
      if (!call.path.empty()) seen.try_emplace(call.path, call.input, call.output);
      return Tensor();
    });
    eval(model(inputs));
  }
  for (const Site& site : sites_of(evidence.recipe.model)) {
    const auto found = seen.find(site.path);
    if (found == seen.end()) continue;
    evidence.activations.push_back(
        examine_activation(site, site.is_input ? found->second.first : found->second.second));
  }
  if (evidence.recipe.train.precision != "bf16") return;
  for (const LayerEvidence& layer : evidence.layers) {
    const auto found = seen.find(layer.path);
    if (found != seen.end()) evidence.rounding.push_back({layer.path, lost_to_rounding(found->second.first)});
  }
}

/// 0: as good as the commonest class, or the mean; 1: perfect.
double skill_of(const train::Evaluation& e) {
  if (e.fit) return e.fit->r2;
  const double commonest = static_cast<double>(*std::max_element(e.class_examples.begin(), e.class_examples.end())) /
                           static_cast<double>(e.examples);
  return commonest < 1 ? (e.accuracy - commonest) / (1 - commonest) : e.accuracy;
}

/// The loss of an answer that knows the shares of the classes, or the mean, and nothing else.
double prior_loss(const train::Objective& objective, const data::Dataset& training, const train::NumberTask& numbers) {
  const Tensor labels = training.labels();
  if (training.is_regression()) {
    return objective(zeros({training.size(), 1}) + (mean(labels) - numbers.mean) / numbers.std, labels).item<double>();
  }
  std::vector<float> logits(static_cast<std::size_t>(training.num_classes()));
  for (const std::int64_t label : labels.data<std::int64_t>()) ++logits[static_cast<std::size_t>(label)];
  for (float& x : logits) x = std::log(std::max(x, 1e-6f) / static_cast<float>(training.size()));
  return objective(zeros({training.size(), training.num_classes()}) +
                       leaf<float>({training.num_classes()}, std::span<const float>(logits)),
                   labels)
      .item<double>();
}

void count_norms(AnyModel& model, Evidence& evidence) {
  for (const nn::FieldRef& field : nn::all_fields(model)) {
    if (field.buffer == nullptr || !field.path.ends_with("num_batches_tracked") || !field.tensor().defined()) continue;
    ++evidence.batch_norms;
    if (evidence.loop.step > 0 && field.tensor().to_vector<std::int64_t>()[0] == 0) ++evidence.untracked_norms;
  }
}

/// The skill with each batch's own statistics in place of the recorded ones.
double skill_by_batch(AnyModel model, const data::Dataset& examples, const train::NumberTask& numbers) {
  nn::train(model);
  std::vector<std::int64_t> rows(static_cast<std::size_t>(examples.size()));
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<std::int64_t>(i);
  const data::Batch batch = examples.batch(rows);
  const Tensor answer = model(batch.inputs);
  if (examples.is_regression()) {
    const Tensor error = numbers.numbers(answer) - batch.labels, spread = batch.labels - mean(batch.labels);
    return 1 - (sum(square(error)) / sum(square(spread))).item<double>();
  }
  train::Evaluation e;
  e.examples = examples.size();
  e.class_examples = data::class_counts(examples);
  const Tensor predicted = argmax(answer, 1);
  eval(predicted);
  e.accuracy = static_cast<double>(train::count_equal(predicted, batch.labels)) / static_cast<double>(e.examples);
  return skill_of(e);
}

void evaluate_all(AnyModel& model, const Parts& parts, Evidence& evidence) {
  const train::NumberTask numbers = train::number_task(evidence.recipe);
  const data::Dataset some = parts.training.subset(some_rows(parts.training.size(), evaluated_rows));
  const train::Evaluation training = train::evaluate(model, some, numbers),
                          validation = train::evaluate(model, parts.validation, numbers);
  evidence.training_examined = some.size();
  evidence.training_skill = skill_of(training);
  evidence.training_loss = training.loss;
  evidence.validation_skill = skill_of(validation);
  evidence.validation_loss = validation.loss;
  if (evidence.batch_norms > 0) evidence.batch_skill = skill_by_batch(model, some, numbers);
  const train::Evaluation test = train::evaluate(model, parts.test, numbers);
  evidence.test_skill = skill_of(test);
  if (some.is_regression()) return;
  const auto rarest = std::min_element(evidence.data.classes.begin(), evidence.data.classes.end());
  const auto c = static_cast<std::size_t>(rarest - evidence.data.classes.begin());
  evidence.rarest_class = static_cast<std::int64_t>(c);
  std::int64_t correct = 0;
  for (const train::Evaluation* e : {&validation, &test}) {
    if (c >= e->class_examples.size()) continue;
    evidence.rarest_examples += e->class_examples[c];
    correct += e->class_correct[c];
  }
  if (evidence.rarest_examples > 0)
    evidence.rarest_recall = static_cast<double>(correct) / static_cast<double>(evidence.rarest_examples);
}

}  // namespace

void examine_network(const train::RunFolder& run, const train::Checkpoint& last, const Parts& parts,
                     Evidence& evidence) {
  const train::Recipe& recipe = evidence.recipe;
  manual_seed(static_cast<std::uint64_t>(recipe.seed));
  AnyModel start = models::make(recipe.model);
  AnyModel model = model_with(recipe.model, last.weights);
  train::check_fit(model, parts.training);
  const train::NumberTask numbers = train::number_task(recipe);
  const train::Objective objective(recipe.train, parts.training, numbers);
  const data::Batch batch = parts.training.batch(some_rows(parts.training.size(), probe_rows));
  evidence.prior_loss = prior_loss(objective, parts.training, numbers);
  count_norms(model, evidence);
  examine_layers(run, last, start, model, objective, batch, evidence);
  examine_activations(model, batch.inputs, evidence);
  evaluate_all(model, parts, evidence);
}

}  // namespace gradus::insight::doctor::detail
