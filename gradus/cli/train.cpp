#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>

#include "gradus/cli/commands.h"
#include "gradus/cli/json.h"
#include "gradus/cli/profiling.h"
#include "gradus/train/interrupt.h"
#include "gradus/train/progress.h"
#include "gradus/train/run_folder.h"
#include "gradus/train/trainer.h"

namespace gradus::cli {
namespace {

void print_json(const std::string& run, const train::TrainResult& result) {
  nlohmann::ordered_json json = {
      {"run", run}, {"finished", result.finished}, {"step", result.loop.step}, {"best_epoch", result.loop.best_epoch}};
  const bool numbers = !result.history.empty() && result.history.back().val_fit;
  if (!numbers) json["best_val_accuracy"] = result.loop.best_val_accuracy;
  if (!result.history.empty()) json["last"] = nlohmann::ordered_json::parse(to_json(result.history.back()));
  fmt::print("{}\n", text_of(json));
}

}  // namespace

int train(const TrainCommand& command) {
  const train::InterruptGuard guard;
  train::Progress progress(stdout, isatty(STDOUT_FILENO) != 0);
  train::TrainOptions options;
  options.stop = [] { return train::InterruptGuard::signal() != 0; };
  if (!command.json) options.observer = &progress;
  Profiling profiling(command.profile, command.trace);
  train::TrainResult result;
  if (!command.resume.empty()) {
    options.run = command.resume;
    result = train::resume(options);
  } else {
    std::vector<std::string> changes = command.changes;
    if (command.seed) changes.push_back(fmt::format("seed={}", *command.seed));
    if (command.memory_limit) changes.push_back(fmt::format("train.memory_limit={}", *command.memory_limit));
    const train::Recipe recipe = train::read_recipe(command.recipe, changes);
    options.run = command.run.empty() ? train::default_run_path(command.recipe) : command.run;
    result = train::start(recipe, options);
  }
  profiling.finish(command.json);
  if (command.json) print_json(options.run, result);
  return result.finished ? exit_ok : 128 + train::InterruptGuard::signal();
}

}  // namespace gradus::cli
