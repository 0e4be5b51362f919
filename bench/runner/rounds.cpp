#include "bench/runner/rounds.h"

#include <fmt/format.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cstdio>
#include <ctime>
#include <fstream>
#include <nlohmann/json.hpp>

#include "bench/runner/process.h"
#include "gradus/base/error.h"
#include "gradus/base/version.h"
#include "gradus/kernel/onednn/version.h"

namespace gradus::bench {
namespace {

using nlohmann::ordered_json;

struct Peer {
  std::string_view name;
  std::vector<std::string> options;
};

const std::vector<Peer>& peers() {
  static const std::vector<Peer> all = {{"torch", {}}, {"torch-compile", {"--compile"}}, {"torch-tuned", {"--tuned"}}};
  return all;
}

/// One combination that is measured.
struct Case {
  std::string workload, dtype;
  int threads;
};

std::vector<std::string> command(const Plan& plan, const std::string& contender, const Case& measured) {
  std::vector<std::string> words;
  if (contender == "gradus") {
    words = {plan.programs + "/gradus_bench"};
  } else {
    words = {plan.python, plan.torch_bench};
    for (const Peer& peer : peers()) {
      if (peer.name == contender) words.insert(words.end(), peer.options.begin(), peer.options.end());
    }
  }
  words.insert(words.end(), {"--workload", measured.workload, "--dtype", measured.dtype, "--threads",
                             fmt::format("{}", measured.threads)});
  if (plan.steps > 0) words.insert(words.end(), {"--steps", fmt::format("{}", plan.steps)});
  return words;
}

/// All rounds of one combination.
ordered_json measure_case(const Plan& plan, const Case& measured) {
  std::vector<std::string> names = {"gradus"};
  names.insert(names.end(), plan.peers.begin(), plan.peers.end());
  const ordered_json limits = run_program(
      {plan.programs + "/gradus_bench_limits", "--threads", fmt::format("{}", measured.threads)}, measured.threads, 60);
  std::vector<ordered_json> contenders;
  for (const std::string& name : names) contenders.push_back({{"name", name}, {"runs", ordered_json::array()}});
  for (int round = 0; round < plan.rounds; ++round) {
    for (ordered_json& contender : contenders) {
      if (contender.contains("reason")) continue;  // what cannot run once is not tried again
      const std::string name = contender["name"];
      ordered_json line = run_program(command(plan, name, measured), measured.threads, plan.most_seconds);
      if (line.value("available", false)) {
        fmt::print(stderr, "  round {}: {:<14} {:>12.4f} ms\n", round + 1, name, line["step_ms_median"].get<double>());
        contender["runs"].push_back(std::move(line));
      } else {
        contender["reason"] = line.value("reason", "unknown");
        contender["failed"] = line.value("failed", false);
        fmt::print(stderr, "  {}: {}\n", name, line.value("reason", "unknown"));
      }
    }
  }
  return {{"workload", measured.workload},
          {"dtype", measured.dtype},
          {"threads", measured.threads},
          {"limits", limits},
          {"contenders", contenders}};
}

std::string processor() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  }
  return "unknown";
}

ordered_json machine() {
  utsname system{};
  uname(&system);
  char date[32] = "";
  const std::time_t time = std::time(nullptr);
  std::tm utc{};
  std::strftime(date, sizeof date, "%Y-%m-%d %H:%M UTC", gmtime_r(&time, &utc));
  return {{"date", date},
          {"processor", processor()},
          {"architecture", system.machine},
          {"cores", sysconf(_SC_NPROCESSORS_ONLN)},
          {"gradus", version},
          {"onednn", kernel::onednn_version()}};
}

}  // namespace

std::vector<std::string_view> peer_names() {
  std::vector<std::string_view> names;
  for (const Peer& peer : peers()) names.push_back(peer.name);
  return names;
}

ordered_json measure(const Plan& plan, const std::function<void(const ordered_json&)>& so_far) {
  ordered_json measurement = {{"machine", machine()}, {"rounds", plan.rounds}, {"results", ordered_json::array()}};
  for (const std::string& workload : plan.workloads) {
    for (const std::string& dtype : plan.dtypes) {
      for (const int threads : plan.threads) {
        fmt::print(stderr, "{} {}, {} thread{}\n", workload, dtype, threads, threads == 1 ? "" : "s");
        measurement["results"].push_back(measure_case(plan, {workload, dtype, threads}));
        if (so_far) so_far(measurement);
      }
    }
  }
  return measurement;
}

}  // namespace gradus::bench
