#include "gradus/train/selftest/selftest.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "gradus/cli/commands.h"
#include "gradus/cli/json.h"

namespace gradus::cli {

int selftest(const SelftestCommand& command) {
  std::size_t failed = 0;
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  if (!command.json)
    fmt::print("{:<24} {:<62} {:>12} {:>12} {:>10}\n", "check", "figure", "expected", "found", "tolerance");
  const std::vector<train::Oracle> all = train::oracles();
  for (const train::Oracle& oracle : all) {
    const train::OracleResult r = train::run_oracle(oracle);
    failed += r.passed ? 0 : 1;
    if (command.json) {
      json.push_back({{"check", r.name},
                      {"figure", r.about},
                      {"expected", r.expected},
                      {"found", r.found},
                      {"tolerance", r.tolerance},
                      {"passed", r.passed}});
      if (!r.error.empty()) json.back()["error"] = r.error;
      continue;
    }
    fmt::print("{:<24} {:<62} {:>12.6g} {:>12.6g} {:>10.1g}  {}\n", r.name, r.about, r.expected, r.found, r.tolerance,
               r.passed ? "ok" : "FAILED");
    if (!r.error.empty()) fmt::print("  {}\n", r.error);
  }
  if (command.json) {
    fmt::print("{}\n", text_of(json));
  } else {
    fmt::print("\n{} of {} hold\n", all.size() - failed, all.size());
  }
  return failed == 0 ? exit_ok : exit_failed;
}

}  // namespace gradus::cli
