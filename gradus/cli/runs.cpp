// gradus runs: what was trained, and how it went.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "gradus/base/error.h"
#include "gradus/cli/commands.h"
#include "gradus/cli/inside.h"
#include "gradus/cli/json.h"
#include "gradus/train/metrics.h"
#include "gradus/train/progress.h"
#include "gradus/train/recipe_keys.h"
#include "gradus/train/run_folder.h"

namespace gradus::cli {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

struct Run {
  std::string path;
  train::Recipe recipe;
  std::vector<train::EpochMetrics> history;
  std::string damage;  ///< why it cannot be read; the rest is empty then

  bool finished() const { return !history.empty() && history.back().test_loss.has_value(); }
  /// The epoch with the best validation accuracy, or R2; `history` has one.
  const train::EpochMetrics& best() const {
    return *std::max_element(history.begin(), history.end(),
                             [](const auto& a, const auto& b) { return train::val_score(a) < train::val_score(b); });
  }
  double seconds() const {
    double sum = 0;
    for (const train::EpochMetrics& m : history) sum += m.seconds;
    return sum;
  }
  std::string status() const {
    if (!damage.empty()) return "damaged";
    return finished() ? "finished" : history.empty() ? "no epoch yet" : "unfinished";
  }
};

bool is_run(const fs::path& folder) {
  std::error_code error;
  return fs::exists(folder / "recipe.toml", error);
}

/// The runs at and below `folder`, sorted by name. A run holds no runs.
void find_runs(const fs::path& folder, int depth, std::vector<std::string>& found) {
  if (is_run(folder)) {
    found.push_back(folder.lexically_normal().string());
    return;
  }
  if (depth == 0) return;
  std::vector<fs::path> inside;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (entry.is_directory(error)) inside.push_back(entry.path());
  }
  std::sort(inside.begin(), inside.end());
  for (const fs::path& path : inside) find_runs(path, depth - 1, found);
}

Run read(const std::string& path) {
  Run run;
  run.path = path;
  try {
    const train::RunFolder folder = train::RunFolder::open(path);
    run.recipe = folder.recipe();
    run.history = train::read_metrics(folder.metrics_path());
  } catch (const Error& error) {
    run.damage = error.what();
    run.damage = run.damage.substr(0, run.damage.find('\n'));
  }
  return run;
}

std::vector<Run> read_all(const std::vector<std::string>& folders) {
  std::vector<std::string> paths;
  for (const std::string& folder : folders) {
    std::error_code error;
    if (!fs::is_directory(folder, error))
      throw Error(ErrorKind::usage, "runs", fmt::format("there is no folder {}", folder));
    find_runs(folder, 3, paths);
  }
  std::vector<Run> runs;
  for (const std::string& path : paths) runs.push_back(read(path));
  return runs;
}

/// Every key of the recipe that means something in it, as TOML.
std::vector<std::pair<std::string, std::string>> settings(train::Recipe recipe) {
  std::vector<std::pair<std::string, std::string>> all;
  const auto& keys = train::detail::recipe_keys();
  for (const auto& key : keys) {
    if (train::detail::applies(key, keys, recipe))
      all.emplace_back(std::string(key.name), train::detail::toml_text(key.slot(recipe)));
  }
  std::size_t number = 0;
  const auto& layer_keys = train::detail::layer_keys();
  for (models::LayerSettings& layer : recipe.model.layers) {
    for (const auto& key : layer_keys) {
      if (!train::detail::applies(key, layer_keys, layer)) continue;
      all.emplace_back(fmt::format("model.layers[{}].{}", number, key.name), train::detail::toml_text(key.slot(layer)));
    }
    ++number;
  }
  return all;
}

std::string setting(const Run& run, const std::string& name) {
  for (const auto& [key, value] : settings(run.recipe)) {
    if (key == name) return value;
  }
  return "";
}

Json to_json(const Run& run) {
  Json json = {{"run", run.path}, {"status", run.status()}};
  if (!run.damage.empty()) {
    json["damage"] = run.damage;
    return json;
  }
  json["model"] = run.recipe.model.name;
  json["data"] = run.recipe.data.name;
  json["optimizer"] = run.recipe.optimizer.name;
  json["seed"] = run.recipe.seed;
  json["epochs"] = run.history.size();
  json["epochs_wanted"] = run.recipe.train.epochs;
  json["seconds"] = run.seconds();
  if (run.history.empty()) return json;
  json["best_epoch"] = run.best().epoch;
  const char* score = run.best().val_fit ? "r2" : "accuracy";
  json[fmt::format("val_{}", score)] = train::val_score(run.best());
  json["val_loss"] = run.best().val_loss;
  if (const auto test = train::test_score(run.history.back())) json[fmt::format("test_{}", score)] = *test;
  if (run.history.back().test_loss) json["test_loss"] = *run.history.back().test_loss;
  return json;
}

using Table = std::vector<std::vector<std::string>>;

/// Columns as wide as their widest cell, two blanks apart; the first row is the head.
void print_table(const Table& table) {
  std::vector<std::size_t> widths;
  for (const auto& row : table) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  for (const auto& row : table) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) line += fmt::format("{:<{}}  ", row[i], widths[i]);
    fmt::print("{}\n", line.substr(0, line.find_last_not_of(' ') + 1));
  }
}

std::string figure(const std::optional<double>& value) { return value ? fmt::format("{:.4f}", *value) : "-"; }

std::vector<std::string> figures(const Run& run) {
  if (run.history.empty()) return {"-", "-", "-", "-"};
  const train::EpochMetrics& last = run.history.back();
  return {figure(train::val_score(run.best())), figure(train::test_score(last)), figure(last.test_loss),
          train::duration_text(run.seconds())};
}

std::string epochs(const Run& run) { return fmt::format("{}/{}", run.history.size(), run.recipe.train.epochs); }

/// Names of the settings that are not the same in all runs, in the order of recipes.
std::vector<std::string> differing(const std::vector<Run>& runs) {
  std::vector<std::string> names;
  for (const Run& run : runs) {
    for (const auto& [name, value] : settings(run.recipe)) {
      const bool same = std::all_of(runs.begin(), runs.end(),
                                    [&, &n = name, &v = value](const Run& other) { return setting(other, n) == v; });
      if (!same && std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
  }
  return names;
}

}  // namespace

int runs_list(const RunsCommand& command) {
  const std::vector<Run> runs = read_all(command.folders);
  if (command.json) {
    Json json = Json::array();
    for (const Run& run : runs) json.push_back(to_json(run));
    fmt::print("{}\n", text_of(json));
    return exit_ok;
  }
  if (runs.empty()) fmt::print("no runs here; `gradus train RECIPE` makes one\n");
  if (runs.empty()) return exit_ok;
  Table table = {{"run", "model", "data", "status", "epochs", "validation", "test", "test loss", "time"}};
  for (const Run& run : runs) {
    std::vector<std::string> row = {run.path, run.recipe.model.name, run.recipe.data.name, run.status(), epochs(run)};
    if (!run.damage.empty()) row = {run.path, "-", "-", run.status(), "-"};
    for (std::string& text : figures(run)) row.push_back(std::move(text));
    table.push_back(std::move(row));
  }
  print_table(table);
  for (const Run& run : runs) {
    if (!run.damage.empty()) fmt::print("\n{}: {}\n", run.path, run.damage);
  }
  return exit_ok;
}

int runs_compare(const RunsCommand& command) {
  const std::vector<Run> runs = read_all(command.folders);
  for (const Run& run : runs) {
    if (!run.damage.empty()) throw Error(ErrorKind::format, "runs", run.damage).context(run.path);
  }
  if (runs.size() < 2)
    throw Error(ErrorKind::usage, "runs", fmt::format("there is {} run, and a comparison needs two", runs.size()));
  const std::vector<std::string> names = differing(runs);
  if (command.json) {
    Json json = Json::array();
    for (const Run& run : runs) {
      json.push_back(to_json(run));
      for (const std::string& name : names) json.back()["settings"][name] = setting(run, name);
    }
    fmt::print("{}\n", text_of(json));
    return exit_ok;
  }
  Table table = {{""}};
  for (const Run& run : runs) table[0].push_back(run.path);
  for (const std::string& name : names) {
    table.push_back({name});
    for (const Run& run : runs) {
      const std::string value = setting(run, name);
      table.back().push_back(value.empty() ? "-" : value);
    }
  }
  const auto numbers = std::count_if(runs.begin(), runs.end(), [](const Run& r) { return predicts_numbers(r.recipe); });
  const bool all = numbers == static_cast<std::ptrdiff_t>(runs.size());
  const char* score = all ? "R2" : numbers > 0 ? "accuracy or R2" : "accuracy";
  const std::string titles[] = {fmt::format("validation {}", score), fmt::format("test {}", score), "test loss",
                                "time"};
  table.push_back({"epochs"});
  for (const Run& run : runs) table.back().push_back(epochs(run));
  for (std::size_t i = 0; i < std::size(titles); ++i) {
    table.push_back({titles[i]});
    for (const Run& run : runs) table.back().push_back(figures(run)[i]);
  }
  print_table(table);
  return exit_ok;
}

int runs_show(const RunsCommand& command) {
  const std::vector<Run> runs = read_all(command.folders);
  Json json = Json::array();
  for (const Run& run : runs) {
    if (!run.damage.empty()) throw Error(ErrorKind::format, "runs", run.damage).context(run.path);
    const train::Instruments seen = train::read_instruments(train::RunFolder::open(run.path).instruments_path());
    if (command.json) {
      json.push_back(to_json(run));
      if (!seen.empty()) json.back()["instruments"] = inside_json(seen);
      json.back()["history"] = Json::array();
      for (const train::EpochMetrics& m : run.history) json.back()["history"].push_back(Json::parse(train::to_json(m)));
      continue;
    }
    fmt::print("{}: {}, seed {}\n\n{}\n", run.path, run.status(), run.recipe.seed, train::recipe_text(run.recipe));
    const char* score = predicts_numbers(run.recipe) ? "R2" : "accuracy";
    Table table = {{"epoch", "step", "train loss", "train accuracy", "validation loss",
                    fmt::format("validation {}", score), "lr", "s"}};
    for (const train::EpochMetrics& m : run.history) {
      table.push_back({fmt::format("{}", m.epoch), fmt::format("{}", m.step), figure(m.train_loss),
                       m.val_fit ? "-" : figure(m.train_accuracy), figure(m.val_loss), figure(train::val_score(m)),
                       fmt::format("{:.3g}", m.lr), fmt::format("{:.1f}", m.seconds)});
    }
    print_table(table);
    if (run.finished())
      fmt::print("\ntest loss {:.4f}, test {} {:.4f}\n", *run.history.back().test_loss, score,
                 train::test_score(run.history.back()).value_or(0));
    fmt::print("{}\n", inside_text(seen));
  }
  if (command.json) fmt::print("{}\n", text_of(json));
  return exit_ok;
}

}  // namespace gradus::cli
