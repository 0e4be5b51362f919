#include "gradus/train/lr_find.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "gradus/cli/commands.h"
#include "gradus/cli/json.h"
#include "gradus/io/atomic_file.h"
#include "gradus/train/report/svg_plot.h"

namespace gradus::cli {
namespace {

/// The plot as a file of its own, with the colours that a page would give it.
std::string picture(const train::LrRange& range) {
  train::LinePlot plot;
  plot.title = "Loss by learning rate";
  plot.x_label = "learning rate";
  plot.log_x = true;
  plot.series.resize(2);
  plot.series[0].name = "smoothed";
  plot.series[1].name = "single steps";
  plot.series[1].dashed = true;
  for (const train::LrPoint& point : range.points) {
    for (train::PlotSeries& series : plot.series) series.x.push_back(point.lr);
    plot.series[0].y.push_back(point.smoothed);
    plot.series[1].y.push_back(point.loss);
  }
  std::string text = train::svg(plot);
  text.insert(text.find('>') + 1,
              "<style>text{font:12px sans-serif;fill:#444}.title{font-weight:600}.grid{stroke:#ddd}.axis{stroke:#888}"
              ".line{fill:none;stroke-width:2}.s0{stroke:#2563a8}.s1{stroke:#aaa}.dashed{stroke-width:1}"
              "</style><rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>");
  return text.insert(text.find("<svg") + 4, " xmlns=\"http://www.w3.org/2000/svg\"");
}

}  // namespace

int lr_find(const LrFindCommand& command) {
  const train::Recipe recipe = train::read_recipe(command.recipe, command.changes);
  const train::LrRange range =
      train::find_lr(recipe, {.lowest = command.lowest, .highest = command.highest, .steps = command.steps});
  if (!command.svg.empty()) io::write_file(command.svg, picture(range));
  if (command.json) {
    nlohmann::ordered_json json = {{"suggestion", range.suggestion}, {"exploded", range.exploded}};
    json["points"] = nlohmann::ordered_json::array();
    for (const train::LrPoint& p : range.points)
      json["points"].push_back({{"lr", p.lr}, {"loss", p.loss}, {"smoothed", p.smoothed}});
    fmt::print("{}\n", text_of(json));
    return exit_ok;
  }
  fmt::print("{:>12} {:>10}\n", "lr", "loss");
  const std::size_t every = std::max<std::size_t>(1, range.points.size() / 20);
  for (std::size_t i = 0; i < range.points.size(); i += every)
    fmt::print("{:>12.3g} {:>10.4f}\n", range.points[i].lr, range.points[i].smoothed);
  if (range.exploded && !range.points.empty()) fmt::print("\nthe loss explodes above {:.3g}\n", range.points.back().lr);
  if (range.suggestion > 0) {
    fmt::print("the loss falls fastest at {0:.3g}: --set optimizer.lr={0:.3g}\n", range.suggestion);
  } else {
    fmt::print("the loss falls nowhere in this range\n");
  }
  return exit_ok;
}

}  // namespace gradus::cli
