#include "bench/runner/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>
#include <tuple>

#include "gradus/base/error.h"

namespace gradus::bench {
namespace {

using nlohmann::ordered_json;

/// Three digits: 0.0305, 2.81, 835.
std::string digits(double value) {
  if (value >= 100) return fmt::format("{:.0f}", value);
  return fmt::format("{:.{}f}", value, value >= 10 ? 1 : value >= 1 ? 2 : value >= 0.1 ? 3 : 4);
}

std::string range(const Spread& values) {
  return fmt::format("{} ({}-{})", digits(values.median), digits(values.low), digits(values.high));
}

std::string share(double value) { return value > 0 ? fmt::format("{:.0f} %", value * 100) : "-"; }

const Outcome* find(const Comparison& comparison, const std::string& name) {
  for (const Outcome& outcome : comparison.outcomes) {
    if (outcome.name == name && outcome.step_ms.median > 0) return &outcome;
  }
  return nullptr;
}

/// The contenders of a set of comparisons, in their order.
std::vector<std::string> contender_names(const std::vector<const Comparison*>& comparisons) {
  std::vector<std::string> names;
  for (const Comparison* comparison : comparisons) {
    for (const Outcome& outcome : comparison->outcomes) {
      if (std::find(names.begin(), names.end(), outcome.name) == names.end()) names.push_back(outcome.name);
    }
  }
  return names;
}

std::string markdown_row(const Comparison& comparison, const std::vector<std::string>& names) {
  std::string row = fmt::format("| {} |", comparison.workload);
  for (const std::string& name : names) {
    const Outcome* outcome = find(comparison, name);
    row += outcome ? fmt::format(" {} |", range(outcome->step_ms)) : " - |";
  }
  const Outcome& gradus = comparison.outcomes[0];
  const Outcome* peer = comparison.best_peer();
  const bool both = gradus.step_ms.median > 0 && peer != nullptr;
  row += both ? fmt::format(" **{}** ({}-{}) |", digits(peer->ratio->median), digits(peer->ratio->low),
                            digits(peer->ratio->high))
              : " - |";
  row += fmt::format(" {} | {} |", share(comparison.product_share), share(comparison.memory_share));
  const auto pair = [&](double own, double theirs) {
    return fmt::format(" {} / {} |", own > 0 ? digits(own) : "-", peer ? digits(theirs) : "-");
  };
  row += pair(gradus.cpu_ms, peer ? peer->cpu_ms : 0);
  row += pair(gradus.peak_mb, peer ? peer->peak_mb : 0);
  row += pair(gradus.startup_ms, peer ? peer->startup_ms : 0);
  double foreign = gradus.foreign_cores;
  if (peer) foreign = std::max(foreign, peer->foreign_cores);
  return row + fmt::format(" {:.2f} |\n", foreign);
}

std::string markdown_table(const std::vector<const Comparison*>& comparisons) {
  const std::vector<std::string> names = contender_names(comparisons);
  std::string head = "| workload |", line = "|---|";
  for (const std::string& name : names) head += fmt::format(" {}, ms |", name), line += "---|";
  std::string table = head +
                      " faster than the best peer | of the best product | of the memory | CPU ms, Gradus / best peer | "
                      "MB, Gradus / best peer | start-up "
                      "ms, Gradus / best peer | others' cores |\n" +
                      line + "---|---|---|---|---|---|---|\n";
  double logarithms = 0;
  int count = 0;
  for (const Comparison* comparison : comparisons) {
    table += markdown_row(*comparison, names);
    const Outcome* peer = comparison->best_peer();
    if (peer && peer->ratio) logarithms += std::log(peer->ratio->median), ++count;
  }
  if (count > 0) {
    table += fmt::format("\nGeometric mean over {} workloads: **{}** times the speed of the better peer.\n", count,
                         digits(std::exp(logarithms / count)));
  }
  return table;
}

/// What is not in a table and why, each reason once.
std::string notes(const std::vector<const Comparison*>& comparisons) {
  std::vector<std::pair<std::string, std::string>> reasons;  // reason, who
  const auto add = [&](const std::string& reason, const std::string& who) {
    for (auto& [known, list] : reasons) {
      if (known == reason) {
        list += ", " + who;
        return;
      }
    }
    reasons.emplace_back(reason, who);
  };
  for (const Comparison* comparison : comparisons) {
    for (const Outcome& outcome : comparison->outcomes) {
      const std::string who = outcome.name + " " + comparison->workload;
      if (!outcome.reason.empty()) add(outcome.reason, who);
      if (!outcome.disagreement.empty()) add("DISAGREES: " + outcome.disagreement, who);
    }
  }
  std::string text;
  for (const auto& [reason, who] : reasons) text += fmt::format("- {}: {}\n", who, reason);
  return text.empty() ? text : "\n" + text;
}

/// "" or that the machine was not quiet.
std::string warning(const std::vector<Comparison>& comparisons) {
  double foreign = 0;
  for (const Comparison& comparison : comparisons) {
    for (const Outcome& outcome : comparison.outcomes) foreign = std::max(foreign, outcome.foreign_cores);
  }
  if (foreign < 0.1) return "";
  return fmt::format(
      "\n**The machine was not quiet**: others used up to {:.1f} of its cores. Then the times of steps that last "
      "longer than a "
      "few milliseconds, start-up and shares of limits say little; CPU times, and times of shorter steps, are still "
      "good.\n",
      foreign);
}

/// The lowest and highest of each limit over the whole measurement.
std::string limits_table(const ordered_json& measurement, int threads) {
  std::string table = "| limit | lowest | highest |\n|---|---|---|\n";
  for (const char* name :
       {"f32_fma", "bf16_dot", "amx_bf16", "f32_product", "bf16_product", "cache_gb_s", "memory_gb_s"}) {
    std::vector<double> values;
    for (const ordered_json& result : measurement["results"]) {
      if (result["threads"] == threads && result["limits"].contains(name)) values.push_back(result["limits"][name]);
    }
    if (values.empty()) continue;
    const Spread all = spread(values);
    table += fmt::format("| {} | {} | {} |\n", name, digits(all.low), digits(all.high));
  }
  return table;
}

}  // namespace

std::string to_text(const std::vector<Comparison>& comparisons) {
  std::string text =
      fmt::format("{:<12} {:<5} {:>2}  {:<14} {:>10} {:>21} {:>8} {:>8} {:>8} {:>10} {:>8} {:>7}\n", "workload", "type",
                  "T", "contender", "step ms", "range", "ratio", "cpu ms", "MB", "start ms", "product", "others");
  for (const Comparison& comparison : comparisons) {
    for (const Outcome& outcome : comparison.outcomes) {
      text += fmt::format("{:<12} {:<5} {:>2}  {:<14} ", comparison.workload, comparison.dtype, comparison.threads,
                          outcome.name);
      if (outcome.step_ms.median <= 0) {
        text += fmt::format("{}\n", outcome.reason);
        continue;
      }
      const bool own = &outcome == &comparison.outcomes[0];
      text +=
          fmt::format("{:>10} {:>21} {:>8} {:>8} {:>8.0f} {:>10} {:>8} {:>7.2f}", digits(outcome.step_ms.median),
                      digits(outcome.step_ms.low) + " - " + digits(outcome.step_ms.high),
                      outcome.ratio ? digits(outcome.ratio->median) : "", digits(outcome.cpu_ms), outcome.peak_mb,
                      digits(outcome.startup_ms), own ? share(comparison.product_share) : "", outcome.foreign_cores);
      if (!outcome.disagreement.empty()) text += "  DISAGREES: " + outcome.disagreement;
      if (!outcome.reason.empty()) text += "  STOPPED: " + outcome.reason;
      text += '\n';
    }
  }
  return text;
}

std::string to_markdown(const ordered_json& measurement, const std::vector<Comparison>& comparisons) {
  const ordered_json& machine = measurement["machine"];
  std::string text = fmt::format(
      "{}: {}, {} cores, {}; Gradus {} with oneDNN {}; {} rounds.\n", machine["date"].get<std::string>(),
      machine["processor"].get<std::string>(), machine["cores"].get<int>(), machine["architecture"].get<std::string>(),
      machine["gradus"].get<std::string>(), machine["onednn"].get<std::string>(), measurement["rounds"].get<int>());
  text += warning(comparisons);
  std::set<int> all_threads;
  std::vector<std::tuple<std::string, int>> groups;
  for (const Comparison& comparison : comparisons) {
    all_threads.insert(comparison.threads);
    const std::tuple group{comparison.dtype, comparison.threads};
    if (std::find(groups.begin(), groups.end(), group) == groups.end()) groups.push_back(group);
  }
  for (const auto& [dtype, threads] : groups) {
    std::vector<const Comparison*> members;
    for (const Comparison& comparison : comparisons) {
      if (comparison.dtype == dtype && comparison.threads == threads) members.push_back(&comparison);
    }
    text += fmt::format("\n### {}, {} thread{}\n\n{}{}", dtype, threads, threads == 1 ? "" : "s",
                        markdown_table(members), notes(members));
  }
  for (const int threads : all_threads) {
    text += fmt::format("\n### Limits, {} thread{}\n\n{}", threads, threads == 1 ? "" : "s",
                        limits_table(measurement, threads));
  }
  return text;
}

std::string with_figures(const std::string& document, const std::string& figures, const std::string& name) {
  const std::string begin = fmt::format("<!-- {}: begin -->\n", name), end = fmt::format("<!-- {}: end -->", name);
  const std::size_t from = document.find(begin), to = document.find(end);
  if (from == std::string::npos || to == std::string::npos || to < from) {
    throw Error(ErrorKind::format, "bench",
                fmt::format("the document has no lines \"<!-- {}: begin -->\" and \"... end -->\"", name));
  }
  return document.substr(0, from + begin.size()) + "\n" + figures + "\n" + document.substr(to);
}

}  // namespace gradus::bench
