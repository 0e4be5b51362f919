#include "gradus/train/trainer.h"

#include <fmt/format.h>

#include <cmath>
#include <filesystem>

#include "gradus/io/atomic_file.h"
#include "gradus/train/loop.h"
#include "gradus/train/progress.h"
#include "gradus/train/setup.h"
#include "gradus/train/tables/encoder_file.h"

namespace gradus::train {
namespace {

void note(const TrainOptions& options, const std::string& text) {
  if (options.observer) options.observer->on_note(text);
}

TrainResult finish(const TrainOptions& options, const Recipe& recipe, TrainResult result) {
  if (!result.finished) {
    note(options, fmt::format("stopped after step {}; saved. Continue with: gradus train --resume {}", result.loop.step,
                              options.run));
    return result;
  }
  const EpochMetrics& last = result.history.back();
  if (recipe.train.epochs > result.loop.epoch)
    note(options, fmt::format("ended after epoch {} of {}", result.loop.epoch, recipe.train.epochs));
  if (last.test_fit) {
    const EpochMetrics& best = result.history.at(static_cast<std::size_t>(result.loop.best_epoch - 1));
    note(options, fmt::format("best epoch {} (validation R2 {:.4f}): test loss {:.4f}, {}", best.epoch, val_score(best),
                              last.test_loss.value_or(0), fit_text(*last.test_fit)));
    return result;
  }
  note(options, fmt::format("best epoch {} (validation accuracy {:.4f}): test loss {:.4f}, test accuracy {:.4f}",
                            result.loop.best_epoch, result.loop.best_val_accuracy, last.test_loss.value_or(0),
                            last.test_accuracy.value_or(0)));
  return result;
}

/// True when all epochs are done, "best" was saved after them, and the report is there.
bool is_whole(const RunFolder& run, const Recipe& recipe) {
  if (!has_checkpoint(run.checkpoint_stem("last")) || !has_checkpoint(run.checkpoint_stem("best"))) return false;
  const LoopState last = run.checkpoint("last").loop;
  const std::vector<EpochMetrics> history = read_metrics(run.metrics_path());
  const bool ended = static_cast<std::int64_t>(history.size()) == last.epoch && !history.empty() &&
                     history.back().test_loss.has_value();
  const bool reports = recipe.log.report && ended && std::isfinite(*history.back().test_loss);
  if (reports && !std::filesystem::exists(run.report_path())) return false;
  return (ended || last.epoch >= recipe.train.epochs) && run.checkpoint("best").loop.step == last.best_step;
}

}  // namespace

TrainResult start(const Recipe& given, const TrainOptions& options) {
  const Recipe recipe = resolved(given);
  detail::Loop loop(recipe, options);
  const std::optional<data::TableEncoder> table = load_encoder(recipe.data);
  const std::string encoder = table ? encoder_text(*table) : "";
  const RunFolder run = RunFolder::create(options.run, recipe);
  if (table) io::write_file(run.encoder_path(), encoder);
  note(options, fmt::format("training in {}", run.path()));
  return finish(options, recipe, loop.run(run));
}

TrainResult resume(const TrainOptions& options) {
  const RunFolder run = RunFolder::open(options.run);
  const Recipe recipe = run.recipe();
  if (is_whole(run, recipe)) {
    note(options,
         fmt::format("this run is finished: {} of {} epochs", run.checkpoint("last").loop.epoch, recipe.train.epochs));
    return {.finished = true, .history = read_metrics(run.metrics_path()), .loop = run.checkpoint("last").loop};
  }
  detail::Loop loop(recipe, options);
  if (has_checkpoint(run.checkpoint_stem("last"))) {
    loop.restore(run);
    note(options, fmt::format("continuing {} after step {}", run.path(), loop.state().step));
  } else {
    note(options, fmt::format("continuing {}: no checkpoint yet, so from the beginning", run.path()));
  }
  return finish(options, recipe, loop.run(run));
}

}  // namespace gradus::train
