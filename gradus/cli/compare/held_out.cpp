#include "gradus/cli/compare/held_out.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "gradus/base/error.h"
#include "gradus/base/version.h"
#include "gradus/cli/compare/show.h"
#include "gradus/cli/json.h"
#include "gradus/data/sources.h"
#include "gradus/insight/compare/held_out.h"
#include "gradus/io/atomic_file.h"
#include "gradus/train/report/figure.h"
#include "gradus/train/report/style.h"

namespace gradus::cli {
namespace {

using insight::HeldOutPoint;
using insight::HeldOutStanding;
using train::escaped;

struct Found {
  const CompareCommand& command;
  std::string name;
  std::int64_t train_rows = 0, test_rows = 0, classes = 0;
  std::vector<std::string> notes;
  std::vector<HeldOutPoint> curve;
};

Error refusal(const std::string& summary) { return Error(ErrorKind::usage, "compare", summary); }

void refuse_table_options(const CompareCommand& command) {
  if (!command.task.empty() || !command.drop.empty())
    throw refusal(fmt::format("{} is no table: --task and --drop are for tables", command.data))
        .hint("with --target COLUMN it is read as a table, where it is one");
  if (!command.metric.empty() && command.metric != "accuracy")
    throw refusal(fmt::format("on the test part of {} accuracy is measured, and not {}", command.data, command.metric))
        .hint("--metric is for tables");
}

std::vector<insight::CurveSize> sizes_of(const CompareCommand& command, std::int64_t rows) {
  std::vector<std::int64_t> sizes = command.sizes, draws = command.draws;
  if (sizes.empty()) {
    for (const std::int64_t size : {100, 1000, 10000})
      if (size <= rows) sizes.push_back(size);
    if (command.quick) sizes.resize(1);
  }
  if (draws.empty()) draws = command.quick ? std::vector<std::int64_t>{1} : std::vector<std::int64_t>{3, 2, 1};
  if (!command.draws.empty() && draws.size() != 1 && draws.size() != sizes.size())
    throw refusal(fmt::format("--seeds has {} numbers, and --learning-curve {}", draws.size(), sizes.size()))
        .hint("one number for each size, or one for all");
  std::vector<insight::CurveSize> curve;
  for (std::size_t i = 0; i < sizes.size(); ++i) curve.push_back({sizes[i], draws[std::min(i, draws.size() - 1)]});
  return curve;
}

std::string behind_text(const HeldOutPoint& point, const HeldOutStanding& standing) {
  const HeldOutStanding& best = point.standings.front();
  if (&standing == &best) return "best";
  const insight::PairedTest test = point.difference(standing.name, best.name);
  return fmt::format("{:+.3f} [{:+.3f}, {:+.3f}]", test.mean, test.interval.low, test.interval.high);
}

std::string parameters_text(const HeldOutStanding& standing) {
  return standing.parameters == 0 ? "-" : fmt::format("{}", standing.parameters);
}

std::string draws_text(const HeldOutStanding& standing) {
  std::string text;
  for (const double score : standing.scores) text += fmt::format("{}{:.4f}", text.empty() ? "" : " / ", score);
  return text;
}

std::string title_of(const Found& found) {
  return fmt::format("{}: {} examples to draw from, {} of the test part, {} classes", found.name, found.train_rows,
                     found.test_rows, found.classes);
}

const char* const protocol =
    "settings fixed beforehand, none was tuned; intervals are for the choice of the test examples and, with several "
    "draws, of the training rows";

/// What a single draw leaves open.
std::string caution(const HeldOutPoint& point) {
  return point.standings[0].scores.size() > 1 ? "" : " (one draw: another one may turn it round)";
}

train::LinePlot plot_of(const Found& found) {
  train::LinePlot plot{.title = "Test accuracy, " + found.name, .x_label = "examples to train on", .series = {}};
  plot.log_x = true;
  for (const HeldOutStanding& standing : found.curve.back().standings) {
    train::PlotSeries line;
    line.name = standing.name;
    line.points = true;
    for (const HeldOutPoint& point : found.curve) {
      const HeldOutStanding& at = point.of(standing.name);
      line.x.push_back(static_cast<double>(point.rows));
      line.y.push_back(at.mean);
      line.low.push_back(at.interval.low);
      line.high.push_back(at.interval.high);
    }
    plot.series.push_back(line);
  }
  return plot;
}

std::string text_of(const Found& found) {
  std::string text = title_of(found) + "\n";
  for (const std::string& note : found.notes) text += fmt::format("  note: {}\n", note);
  text += std::string(protocol) + "\n";
  for (const HeldOutPoint& point : found.curve) {
    text += fmt::format("\n{} examples, {} draw{}\n  {:<22}{:>9}  {:<18}{:<26}{:>9}{:>15}{:>12}{:>9}  {}\n", point.rows,
                        point.standings[0].scores.size(), point.standings[0].scores.size() == 1 ? "" : "s", "learner",
                        "accuracy", "95 % interval", "behind the best", "training", "1,000 answers", "parameters",
                        "size", "draws");
    for (const HeldOutStanding& each : point.standings)
      text += fmt::format("  {:<22}{:>9.4f}  {:<18}{:<26}{:>9}{:>15}{:>12}{:>9}  {}\n", each.name, each.mean,
                          fmt::format("[{:.3f}, {:.3f}]", each.interval.low, each.interval.high),
                          behind_text(point, each), seconds_text(each.fit_seconds), seconds_text(each.predict_seconds),
                          parameters_text(each), bytes_text(each.bytes), draws_text(each));
    text += fmt::format("  {}{}\n", insight::verdict_of(point).sentence, caution(point));
  }
  return text;
}

nlohmann::ordered_json json_of(const Found& found) {
  using Json = nlohmann::ordered_json;
  Json json = {{"data", found.name},    {"version", version},           {"seed", found.command.seed},
               {"score", "accuracy"},   {"test_rows", found.test_rows}, {"notes", found.notes},
               {"curve", Json::array()}};
  for (const HeldOutPoint& point : found.curve) {
    const insight::HeldOutVerdict verdict = insight::verdict_of(point);
    Json at = {{"train_rows", point.rows},     {"leader", verdict.leader},     {"behind", verdict.behind},
               {"together", verdict.together}, {"sentence", verdict.sentence}, {"learners", Json::array()}};
    for (const HeldOutStanding& each : point.standings) {
      Json row = {{"learner", each.name},
                  {"network", each.network},
                  {"settings", each.settings},
                  {"mean", each.mean},
                  {"interval", {each.interval.low, each.interval.high}},
                  {"scores", each.scores}};
      if (each.name != verdict.leader) {
        const insight::PairedTest test = point.difference(each.name, verdict.leader);
        row["behind_best"] = {
            {"mean", test.mean}, {"interval", {test.interval.low, test.interval.high}}, {"p", test.p}};
      }
      row["fit_seconds"] = each.fit_seconds;
      row["seconds_per_1000_answers"] = each.predict_seconds;
      row["parameters"] = each.parameters;
      row["bytes"] = each.bytes;
      at["learners"].push_back(row);
    }
    json["curve"].push_back(at);
  }
  return json;
}

std::string point_html(const HeldOutPoint& point) {
  std::string body = fmt::format(
      "<h2>{} examples</h2><p>{}{}</p><div class=\"card scroll\"><table><tr><th>learner</th><th "
      "class=\"n\">accuracy</th>"
      "<th class=\"n\">95 % interval</th><th class=\"n\">behind the best</th><th>settings</th><th class=\"n\">training"
      "</th><th class=\"n\">1,000 answers</th><th class=\"n\">parameters</th><th class=\"n\">size</th><th "
      "class=\"n\">each draw</th></tr>\n",
      point.rows, escaped(insight::verdict_of(point).sentence), caution(point));
  for (const HeldOutStanding& each : point.standings)
    body += fmt::format(
        "<tr><td>{}{}</td><td class=\"n\">{:.4f}</td><td class=\"n\">{:.4f} to {:.4f}</td><td class=\"n\">{}</td>"
        "<td>{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td "
        "class=\"n\">{}</td></tr>\n",
        escaped(each.name), each.network ? " (deep learning)" : "", each.mean, each.interval.low, each.interval.high,
        behind_text(point, each), escaped(each.settings), seconds_text(each.fit_seconds),
        seconds_text(each.predict_seconds), parameters_text(each), bytes_text(each.bytes), draws_text(each));
  return body + "</table></div>";
}

std::string page_of(const Found& found) {
  std::string body = fmt::format("<h1>How many examples does it take?</h1><p class=\"soft\">{}; {}.</p>",
                                 escaped(title_of(found)), protocol);
  body += "<div class=\"card\">" + train::svg(plot_of(found)) + "</div>";
  for (const HeldOutPoint& point : found.curve) body += point_html(point);
  for (const std::string& note : found.notes) body += fmt::format("<p class=\"soft\">{}.</p>", escaped(note));
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
      "content=\"width=device-width,initial-scale=1\"><title>{}: learning curves</title><style>{}"
      ".line.s2{{stroke:var(--good)}}.dot.s2{{fill:var(--good)}}.line.s3{{stroke:var(--bad)}}.dot.s3{{fill:var(--bad)}}"
      "</style></head><body><main>\n{}<p class=\"soft\">Gradus {}, seed {}: gradus compare "
      "{}</p></main></body></html>\n",
      escaped(found.name), train::report_style, body, version, found.command.seed, escaped(found.command.data));
}

}  // namespace

bool compares_held_out(const CompareCommand& command) {
  if (!command.target.empty() || std::filesystem::exists(command.data)) return false;
  const std::vector<data::SourceInfo>& all = data::source_infos();
  return std::any_of(all.begin(), all.end(),
                     [&](const data::SourceInfo& info) { return !info.own_files && info.name == command.data; });
}

int compare_held_out(const CompareCommand& command) {
  refuse_table_options(command);
  const bool live = isatty(STDERR_FILENO) != 0 && !command.json;
  const auto progress = [&](const std::string& what) {
    if (live) fmt::print(stderr, "\r\033[K{}", what);
  };
  const data::Dataset train = data::load(command.data, data::Split::train),
                      test = data::load(command.data, data::Split::test);
  Found found{.command = command, .name = train.name(), .notes = {}, .curve = {}};
  const std::vector<insight::Contender> all = insight::image_contenders(train);
  if (std::none_of(all.begin(), all.end(), [](const auto& each) { return each.name == "RBF SVM"; }))
    found.notes.push_back("this build is without RBF SVM (LIBSVM): it was left out");
  found.train_rows = train.size();
  found.classes = train.num_classes();
  found.curve = insight::held_out_curve(train, test, all, sizes_of(command, train.size()),
                                        {.test_rows = command.test_rows, .seed = command.seed}, progress);
  found.test_rows = found.curve[0].test_rows;
  progress("");
  if (!command.out.empty()) io::write_file(command.out, page_of(found));
  if (command.json) {
    fmt::print("{}\n", cli::text_of(json_of(found)));
  } else {
    fmt::print("{}", text_of(found));
    if (!command.out.empty()) fmt::print("\npage: {}\n", command.out);
  }
  return exit_ok;
}

}  // namespace gradus::cli
