// What this machine can do at most, as one line of JSON:   gradus_bench_limits --threads 2
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <nlohmann/json.hpp>

#include "bench/limits/limits.h"

int main(int argc, char** argv) {
  namespace limits = gradus::bench::limits;
  int threads = 2;
  CLI::App app("Measures what the machine can do at most and prints one line of JSON.", "gradus_bench_limits");
  app.add_option("--threads", threads)->check(CLI::Range(1, 1024));
  CLI11_PARSE(app, argc, argv);
  nlohmann::ordered_json line = {{"threads", threads}};
  for (const auto& measured : {limits::arithmetic(threads), limits::products(threads), limits::bandwidth(threads)}) {
    for (const auto& [name, value] : measured) line[name] = std::round(value * 10) / 10;
  }
  fmt::print("{}\n", line.dump());
}
