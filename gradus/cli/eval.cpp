#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "gradus/cli/commands.h"
#include "gradus/engine/plan_cache.h"
#include "gradus/engine/profile.h"
#include "gradus/train/evaluate.h"
#include "gradus/train/setup.h"

namespace gradus::cli {
namespace {

data::Dataset load_split(const train::Recipe& recipe, const std::string& split) {
  if (split == "test") return train::load_data(recipe.data, data::Split::test);
  data::TrainValidation parts = train::load_training_data(recipe);
  return split == "train" ? parts.train : parts.validation;
}

std::string class_name(const data::Dataset& dataset, std::size_t i) {
  return i < dataset.class_names().size() ? dataset.class_names()[i] : fmt::format("{}", i);
}

/// Accuracy of the model that always answers with the commonest class: what any other has to beat.
double baseline(const train::Evaluation& e) {
  return static_cast<double>(*std::max_element(e.class_examples.begin(), e.class_examples.end())) /
         static_cast<double>(e.examples);
}

double share(std::int64_t part, std::int64_t whole) {
  return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole) : 0;
}

void print_json(const EvalCommand& command, const data::Dataset& dataset, const train::Evaluation& e) {
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
    json["classes"].push_back({{"class", class_name(dataset, i)},
                               {"examples", e.class_examples[i]},
                               {"accuracy", share(e.class_correct[i], e.class_examples[i])}});
  }
  fmt::print("{}\n", json.dump());
}

void print_text(const EvalCommand& command, const data::Dataset& dataset, const train::Evaluation& e) {
  const train::Interval interval = train::confidence_interval(e.correct, e.examples);
  fmt::print("{}, checkpoint {}, {} {} examples\n", command.run, command.checkpoint, e.examples, command.split);
  fmt::print("loss      {:.4f}\n", e.loss);
  fmt::print("accuracy  {:.4f}   95 % interval {:.4f} to {:.4f}; always the commonest class: {:.4f}\n\n", e.accuracy,
             interval.low, interval.high, baseline(e));
  fmt::print("{:<20} {:>9} {:>9}\n", "class", "examples", "accuracy");
  for (std::size_t i = 0; i < e.class_examples.size(); ++i) {
    fmt::print("{:<20} {:>9} {:>9.4f}\n", class_name(dataset, i), e.class_examples[i],
               share(e.class_correct[i], e.class_examples[i]));
  }
}

}  // namespace

int eval(const EvalCommand& command) {
  const train::RunFolder run = train::RunFolder::open(command.run);
  models::AnyModel model = train::load_model(run, command.checkpoint);
  const data::Dataset dataset = load_split(run.recipe(), command.split);
  train::check_fit(model, dataset);
  if (command.profile) engine::start_profile();
  const train::Evaluation evaluation = train::evaluate(model, dataset);
  if (command.json) {
    print_json(command, dataset, evaluation);
  } else {
    print_text(command, dataset, evaluation);
  }
  if (command.profile) {
    fmt::print(command.json ? stderr : stdout, "\n{}\nplans compiled: {}\n", engine::stop_profile().str(),
               engine::compile_count());
  }
  return exit_ok;
}

}  // namespace gradus::cli
