// One process, one workload, one line of JSON:   gradus_bench --workload lenet --threads 2
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <nlohmann/json.hpp>

#include "bench/workload.h"

int main(int argc, char** argv) try {
  gradus::bench::Settings settings;
  settings.threads = 2;
  bool list = false;
  CLI::App app("Runs one workload in Gradus and prints what was measured as one line of JSON.", "gradus_bench");
  app.add_flag("--list", list, "print the names of the workloads");
  app.add_option("--workload", settings.workload, "one of --list");
  app.add_option("--dtype", settings.dtype, "f32, bf16 or int8 (inference)");
  app.add_option("--threads", settings.threads);
  app.add_option("--steps", settings.steps, "timed steps; 0: as many as the workload says");
  app.add_option("--warmup", settings.warmup, "steps before them");
  app.add_option("--max-seconds", settings.max_seconds, "no timed step begins later");
  app.add_flag("--profile", settings.profile, "print where the time of the timed steps went to stderr");
  app.add_option("--trace", settings.trace,
                 "write every kernel call of the timed steps to this file (Chrome's format)");
  CLI11_PARSE(app, argc, argv);
  if (list) {
    for (const auto& workload : gradus::bench::workloads()) fmt::print("{}\n", workload.name);
    return 0;
  }
  fmt::print("{}\n", gradus::bench::run(settings).dump());
  return 0;
} catch (const std::exception& error) {
  fmt::print(stderr, "{}\n", error.what());
  return 1;
}
