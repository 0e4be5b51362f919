#include "gradus/cli/compare/show.h"

#include <fmt/format.h>

#include <cmath>

#include "gradus/base/version.h"
#include "gradus/train/report/style.h"
#include "gradus/train/report/svg_plot.h"

namespace gradus::cli {
namespace {

using insight::Standing;
using train::escaped;

/// How far behind the best: "-0.021 [-0.057, 0.015]"; "" for the best itself.
std::string behind_text(const ComparedTable& found, const Standing& standing) {
  const Standing& best = found.comparison.standings.front();
  if (&standing == &best) return "best";
  const insight::PairedTest test = found.comparison.difference(standing.name, best.name);
  return fmt::format("{:+.3f} [{:+.3f}, {:+.3f}]", test.mean, test.interval.low, test.interval.high);
}

train::LinePlot curve_plot(const ComparedTable& found) {
  train::LinePlot plot{.title = fmt::format("Test {}", found.comparison.score_name()),
                       .x_label = "log10 of the rows to train on",
                       .series = {}};
  for (const Standing& standing : found.curve.front().comparison.standings) {
    train::PlotSeries line;
    line.name = standing.name;
    line.points = true;
    for (const insight::CurvePoint& point : found.curve) {
      line.x.push_back(std::log10(static_cast<double>(point.comparison.train_rows)));
      line.y.push_back(point.comparison.of(standing.name).mean);
    }
    plot.series.push_back(line);
  }
  return plot;
}

std::string curve_text(const ComparedTable& found) {
  std::string text = fmt::format("\n{} by rows to train on:\n  {:<22}", found.comparison.score_name(), "");
  for (const insight::CurvePoint& point : found.curve) text += fmt::format("{:>24}", point.comparison.train_rows);
  for (const Standing& standing : found.curve.back().comparison.standings) {
    text += fmt::format("\n  {:<22}", standing.name);
    for (const insight::CurvePoint& point : found.curve) {
      const Standing& at = point.comparison.of(standing.name);
      text += fmt::format("{:>24}", fmt::format("{:.3f} [{:.3f}, {:.3f}]", at.mean, at.interval.low, at.interval.high));
    }
  }
  return text + "\n";
}

/// A figure that may not be there.
std::string figure_text(double figure) { return std::isnan(figure) ? "-" : fmt::format("{:.4f}", figure); }

/// The metrics that were not asked for, beside the one that was.
std::string others_text(const ComparedTable& found) {
  std::string text = fmt::format("\n  {:<22}{:>18}", "by other metrics", found.comparison.score_name());
  for (const auto& [metric, mean] : found.comparison.standings[0].others)
    text += fmt::format("{:>18}", insight::name_of(metric));
  for (const Standing& each : found.comparison.standings) {
    text += fmt::format("\n  {:<22}{:>18.4f}", each.name, each.mean);
    for (const auto& [metric, mean] : each.others) text += fmt::format("{:>18}", figure_text(mean));
  }
  return text + "\n";
}

std::string page_others(const ComparedTable& found) {
  std::string body = fmt::format(
      "<h2>By other metrics</h2><div class=\"card scroll\"><table><tr><th>learner</th><th class=\"n\">{}</th>",
      found.comparison.score_name());
  for (const auto& [metric, mean] : found.comparison.standings[0].others)
    body += fmt::format("<th class=\"n\">{}</th>", insight::name_of(metric));
  for (const Standing& each : found.comparison.standings) {
    body += fmt::format("</tr><tr><td>{}</td><td class=\"n\">{:.4f}</td>", escaped(each.name), each.mean);
    for (const auto& [metric, mean] : each.others) body += fmt::format("<td class=\"n\">{}</td>", figure_text(mean));
  }
  return body + "</tr></table></div>";
}

std::string page_rows(const ComparedTable& found) {
  std::string rows;
  for (const Standing& each : found.comparison.standings) {
    rows += fmt::format(
        "<tr><td>{}{}</td><td class=\"n\">{:.4f}</td><td class=\"n\">{:.4f} to {:.4f}</td><td class=\"n\">{}</td>"
        "<td>{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td "
        "class=\"n\">{}</td></tr>\n",
        escaped(each.name), each.network ? " (deep learning)" : "", each.mean, each.interval.low, each.interval.high,
        behind_text(found, each), escaped(each.usual_settings()), seconds_text(each.tune_seconds),
        seconds_text(each.fit_seconds), seconds_text(each.predict_seconds), bytes_text(each.bytes));
  }
  return rows;
}

std::string page_curve(const ComparedTable& found) {
  if (found.curve.empty()) return {};
  std::string body = "<h2>Would more rows change it?</h2><div class=\"card\">" + train::svg(curve_plot(found)) +
                     "</div><div class=\"card scroll\"><table><tr><th>rows to train on</th>";
  for (const Standing& each : found.curve.front().comparison.standings)
    body += fmt::format("<th class=\"n\">{}</th>", escaped(each.name));
  body += "</tr>";
  for (const insight::CurvePoint& point : found.curve) {
    body += fmt::format("<tr><td>{}</td>", point.comparison.train_rows);
    for (const Standing& each : found.curve.front().comparison.standings) {
      const Standing& at = point.comparison.of(each.name);
      body += fmt::format("<td class=\"n\">{:.4f} ({:.4f} to {:.4f})</td>", at.mean, at.interval.low, at.interval.high);
    }
    body += "</tr>";
  }
  return body + "</table></div>";
}

}  // namespace

std::string seconds_text(double seconds) {
  if (seconds < 0.9995e-3) return fmt::format("{:.0f} us", seconds * 1e6);
  if (seconds < 0.9995) return fmt::format("{:.3g} ms", seconds * 1e3);
  return fmt::format("{:.3g} s", seconds);
}

std::string bytes_text(std::int64_t bytes) {
  if (bytes < 10000) return fmt::format("{} B", bytes);
  if (bytes < 10000000) return fmt::format("{:.0f} kB", static_cast<double>(bytes) / 1e3);
  return fmt::format("{:.0f} MB", static_cast<double>(bytes) / 1e6);
}

std::string headline(const ComparedTable& found) {
  const PreparedTable& p = found.prepared;
  std::string text = fmt::format("{}: {} rows, {} columns, predicting {}", p.problem.name, p.problem.rows, p.columns,
                                 found.command.target);
  if (p.classes.empty()) return text + " (a number)";
  std::string classes;
  for (std::size_t c = 0; c < p.classes.size(); ++c)
    classes += fmt::format("{}{} {}", c == 0 ? "" : ", ", p.classes[c], p.counts[c]);
  return fmt::format("{} ({})", text, classes);
}

std::string protocol_line(const ComparedTable& found) {
  const CompareCommand& command = found.command;
  return fmt::format(
      "{} splits ({} folds, {}): {} rows to train on, {} to test; settings chosen within the training rows",
      found.comparison.standings.front().scores.size(), command.folds, command.quick ? "once" : "twice",
      found.comparison.train_rows, found.comparison.test_rows);
}

std::string text_of_comparison(const ComparedTable& found) {
  std::string text = headline(found) + "\n";
  for (const std::string& note : found.prepared.notes) text += fmt::format("  note: {}\n", note);
  text += protocol_line(found) + "\n\n";
  text += fmt::format("  {:<22}{:>9}  {:<18}{:<26}{:>9}{:>9}{:>15}{:>9}\n", "learner", found.comparison.score_name(),
                      "95 % interval", "behind the best", "tuning", "training", "1,000 answers", "size");
  for (const Standing& each : found.comparison.standings) {
    text += fmt::format("  {:<22}{:>9.4f}  {:<18}{:<26}{:>9}{:>9}{:>15}{:>9}\n", each.name, each.mean,
                        fmt::format("[{:.3f}, {:.3f}]", each.interval.low, each.interval.high),
                        behind_text(found, each), seconds_text(each.tune_seconds), seconds_text(each.fit_seconds),
                        seconds_text(each.predict_seconds), bytes_text(each.bytes));
  }
  text += others_text(found);
  if (!found.curve.empty()) text += curve_text(found);
  text += fmt::format("\nShould you use deep learning here?\n  {}\n", found.advice.sentence);
  for (const std::string& reason : found.advice.reasons) text += fmt::format("  - {}\n", reason);
  return text;
}

nlohmann::ordered_json json_of_comparison(const ComparedTable& found) {
  using Json = nlohmann::ordered_json;
  const insight::Comparison& comparison = found.comparison;
  const auto json_of = [&](const insight::Comparison& of, const Standing& each) {
    return Json{{"learner", each.name},  {"network", each.network},
                {"mean", each.mean},     {"interval", {each.interval.low, each.interval.high}},
                {"scores", each.scores}, {"train_rows", of.train_rows}};
  };
  Json json = {
      {"data", found.prepared.problem.name}, {"version", version},
      {"target", found.command.target},      {"task", found.prepared.classes.empty() ? "regression" : "classification"},
      {"rows", found.prepared.problem.rows}, {"columns", found.prepared.columns},
      {"notes", found.prepared.notes},       {"seed", found.command.seed},
      {"score", comparison.score_name()},    {"splits", comparison.standings.front().scores.size()},
      {"test_rows", comparison.test_rows},   {"answer", insight::name_of(found.advice.answer)},
      {"sentence", found.advice.sentence},   {"reasons", found.advice.reasons},
      {"learners", Json::array()},           {"curve", Json::array()}};
  for (std::size_t i = 0; i < comparison.standings.size(); ++i) {
    const Standing& each = comparison.standings[i];
    Json row = json_of(comparison, each);
    row["settings"] = each.settings;
    for (const auto& [metric, mean] : each.others) row["others"][std::string(insight::name_of(metric))] = mean;
    if (i > 0) {
      const insight::PairedTest test = comparison.difference(each.name, comparison.standings.front().name);
      row["behind_best"] = {{"mean", test.mean},
                            {"interval", {test.interval.low, test.interval.high}},
                            {"p", test.p},
                            {"corrected_p", found.corrected_p[i]}};
    }
    row["tune_seconds"] = each.tune_seconds;
    row["fit_seconds"] = each.fit_seconds;
    row["seconds_per_1000_answers"] = each.predict_seconds;
    row["bytes"] = each.bytes;
    json["learners"].push_back(row);
  }
  for (const insight::CurvePoint& point : found.curve)
    for (const Standing& each : point.comparison.standings) json["curve"].push_back(json_of(point.comparison, each));
  return json;
}

std::string page_of_comparison(const ComparedTable& found) {
  std::string body = fmt::format(
      "<h1>Should you use deep learning here?</h1><p class=\"soft\">{}</p><div class=\"card\"><p><b>{}</b></p>",
      escaped(headline(found)), escaped(found.advice.sentence));
  for (const std::string& reason : found.advice.reasons) body += fmt::format("<p>{}</p>", escaped(reason));
  body += fmt::format(
      "</div><h2>All learners on the same rows</h2><p>{}.</p><div class=\"card scroll\"><table><tr><th>learner</th>"
      "<th class=\"n\">{}</th><th class=\"n\">95 % interval</th><th class=\"n\">behind the best</th><th>settings, "
      "mostly</th>"
      "<th class=\"n\">tuning</th><th class=\"n\">training</th><th class=\"n\">1,000 answers</th><th "
      "class=\"n\">size</th>"
      "</tr>\n{}</table></div><p class=\"soft\">Intervals and differences allow for training rows that the splits "
      "share "
      "(Nadeau and Bengio, 2003). Seconds are those of one split.</p>",
      escaped(protocol_line(found)), found.comparison.score_name(), page_rows(found));
  body += page_others(found) + page_curve(found);
  if (!found.prepared.notes.empty()) {
    body += "<h2>What was done to the table</h2><div class=\"card\">";
    for (const std::string& note : found.prepared.notes) body += fmt::format("<p>{}</p>", escaped(note));
    body += "</div>";
  }
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
      "content=\"width=device-width,initial-scale=1\"><title>{}: should you use deep learning?</title><style>{}"
      ".line.s2{{stroke:var(--good)}}.dot.s2{{fill:var(--good)}}.line.s3{{stroke:var(--bad)}}.dot.s3{{fill:var(--bad)}}"
      "</style></head><body><main>\n{}<p class=\"soft\">Gradus {}, seed {}: gradus compare {} --target "
      "{}</p></main></body>"
      "</html>\n",
      escaped(found.prepared.problem.name), train::report_style, body, version, found.command.seed,
      escaped(found.command.data), escaped(found.command.target));
}

}  // namespace gradus::cli
