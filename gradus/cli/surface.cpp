// gradus surface: the loss around the weights of a run.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "gradus/base/random.h"
#include "gradus/book/explain.h"
#include "gradus/cli/commands.h"
#include "gradus/cli/json.h"
#include "gradus/train/mode.h"
#include "gradus/train/objective.h"
#include "gradus/train/record/surface.h"
#include "gradus/train/setup.h"

namespace gradus::cli {
namespace {

/// Darker is higher, by the logarithm; the model stands in the middle.
std::string picture_of(const train::Surface& surface) {
  constexpr const char* shades[] = {" ", "\u2591", "\u2592", "\u2593", "\u2588"};
  double low = INFINITY, high = -INFINITY;
  const auto height = [](double loss) { return std::log(std::max(loss, 1e-12)); };
  for (const auto& row : surface.losses) {
    for (const double loss : row) {
      if (!std::isfinite(loss)) continue;
      low = std::min(low, height(loss));
      high = std::max(high, height(loss));
    }
  }
  std::string out;
  for (std::size_t i = surface.losses.size(); i-- > 0;) {
    out += "  ";
    for (const double loss : surface.losses[i]) {
      const double share = high > low ? (height(loss) - low) / (high - low) : 0;
      const std::size_t shade = std::isfinite(loss) ? static_cast<std::size_t>(std::min(4.0, share * 5)) : 4;
      out += std::string(shades[shade]) + shades[shade];
    }
    out += "\n";
  }
  return out;
}

void print(const train::Surface& surface, const std::string& run, std::size_t examples) {
  fmt::print("{}: training loss {:.4g} on {} examples, and around it in steps of up to {:g} times the weights\n\n", run,
             surface.centre(), examples, surface.steps.back());
  if (surface.losses.size() > 1) {
    fmt::print("{}\nlighter is lower\n", picture_of(surface));
    return;
  }
  train::PlotSeries line;
  line.name = "loss";
  line.x = surface.steps;
  line.y = surface.losses[0];
  train::LinePlot plot;
  plot.title = "training loss";
  plot.x_label = "step along a random direction";
  plot.series = {line};
  fmt::print("{}", book::terminal_chart(plot, 64, 14));
}

}  // namespace

int surface(const SurfaceCommand& command) {
  const train::RunFolder run = train::RunFolder::open(command.run);
  const train::Recipe recipe = run.recipe();
  models::AnyModel model = train::load_model(run, command.checkpoint);
  const train::EvaluationMode mode(model);
  const data::Dataset training = train::load_training_data(recipe).train;
  const train::Objective objective(recipe.train, training, train::number_task(recipe));
  std::vector<std::int64_t> rows =
      random_permutation(training.size(), Key{static_cast<std::uint64_t>(command.seed)}.fold(0));
  rows.resize(static_cast<std::size_t>(std::min(command.examples, training.size())));
  const data::Batch batch = training.batch(rows);
  const train::Surface found =
      train::loss_surface(model, [&](models::AnyModel& m) { return objective(m(batch.inputs), batch.labels); },
                          {.points = command.points,
                           .range = command.range,
                           .plane = command.plane,
                           .key = Key{static_cast<std::uint64_t>(command.seed)}.fold(1)});
  if (!command.json) {
    print(found, command.run, rows.size());
    return exit_ok;
  }
  nlohmann::ordered_json json = {{"run", command.run},      {"checkpoint", command.checkpoint},
                                 {"examples", rows.size()}, {"loss", found.centre()},
                                 {"steps", found.steps},    {"losses", found.losses}};
  fmt::print("{}\n", text_of(json));
  return exit_ok;
}

}  // namespace gradus::cli
