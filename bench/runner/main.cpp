// Compares contenders on workloads. scripts/bench.sh builds everything and calls it.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <exception>
#include <nlohmann/json.hpp>

#include "bench/runner/rounds.h"
#include "bench/runner/summary.h"
#include "bench/runner/table.h"
#include "bench/workload.h"
#include "gradus/io/atomic_file.h"

namespace {

using namespace gradus;

struct Options {
  bench::Plan plan;
  std::string json, from, docs;
};

std::vector<std::string> workload_names() {
  std::vector<std::string> names;
  for (const bench::Workload& workload : bench::workloads()) names.emplace_back(workload.name);
  return names;
}

void declare(CLI::App& app, Options& options) {
  const std::vector<std::string> workloads = workload_names();
  std::vector<std::string> peers;
  for (const std::string_view name : bench::peer_names()) peers.emplace_back(name);
  options.plan.workloads = workloads;
  app.add_option("--workloads", options.plan.workloads, "default: all")
      ->delimiter(',')
      ->check(CLI::IsMember(workloads));
  app.add_option("--dtype", options.plan.dtypes)->delimiter(',')->check(CLI::IsMember({"f32", "bf16", "int8"}));
  app.add_option("--threads", options.plan.threads)->delimiter(',')->check(CLI::Range(1, 1024));
  app.add_option("--peers", options.plan.peers)->delimiter(',')->check(CLI::IsMember(peers));
  app.add_option("--rounds", options.plan.rounds, "runs of each contender, in turn")->check(CLI::Range(1, 1000));
  app.add_option("--steps", options.plan.steps, "timed steps of each run; 0: as many as the workload says");
  app.add_option("--most-seconds", options.plan.most_seconds, "a run that takes longer has failed");
  app.add_option("--json", options.json, "write every figure of every run to this file");
  app.add_option("--docs", options.docs, "put the tables into this document");
  app.add_option("--from", options.from, "read this file of --json in place of measuring");
  app.add_option("--programs", options.plan.programs, "folder of gradus_bench and gradus_bench_limits");
  app.add_option("--python", options.plan.python, "interpreter that has torch");
  app.add_option("--torch-bench", options.plan.torch_bench, "the script of the peers");
}

/// 1 when a contender failed or computed something else.
int verdict(const std::vector<bench::Comparison>& comparisons) {
  int code = 0;
  for (const bench::Comparison& comparison : comparisons) {
    for (const bench::Outcome& outcome : comparison.outcomes) {
      const std::string& what = outcome.disagreement.empty() ? outcome.reason : outcome.disagreement;
      if (!outcome.failed && outcome.disagreement.empty()) continue;
      fmt::print(stderr, "error: {} {} {}: {}\n", outcome.name, comparison.workload, comparison.dtype, what);
      code = 1;
    }
  }
  return code;
}

}  // namespace

int main(int argc, char** argv) try {
  Options options;
  CLI::App app("Compares contenders on workloads, in turn.", "gradus_bench_runner");
  declare(app, options);
  CLI11_PARSE(app, argc, argv);
  const auto save = [&](const nlohmann::ordered_json& measurement) {
    if (!options.json.empty()) io::write_file(options.json, measurement.dump(1) + "\n");
  };
  const nlohmann::ordered_json measurement = options.from.empty()
                                                 ? bench::measure(options.plan, save)
                                                 : nlohmann::ordered_json::parse(io::read_file(options.from));
  const std::vector<bench::Comparison> comparisons = bench::summarize(measurement);
  fmt::print("{}", bench::to_text(comparisons));
  if (!options.docs.empty()) {
    const std::string figures = bench::to_markdown(measurement, comparisons);
    io::write_file(options.docs, bench::with_figures(io::read_file(options.docs), figures));
  }
  return verdict(comparisons);
} catch (const std::exception& error) {
  fmt::print(stderr, "{}\n", error.what());
  return 1;
}
