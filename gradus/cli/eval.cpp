#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>

#include "gradus/cli/commands.h"
#include "gradus/cli/json.h"
#include "gradus/cli/profiling.h"
#include "gradus/engine/precision.h"
#include "gradus/nn/fields.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/quantized/quantized.h"
#include "gradus/ops/reduce.h"
#include "gradus/train/evaluate.h"
#include "gradus/train/examine.h"
#include "gradus/train/metrics/regression.h"
#include "gradus/train/setup.h"
#include "gradus/transform/lowering/quantize.h"

namespace gradus::cli {
namespace {

data::Dataset load_split(const train::Recipe& recipe, const std::string& split) {
  if (split == "test") return train::load_data(recipe.data, data::Split::test);
  data::TrainValidation parts = train::load_training_data(recipe);
  return split == "train" ? parts.train : parts.validation;
}

/// The model once more, with linear layers in 8 bits.
struct Quantised {
  train::Evaluation evaluation;
  double narrow_mb = 0, wide_mb = 0;  ///< of the weights of all layers that are quantised
};

Quantised in_int8(models::AnyModel& model, const data::Dataset& dataset, const train::NumberTask& numbers) {
  Quantised found;
  for (const nn::FieldRef& field : nn::all_fields(model)) {
    if (field.parameter == nullptr || !field.tensor().defined()) continue;
    const Shape& shape = field.tensor().shape();
    if (!transform::is_quantised(shape)) continue;
    found.narrow_mb += static_cast<double>(quantized_bytes(shape[0], shape[1])) / 1e6;
    found.wide_mb += static_cast<double>(field.tensor().spec().bytes()) / 1e6;
  }
  // Where 8 bits are slower, too: the numbers are the same on all machines.
  const precision::Scope scope(precision::int8, {.always = true});
  found.evaluation = train::evaluate(model, dataset, numbers);
  return found;
}

void add_int8(nlohmann::ordered_json& json, const std::optional<Quantised>& int8) {
  if (!int8) return;
  const train::Evaluation& e = int8->evaluation;
  nlohmann::ordered_json& entry = json["int8"];
  entry["loss"] = e.loss;
  if (e.fit) {
    entry["r2"] = e.fit->r2;
    entry["mae"] = e.fit->mae;
    entry["rmse"] = e.fit->rmse;
  } else {
    entry["accuracy"] = e.accuracy;
  }
  entry["weights_mb"] = int8->narrow_mb;
  entry["weights_mb_f32"] = int8->wide_mb;
}

void print_int8(const train::Evaluation& e, const std::optional<Quantised>& int8) {
  if (!int8) return;
  const train::Evaluation& narrow = int8->evaluation;
  fmt::print(
      "int8      {} {:.4f} ({:+.4f}), loss {:.4f} ({:+.4f}); weights of linear layers {:.3f} MB instead of {:.3f}\n",
      e.fit ? "R2" : "accuracy", e.fit ? narrow.fit->r2 : narrow.accuracy,
      e.fit ? narrow.fit->r2 - e.fit->r2 : narrow.accuracy - e.accuracy, narrow.loss, narrow.loss - e.loss,
      int8->narrow_mb, int8->wide_mb);
}

/// The figures that need more than counts, with their names in JSON. NaN: there is none.
std::vector<std::pair<const char*, double>> further_figures(const metrics::Classification& f) {
  return {{"balanced_accuracy", f.confusion().balanced_accuracy()},
          {"precision", f.confusion().precision()},
          {"recall", f.confusion().recall()},
          {"f1", f.confusion().f1()},
          {"mcc", f.confusion().mcc()},
          {"roc_auc", f.roc_auc()},
          {"average_precision", f.average_precision()},
          {"calibration_error", f.calibration_error()},
          {"brier", f.brier()}};
}

/// Accuracy of the model that always answers with the commonest class: what any other has to beat.
double baseline(const train::Evaluation& e) {
  return static_cast<double>(*std::max_element(e.class_examples.begin(), e.class_examples.end())) /
         static_cast<double>(e.examples);
}

double share(std::int64_t part, std::int64_t whole) {
  return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole) : 0;
}

void add_figures(nlohmann::ordered_json& json, const metrics::Classification& figures) {
  for (const auto& [name, value] : further_figures(figures)) json[name] = value;
  const metrics::ConfusionMatrix& matrix = figures.confusion();
  for (std::int64_t label = 0; label < matrix.classes(); ++label) {
    auto row = nlohmann::ordered_json::array();
    for (std::int64_t c = 0; c < matrix.classes(); ++c) row.push_back(matrix.count(label, c));
    json["confusion"].push_back(std::move(row));
    if (static_cast<std::size_t>(label) >= json["classes"].size()) continue;  // an output that no label uses
    const metrics::ClassFigures f = matrix.of_class(label);
    auto& entry = json["classes"][static_cast<std::size_t>(label)];
    entry["precision"] = f.precision;
    entry["recall"] = f.recall;
    entry["f1"] = f.f1;
  }
}

void print_json(const EvalCommand& command, const data::Dataset& dataset, const train::Evaluation& e,
                const std::optional<metrics::Classification>& figures, const std::optional<Quantised>& int8) {
  const train::Interval interval = train::confidence_interval(e.correct, e.examples);
  nlohmann::ordered_json json = {{"run", command.run},
                                 {"checkpoint", command.checkpoint},
                                 {"split", command.split},
                                 {"examples", e.examples},
                                 {"loss", e.loss},
                                 {"accuracy", e.accuracy},
                                 {"accuracy_95", {interval.low, interval.high}},
                                 {"baseline_accuracy", baseline(e)}};
  for (std::size_t i = 0; i < e.class_examples.size(); ++i) {
    json["classes"].push_back({{"class", train::class_name(dataset, static_cast<std::int64_t>(i))},
                               {"examples", e.class_examples[i]},
                               {"accuracy", share(e.class_correct[i], e.class_examples[i])}});
  }
  if (figures) add_figures(json, *figures);
  add_int8(json, int8);
  fmt::print("{}\n", text_of(json));
}

void print_text(const EvalCommand& command, const data::Dataset& dataset, const train::Evaluation& e,
                const std::optional<metrics::Classification>& figures, const std::optional<Quantised>& int8) {
  const train::Interval interval = train::confidence_interval(e.correct, e.examples);
  fmt::print("{}, checkpoint {}, {} {} examples\n", command.run, command.checkpoint, e.examples, command.split);
  fmt::print("loss      {:.4f}\n", e.loss);
  fmt::print("accuracy  {:.4f}   95 % interval {:.4f} to {:.4f}; always the commonest class: {:.4f}\n", e.accuracy,
             interval.low, interval.high, baseline(e));
  print_int8(e, int8);
  if (!figures) fmt::print("the model answers with numbers that are not finite: there are no further figures\n");
  if (!figures) return;
  for (const auto& [name, value] : further_figures(*figures)) fmt::print("{:<18} {:.4f}\n", name, value);
  fmt::print("\n{:<20} {:>9} {:>9} {:>9} {:>9}\n", "class", "examples", "precision", "recall", "F1");
  for (std::size_t i = 0; i < e.class_examples.size(); ++i) {
    const metrics::ClassFigures f = figures->confusion().of_class(static_cast<std::int64_t>(i));
    fmt::print("{:<20} {:>9} {:>9.4f} {:>9.4f} {:>9.4f}\n", train::class_name(dataset, static_cast<std::int64_t>(i)),
               f.examples, f.precision, f.recall, f.f1);
  }
}

/// Of a model that predicts numbers.
void print_fit(const EvalCommand& command, const data::Dataset& dataset, const train::Evaluation& e,
               const std::optional<Quantised>& int8) {
  const train::Fit& fit = *e.fit;
  // What always answers with the mean of these very targets; r2 compares with it.
  metrics::Regression mean;
  const Tensor targets = dataset.labels();
  mean.update(targets * 0 + gradus::mean(targets), targets);
  if (command.json) {
    nlohmann::ordered_json json = {{"run", command.run},
                                   {"checkpoint", command.checkpoint},
                                   {"split", command.split},
                                   {"examples", e.examples},
                                   {"loss", e.loss},
                                   {"r2", fit.r2},
                                   {"mae", fit.mae},
                                   {"rmse", fit.rmse},
                                   {"baseline_mae", mean.mae()},
                                   {"baseline_rmse", mean.rmse()}};
    add_int8(json, int8);
    fmt::print("{}\n", text_of(json));
    return;
  }
  fmt::print("{}, checkpoint {}, {} {} examples\n", command.run, command.checkpoint, e.examples, command.split);
  fmt::print("loss  {:.4f}\n", e.loss);
  fmt::print("R2    {:.4f}\n", fit.r2);
  fmt::print("MAE   {:.4g}   always the mean: {:.4g}\n", fit.mae, mean.mae());
  fmt::print("RMSE  {:.4g}   always the mean: {:.4g}\n", fit.rmse, mean.rmse());
  print_int8(e, int8);
}

}  // namespace

int eval(const EvalCommand& command) {
  const train::RunFolder run = train::RunFolder::open(command.run);
  models::AnyModel model = train::load_model(run, command.checkpoint);
  const train::Recipe recipe = run.recipe();
  const data::Dataset dataset = load_split(recipe, command.split);
  train::check_fit(model, dataset);
  Profiling profiling(command.profile, command.trace);
  const train::Evaluation evaluation = train::evaluate(model, dataset, train::number_task(recipe));
  std::optional<Quantised> int8;
  if (command.int8) int8 = in_int8(model, dataset, train::number_task(recipe));
  if (evaluation.fit) {
    print_fit(command, dataset, evaluation, int8);
    profiling.finish(command.json);
    return exit_ok;
  }
  // A model that answers with infinities has a loss, but no probabilities.
  std::optional<metrics::Classification> figures;
  if (std::isfinite(evaluation.loss)) figures = train::examine(model, dataset, 0).figures;
  if (command.json) {
    print_json(command, dataset, evaluation, figures, int8);
  } else {
    print_text(command, dataset, evaluation, figures, int8);
  }
  profiling.finish(command.json);
  return exit_ok;
}

}  // namespace gradus::cli
