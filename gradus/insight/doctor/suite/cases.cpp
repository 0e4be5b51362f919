#include "gradus/insight/doctor/suite/cases.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "gradus/base/random.h"
#include "gradus/insight/doctor/suite/problems.h"
#include "gradus/nn/mode.h"
#include "gradus/ops/factory.h"

namespace gradus::insight::doctor {
namespace {

using detail::Problem;

/// A number of the draft's own between low and high, so that faults differ in strength.
double between(const Draft& draft, std::uint64_t stream, double low, double high) {
  double draw = 0;
  fill_uniform(std::span<double>(&draw, 1), Key{draft.seed}.fold(100 + stream), 0, 1);
  return low * std::pow(high / low, draw);
}

std::vector<double> draws(const Draft& draft, std::uint64_t stream, std::size_t count) {
  std::vector<double> all(count);
  fill_uniform(std::span<double>(all), Key{draft.seed}.fold(200 + stream), 0, 1);
  return all;
}

void set(Draft& draft, std::string_view key, double value) {
  draft.changes.push_back(fmt::format("{}={:.6g}", key, value));
}
void set(Draft& draft, std::string text) { draft.changes.push_back(std::move(text)); }

/// The learning rate that the recipe has so far.
double rate(const Draft& draft) {
  double lr = 0;
  for (const std::string& text : draft.changes)
    if (text.starts_with("optimizer.lr=")) lr = std::stod(text.substr(13));
  return lr;
}

void sgd(Draft& draft, double lr) {
  set(draft, "optimizer.name=sgd");
  set(draft, "optimizer.momentum=0.9");
  set(draft, "optimizer.lr", lr);
}

Rows picked(const Rows& rows, const std::vector<std::size_t>& order) {
  Rows result;
  for (const std::size_t i : order) {
    result.inputs.push_back(rows.inputs[i]);
    result.targets.push_back(rows.targets[i]);
  }
  return result;
}

void append(Rows& rows, const Rows& more) {
  rows.inputs.insert(rows.inputs.end(), more.inputs.begin(), more.inputs.end());
  rows.targets.insert(rows.targets.end(), more.targets.begin(), more.targets.end());
}

Rows sorted(const Rows& rows) {
  std::vector<std::size_t> order(rows.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return rows.targets[a] < rows.targets[b]; });
  return picked(rows, order);
}

/// The parameters with weights, first to last.
std::vector<nn::Parameter*> weights(models::AnyModel& model) {
  std::vector<nn::Parameter*> found;
  for (nn::Parameter* parameter : nn::parameters(model))
    if (parameter->shape().rank() >= 2) found.push_back(parameter);
  return found;
}

void scale(nn::Parameter& parameter, float factor) {
  std::vector<float> values = parameter.tensor().to_vector<float>();
  for (float& x : values) x *= factor;
  parameter = leaf<float>(parameter.shape(), std::span<const float>(values));
}

bool any(const Draft&) { return true; }
bool classes(const Draft& draft) { return !draft.numbers; }
bool numbers(const Draft& draft) { return draft.numbers; }
bool table(const Draft& draft) { return draft.side == 0; }
bool pictures(const Draft& draft) { return draft.side > 0; }

void rate_too_high(Draft& draft) { set(draft, "optimizer.lr", rate(draft) * between(draft, 1, 80, 300)); }
void sgd_too_fast(Draft& draft) { sgd(draft, between(draft, 2, 5, 20)); }
void rate_too_low(Draft& draft) { set(draft, "optimizer.lr", rate(draft) / between(draft, 3, 500, 3000)); }
void sgd_too_slow(Draft& draft) { sgd(draft, between(draft, 4, 3e-6, 3e-5)); }

void raw_targets(Draft& draft) {
  detail::scale_by_hand(draft);
  const double factor = between(draft, 5, 300, 3000);
  for (Rows* rows : {&draft.train, &draft.test})
    for (double& y : rows->targets) y *= factor;
  sgd(draft, 0.01);
}

void large_start(Draft& draft) {
  const float factor = static_cast<float>(between(draft, 6, 5, 8));
  set(draft, "model.hidden=[24, 24, 24, 24, 24]");
  set(draft, "model.activation=relu");
  draft.prepare = [factor](models::AnyModel& model) {
    for (nn::Parameter* weight : weights(model)) scale(*weight, factor);
  };
}

void deep_sigmoids(Draft& draft) {
  set(draft, "model.hidden=[24, 24, 24, 24, 24, 24, 24, 24]");
  set(draft, "model.activation=sigmoid");
}

void dead_start(Draft& draft) {
  const double share = between(draft, 7, 0.6, 0.9);
  set(draft, "model.activation=relu");
  draft.prepare = [share](models::AnyModel& model) {
    for (nn::Parameter* parameter : nn::parameters(model)) {
      if (parameter->shape().rank() != 1) continue;
      std::vector<float> values = parameter->tensor().to_vector<float>();
      const auto count = static_cast<std::size_t>(share * static_cast<double>(values.size()));
      for (std::size_t i = 0; i < count; ++i) values[i] -= 30;
      *parameter = leaf<float>(parameter->shape(), std::span<const float>(values));
      return;
    }
  };
}

void saturated_start(Draft& draft) {
  const float factor = static_cast<float>(between(draft, 8, 30, 100));
  set(draft, "model.activation=tanh");
  draft.prepare = [factor](models::AnyModel& model) { scale(*weights(model).front(), factor); };
}

void mixed_units(Draft& draft) {
  set(draft, "data.standardize=false");
  for (Rows* rows : {&draft.train, &draft.test}) {
    for (auto& row : rows->inputs)
      for (std::size_t c = 0; c < row.size(); ++c) row[c] *= std::pow(10, 1 + static_cast<double>(c % 4));
  }
}

void tiny_inputs(Draft& draft) {
  if (draft.side == 0) detail::scale_by_hand(draft);
  const double factor = draft.side > 0 ? 1 / 120.0 : 1e-4;
  for (Rows* rows : {&draft.train, &draft.test})
    for (auto& row : rows->inputs)
      for (double& x : row) x *= factor;
}

/// Few rows, many columns of noise, many epochs.
void few_rows(Draft& draft) {
  std::vector<std::size_t> order(120);
  std::iota(order.begin(), order.end(), std::size_t{0});
  draft.train = picked(draft.train, order);
  std::uint64_t stream = 1000;
  for (Rows* rows : {&draft.train, &draft.test}) {
    for (auto& row : rows->inputs) {
      const std::vector<double> noise = draws(draft, ++stream, 80);
      row.insert(row.end(), noise.begin(), noise.end());
    }
  }
  set(draft, "data.validation=60");
  set(draft, "train.epochs=60");
}

void one_unit(Draft& draft) { set(draft, "model.hidden=[1]"); }
void decayed(Draft& draft) { set(draft, "optimizer.weight_decay", between(draft, 9, 15, 40)); }

void wrong_labels(Draft& draft) {
  const double share = between(draft, 10, 0.2, 0.4);
  const std::vector<double> chance = draws(draft, 11, 2 * draft.train.size());
  const double others = static_cast<double>(draft.classes - 1);
  for (std::size_t i = 0; i < draft.train.size(); ++i) {
    if (chance[2 * i] >= share) continue;
    const double step = 1 + std::floor(chance[2 * i + 1] * others);
    draft.train.targets[i] = std::fmod(draft.train.targets[i] + step, static_cast<double>(draft.classes));
  }
}

void not_shuffled(Draft& draft) {
  draft.train = sorted(draft.train);
  set(draft, "data.shuffle=false");
}

void cut_in_order(Draft& draft) {
  append(draft.train, draft.test);
  const Rows all = sorted(draft.train);
  // Half of the last class: the training part has examples of all of them.
  const auto last = std::count(all.targets.begin(), all.targets.end(), all.targets.back());
  const auto test = static_cast<std::size_t>(last / 2);
  std::vector<std::size_t> head(all.size() - test), tail(test);
  std::iota(head.begin(), head.end(), std::size_t{0});
  std::iota(tail.begin(), tail.end(), head.size());
  draft.train = picked(all, head);
  draft.test = picked(all, tail);
}

void leaked(Draft& draft) {
  std::vector<std::size_t> some(
      static_cast<std::size_t>(between(draft, 12, 0.1, 0.5) * static_cast<double>(draft.test.size())));
  std::iota(some.begin(), some.end(), std::size_t{0});
  append(draft.train, picked(draft.test, some));
}

void repeated(Draft& draft) {
  std::vector<std::size_t> some(
      static_cast<std::size_t>(between(draft, 13, 0.1, 0.5) * static_cast<double>(draft.train.size())));
  std::iota(some.begin(), some.end(), std::size_t{0});
  append(draft.train, picked(draft.train, some));
}

void rare_class(Draft& draft) {
  const double kept = between(draft, 14, 0.04, 0.1), rare = static_cast<double>(draft.classes - 1);
  for (Rows* rows : {&draft.train, &draft.test}) {
    std::vector<std::size_t> order;
    double owed = 0;
    for (std::size_t i = 0; i < rows->size(); ++i) {
      if (rows->targets[i] == rare && (owed += kept) < 1) continue;
      if (rows->targets[i] == rare) owed -= 1;
      order.push_back(i);
    }
    *rows = picked(*rows, order);
  }
}

void frozen(Draft& draft) {
  draft.prepare = [](models::AnyModel& model) { weights(model).front()->set_trainable(false); };
}

void evaluation_mode(Draft& draft) {
  draft.prepare = [](models::AnyModel& model) { nn::eval_mode(model); };
}

void slow_statistics(Draft& draft) {
  const std::size_t at = draft.model.find("MOMENTUM");
  draft.model.replace(at, 8, fmt::format("{:.2g}", between(draft, 15, 1e-5, 3e-4)));
}

void impossible_value(Draft& draft) {
  detail::scale_by_hand(draft);
  set(draft, "model.activation=relu");
  for (std::size_t i = 0; i < 5; ++i) draft.train.inputs[(2 * i + 1) * draft.train.size() / 10].back() = 3e38;
}

void starved_schedule(Draft& draft) {
  set(draft, "optimizer.schedule=exponential");
  set(draft, "schedule.gamma", between(draft, 16, 0.3, 0.6));
}

void far_from_zero(Draft& draft) {
  detail::scale_by_hand(draft);
  const double offset = between(draft, 17, 300, 2000);
  for (Rows* rows : {&draft.train, &draft.test})
    for (auto& row : rows->inputs)
      for (double& x : row) x += offset;
  set(draft, "train.precision=bf16");
}

void zero_start(Draft& draft) {
  draft.prepare = [](models::AnyModel& model) {
    for (nn::Parameter* parameter : nn::parameters(model)) *parameter = zeros(parameter->shape());
  };
}

struct Fault {
  const char* name;
  const char* rule;
  bool (*fits)(const Draft&);
  void (*inject)(Draft&);
};

/// One unit is no fault where it can do the task: see Problem::wide.
bool never(const Draft&) { return false; }

constexpr Fault faults[] = {
    {"rate too high", "learning-rate-too-high", any, rate_too_high},
    {"SGD too fast", "learning-rate-too-high", classes, sgd_too_fast},
    {"rate too low", "learning-rate-too-low", any, rate_too_low},
    {"SGD too slow", "learning-rate-too-low", any, sgd_too_slow},
    {"raw targets", "exploding-gradients", numbers, raw_targets},
    {"start too large", "exploding-gradients", table, large_start},
    {"deep sigmoids", "vanishing-gradients", table, deep_sigmoids},
    {"dead units", "dead-units", table, dead_start},
    {"saturated units", "saturated-units", table, saturated_start},
    {"mixed units of measure", "unscaled-inputs", table, mixed_units},
    {"inputs near zero", "unscaled-inputs", any, tiny_inputs},
    {"few rows", "overfitting", table, few_rows},
    {"one hidden unit", "underfitting", never, one_unit},
    {"too much decay", "underfitting", any, decayed},
    {"wrong labels", "label-noise", classes, wrong_labels},
    {"not shuffled", "unshuffled-data", classes, not_shuffled},
    {"cut in order", "unshuffled-split", classes, cut_in_order},
    {"leaked rows", "leaked-rows", any, leaked},
    {"repeated rows", "duplicate-rows", any, repeated},
    {"rare class", "class-imbalance", classes, rare_class},
    {"frozen layer", "frozen-layer", any, frozen},
    {"batch norm in evaluation mode", "batch-norm-mode", pictures, evaluation_mode},
    {"slow running statistics", "batch-norm-mode", pictures, slow_statistics},
    {"impossible value", "nan-origin", table, impossible_value},
    {"starved schedule", "plateau", any, starved_schedule},
    {"bf16 far from zero", "bf16-underflow", table, far_from_zero},
    {"zero start", "identical-units", any, zero_start},
};

void as_it_is(Draft&) {}
void with_sgd(Draft& draft) { sgd(draft, 0.02); }
void with_cosine(Draft& draft) {
  set(draft, "optimizer.schedule=cosine");
  set(draft, "optimizer.warmup_steps=15");
  set(draft, "optimizer.weight_decay=0.05");
}
void with_large_batches(Draft& draft) {
  set(draft, "data.batch_size=64");
  set(draft, "optimizer.name=adam");
}

void with_rmsprop(Draft& draft) {
  set(draft, "optimizer.name=rmsprop");
  set(draft, "optimizer.lr", rate(draft) / 5);
}
void with_nadam(Draft& draft) { set(draft, "optimizer.name=nadam"); }
void with_small_batches(Draft& draft) {
  set(draft, "data.batch_size=16");
  set(draft, "optimizer.lr", rate(draft) / 2);
}
void with_bf16(Draft& draft) { set(draft, "train.precision=bf16"); }
void with_noise(Draft& draft) { set(draft, "train.input_noise=0.05"); }
void with_clipping(Draft& draft) { set(draft, "train.clip_norm=1"); }
/// Two layers of another size and function; a picture's network keeps its layers and is trained by Lion.
void with_other_layers(Draft& draft) {
  if (draft.side > 0) {
    set(draft, "optimizer.name=lion");
    set(draft, "optimizer.lr", rate(draft) / 10);
    return;
  }
  set(draft, "model.hidden=[36,24]");
  set(draft, "model.activation=leaky_relu");
}
void with_averages(Draft& draft) { set(draft, "train.swa_start=6"); }

struct Healthy {
  const char* name;
  void (*change)(Draft&);
};
constexpr Healthy healthy[] = {{"as it is", as_it_is},
                               {"SGD with momentum", with_sgd},
                               {"warm-up and cosine", with_cosine},
                               {"Adam, larger batches", with_large_batches},
                               {"RMSprop", with_rmsprop},
                               {"NAdam", with_nadam},
                               {"small batches", with_small_batches},
                               {"bf16", with_bf16},
                               {"noisy inputs", with_noise},
                               {"clipped gradients", with_clipping},
                               {"other layers", with_other_layers},
                               {"averaged weights", with_averages}};

}  // namespace

std::string_view name_of(Part part) { return part == Part::development ? "development" : "held-out"; }

std::vector<Case> cases(Part part) {
  std::vector<Case> all;
  const auto add = [&](const Problem& problem, const std::string& what, const std::string& fault,
                       void (*alter)(Draft&)) {
    all.push_back({fmt::format("{} on {}", what, problem.name), fault, problem.name,
                   [make = problem.make, alter](std::uint64_t seed) {
                     Draft draft = make(seed);
                     alter(draft);
                     return draft;
                   }});
  };
  for (const Fault& fault : faults) {
    for (const Problem& problem : detail::problems()) {
      if (problem.part != part) continue;
      const bool fits = fault.inject == one_unit ? problem.wide : fault.fits(problem.make(0));
      if (fits) add(problem, fault.name, fault.rule, fault.inject);
    }
  }
  for (const Healthy& each : healthy) {
    for (const Problem& problem : detail::problems())
      if (problem.part == part) add(problem, each.name, "", each.change);
  }
  return all;
}

}  // namespace gradus::insight::doctor
