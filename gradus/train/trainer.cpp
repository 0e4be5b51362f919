#include "gradus/train/trainer.h"

#include <fmt/format.h>

#include "gradus/train/loop.h"

namespace gradus::train {
namespace {

void note(const TrainOptions& options, const std::string& text) {
  if (options.observer) options.observer->on_note(text);
}

TrainResult finish(const TrainOptions& options, TrainResult result) {
  if (!result.finished) {
    note(options, fmt::format("stopped after step {}; saved. Continue with: gradus train --resume {}", result.loop.step,
                              options.run));
    return result;
  }
  const EpochMetrics& last = result.history.back();
  note(options, fmt::format("best epoch {} (validation accuracy {:.4f}): test loss {:.4f}, test accuracy {:.4f}",
                            result.loop.best_epoch, result.loop.best_val_accuracy, last.test_loss.value_or(0),
                            last.test_accuracy.value_or(0)));
  return result;
}

/// True when all epochs are done and "best" was saved after them.
bool is_whole(const RunFolder& run, const Recipe& recipe) {
  if (!has_checkpoint(run.checkpoint_stem("last")) || !has_checkpoint(run.checkpoint_stem("best"))) return false;
  const LoopState last = run.checkpoint("last").loop;
  return last.epoch >= recipe.train.epochs && run.checkpoint("best").loop.step == last.best_step;
}

}  // namespace

TrainResult start(const Recipe& recipe, const TrainOptions& options) {
  detail::Loop loop(recipe, options);
  const RunFolder run = RunFolder::create(options.run, recipe);
  note(options, fmt::format("training in {}", run.path()));
  return finish(options, loop.run(run));
}

TrainResult resume(const TrainOptions& options) {
  const RunFolder run = RunFolder::open(options.run);
  const Recipe recipe = run.recipe();
  if (is_whole(run, recipe)) {
    note(options, fmt::format("this run is finished: {0} of {0} epochs", recipe.train.epochs));
    return {.finished = true, .history = read_metrics(run.metrics_path()), .loop = run.checkpoint("last").loop};
  }
  detail::Loop loop(recipe, options);
  if (has_checkpoint(run.checkpoint_stem("last"))) {
    loop.restore(run);
    note(options, fmt::format("continuing {} after step {}", run.path(), loop.state().step));
  } else {
    note(options, fmt::format("continuing {}: no checkpoint yet, so from the beginning", run.path()));
  }
  return finish(options, loop.run(run));
}

}  // namespace gradus::train
