#include "gradus/train/report/parts.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/utsname.h>

#include <ctime>
#include <fstream>

#include "gradus/base/parallel.h"
#include "gradus/base/version.h"
#include "gradus/train/progress.h"
#include "gradus/train/report/figure.h"
#include "gradus/train/report/style.h"

namespace gradus::train {
namespace {

/// "61,706"
std::string grouped(std::int64_t value) {
  std::string text = fmt::format("{}", value);
  for (std::size_t i = text.size(); i > 3;) text.insert(i -= 3, ",");
  return text;
}

std::string processor() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  }
  utsname names{};
  return uname(&names) == 0 ? names.machine : "unknown";
}

}  // namespace

std::string page_head(const ReportInput& input, std::int64_t examples) {
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">{5}<meta name=\"viewport\" "
      "content=\"width=device-width,initial-scale=1\">\n<title>{0}</title>\n<style>{1}</style></head>\n<body><main>\n"
      "<h1>{0}</h1>\n<p class=\"soft\">Model {2} on {3}, {4} test examples</p>\n",
      escaped(input.title), report_style, escaped(input.recipe.model.name), escaped(input.recipe.data.name), examples,
      page_policy());
}

std::string page_end() {
  return fmt::format("<footer>Written by Gradus {}.{}</footer>\n</main>{}</body></html>\n", version, page_credit(),
                     page_script());
}

std::string tile(const std::string& value, const std::string& what) {
  return fmt::format("<div class=\"tile\"><b>{}</b><span>{}</span></div>", escaped(value), escaped(what));
}

std::string run_tiles(const ReportInput& input) {
  double seconds = 0;
  for (const EpochMetrics& epoch : input.history) seconds += epoch.seconds;
  return tile(fmt::format("{} of {}", input.best_epoch, input.history.size()), "best epoch, by validation") +
         tile(duration_text(seconds), "training time") + tile(grouped(input.parameters), "parameters");
}

std::string curves(const std::vector<EpochMetrics>& history) {
  PlotSeries train_loss, val_loss, lr;
  train_loss.name = "train";
  val_loss.name = "validation";
  train_loss.points = val_loss.points = lr.points = history.size() < 40;
  PlotSeries train_accuracy = train_loss, val_accuracy = val_loss;
  for (const EpochMetrics& m : history) {
    const double epoch = static_cast<double>(m.epoch);
    for (PlotSeries* series : {&train_loss, &val_loss, &train_accuracy, &val_accuracy, &lr}) series->x.push_back(epoch);
    train_loss.y.push_back(m.train_loss);
    val_loss.y.push_back(m.val_loss);
    train_accuracy.y.push_back(m.train_accuracy);
    val_accuracy.y.push_back(val_score(m));
    lr.y.push_back(m.lr);
  }
  std::string out = "<h2>Learning curves</h2>\n<div class=\"plots\">";
  const auto card = [&](const char* title, std::vector<PlotSeries> series) {
    LinePlot plot;
    plot.title = title;
    plot.x_label = "epoch";
    plot.series = std::move(series);
    plot.whole_x = true;
    plot.width = 330;
    plot.height = 250;
    out += "<figure class=\"card\">" + figure_html(plot) + "</figure>";
  };
  card("Loss", {train_loss, val_loss});
  if (history.front().val_fit) {
    card("R2", {val_accuracy});
  } else {
    card("Accuracy", {train_accuracy, val_accuracy});
  }
  card("Learning rate", {lr});
  return out + "</div>\n";
}

std::string origin(const ReportInput& input) {
  utsname names{};
  const std::string system =
      uname(&names) == 0 ? fmt::format("{} {}, {}", names.sysname, names.release, names.machine) : "";
  const std::pair<const char*, std::string> facts[] = {
      {"Gradus", version},
      {"compiler", __VERSION__},
      {"seed", fmt::format("{}", input.recipe.seed)},
      {"threads", fmt::format("{}", num_threads())},
      {"processor", processor()},
      {"system", system},
      {"steps", fmt::format("{}", input.history.back().step)},
      {"written", fmt::format("{:%Y-%m-%d %H:%M:%S}", fmt::localtime(std::time(nullptr)))}};
  std::string out = "<h2>To repeat it</h2>\n<div class=\"two\"><div class=\"card scroll\"><pre>" +
                    escaped(recipe_text(input.recipe)) + "</pre></div><div class=\"card\"><table>\n";
  for (const auto& [name, value] : facts) out += fmt::format("<tr><th>{}</th><td>{}</td></tr>\n", name, escaped(value));
  return out + "</table></div></div>\n";
}

}  // namespace gradus::train
