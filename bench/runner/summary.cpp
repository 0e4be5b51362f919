#include "bench/runner/summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

namespace gradus::bench {
namespace {

using nlohmann::ordered_json;

std::vector<double> column(const ordered_json& runs, const char* key) {
  std::vector<double> values;
  for (const ordered_json& run : runs) values.push_back(run.value(key, 0.0));
  return values;
}

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

Outcome outcome(const ordered_json& contender, const ordered_json& gradus, const std::string& dtype) {
  Outcome found;
  found.name = contender["name"];
  found.reason = contender.value("reason", "");
  found.failed = contender.value("failed", false);
  const ordered_json& runs = contender["runs"];
  if (runs.empty()) return found;
  const std::vector<double> times = column(runs, "step_ms_median");
  const std::vector<double> memory = column(runs, "peak_rss_mb");
  found.step_ms = spread(times);
  found.cpu_ms = spread(column(runs, "step_cpu_ms")).median;
  found.peak_mb = *std::max_element(memory.begin(), memory.end());
  found.startup_ms = spread(column(runs, "startup_s")).median * 1e3;
  found.foreign_cores = mean(column(runs, "foreign_cores"));
  if (&contender == &gradus || gradus["runs"].empty()) return found;
  const std::vector<double> own = column(gradus["runs"], "step_ms_median");
  std::vector<double> ratios;
  for (std::size_t i = 0; i < std::min(times.size(), own.size()); ++i) ratios.push_back(times[i] / own[i]);
  found.ratio = spread(ratios);
  // Each quantises in its own way: what that costs is for an evaluation to say, not for one sum.
  if (dtype != "int8") found.disagreement = disagreement(gradus["runs"][0], runs[0], dtype == "bf16");
  return found;
}

/// "" or what differs by more than `tolerance` of the larger one.
std::string compare(const std::string& what, double gradus, double peer, double tolerance) {
  const double scale = std::max(std::abs(gradus), std::abs(peer));
  if (std::abs(gradus - peer) <= tolerance * scale + 1e-5) return "";  // false for NaN
  return fmt::format("{} is {:.6g} in Gradus and {:.6g} here", what, gradus, peer);
}

std::map<int, double> losses_by_step(const ordered_json& line) {
  std::map<int, double> losses;
  for (const ordered_json& pair : line.value("losses", ordered_json::array())) {
    losses[pair[0].get<int>()] = pair[1].is_number() ? pair[1].get<double>() : NAN;
  }
  return losses;
}

}  // namespace

Spread spread(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t count = values.size();
  return {(values[(count - 1) / 2] + values[count / 2]) / 2, values.front(), values.back()};
}

const Outcome* Comparison::best_peer() const {
  const Outcome* best = nullptr;
  for (const Outcome& outcome : outcomes) {
    if (&outcome == &outcomes[0] || outcome.step_ms.median <= 0) continue;
    if (best == nullptr || outcome.step_ms.median < best->step_ms.median) best = &outcome;
  }
  return best;
}

std::string disagreement(const ordered_json& gradus, const ordered_json& peer, bool bf16) {
  std::string found = compare("the number of parameters", gradus["parameters"], peer["parameters"], 0);
  if (!found.empty()) return found;
  if (gradus.contains("output_sum")) {
    return compare("the sum of the output", gradus["output_sum"], peer.value("output_sum", NAN), bf16 ? 0.05 : 1e-3);
  }
  const auto tolerance = [&](double step) {
    return bf16 ? std::min(0.2, 1e-2 * step) : std::min(0.1, 2e-4 * step * step);
  };
  const std::map<int, double> own = losses_by_step(gradus), theirs = losses_by_step(peer);
  int common = 0;
  for (const auto& [step, loss] : own) {
    const auto other = theirs.find(step);
    if (other == theirs.end()) continue;
    ++common;
    found = compare(fmt::format("the loss of step {}", step), loss, other->second, tolerance(step));
    if (!found.empty()) return found;
  }
  return common == 0 ? "no step's loss can be compared" : "";
}

std::vector<Comparison> summarize(const ordered_json& measurement) {
  std::vector<Comparison> comparisons;
  for (const ordered_json& result : measurement["results"]) {
    Comparison found{result["workload"], result["dtype"], result["threads"], {}};
    const ordered_json& contenders = result["contenders"];
    for (const ordered_json& contender : contenders) {
      found.outcomes.push_back(outcome(contender, contenders[0], found.dtype));
    }
    if (const ordered_json& runs = contenders[0]["runs"]; !runs.empty()) {
      const double seconds = found.outcomes[0].step_ms.median / 1e3;
      found.gflops = runs[0].value("gflop", 0.0) / seconds;
      const double product = result["limits"].value(found.dtype + "_product", 0.0);
      const double memory = result["limits"].value("memory_gb_s", 0.0);
      if (product > 0) found.product_share = found.gflops / product;
      // The workloads say what a parameter moves in f32 and bf16.
      if (memory > 0 && found.dtype != "int8")
        found.memory_share = runs[0].value("parameter_mb", 0.0) / 1e3 / seconds / memory;
    }
    comparisons.push_back(std::move(found));
  }
  return comparisons;
}

}  // namespace gradus::bench
