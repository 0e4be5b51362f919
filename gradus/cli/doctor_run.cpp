#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "gradus/cli/commands.h"
#include "gradus/cli/json.h"
#include "gradus/insight/doctor/doctor.h"
#include "gradus/insight/doctor/suite/suite.h"
#include "gradus/insight/doctor/trial.h"

namespace gradus::cli {
namespace {

using Json = nlohmann::ordered_json;
namespace clinic = insight::doctor;

/// What the doctor says of itself.
Json trust() {
  const clinic::SuiteResult& measured = clinic::measured_suite();
  return {{"sensitivity", measured.sensitivity().value()},
          {"faulty_runs", measured.sensitivity().runs},
          {"false_alarms", measured.false_alarms().value()},
          {"healthy_runs", measured.false_alarms().runs}};
}

clinic::TrialResult try_remedies(const DoctorCommand& command, const clinic::Diagnosis& diagnosis) {
  clinic::TrialOptions options{.remedies = command.trial, .seeds = command.seeds};
  options.progress = [&](std::size_t seed, std::size_t remedy, double score) {
    const std::string what = remedy == 0 ? "the untouched recipe" : fmt::format("remedy {}", remedy);
    fmt::print(stderr, "seed {} of {}, {}: {:.4f}\n", seed + 1, command.seeds, what, score);
  };
  return clinic::run_trial(diagnosis.evidence.recipe, diagnosis.findings, options);
}

}  // namespace

int doctor_run(const DoctorCommand& command) {
  const clinic::Diagnosis diagnosis = clinic::diagnose(command.run);
  if (!command.json) fmt::print("{}", clinic::text_of(diagnosis));
  Json json = command.json ? Json::parse(clinic::json_of(diagnosis)) : Json();
  if (command.trial > 0) {
    std::fflush(stdout);
    const clinic::TrialResult trial = try_remedies(command, diagnosis);
    if (command.json) json["trial"] = Json::parse(clinic::json_of(trial));
    if (!command.json) fmt::print("\n{}", clinic::text_of(trial));
  }
  if (command.json) {
    json["suite"] = trust();
    fmt::print("{}\n", text_of(json));
  } else {
    fmt::print("\n{}", clinic::measured_text());
  }
  return diagnosis.healthy() ? exit_ok : exit_faults;
}

int doctor_suite(const DoctorCommand& command) {
  const bool terminal = isatty(STDERR_FILENO) != 0;
  const auto progress = [&](std::size_t done, std::size_t all, const std::string& name) {
    if (terminal) fmt::print(stderr, "\r\033[K{} of {}: {}", done + 1, all, name);
    std::fflush(stderr);
  };
  const clinic::SuiteResult result = clinic::run_suite(
      command.development ? clinic::Part::development : clinic::Part::held_out, command.seed, progress);
  if (terminal) fmt::print(stderr, "\r\033[K");
  fmt::print("{}", command.json ? clinic::json_of(result) + "\n" : clinic::text_of(result));
  return exit_ok;
}

}  // namespace gradus::cli
